"""Tests pages and panels beyond the answers of endpoints: choices, colours, the previous window, links."""

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.test import Client

from analytics.catalogue import METRICS, PAGES
from analytics.palette import COLOURS, PATTERNS, colour_slots
from tests.factories import MembershipFactory, WorkspaceFactory
from tests.tenant import NOON, Tenant, a_row, iso
from traces import writer
from workspaces.models import Role

NOT_IN_PAGES = ("Explore", "Traces", "Sessions", "Users", "Agents", "Tools", "Insights")
"""The other entries of the navigation that keep the window and the filters."""
pytestmark = pytest.mark.django_db(databases="__all__")

HTMX = {"HX-Request": "true"}
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def choices(tenant: Tenant, name: str, **query: str) -> str:
    return tenant.client.get(f"/dashboard/choices/{name}", query).content.decode()


def test_the_list_of_agents_has_the_most_called_first_with_its_calls(tenant: Tenant) -> None:
    tenant.calls(2, datetime.now(UTC) - HOUR, agent_id="sales")
    tenant.calls(3, datetime.now(UTC) - HOUR, agent_id="support")
    page = choices(tenant, "agent_id")
    assert page.index("agent_id=support") < page.index("agent_id=sales")
    assert '<span class="muted">3</span>' in page


def test_a_list_obeys_the_other_filters_but_not_its_own(tenant: Tenant) -> None:
    tenant.calls(1, datetime.now(UTC) - HOUR, agent_id="sales", model="small")
    tenant.calls(1, datetime.now(UTC) - HOUR, agent_id="support", model="large")
    assert "agent_id=support" not in choices(tenant, "agent_id", model="small")
    assert "model=large" in choices(tenant, "model", model="small")


def test_a_search_finds_a_value_that_a_thousand_others_are_more_frequent_than(tenant: Tenant) -> None:
    rare = a_row(agent_id="rare agent")
    writer.store(tenant.workspace.id, [a_row(agent_id=f"agent {n // 2}") for n in range(2_004)] + [rare])
    assert 'title="rare agent"' in choices(tenant, "agent_id", search="RARE", range="7d")


@pytest.mark.parametrize("search", ["müller", "Müller", "MÜLLER", "%", "_", "x" * 300, "\0"])
def test_a_search_takes_letters_of_every_language_and_no_patterns(tenant: Tenant, search: str) -> None:
    tenant.calls(1, agent_id="Müller")
    found = 'title="Müller"' in choices(tenant, "agent_id", search=search, range="7d")
    assert found == (search.lower() == "müller")


def test_a_search_finds_what_contains_it_in_any_case(tenant: Tenant) -> None:
    tenant.calls(1, datetime.now(UTC) - HOUR, provider="OpenAI")
    tenant.calls(1, datetime.now(UTC) - HOUR, provider="google")
    page = choices(tenant, "provider", search="open")
    assert "provider=OpenAI" in page
    assert "google" not in page
    assert "No value contains this text" in choices(tenant, "provider", search="mistral")


def test_operations_beyond_model_calls_can_be_chosen(tenant: Tenant) -> None:
    tenant.calls(1, datetime.now(UTC) - HOUR, operation="execute_tool", model=None, provider=None)
    assert "operation=execute_tool" in choices(tenant, "operation")


def test_the_list_of_users_has_the_most_calls_first_under_the_other_filters(tenant: Tenant) -> None:
    now = datetime.now(UTC) - HOUR
    tenant.calls(2, now, user_id="ada", release="41")
    tenant.calls(3, now, user_id="bob", release="42")
    tenant.calls(1, now, user_id="cy", release="42")
    page = choices(tenant, "user_id")
    assert page.index("user_id=bob") < page.index("user_id=ada") < page.index("user_id=cy")
    assert "ada" not in choices(tenant, "user_id", release="42")
    assert 'title="bob"' in choices(tenant, "user_id", release="42", search="BO")


def test_the_list_of_sessions_has_the_newest_and_is_searched_by_how_they_begin(tenant: Tenant) -> None:
    now = datetime.now(UTC)
    sessions = [a_row(now - timedelta(minutes=minute), session_id=f"chat-{minute}") for minute in range(1, 121)]
    writer.store(tenant.workspace.id, sessions)
    page = choices(tenant, "session_id")
    assert page.index('"chat-1"') < page.index('"chat-2"')
    assert 'title="chat-100"' in page
    assert "chat-101" not in page
    assert 'title="chat-117"' in choices(tenant, "session_id", search="chat-11")
    assert "chat" not in choices(tenant, "session_id", search="hat-1")


@pytest.mark.parametrize("name", ["environment", "release", "error_type"])
def test_the_values_of_each_column_are_offered_with_their_calls(tenant: Tenant, name: str) -> None:
    tenant.calls(3, datetime.now(UTC) - HOUR, status="error", **{name: "one"})
    tenant.calls(2, datetime.now(UTC) - HOUR, status="error", **{name: "other"})
    page = choices(tenant, name)
    assert page.index(f"{name}=one") < page.index('<span class="muted">3</span>') < page.index(f"{name}=other")


def test_labels_are_chosen_by_name_and_then_by_value(tenant: Tenant) -> None:
    now = datetime.now(UTC) - HOUR
    tenant.calls(2, now, labels={"customer": "acme", "tea m/?&": "search"})
    tenant.calls(3, now, labels={"customer": "globex"})
    names = choices(tenant, "label")
    assert names.index("customer") < names.index("tea m/?&amp;")
    assert "of=tea+m%2F%3F%26&amp;menu=1" in names
    assert "customer" not in choices(tenant, "label", search="tea")
    values = choices(tenant, "label", of="customer", **{"label.customer": "acme"})
    assert values.index("label.customer=globex") < values.index('title="acme"')
    assert "label.tea+m%2F%3F%26=search" in choices(tenant, "label", of="tea m/?&")
    assert "globex" not in choices(tenant, "label", of="customer", **{"label.tea m/?&": "search"})


@pytest.mark.parametrize("label", ["ü" * 129, "a\0b"])
def test_a_label_that_cannot_be_is_refused(tenant: Tenant, label: str) -> None:
    assert tenant.client.get("/dashboard/choices/label", {"of": label}).status_code == 422


def links_of(page: str, value: str) -> list[QueryDict]:
    """Returns the query strings of the links of this value: only it, it too or no longer, and all but it."""
    [item] = [item for item in re.findall(r"<li>.*?</li>", page, re.DOTALL) if f'title="{value}"' in item]
    queries = [QueryDict(unescape(link), mutable=True) for link in re.findall(r'href="\?([^"]*)"', item)]
    for query in queries:
        query.pop("workspace")
    return queries


def test_a_list_offers_one_value_only_one_more_and_all_but_one(tenant: Tenant) -> None:
    for model in ("large", "small", "tiny"):
        tenant.calls(1, datetime.now(UTC) - HOUR, model=model)
    page = tenant.client.get("/dashboard/choices/model?model=small&range=7d&not_model=tiny").content.decode()
    assert links_of(page, "large") == [
        QueryDict("range=7d&model=large"),
        QueryDict("model=small&model=large&range=7d&not_model=tiny"),
        QueryDict("model=small&range=7d&not_model=tiny&not_model=large"),
    ]
    assert links_of(page, "small")[1:] == [
        QueryDict("range=7d&not_model=tiny"),
        QueryDict("range=7d&not_model=tiny&not_model=small"),
    ]
    assert links_of(page, "tiny")[1:] == [
        QueryDict("model=small&model=tiny&range=7d"),
        QueryDict("model=small&range=7d"),
    ]


def bar(tenant: Tenant, query: str) -> str:
    page = tenant.client.get(f"/dashboard/usage?workspace={tenant.workspace.id}&{query}").content.decode()
    return re.sub(
        r"\s+", " ", re.sub(r"<[^>]*>", "", page[page.index('aria-label="Filters"') : page.index("</header>")])
    )


def test_chips_say_what_passes_and_what_does_not(tenant: Tenant) -> None:
    shown = bar(tenant, "not_environment=staging&release=41&release=42&release=43&label.customer=acme")
    for words in ("Environment: not staging", "Release: 41, 42 and 1 more", "customer: acme", "Agent", "Model"):
        assert words in shown
    assert "Model: a; not b" in bar(tenant, "model=a&not_model=b")


def test_a_page_keeps_all_filters_in_its_links_panels_and_forms(tenant: Tenant) -> None:
    query = "model=a&model=b&not_release=42&label.customer=acme&not_label.team=x"
    of_page = f"workspace={tenant.workspace.id}&{query}"
    page = unescape(tenant.client.get(f"/dashboard/usage?{of_page}").content.decode())
    panels = re.findall(r'hx-get="/api/v1/[^"?]*\?([^"]*)"', page)
    assert panels
    assert all(QueryDict(panel).get("not_label.team") == "x" for panel in panels)
    navigation = page.partition("<main")[0]
    assert len(re.findall(rf'href="/dashboard/\w+\?{re.escape(of_page)}', navigation)) == len(PAGES) + len(NOT_IN_PAGES)
    hidden = re.findall(r'<input type="hidden"\s+name="([^"]*)"\s+value="([^"]*)"', page)
    assert [pair for pair in hidden if pair[0] != "workspace"] == [
        *(("model", "a"), ("model", "b"), ("not_release", "42"), ("label.customer", "acme"), ("not_label.team", "x"))
    ]
    nothing = tenant.client.get(f"/api/v1/usage/calls-over-time?{query}", headers=HTMX).content.decode()
    [link] = re.findall(r'<a href="\?([^"]*)">Remove the filters', nothing)
    assert [*QueryDict(unescape(link))] == ["workspace"]


def test_users_and_errors_of_a_table_lead_to_their_calls(tenant: Tenant) -> None:
    now = datetime.now(UTC) - HOUR
    tenant.calls(1, now, user_id="a&b", status="error", error_type="rate limit")
    tenant.calls(1, now, status="timeout")
    users = tenant.client.get("/api/v1/usage/top-users?not_user_id=c", headers=HTMX).content.decode()
    assert re.search(r'href="\?not_user_id=c&amp;workspace=[^"]*&amp;user_id=a%26b"', users)
    errors = tenant.client.get("/api/v1/performance/errors", headers=HTMX).content.decode()
    assert re.search(r'href="[^"]*&amp;status=error&amp;error_type=rate\+limit"', errors)
    assert re.search(r'href="[^"]*&amp;status=timeout"', errors)


def test_another_workspaces_values_are_not_offered(tenant: Tenant) -> None:
    tenant.calls(1, datetime.now(UTC) - HOUR, agent_id="secret")
    elsewhere = tenant.client.get("/dashboard/choices/agent_id", headers={"X-Workspace-ID": str(WorkspaceFactory().id)})
    assert elsewhere.status_code == 401


def test_the_first_eight_models_never_share_a_colour() -> None:
    names = [f"model-{number}" for number in range(COLOURS)]
    assert sorted(colour_slots(names).values()) == list(range(COLOURS))


def test_a_new_model_changes_no_colour() -> None:
    names = ["gpt-4o", "gpt-4o-mini", "o4-mini", "claude-sonnet-4-5"]
    before = colour_slots(names)
    assert {name: slot for name, slot in colour_slots([*names, "newest"]).items() if name in before} == before


def test_models_of_the_same_colour_have_different_patterns() -> None:
    slots = colour_slots(f"model-{number}" for number in range(24)).values()
    assert sorted(slots) == list(range(24))
    assert max(colour_slots(f"model-{number}" for number in range(25)).values()) < COLOURS * len(PATTERNS)


def test_a_model_with_and_without_a_provider_is_two_models(tenant: Tenant) -> None:
    tenant.calls(2, cost_usd="1")
    tenant.calls(1, cost_usd="1", provider=None)
    panel = tenant.client.get("/api/v1/cost/trend?range=7d", headers=HTMX).content.decode()
    assert "gpt-4o (openai)" in panel
    assert "gpt-4o (no provider)" in panel
    assert "None" not in panel


def test_the_ninth_model_has_a_pattern_in_chart_legend_and_table(tenant: Tenant) -> None:
    for number in range(9):
        tenant.calls(1, datetime.now(UTC) - (10 - number) * DAY, model=f"model-{number}", cost_usd="1")
    chart = tenant.client.get("/api/v1/cost/trend?range=30d&limit=9", headers=HTMX).content.decode()
    assert chart.count('"shape": "/"') == 1
    assert len(re.findall(r'class="swatch c\d p1"', chart)) == 1
    table = tenant.client.get("/api/v1/cost/by-model?range=30d", headers=HTMX).content.decode()
    assert len(re.findall(r'class="swatch c\d p1"', table)) == 1


def test_the_dashed_line_has_no_bucket_that_its_window_cuts(tenant: Tenant) -> None:
    tenant.calls(1, NOON + timedelta(minutes=31))
    # The previous window, from 2:30 to 12:30, cuts an hour at each edge.
    tenant.calls(1, NOON - 10 * HOUR + timedelta(minutes=40))
    tenant.calls(2, NOON - 5 * HOUR)
    tenant.calls(4, NOON + timedelta(minutes=10))
    window = {"start": iso(NOON + timedelta(minutes=30)), "end": iso(NOON + timedelta(hours=10, minutes=30))}
    page = tenant.client.get("/api/v1/usage/calls-over-time", window, headers=HTMX).content.decode()
    match = re.search(r'type="application/json">(.*?)</script>', page, re.DOTALL)
    assert match
    dashed = json.loads(match[1])["data"][-1]
    assert (len(dashed["y"]), sum(dashed["y"])) == (9, 2)


def test_the_previous_window_is_a_dashed_line_of_its_calls(tenant: Tenant) -> None:
    tenant.calls(1, datetime.now(UTC) - HOUR)
    tenant.calls(2, datetime.now(UTC) - 25 * HOUR)
    page = tenant.client.get("/api/v1/usage/calls-over-time", headers=HTMX).content.decode()
    assert "the 24 hours before" in page
    assert '"dash": "dash"' in page


def test_without_previous_calls_there_is_no_dashed_line(tenant: Tenant) -> None:
    tenant.calls(1, datetime.now(UTC) - HOUR)
    assert '"dash"' not in tenant.client.get("/api/v1/usage/calls-over-time", headers=HTMX).content.decode()


@pytest.mark.parametrize("panel", ["usage/overview", "cost/overview", "performance/overview"])
def test_cards_have_sparklines(tenant: Tenant, panel: str) -> None:
    for ago in range(1, 6):
        tenant.calls(ago, datetime.now(UTC) - ago * HOUR, user_id="ada", latency_ms=100.0, cost_usd="0.10")
    page = tenant.client.get(f"/api/v1/{panel}", headers=HTMX).content.decode()
    assert page.count('<path class="line"') >= 3


def test_a_custom_window_is_read_in_the_workspaces_zone(tenant: Tenant) -> None:
    tenant.workspace.time_zone = "Europe/Berlin"
    tenant.workspace.save()
    form = {"workspace": tenant.workspace.id, "from": "2026-07-01T10:00", "to": "2026-07-01T12:00", "agent_id": "sales"}
    location = tenant.client.get("/dashboard/cost", form)["Location"]
    assert "start=2026-07-01T08%3A00%3A00Z&end=2026-07-01T10%3A00%3A00Z" in location
    assert "agent_id=sales" in location


def test_times_that_are_not_times_are_refused_in_words(tenant: Tenant) -> None:
    page = tenant.client.get("/dashboard/cost", {"workspace": tenant.workspace.id, "from": "soon", "to": "later"})
    assert page.status_code == 422
    assert "must be a date and time" in page.content.decode()


def test_a_page_keeps_filters_in_its_links_to_other_pages(tenant: Tenant) -> None:
    page = tenant.client.get(
        "/dashboard/usage", {"workspace": tenant.workspace.id, "range": "7d", "agent_id": "sales & co"}
    ).content.decode()
    for name in [page.domain for page in PAGES]:
        [link] = re.findall(rf'href="/dashboard/{name}\?([^"]*)"', page)
        assert QueryDict(unescape(link)).dict() == {
            "workspace": str(tenant.workspace.id),
            "range": "7d",
            "agent_id": "sales & co",
        }


def test_documents_can_be_read_in_the_browser() -> None:
    page = Client().get("/docs/clients").content.decode()
    assert "<h1>Sending traces from the SDK you use</h1>" in page
    assert "<table tabindex=" in page
    assert Client().get("/docs/").status_code == 200
    assert Client().get("/docs/nothing").status_code == 404


def test_links_between_documents_lead_to_their_pages() -> None:
    page = Client().get("/docs/ingestion").content.decode()
    assert 'href="/docs/' in page
    assert '.md"' not in page


# The overview of cost speaks of the budget too, which no filter narrows. A call makes no scores.
EMPTY_WHEN_FILTERED = [
    route
    for route, metric in METRICS.items()
    if metric.panel.has_filters and route not in ("cost/overview", "usage/scores")
]


@pytest.mark.parametrize("panel", EMPTY_WHEN_FILTERED)
def test_where_nothing_passes_the_filters_each_panel_says_so(tenant: Tenant, panel: str) -> None:
    at = datetime.now(UTC) - HOUR
    tenant.calls(1, at, user_id="ada", cost_usd="1", latency_ms=100.0, output_tokens=5, first_token_ms=20.0)
    tenant.calls(1, at, operation="execute_tool", tool="search", model=None)
    filtered = tenant.client.get(f"/api/v1/{panel}?model=nope", headers=HTMX).content.decode()
    assert "in the last 24 hours passes these filters" in filtered
    assert "user_id" not in filtered
    for agent in ("", "?agent_id=support"):
        assert "passes these filters" not in tenant.client.get(f"/api/v1/{panel}{agent}", headers=HTMX).content.decode()


@pytest.mark.parametrize(
    ("panel", "whole", "part"),
    [
        (
            "usage/overview",
            "1 call by 1 user through 1 agent in",
            "1 call with agent support by 1 user through 1 agent in",
        ),
        ("cost/overview", "Spend was $1.00", "Spend with agent support was $1.00"),
        ("performance/overview", "p95 latency was", "p95 latency with agent support was"),
        ("performance/overview", "the one call did not fail", "the one call did not fail"),
        ("performance/errors", "No call failed", "No call with agent support failed"),
    ],
)
def test_a_sentence_says_that_the_page_is_filtered(tenant: Tenant, panel: str, whole: str, part: str) -> None:
    tenant.calls(1, datetime.now(UTC) - HOUR, user_id="ada", cost_usd="1")
    assert whole in tenant.client.get(f"/api/v1/{panel}", headers=HTMX).content.decode()
    assert part in tenant.client.get(f"/api/v1/{panel}?agent_id=support", headers=HTMX).content.decode()


def test_a_filtered_sentence_has_no_forecast_of_the_whole_workspace(tenant: Tenant) -> None:
    for day in range(10):
        tenant.calls(1, datetime.now(UTC) - HOUR - timedelta(days=day), cost_usd="1")
    assert "is expected to end at" in sentence(tenant, "/api/v1/cost/overview")
    assert "is expected to end at" not in sentence(tenant, "/api/v1/cost/overview?agent_id=support")


def sentence(tenant: Tenant, panel: str) -> str:
    match = re.search("<h1.*?</h1>", tenant.client.get(panel, headers=HTMX).content.decode(), re.DOTALL)
    assert match
    return match[0]


def test_an_empty_latency_chart_speaks_of_calls_with_a_latency(tenant: Tenant) -> None:
    tenant.calls(1, datetime.now(UTC) - HOUR)
    page = tenant.client.get("/api/v1/performance/latency?agent_id=support", headers=HTMX).content.decode()
    assert "No call with a latency in the last 24 hours passes these filters" in page


def figure_of(tenant: Tenant, **query: str) -> dict[str, Any]:
    page = tenant.client.get("/api/v1/usage/calls-over-time", query, headers=HTMX).content.decode()
    match = re.search(r'type="application/json">(.*?)</script>', page, re.DOTALL)
    assert match
    figure: dict[str, Any] = json.loads(match[1])
    return figure


NOVEMBER = {"start": "2026-11-01T04:00:00Z", "end": "2026-11-02T05:00:00Z", "zone": "America/New_York"}


def test_a_bar_of_a_day_stands_at_the_midnight_of_the_zone(tenant: Tenant) -> None:
    tenant.calls(1, datetime(2026, 11, 2, 4, 59, tzinfo=UTC))
    bars = figure_of(tenant, **NOVEMBER, granularity="daily")["data"][0]
    assert (bars["x"], bars["y"], bars["marker"]["opacity"]) == (["2026-11-01 00:00:00"], [1], [1])


def test_an_hour_that_comes_twice_is_two_bars_with_two_names(tenant: Tenant) -> None:
    tenant.calls(2, datetime(2026, 11, 1, 5, 30, tzinfo=UTC))
    tenant.calls(3, datetime(2026, 11, 1, 6, 30, tzinfo=UTC))
    figure = figure_of(tenant, **NOVEMBER, granularity="hourly")
    calls = dict(zip(figure["data"][0]["x"], figure["data"][0]["y"], strict=True))
    assert len(calls) == 25
    assert (calls["Sun 1 Nov, 01:00 EDT"], calls["Sun 1 Nov, 01:00 EST"]) == (2, 3)
    assert figure["layout"]["xaxis"]["type"] == "category"


def test_a_click_on_a_bar_narrows_to_the_day_of_the_zone(tenant: Tenant) -> None:
    tenant.calls(1, datetime(2026, 11, 1, 12, tzinfo=UTC))
    window = NOVEMBER | {"end": "2026-11-04T05:00:00Z", "granularity": "daily"}
    page = unescape(tenant.client.get("/api/v1/usage/calls-over-time", window, headers=HTMX).content.decode())
    links = [QueryDict(link.partition("?")[2]) for link in re.findall(r'<a href="([^"]*start=[^"]*)"', page)]
    assert [(link["start"], link["end"], link["zone"]) for link in links] == [
        ("2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z", "America/New_York"),
        ("2026-11-02T05:00:00Z", "2026-11-03T05:00:00Z", "America/New_York"),
        ("2026-11-03T05:00:00Z", "2026-11-04T05:00:00Z", "America/New_York"),
    ]


def test_the_dashed_line_of_30_days_is_drawn_28_days_later_so_that_weekdays_meet(tenant: Tenant) -> None:
    tenant.calls(1, datetime.now(UTC) - HOUR)
    tenant.calls(2, datetime.now(UTC) - 40 * DAY)
    dashed = figure_of(tenant, range="30d")["data"][-1]
    assert dashed["name"] == "the 30 days before, drawn 28 days later"
    there = (datetime.now(UTC) - 12 * DAY).strftime("%Y-%m-%d 00:00:00")
    assert dict(zip(dashed["x"], dashed["y"], strict=True))[there] == 2


def test_the_dashed_line_of_months_is_the_months_before(tenant: Tenant) -> None:
    tenant.calls(1, datetime(2026, 9, 10, tzinfo=UTC))
    tenant.calls(4, datetime(2026, 7, 10, tzinfo=UTC))
    window = {"start": "2026-08-01T00:00:00Z", "end": "2026-10-01T00:00:00Z", "granularity": "monthly"}
    dashed = figure_of(tenant, **window)["data"][-1]
    assert dashed["name"] == "the window before"
    assert dict(zip(dashed["x"], dashed["y"], strict=True))["2026-09-01 00:00:00"] == 4


def test_a_reader_chooses_a_zone_from_a_list(tenant: Tenant) -> None:
    page = choices(tenant, "zone", search="new york")
    assert "zone=America%2FNew_York" in page
    assert "Kolkata" not in page
    assert "The workspace&#x27;s: UTC" in choices(tenant, "zone", zone="Asia/Kolkata")


def test_a_page_in_another_zone_names_it_and_keeps_it(tenant: Tenant) -> None:
    query = {"workspace": str(tenant.workspace.id), "zone": "Asia/Kolkata"}
    page = tenant.client.get("/dashboard/usage", query).content.decode()
    assert "Times are in Asia/Kolkata" in page
    assert "Budgets are in UTC" in page
    navigation = page.partition("<main")[0]
    links = re.findall(r'href="/dashboard/\w+\?[^"]*zone=Asia%2FKolkata', navigation)
    assert len(links) == len(PAGES) + len(NOT_IN_PAGES)
    form = query | {"from": "2026-07-01T10:00", "to": "2026-07-01T12:00"}
    location = tenant.client.get("/dashboard/cost", form)["Location"]
    assert "start=2026-07-01T04%3A30%3A00Z" in location
    assert "zone=Asia%2FKolkata" in location


@pytest.mark.parametrize("address", ["/", "/dashboard", "/dashboard/"])
def test_short_addresses_lead_to_the_first_page(client: Client, address: str) -> None:
    assert client.get(address, follow=True).request["PATH_INFO"] in ("/dashboard/usage", "/sign-in")


def test_the_first_page_is_that_of_the_workspace_and_the_window(client: Client) -> None:
    location = client.get("/?workspace=w&range=7d&utm_source=mail")["Location"]
    assert location == "/dashboard/usage?workspace=w&range=7d"


@pytest.mark.parametrize(
    ("address", "page"),
    [
        *(("/dashboard/usage/", "/dashboard/usage"), ("/usage?range=7d", "/dashboard/usage?range=7d")),
        *(("/traces/", "/dashboard/traces"), ("/users/ada%3Fb", "/dashboard/users/ada%3Fb")),
        *(("/login", "/sign-in"), ("/Sign-In/", None), ("/sign-in/", "/sign-in"), ("/docs/clients/", "/docs/clients")),
        *(("/api", "/api/v1/docs"), ("/swagger", "/api/v1/docs"), ("/budgets/new", "/dashboard/budgets/new")),
        *(("/nothing/", None), ("/usage/nothing", None)),
    ],
)
def test_addresses_that_people_guess_lead_to_the_page(client: Client, address: str, page: str | None) -> None:
    response = client.get(address, headers={"Accept": "text/html"})
    assert (response.status_code, response.headers.get("Location")) == ((302, page) if page else (404, None))


def test_nothing_leads_a_write_or_a_call_of_the_api_elsewhere(client: Client) -> None:
    assert client.post("/usage").status_code == 404
    assert client.get("/api/v1/usage").status_code == 404
    assert client.get("/api/v1/usage/").json()["status"] == 404


def test_an_error_page_has_the_navigation_and_a_way_to_try_again(client: Client) -> None:
    membership = MembershipFactory(role=Role.VIEWER)
    client.force_login(membership.user)
    response = client.get("/dashboard/budgets/new", headers={"Accept": "text/html"})
    assert response.status_code == 403
    page = response.content.decode()
    assert 'href="/dashboard/traces"' in page
    assert "Try again" in page


def test_what_a_workspace_does_not_have_is_not_tried_again(client: Client) -> None:
    client.force_login(MembershipFactory(role=Role.OWNER).user)
    response = client.get(f"/dashboard/alerts/rules/{uuid4()}", headers={"Accept": "text/html"})
    assert response.status_code == 404
    page = response.content.decode()
    assert "There is no such rule in this workspace." in page
    assert "the first page" in page
    assert "Try again" not in page


def test_a_page_that_does_not_exist_names_those_that_do(client: Client) -> None:
    response = client.get("/nothing-here", HTTP_ACCEPT="text/html")
    assert response.status_code == 404
    for name in ("usage", "cost", "performance", "traces"):
        assert f'href="/dashboard/{name}"' in response.content.decode()


def test_examples_of_documents_name_this_installation(client: Client) -> None:
    page = client.get("/docs/query", HTTP_HOST="testserver").content.decode()
    assert "http://testserver/api/v1/query" in page
    assert ":8000" not in page
    assert "proxy_pass http://127.0.0.1:8000;" in client.get("/docs/deployment").content.decode()


def test_an_address_that_is_not_valid_keeps_the_form_of_the_window(tenant: Tenant) -> None:
    insights = ("insights", *(f"insights/{name}" for name in ("why", "anomalies", "what-if", "compare")))
    for name in ("usage", "query", "traces", "agents", "cost/ledger", *insights):
        response = tenant.client.get(f"/dashboard/{name}?workspace={tenant.workspace.id}&range=9d")
        assert response.status_code == 422
        assert 'class="window-form"' in response.content.decode()


def test_an_open_workspace_says_so_and_words_for_a_viewer_name_no_form(tenant: Tenant) -> None:
    assert "to whoever reaches this server" in tenant.client.get("/dashboard/usage").content.decode()
    assert "need JavaScript" in tenant.client.get("/dashboard/usage").content.decode()
    membership = MembershipFactory(role=Role.VIEWER)
    client = Client()
    client.force_login(membership.user)
    own = f"/dashboard/usage?workspace={membership.workspace_id}"
    assert "to whoever reaches" not in client.get(own).content.decode()
    headers = HTMX | {"X-Workspace-ID": str(membership.workspace_id)}
    panel = client.get("/api/v1/cost/overview", headers=headers).content.decode()
    assert "set one below" not in panel
    assert "editors set one" in panel


def test_figures_of_the_whole_workspace_say_so_beside_filtered_ones(tenant: Tenant) -> None:
    tenant.calls(1, datetime.now(UTC) - timedelta(minutes=1), cost_usd="1")
    headers = HTMX | {"X-Workspace-ID": str(tenant.workspace.id)}
    filtered = tenant.client.get("/api/v1/cost/overview?agent_id=support", headers=headers).content.decode()
    assert "Budget remaining, whole workspace" in filtered
    assert "Forecast of the month, whole workspace" in filtered
    assert "whole workspace" not in tenant.client.get("/api/v1/cost/overview", headers=headers).content.decode()


def test_tool_calls_are_not_said_to_lack_a_price(tenant: Tenant) -> None:
    tenant.calls(2, datetime.now(UTC) - timedelta(minutes=1), operation="execute_tool", model=None, provider=None)
    headers = HTMX | {"X-Workspace-ID": str(tenant.workspace.id)}
    for name in ("overview", "by-model", "trend"):
        panel = tenant.client.get(f"/api/v1/cost/{name}?operation=execute_tool", headers=headers).content.decode()
        assert "no price" not in panel
    assert "no cost of their own" in panel


def test_the_tooltip_of_costs_has_their_total(tenant: Tenant) -> None:
    for model in ("small", "large"):
        tenant.calls(1, datetime.now(UTC) - timedelta(minutes=1), cost_usd="1", model=model)
    headers = HTMX | {"X-Workspace-ID": str(tenant.workspace.id)}
    panel = tenant.client.get("/api/v1/cost/trend?range=1h", headers=headers).content.decode()
    assert '"name": "Total"' in panel
    assert "Total" not in panel[panel.index("legend") : panel.index("</ul>")]
    assert "$2" in panel


def test_a_fault_of_the_window_stands_in_its_form_and_the_filters_stay(tenant: Tenant) -> None:
    query = f"workspace={tenant.workspace.id}&agent_id=support&status=no&from=2031-01-01T10:00&to=2031-01-02T10:00"
    response = tenant.client.get(f"/dashboard/usage?{query}")
    page = " ".join(response.content.decode().split())
    assert response.status_code == 422
    assert '<details class="menu" open>' in page
    assert 'name="from" value="2031-01-01T10:00" required aria-describedby="window-error" aria-invalid="true"' in page
    assert 'id="window-error" role="alert">Must not be in the future</p>' in page
    assert "Agent: " in page
    assert re.search(r'aria-current="page"\s*>(?:(?!</a>).)*Usage', page)


def test_a_filter_that_is_not_valid_is_named_and_can_be_left_out(tenant: Tenant) -> None:
    query = f"workspace={tenant.workspace.id}&status=broken&agent_id=support&range=7d"
    page = " ".join(tenant.client.get(f"/dashboard/usage?{query}").content.decode().split())
    assert "<b>status</b> must be one of success, error, timeout." in page
    link = f"?workspace={tenant.workspace.id}&amp;agent_id=support&amp;range=7d"
    assert f'<a href="{link}">Leave it out</a>' in page
    assert 'aria-current="true">7d</a>' in page
    assert "Agent: " in page


@pytest.mark.parametrize(("name", "words"), [("today", "today"), ("month", "this month so far")])
def test_a_range_begins_with_the_day_or_month_of_the_zone(tenant: Tenant, name: str, words: str) -> None:
    zone = ZoneInfo("Asia/Kathmandu")
    now = datetime.now(UTC)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight.replace(day=1) if name == "month" else midnight
    tenant.calls(1, start - timedelta(seconds=1))
    tenant.calls(2, start)
    overview = tenant.client.get(f"/api/v1/usage/overview?range={name}&zone=Asia/Kathmandu")
    assert overview.json()["total_calls"] == 2
    panel = tenant.client.get(f"/api/v1/usage/overview?range={name}&zone=Asia/Kathmandu", headers=HTMX)
    assert f"2 calls by 0 users through 1 agent {words}" in " ".join(panel.content.decode().split())
    page = tenant.client.get(f"/dashboard/usage?workspace={tenant.workspace.id}&range={name}").content.decode()
    assert f">{words.capitalize()}</summary>" in page


def test_headlines_name_the_peak(tenant: Tenant) -> None:
    noon = datetime.now(UTC).replace(hour=12, minute=30) - timedelta(days=2)
    for hours in range(4):
        latency_ms, cost_usd = (66_000.0, "9") if hours == 3 else (1000.0, "1")
        tenant.calls(1, noon + timedelta(hours=hours), latency_ms=latency_ms, cost_usd=cost_usd)
    sentences = [
        " ".join(tenant.client.get(f"/api/v1/{name}/overview?range=7d", headers=HTMX).content.decode().split())
        for name in ("performance", "cost")
    ]
    assert f"p99 reached 66.0 s on {noon:%a} 15:00;" in sentences[0]
    assert f"most on {noon:%a} 15:00 ($9.00)" in sentences[1]
