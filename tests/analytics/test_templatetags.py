import json
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.http import QueryDict

from analytics import query_string
from analytics.templatetags import changes, charts
from tests.tenant import NOON, Tenant, iso

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


HTMX = {"HX-Request": "true"}


def figure(page: str) -> dict[str, Any]:
    """Returns the figure that json_script wrote into a panel."""
    [script] = re.findall(r'<script id="[\w-]+" type="application/json">(.*?)</script>', page, re.DOTALL)
    found: dict[str, Any] = json.loads(script)
    return found


@pytest.mark.django_db(databases="__all__")
def test_the_hover_text_of_a_tiny_cost_is_the_cost(tenant: Tenant) -> None:
    tenant.calls(1, cost_usd="0.0000002")
    tenant.calls(1, at=NOON - timedelta(days=1), cost_usd="0.0000004")
    day = {"start": iso(NOON.replace(hour=0)), "end": iso(NOON.replace(hour=0) + timedelta(days=1))}
    bars, before = figure(tenant.client.get("/api/v1/cost/trend", day, headers=HTMX).content.decode())["data"]
    assert {text for text in bars["customdata"] if "0002" in text} == {"$0.0000002"}
    assert {text for text in before["text"] if "0004" in text} == {"$0.0000004"}
    assert "customdata" not in before, "a click on the previous window would lead nowhere"


@pytest.mark.django_db(databases="__all__")
def test_the_hover_text_of_a_tiny_latency_is_not_0(tenant: Tenant) -> None:
    tenant.calls(1, latency_ms=0.25)
    day = {"start": iso(NOON.replace(hour=0)), "end": iso(NOON.replace(hour=0) + timedelta(days=1))}
    lines = figure(tenant.client.get("/api/v1/performance/latency", day, headers=HTMX).content.decode())["data"]
    assert {text for line in lines for text in line["customdata"]} == {"", "<1 ms"}


@pytest.mark.django_db(databases="__all__")
def test_large_and_long_numbers_move_on_to_the_next_unit(tenant: Tenant) -> None:
    tenant.calls(1, cost_usd="999960", latency_ms=86_400_000.0, input_tokens=999_960_000, user_id="ada")
    day = {"start": iso(NOON.replace(hour=0)), "end": iso(NOON.replace(hour=0) + timedelta(days=1))}
    panels = {
        "cost/by-model": [">$999,960<", ">1,000.0 M<", 'title="999,960,000"', 'title="$999,960.00"'],
        "usage/top-users": [">$999,960<"],
        "usage/agent-distribution": [">1 d<", 'title="86,400,000 ms"'],
    }
    for panel, texts in panels.items():
        page = tenant.client.get(f"/api/v1/{panel}", day, headers=HTMX).content.decode()
        assert [text for text in texts if text not in page] == []


def test_the_parts_of_a_cost_begin_with_the_largest() -> None:
    parts = {"input": 1.0, "output": 3.0, "cache_read": 0.0, "other": 0.0}
    assert charts.largest_parts(parts) == [("output", 3.0, 75.0), ("input", 1.0, 25.0)]
    assert charts.largest_parts(None) == []
