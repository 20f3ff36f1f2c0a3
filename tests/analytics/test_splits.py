"""A page's charts are split by the dimension that its address names, and costs are listed by another one."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache

from analytics.catalogue import METRICS
from analytics.palette import COLOURS, colour_slots, distinct_slots
from tests.tenant import NOON, Tenant, iso

pytestmark = pytest.mark.django_db(databases="__all__")

WINDOW = {"start": iso(NOON - timedelta(hours=12)), "end": iso(NOON + timedelta(hours=12))}
SPLIT = {route: metric.panel.split for route, metric in METRICS.items() if metric.panel.split}
CHARTS = [route for route, split in SPLIT.items() if split.is_series]


def page(tenant: Tenant, name: str, expect: int = 200, **query: Any) -> str:
    response = tenant.client.get(f"/dashboard/{name}", WINDOW | {"workspace": tenant.workspace.id} | query)
    assert response.status_code == expect
    return response.content.decode()


def panel(tenant: Tenant, route: str, **query: str) -> str:
    """Returns the panel as the page asks for it: at the address in its element, under the name of its element."""
    cache.clear()
    domain, name = route.partition("/")[0], METRICS[route].name
    shown = page(tenant, domain, **query)
    found = re.search(rf'id="panel-{name}".*?hx-get="([^"]+)"', shown, re.DOTALL)
    assert found
    address = f"http://testserver/dashboard/{domain}?{'&'.join(f'{key}={value}' for key, value in query.items())}"
    headers = {"HX-Request": "true", "HX-Trigger": f"panel-{name}", "HX-Current-URL": address}
    response = tenant.client.get(found[1].replace("&amp;", "&"), headers=headers)
    assert response.status_code == 200, response.content
    return re.sub(r"\s+", " ", response.content.decode())


def figures(text: str) -> list[Any]:
    return [json.loads(figure)["data"] for figure in re.findall(r'<script id="figure-[^>]*>(.*?)</script>', text)]


def releases(tenant: Tenant) -> None:
    timed = {"latency_ms": 100.0, "first_token_ms": 10.0, "output_tokens": 5, "input_tokens": 50}
    tenant.calls(2, release="41", cost_usd="1", **timed)
    tenant.calls(1, release="42", cost_usd="3", **timed)
    tenant.calls(1, cost_usd="0.5", **timed)


def test_every_chart_over_time_can_be_split() -> None:
    with_charts = {route for route, metric in METRICS.items() if "chart-panel" in metric.panel.classes}
    assert with_charts == {*CHARTS}


@pytest.mark.parametrize("route", CHARTS)
def test_a_split_chart_has_a_series_for_each_value_and_says_so(tenant: Tenant, route: str) -> None:
    releases(tenant)
    text = panel(tenant, route, split="release")
    assert f"<h2>{SPLIT[route].title} by release</h2>" in text
    drawn = figures(text)
    assert len(drawn) == len(SPLIT[route].measures)
    for series in drawn:
        assert {one["name"] for one in series} == {"41", "42", "no release"}
    assert re.search(r'href="\?split=release&amp;[^"]*release=42"', text)  # to these calls, still split


@pytest.mark.parametrize("route", CHARTS)
def test_a_split_chart_has_the_window_before_as_one_dashed_line(tenant: Tenant, route: str) -> None:
    releases(tenant)
    timed = {"latency_ms": 100.0, "first_token_ms": 10.0, "output_tokens": 5, "input_tokens": 50}
    for hours in (1, 2, 3):
        tenant.calls(hours, NOON - timedelta(days=1, hours=hours), release="40", cost_usd="1", **timed)
    for series in figures(panel(tenant, route, split="release")):
        (before,) = [one for one in series if one.get("line", {}).get("dash") == "dash"]
        assert before["name"] == "all in the window before"
        assert len([value for value in before["y"] if value]) == 3


@pytest.mark.parametrize("route", CHARTS)
def test_without_a_split_a_chart_shows_its_metric(tenant: Tenant, route: str) -> None:
    releases(tenant)
    assert f'hx-get="/api/v1/{route}?' in page(tenant, route.partition("/")[0])
    assert "by release" not in panel(tenant, route)


@pytest.mark.parametrize("route", CHARTS)
def test_a_split_chart_without_a_call_says_so(tenant: Tenant, route: str) -> None:
    text = panel(tenant, route, split="release")
    assert '<div class="nothing">' in text
    assert "<script" not in text


def test_a_chart_shows_the_eight_largest_and_all_others_together(tenant: Tenant) -> None:
    for number in range(10):
        tenant.calls(20 - number, agent_id=f"agent-{number}")
    (series,) = figures(panel(tenant, "usage/calls-over-time", split="agent_id"))
    assert [one["name"] for one in series] == [*(f"agent-{number}" for number in range(8)), "all others"]
    assert sum(series[-1]["y"]) == 12 + 11


def test_percentiles_are_shown_of_the_values_with_most_calls(tenant: Tenant) -> None:
    for number in range(8):
        tenant.calls(2, user_id=f"user-{number}", latency_ms=100.0)
    tenant.calls(1, user_id="slow", latency_ms=90_000.0)
    (series,) = figures(panel(tenant, "performance/latency", split="user_id"))
    assert [one["name"] for one in series] == [*(f"user-{number}" for number in range(8)), "all others"]


def test_hover_texts_have_units(tenant: Tenant) -> None:
    releases(tenant)
    texts = {
        "usage/calls-over-time": "2 calls",
        "usage/tokens": "100 tokens",
        "cost/trend": "$2.00",
        "performance/latency": "100 ms",
        "performance/first-token": "10 ms",
        "performance/tokens-per-second": "50 tokens per second",
    }
    for route, text in texts.items():
        series = next(one for one in figures(panel(tenant, route, split="release"))[0] if one["name"] == "41")
        assert [found for found in series["customdata"] if found and not found.startswith(("0", "$0.00"))] == [text]


def test_statuses_have_their_own_colours(tenant: Tenant) -> None:
    tenant.calls(2)
    tenant.calls(1, status="error")
    (series,) = figures(panel(tenant, "performance/throughput", split="status"))
    colours = {one["name"]: one["marker"]["color"] for one in series}
    assert colours == {"Successful": "--success-fill", "Failed": "--error-fill"}


def test_a_value_has_one_colour_on_all_pages_and_in_all_windows(tenant: Tenant) -> None:
    for number in range(6):
        tenant.calls(1 + number, NOON - timedelta(days=number % 2), release=f"r{number}", cost_usd=f"{6 - number}")
    window = {"start": iso(NOON - timedelta(hours=1)), "end": iso(NOON + timedelta(hours=1))}

    def colours(route: str, **query: str) -> dict[str, str]:
        (series,) = figures(panel(tenant, route, split="release", **query))
        return {one["name"]: one["marker"]["color"] for one in series if one["type"] == "bar"}

    of_calls, of_costs = (colours(route) for route in ("usage/calls-over-time", "cost/trend"))
    assert len(of_calls) == 3
    assert of_calls == of_costs == colours("usage/calls-over-time", **window)


def test_eight_names_have_eight_colours_and_keep_them_as_others_come() -> None:
    names = [f"name {number}" for number in range(30)]
    known = colour_slots(names[:8])
    assert len({slot % COLOURS for slot in known.values()}) == 8
    assert distinct_slots(names[3:6], known) == {name: known[name] for name in names[3:6]}
    assert distinct_slots(names[:9], known).items() >= known.items()
    assert len({*distinct_slots(names[:24], {}).values()}) == 24
    assert len(distinct_slots(names, {})) == 30


# --- Costs ---


def rows_of(text: str) -> list[str]:
    body = text.partition("<tbody>")[2].partition("</tbody>")[0]
    return [re.sub(r" +", " ", re.sub(r"<[^>]*>", " ", row)).strip() for row in body.split("</tr>")[:-1]]


@pytest.mark.parametrize(
    ("cost_by", "columns", "name"),
    [
        ("agent_id", {"agent_id": "support"}, "support"),
        ("user_id", {"user_id": "ada"}, "ada"),
        ("environment", {"environment": "production"}, "production"),
        ("release", {"release": "42"}, "42"),
        ("label.customer", {"labels": {"customer": "acme"}}, "acme"),
        ("label.team, or not", {"labels": {"team, or not": "search"}}, "search"),
    ],
)
def test_costs_are_listed_by(tenant: Tenant, cost_by: str, columns: dict[str, Any], name: str) -> None:
    tokens = {"input_tokens": 100, "cache_read_tokens": 40, "output_tokens": 7}
    tenant.calls(2, cost_usd="1.5", **tokens, **columns)
    tenant.calls(1, cost_usd="1", **({"agent_id": "tests"} if cost_by == "agent_id" else {}))
    text = panel(tenant, "cost/by-model", cost_by=cost_by)
    first, second = rows_of(text)
    assert first.replace(" Copy", "") == f"{name} $3.00 75 % $1.50 2 200 40 % 14 0"
    assert "$1.00 25 % $1.00 1 0" in second
    assert f">{name}</a>" in text


def test_costs_past_the_twentieth_value_are_one_line_and_unpriced_calls_are_named(tenant: Tenant) -> None:
    for number in range(22):
        tenant.calls(1, user_id=f"user-{number:02}", cost_usd=str(30 - number))
    tenant.calls(3, user_id="free")
    lines = rows_of(panel(tenant, "cost/by-model", cost_by="user_id"))
    assert len(lines) == 21
    assert lines[-1].startswith("all others $19.00")
    assert lines[-1].endswith(" 3")


def test_costs_by_model_are_those_of_the_metric(tenant: Tenant) -> None:
    for query in ({}, {"cost_by": "model"}):
        shown = page(tenant, "cost", **query)
        assert 'hx-get="/api/v1/cost/by-model?' in shown
        assert re.search(r'aria-current="true">Model<', shown)


def test_the_switch_marks_what_is_shown_and_leads_back_to_the_panel(tenant: Tenant) -> None:
    shown = page(tenant, "cost", cost_by="label.customer", split="release")
    assert re.search(r'<summary\s+aria-current="true"\s+title="customer">customer</summary>', shown)
    assert "cost_by=agent_id" in shown
    assert len(re.findall(r'href="\?[^"]*#panel-cost-by-model"', shown)) == 5
    assert 'aria-label="Cost by customer"' in shown


# --- The address ---


@pytest.mark.parametrize("name", ["usage", "cost", "performance"])
@pytest.mark.parametrize("value", ["nope", "tool", "label.", "model,agent_id", "label.a\0b", "label." + "x" * 300])
def test_an_address_that_names_no_dimension_is_refused_with_a_sentence(tenant: Tenant, name: str, value: str) -> None:
    text = page(tenant, name, expect=422, split=value)
    assert "must be one of agent_id" in text
    page(tenant, name, expect=422, cost_by=value)


def test_the_dimensions_stay_in_links_and_are_no_filters(tenant: Tenant) -> None:
    shown = page(tenant, "cost", split="release", cost_by="user_id")
    assert re.search(r'href="/dashboard/usage\?[^"]*split=release&amp;cost_by=user_id', shown)
    assert "/api/v1/cost/overview?start" in shown
    assert not re.search(r'hx-get="/api/v1/(?!query)[^"]*(split|cost_by)=', shown)
    assert '<input type="hidden" name="split" value="release">' in shown  # a custom window keeps it


def test_the_page_explore_and_the_documents_have_no_split(tenant: Tenant) -> None:
    assert "Split charts" not in page(tenant, "query", split="release")


def test_a_name_is_only_ever_text(tenant: Tenant) -> None:
    hostile = "</script><script>alert(1)</script>"
    tenant.calls(1, labels={hostile: hostile}, cost_usd="1")
    name = f"label.{hostile}"
    for route, query in (("cost/by-model", {"cost_by": name}), ("cost/trend", {"split": name})):
        assert "<script>alert" not in panel(tenant, route, **query)
        assert "<script>alert" not in page(tenant, "cost", **query)


# --- The lists ---


def choices(tenant: Tenant, parameter: str, search: str = "") -> list[str]:
    cache.clear()
    response = tenant.client.get(f"/dashboard/choices/{parameter}", WINDOW | {"search": search})
    assert response.status_code == 200
    return re.findall(r'class="choice"\s+href="\?[^"]*"\s+title="([^"]*)"', response.content.decode())


def test_the_list_of_dimensions_has_labels_and_a_search(tenant: Tenant) -> None:
    tenant.calls(1, labels={"customer": "acme", "feature": "search"})
    assert choices(tenant, "split") == [
        *("Nothing", "Agent", "Model", "Provider", "Operation", "User", "Environment", "Release", "Status"),
        *("Error type", "customer", "feature"),
    ]
    assert choices(tenant, "split", "USE") == ["User"]
    assert choices(tenant, "split", "cust") == ["customer"]
    assert choices(tenant, "cost_by") == ["customer", "feature"]
    assert choices(tenant, "split", "nothing like it") == []


def test_the_list_does_not_see_another_workspace(tenant: Tenant) -> None:
    from tests.factories import WorkspaceFactory
    from tests.tenant import a_row
    from traces import writer

    writer.store(WorkspaceFactory().id, [a_row(labels={"secret": "x"}, release="secret", user_id="secret")])
    tenant.calls(1, release="1", user_id="ada", labels={"a": "b"})
    assert choices(tenant, "cost_by") == ["a"]
    for dimension in ("release", "user_id", "label.a"):
        assert "secret" not in panel(tenant, "usage/calls-over-time", split=dimension)
