from uuid import uuid4

import pytest
from django.http import QueryDict

from analytics import query_string
from analytics.templatetags import changes, charts

MONTH = query_string.parse_filters(QueryDict("range=30d"), uuid4())


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
def test_a_change_names_the_previous_window(percentage: float, card: str, sentence: str) -> None:
    assert changes.vs_previous(percentage, MONTH) == card
    assert changes.vs_previous_in(percentage, MONTH) == sentence


@pytest.mark.parametrize(
    ("percentage", "good", "css_class"),
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
def test_only_a_clear_change_is_good_or_bad(percentage: float | None, good: str, css_class: str) -> None:
    assert changes.change_class(percentage, good) == css_class


@pytest.mark.parametrize(("counts", "ticks"), [([], {"dtick": 1}), ([0, 5], {"dtick": 1}), ([0, 6], {})])
def test_an_axis_of_a_few_calls_has_no_halves(counts: list[int], ticks: dict[str, int]) -> None:
    assert charts.ticks_of_counts(counts) == ticks
