from uuid import uuid4

import pytest
from django.http import QueryDict

from analytics import filters
from analytics.templatetags import formats

MONTH = filters.parse(QueryDict("range=30d"), uuid4())


@pytest.mark.parametrize(
    ("percentage", "card", "sentence"),
    [
        (12, "12 % more than the 30 days before", "12 % more than in the 30 days before"),
        (-3.2, "3.2 % less than the 30 days before", "3.2 % less than in the 30 days before"),
        (0, "the same as the 30 days before", "the same as in the 30 days before"),
        (999, "999 % more than the 30 days before", "999 % more than in the 30 days before"),
        (1000, "more than 10 times the 30 days before", "more than 10 times the 30 days before"),
        (9_683_000, "more than 10 times the 30 days before", "more than 10 times the 30 days before"),
    ],
)
def test_a_change_is_said_with_what_it_is_compared_with(percentage: float, card: str, sentence: str) -> None:
    assert formats.than(percentage, MONTH) == card
    assert formats.than_in(percentage, MONTH) == sentence
