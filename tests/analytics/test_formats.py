from uuid import uuid4

import pytest
from django.http import QueryDict

from analytics import query_string
from analytics.templatetags import charts, formats

MONTH = query_string.parse(QueryDict("range=30d"), uuid4())


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


@pytest.mark.parametrize(
    ("percentage", "good", "judgement"),
    [
        (5, "less", "bad"),
        (-5, "less", "good"),
        (5, "more", "good"),
        (-5, "more", "bad"),
        (4.9, "less", "neither"),
        (-4.9, "more", "neither"),
        (50, "neither", "neither"),
        (None, "less", "neither"),
    ],
)
def test_only_what_changed_is_good_or_bad(percentage: float | None, good: str, judgement: str) -> None:
    assert formats.judged(percentage, good) == judgement


@pytest.mark.parametrize(("counts", "ticks"), [([], {"dtick": 1}), ([0, 5], {"dtick": 1}), ([0, 6], {})])
def test_an_axis_of_a_few_calls_has_no_halves(counts: list[int], ticks: dict[str, int]) -> None:
    assert charts.ticks_of_counts(counts) == ticks
