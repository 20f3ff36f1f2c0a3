"""The lists of sessions, users, agents and tools, one of each, and their pages."""

import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, quote

import jsonschema_rs
import pytest
from django.core.cache import cache
from django.urls import reverse

from analytics.openapi import openapi_document
from tests.factories import WorkspaceFactory
from tests.tenant import NOON, Tenant, a_row, iso
from traces import writer

pytestmark = pytest.mark.django_db(databases="__all__")

WINDOW = {"start": iso(NOON - timedelta(hours=12)), "end": iso(NOON + timedelta(hours=12))}
LISTS = ("sessions", "users", "agents", "tools")
KEYS = {"sessions": "session_id", "users": "user_id", "agents": "agent_id", "tools": "tool"}
MINUTE = timedelta(minutes=1)


def a_conversation(tenant: Tenant) -> None:
    """Stores the session "talk" of ada: two traces of two seconds, an hour apart, in which a tool fails once."""
    said = [{"role": "user", "content": "Weather?"}]
    for number, start in enumerate((NOON, NOON + timedelta(hours=1))):
        ids = {"trace_id": f"t{number}", "session_id": "talk", "user_id": "ada", "agent_id": "support"}
        tenant.calls(
            1,
            start,
            **ids,
            span_id="run",
            operation="invoke_agent",
            name=f"run {number}",
            model=None,
            latency_ms=2000.0,
        )
        tenant.calls(
            1,
            start + timedelta(milliseconds=100),
            **ids,
            span_id="ask",
            parent_span_id="run",
            latency_ms=1000.0,
            cost_usd="0.5",
            input_tokens=100,
            output_tokens=10,
            attributes={
                "gen_ai.input.messages": json.dumps(said),
                "gen_ai.output.messages": json.dumps([{"role": "assistant", "content": f"Sunny {number}"}]),
            },
        )
        said += [{"role": "assistant", "content": f"Sunny {number}"}, {"role": "user", "content": "And tomorrow?"}]
        tenant.calls(
            1,
            start + timedelta(milliseconds=1200),
            **ids,
            span_id="look",
            parent_span_id="run",
            operation="execute_tool",
            tool="get weather/now",
            model=None,
            latency_ms=500.0,
            status="error" if number else "success",
            error_type="not_found" if number else None,
            error_message="no such town" if number else None,
        )


def listed(tenant: Tenant, name: str, expect: int = 200, **query: Any) -> Any:
    cache.clear()
    response = tenant.client.get(f"/api/v1/{name}", WINDOW | query)
    assert response.status_code == expect, response.content
    return response.json()


def one(tenant: Tenant, name: str, key: str, expect: int = 200, **query: Any) -> Any:
    cache.clear()
    window = {} if name == "sessions" else WINDOW
    response = tenant.client.get(f"/api/v1/{name}/{quote(key, safe='')}", window | query)
    assert response.status_code == expect, response.content
    return response.json()


def page(tenant: Tenant, path: str, expect: int = 200, **query: str) -> str:
    response = tenant.client.get(f"/dashboard/{path}", {"workspace": str(tenant.workspace.id), **query})
    assert response.status_code == expect
    return " ".join(response.content.decode().split())


def panel(tenant: Tenant, path: str, **query: str) -> str:
    response = tenant.client.get(path, query, headers={"HX-Request": "true"})
    assert response.status_code == 200, response.content
    return " ".join(response.content.decode().split())


def test_a_session_is_listed_with_its_sums(tenant: Tenant) -> None:
    a_conversation(tenant)
    answer = listed(tenant, "sessions")
    assert answer["data"] == [
        {
            "session_id": "talk",
            "user_id": "ada",
            "agents": ["support"],
            "started_at": iso(NOON),
            "last_seen": iso(NOON + timedelta(hours=1, milliseconds=1200)),
            "traces": 2,
            "calls": 2,
            "errors": 0,
            "duration_ms": 4000.0,
            "tokens": 220,
            "cost_usd": 1.0,
        }
    ]
    totals = {"sessions": 1, "has_more_sessions": False, "traces": 2, "calls": 2, "errors": 0, "cost_usd": 1.0}
    assert answer["totals"] == totals


def test_one_session_has_its_traces_in_order(tenant: Tenant) -> None:
    a_conversation(tenant)
    answer = one(tenant, "sessions", "talk")
    assert [trace["trace_id"] for trace in answer["data"]] == ["t0", "t1"]
    names = ("traces", "span_count", "calls", "tool_calls", "duration_ms", "cost_usd", "user_id")
    assert [answer[name] for name in names] == [2, 6, 2, 2, 4000.0, 1.0, "ada"]
    first = one(tenant, "sessions", "talk", limit=1)
    rest = one(tenant, "sessions", "talk", limit=1, cursor=first["next_cursor"])
    assert [trace["trace_id"] for trace in first["data"] + rest["data"]] == ["t0", "t1"]
    assert rest["next_cursor"] is None


def test_the_page_of_a_session_is_one_conversation(tenant: Tenant) -> None:
    """The second call repeats the first question and answer: they are shown once."""
    a_conversation(tenant)
    assert "2 traces with 2 model calls" in page(tenant, "sessions/talk")
    shown = panel(tenant, "/dashboard/session-conversation/talk")
    texts = ("run 0", "Weather?", "Sunny 0", "run 1", "And tomorrow?", "Sunny 1")
    places = [shown.index(text) for text in texts]
    assert places == sorted(places)
    assert (shown.count("Weather?"), shown.count("Sunny 0")) == (1, 1)
    assert "/dashboard/traces/t1?span=ask" in shown
    assert shown.count(">$0.50<") == 2


def test_users_are_listed_with_figures_and_trend(tenant: Tenant) -> None:
    tenant.calls(4, user_id="ada", cost_usd="1.00")
    tenant.calls(1, user_id="ada", status="error", agent_id="other")
    tenant.calls(2, user_id="bob")
    tenant.calls(10, NOON - timedelta(days=1), user_id="ada")
    answer = listed(tenant, "users", sort="-calls")
    ada = {
        "user_id": "ada",
        "calls": 5,
        "errors": 1,
        "error_rate": 20.0,
        "cost_usd": 4.0,
        "active_agents": 2,
        "last_seen": iso(NOON),
        "change_from_previous": -50.0,
        "trend": "down",
    }
    assert answer["data"][0] == ada
    assert (answer["data"][1]["user_id"], answer["data"][1]["trend"]) == ("bob", "new")
    assert answer["totals"] == {"users": 2, "calls": 7, "errors": 1, "cost_usd": 4.0}
    assert answer["change_from_previous"] == {"users": 100.0, "calls": -30.0, "errors": None, "cost_usd": None}


def test_all_agents_are_reached_page_by_page(tenant: Tenant) -> None:
    for number in range(25):
        tenant.calls(number + 1, agent_id=f"agent-{number:02}")
    found: list[str] = []
    query: dict[str, str] = {}
    while True:
        answer = listed(tenant, "agents", **query)
        found += [agent["agent_id"] for agent in answer["data"]]
        if not answer["next_cursor"]:
            break
        # What comes meanwhile moves nothing.
        tenant.calls(1, agent_id="agent-late")
        query = {"cursor": answer["next_cursor"]}
    assert [agent for agent in found if agent != "agent-late"] == [f"agent-{number:02}" for number in range(24, -1, -1)]


def test_tools_are_listed_with_who_calls_them(tenant: Tenant) -> None:
    a_conversation(tenant)
    [tool] = listed(tenant, "tools")["data"]
    assert tool == {
        "tool": "get weather/now",
        "calls": 2,
        "errors": 1,
        "error_rate": 50.0,
        "avg_latency_ms": 500.0,
        "agents": 1,
        "change_from_previous": None,
    }
    answer = one(tenant, "tools", "get weather/now")
    assert (answer["figures"]["calls"], answer["figures"]["p50_latency_ms"]) == (2, 500.0)
    assert [(agent["agent_id"], agent["calls"]) for agent in answer["agents"]] == [("support", 2)]
    [failure] = answer["failures"]
    assert (failure["error_type"], failure["sample_message"], failure["sample_trace_id"]) == (
        *("not_found", "no such town"),
        "t1",
    )
    assert [trace["trace_id"] for trace in answer["traces"]] == ["t1", "t0"]
    assert sum(point["calls"] for point in answer["series"]) == 2


def test_one_user_has_figures_models_agents_sessions_and_traces(tenant: Tenant) -> None:
    a_conversation(tenant)
    tenant.calls(3, user_id="bob")
    answer = one(tenant, "users", "ada")
    assert (answer["figures"]["calls"], answer["figures"]["cost_usd"]) == (2, 1.0)
    assert [(model["model"], model["calls"]) for model in answer["models"]] == [("gpt-4o", 2)]
    assert [agent["agent_id"] for agent in answer["agents"]] == ["support"]
    assert [session["session_id"] for session in answer["sessions"]] == ["talk"]
    assert [trace["trace_id"] for trace in answer["traces"]] == ["t1", "t0"]


def test_one_agent_has_models_tools_releases_errors_users_and_traces(tenant: Tenant) -> None:
    a_conversation(tenant)
    tenant.calls(1, agent_id="support", release="42", status="error", error_type="rate_limit", trace_id="t9")
    tenant.calls(3, agent_id="other")
    answer = one(tenant, "agents", "support")
    assert answer["figures"]["calls"] == 3
    assert [tool["tool"] for tool in answer["tools"]] == ["get weather/now"]
    assert {release["release"]: release["calls"] for release in answer["releases"]} == {None: 2, "42": 1}
    assert [error["error_type"] for error in answer["errors"]] == ["rate_limit"]
    assert [user["user_id"] for user in answer["users"]] == ["ada"]
    # Those that began at the same time are in the order of the list.
    assert [trace["trace_id"] for trace in answer["traces"]] == ["t1", "t9", "t0"]


@pytest.mark.parametrize("name", ["users", "agents", "tools"])
def test_a_name_without_calls_has_zeros(tenant: Tenant, name: str) -> None:
    a_conversation(tenant)
    answer = one(tenant, name, "nobody/at all")
    assert answer["figures"]["calls"] == 0
    assert answer["traces"] == []


@pytest.mark.parametrize("name", LISTS)
def test_the_answers_are_as_declared(tenant: Tenant, name: str) -> None:
    a_conversation(tenant)
    paths = tenant.client.get("/api/v1/openapi.json").json()["paths"]
    [place] = [path for path in paths if path.startswith(f"/api/v1/{name}/")]
    row = listed(tenant, name)["data"][0]
    for path, answer in ((f"/api/v1/{name}", listed(tenant, name)), (place, one(tenant, name, row[KEYS[name]]))):
        declared = paths[path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema_rs.validate(declared, answer)


@pytest.mark.parametrize(("path", "own"), [("users/{user_id}", "user_id"), ("agents/{agent_id}", "agent_id")])
def test_one_takes_every_filter_but_its_own_which_the_path_names(tenant: Tenant, path: str, own: str) -> None:
    declared = openapi_document()["paths"][f"/api/v1/{path}"]["get"]["parameters"]
    names = {parameter["name"] for parameter in declared if parameter["in"] == "query"}
    assert {"model", "not_model"} <= names
    for refused in (own, f"not_{own}"):
        assert refused not in names
        assert tenant.client.get(f"/api/v1/{path}", {refused: "ada"}).status_code == 422


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_searched_by_part_of_the_name(tenant: Tenant, name: str) -> None:
    a_conversation(tenant)
    text = {"sessions": "TAL", "users": "Da", "agents": "upp", "tools": "WEATHER"}[name]
    assert len(listed(tenant, name, search=text)["data"]) == 1
    assert listed(tenant, name, search="nothing like it")["data"] == []


@pytest.mark.parametrize("name", LISTS)
def test_an_empty_list_says_so(tenant: Tenant, name: str) -> None:
    assert listed(tenant, name)["data"] == []
    assert f"No {name[:-1]}" in panel(tenant, f"/api/v1/{name}", **WINDOW)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    "query",
    ["sort=nothing", "sort=-", "cursor=x", "cursor=bnVsbA==", "limit=0", "search=", "unknown=1", "sort=calls&sort=x"],
)
def test_wrong_parameters_are_named(tenant: Tenant, name: str, query: str) -> None:
    response = tenant.client.get(f"/api/v1/{name}?{query}")
    assert response.status_code == 422
    assert response.json()["errors"]


def test_a_cursor_is_of_one_sort(tenant: Tenant) -> None:
    for number in range(3):
        tenant.calls(1, agent_id=f"a{number}")
    cursor = listed(tenant, "agents", limit=1)["next_cursor"]
    assert listed(tenant, "agents", 422, sort="agent_id", cursor=cursor)["errors"]
    assert listed(tenant, "users", 422, cursor=cursor)["errors"]


def test_the_path_names_the_user_alone(tenant: Tenant) -> None:
    assert one(tenant, "users", "ada", 422, user_id="bob")["errors"]


@pytest.mark.parametrize("session_id", ["nowhere", "\0", "x" * 2000, "talk/", "../talk"])
def test_no_such_session_is_a_404(tenant: Tenant, session_id: str) -> None:
    a_conversation(tenant)
    one(tenant, "sessions", session_id, 404)
    assert "no such session" in page(tenant, f"sessions/{quote(session_id, safe='')}", 404)


def test_another_workspace_is_unseen(tenant: Tenant) -> None:
    other = WorkspaceFactory()
    row = a_row(
        session_id="theirs", user_id="eve", agent_id="spy", trace_id="x", operation="execute_tool", tool="knife"
    )
    writer.store(other.id, [row])
    for name in LISTS:
        assert listed(tenant, name)["data"] == []
    one(tenant, "sessions", "theirs", 404)
    assert one(tenant, "users", "eve")["figures"] == one(tenant, "users", "nobody")["figures"]


@pytest.mark.parametrize("name", LISTS)
def test_the_pages_link_from_the_list_to_one(tenant: Tenant, name: str) -> None:
    a_conversation(tenant)
    shown = page(tenant, name, range="7d")
    [address] = re.findall(rf'hx-get="(/api/v1/{name}[^"]*)"', shown)
    table = panel(tenant, address.replace("&amp;", "&"))
    row = listed(tenant, name)["data"][0]
    link = f"/dashboard/{name}/{quote(row[KEYS[name]], safe='/')}"
    assert f'href="{link}?' in table
    shown = page(tenant, link.removeprefix("/dashboard/"))
    for address in re.findall(r'hx-get="([^"]*)"', shown):
        assert address == reverse("found") or panel(tenant, address.replace("&amp;", "&"))


def test_a_list_links_to_every_sort_and_to_the_next_page(tenant: Tenant) -> None:
    for number in range(3):
        tenant.calls(1, agent_id=f"a{number}")
    table = panel(tenant, "/api/v1/agents", **WINDOW, limit="2", search="a")
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="(/dashboard/agents\?[^"]*)"', table)]
    sorts = {dict(parse_qsl(link))["sort"] for link in links}
    assert {"agent_id", "-cost_usd", "calls", "-error_rate", "-change_from_previous"} <= sorts
    assert 'aria-sort="descending"' in table
    [following] = [link for link in links if "cursor=" in link]
    shown = tenant.client.get(following).content.decode()
    [address] = re.findall(r'hx-get="(/api/v1/agents[^"]*)"', shown)
    rest = panel(tenant, address.replace("&amp;", "&"))
    assert (">a2<" in table, ">a2<" in rest) == (False, True)
    assert "First page" in rest


def test_names_lead_to_their_pages(tenant: Tenant) -> None:
    a_conversation(tenant)
    head = page(tenant, "traces/t1")
    for link in ("users/ada", "sessions/talk", "agents/support"):
        assert f'href="/dashboard/{link}?' in head, link
    span = panel(tenant, "/dashboard/traces/t1/spans/look")
    assert 'href="/dashboard/tools/get%20weather/now?' in span
    for number in range(12):
        tenant.calls(1, agent_id=f"a{number:02}", user_id="bob")
    agents = panel(tenant, "/api/v1/usage/agent-distribution", **WINDOW)
    assert 'href="/dashboard/agents/support?' in agents
    assert re.search(r'href="/dashboard/agents\?[^"]*"[^>]*>all others', agents)
    assert 'href="/dashboard/users/ada?' in panel(tenant, "/api/v1/usage/top-users", **WINDOW)
    answer = panel(tenant, "/api/v1/query", **WINDOW, by="tool", measures="calls")
    assert 'href="/dashboard/tools/get%20weather/now?' in answer
