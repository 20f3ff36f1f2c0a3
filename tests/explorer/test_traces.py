"""The list of traces: its API, its file and its page."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client

from explorer import traces
from ingest.store import store_scores
from tests.factories import MembershipFactory, WorkspaceFactory
from tests.security.world import selecting, signed_in
from tests.tenant import NOON, Tenant, a_row, iso
from traces import writer
from traces.scores import Score
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db(databases="__all__")

SECRET = "canary-of-content"


def a_conversation(tenant: Tenant, trace_id: str, at: datetime, **values: Any) -> None:
    """Stores an agent's run with a call and a tool call."""
    shared = {"trace_id": trace_id, "agent_id": "support"}
    rows = [
        a_row(at, **shared, span_id="run", operation="invoke_agent", model=None, provider=None, name="plan trip"),
        a_row(at + timedelta(seconds=1), **shared, span_id="ask", parent_span_id="run", **values),
        a_row(
            at + timedelta(seconds=2),
            **shared,
            span_id="look",
            parent_span_id="run",
            operation="execute_tool",
            tool="weather",
            model=None,
            provider=None,
            latency_ms=500.0,
        ),
    ]
    writer.store(tenant.workspace.id, rows)


def ids(tenant: Tenant, **query: Any) -> list[str]:
    return [trace["trace_id"] for trace in tenant.ask("traces", **query)["data"]]


def test_the_newest_trace_comes_first_with_its_totals(tenant: Tenant) -> None:
    a_conversation(tenant, "old", NOON)
    a_conversation(tenant, "new", NOON + timedelta(hours=1), cost_usd="0.5", input_tokens=10, user_id="ada")
    answer = tenant.ask("traces")
    assert [trace["trace_id"] for trace in answer["data"]] == ["new", "old"]
    new = answer["data"][0]
    shown = ("name", "latency_ms", "span_count", "calls", "tool_calls", "cost_usd", "input_tokens", "user_id", "models")
    assert [new[name] for name in shown] == ["plan trip", 2500.0, 3, 1, 1, 0.5, 10, "ada", ["gpt-4o"]]
    assert (answer["next_cursor"], answer["searched_until"]) == (None, None)


def test_the_answer_is_as_declared(tenant: Tenant) -> None:
    a_conversation(tenant, "t", NOON)
    paths = tenant.client.get("/api/v1/openapi.json").json()["paths"]
    assert {"get", "post"} <= paths["/api/v1/traces"].keys()
    declared = paths["/api/v1/traces"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema_rs.validate(declared, tenant.ask("traces"))


def test_the_cursor_survives_new_rows(tenant: Tenant) -> None:
    for minute in range(5):
        a_conversation(tenant, f"t{minute}", NOON + timedelta(minutes=minute))
    first = tenant.ask("traces", limit=2)
    a_conversation(tenant, "newer", NOON + timedelta(minutes=30))
    rest = tenant.ask("traces", limit=10, cursor=first["next_cursor"])
    assert [trace["trace_id"] for trace in first["data"] + rest["data"]] == ["t4", "t3", "t2", "t1", "t0"]


def test_a_trace_is_found_by_a_span_after_the_window_and_after_the_page(tenant: Tenant) -> None:
    a_conversation(tenant, "long", NOON)
    tenant.calls(1, NOON + timedelta(hours=3), trace_id="long", span_id="late", parent_span_id="run", model="rare")
    window = {"start": iso(NOON), "end": iso(NOON + timedelta(hours=1))}
    assert ids(tenant, model="rare", **window) == ["long"]


def test_one_span_meets_all_filters(tenant: Tenant) -> None:
    a_conversation(tenant, "t", NOON)
    assert ids(tenant, tool="weather") == ["t"]
    assert ids(tenant, model="gpt-4o") == ["t"]
    assert ids(tenant, model="gpt-4o", tool="weather") == []
    assert ids(tenant, not_tool="weather") == []


def test_a_trace_that_recovered_has_an_error_and_succeeded(tenant: Tenant) -> None:
    a_conversation(tenant, "t", NOON)
    early = {"status": "error", "error_type": "rate_limit", "latency_ms": 1.0}
    tenant.calls(1, NOON, trace_id="t", span_id="first", parent_span_id="run", **early)
    assert ids(tenant, has_error="true") == ["t"]
    assert ids(tenant, status="error") == []
    assert ids(tenant, status="success", error_type="rate_limit") == ["t"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [("slowest", ["b", "c", "a"]), ("costliest", ["c", "a"]), ("most_tokens", ["a", "b", "c"])],
)
def test_traces_are_sorted_by_what_they_have_most(tenant: Tenant, sort: str, expected: list[str]) -> None:
    tenant.calls(1, NOON, trace_id="a", latency_ms=1.0, cost_usd="1", input_tokens=9)
    tenant.calls(1, NOON, trace_id="b", latency_ms=3.0, input_tokens=5)
    tenant.calls(1, NOON, trace_id="c", latency_ms=2.0, cost_usd="2")
    assert ids(tenant, sort=sort) == expected


def test_the_newest_score_of_each_name_is_listed(tenant: Tenant) -> None:
    a_conversation(tenant, "t", NOON)
    for minute in (1, 2):
        at, value = NOON + timedelta(minutes=minute), Decimal(minute)
        score = Score(id=f"s{minute}", timestamp=at, name="helpful", trace_id="t", number=value, source="judge")
        store_scores(tenant.workspace.id, [score])
    assert tenant.ask("traces")["data"][0]["scores"] == {"helpful": 2.0}


def test_a_search_that_takes_long_says_until_when_it_came_and_goes_on(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_conversation(tenant, "t", NOON - timedelta(hours=9))
    monkeypatch.setattr(traces, "SEARCH_SECONDS", 0.0)
    pages, cursor = [], None
    for _ in range(30):
        pages.append(tenant.ask("traces", search="trip", **({"cursor": cursor} if cursor else {})))
        if (cursor := pages[-1]["next_cursor"]) is None:
            break
    assert pages[0]["searched_until"] is not None
    assert [trace["trace_id"] for page in pages for trace in page["data"]] == ["t"]
    assert pages[-1]["searched_until"] is None


@pytest.mark.parametrize("text", ["t", "PLAN", "ada@ex", "call 100%", "weather"])
def test_the_search_finds_parts_of_ids_names_users_and_errors(tenant: Tenant, text: str) -> None:
    failed = {"status": "error", "error_message": "call 100% failed"}
    a_conversation(tenant, "t", NOON, user_id="ada@example.org", **failed)
    tenant.calls(1, NOON, trace_id="0", agent_id="x", model="y", span_id="0", error_message="100 failed")
    assert ids(tenant, search=text) == ["t"]


# --- Content ---


def asked(workspace: Workspace, client: Client, search: str) -> str:
    query = {"search": search, "start": iso(NOON - timedelta(hours=1)), "end": iso(NOON + timedelta(hours=1))}
    return client.get("/api/v1/traces", query, headers=selecting(workspace.id)).content.decode()


@pytest.mark.parametrize(("policy", "finds"), [("members", True), ("editors", False), ("nobody", False)])
def test_only_those_who_see_content_search_it_and_see_its_first_words(policy: str, finds: bool) -> None:
    workspace = WorkspaceFactory(content_visible_to=policy)
    said = json.dumps([{"role": "user", "content": f'what is "{SECRET}"?'}])
    writer.store(workspace.id, [a_row(NOON, trace_id="t", attributes={"gen_ai.input.messages": said})])
    client, _ = signed_in(MembershipFactory(workspace=workspace, role="viewer").user)
    assert ('"trace_id":"t"' in asked(workspace, client, SECRET)) is finds
    window = {"start": iso(NOON - timedelta(hours=1)), "end": iso(NOON + timedelta(hours=1))}
    headers = selecting(workspace.id)
    for path in ("/api/v1/traces", "/dashboard/traces-count", "/dashboard/traces-news", "/dashboard/traces-csv"):
        for query in (window, window | {"workspace": str(workspace.id)}):
            for extra in ({}, {"HX-Request": "true"}):
                response = client.get(path, query, headers=headers | extra)
                shown = b"".join(response) if response.streaming else response.content
                is_panel = path == "/api/v1/traces" and bool(extra) and "workspace" not in query
                assert (SECRET.encode() in shown) is (finds and is_panel), (path, query, extra)
    page = client.get("/dashboard/traces", window | {"workspace": str(workspace.id), "q": "x"}).content.decode()
    assert ("Content is hidden" in page) is not finds
    counted = client.get("/dashboard/traces-count", window | {"search": SECRET}, headers=headers).content.decode()
    assert counted.split()[:1] == (["1"] if finds else ["0"])


# --- The file ---


def test_the_file_has_all_traces_and_no_formulas(tenant: Tenant) -> None:
    for number in range(12):
        tenant.calls(1, NOON + timedelta(seconds=number), trace_id=f"t{number:02}", name="=HYPERLINK(1)", user_id="@a")
    window = {"start": iso(NOON), "end": iso(NOON + timedelta(hours=1))}
    response = tenant.client.get("/api/v1/traces", window | {"format": "csv", "limit": 3})
    lines = b"".join(response).decode().splitlines()
    assert lines[0].startswith("trace_id,name,started_at")
    assert len(lines) == 13
    assert lines[1].startswith("t11,'=HYPERLINK(1),")
    assert ",'@a," in lines[1]
    page = tenant.client.get("/dashboard/traces-csv", window | {"workspace": str(tenant.workspace.id), "q": "t03"})
    assert [line[:3] for line in b"".join(page).decode().splitlines()] == ["tra", "t03"]


# --- Its page ---


def page(tenant: Tenant, **query: Any) -> str:
    response = tenant.client.get("/dashboard/traces", {"workspace": str(tenant.workspace.id)} | query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def panel(tenant: Tenant, address: str = "", **query: Any) -> str:
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver/dashboard/traces{address}"}
    query = {"start": iso(NOON), "end": iso(NOON + timedelta(hours=1))} | query
    response = tenant.client.get("/api/v1/traces", query, headers=headers)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_the_page_asks_for_what_its_address_says(tenant: Tenant) -> None:
    shown = page(tenant, q="trip", has_error="true", sort="slowest", columns=["input", "labels"], model="gpt-4o")
    assert "search=trip" in shown
    assert "has_error=true" in shown
    assert "columns=" not in shown.partition('hx-get="/api/v1/traces?')[2].partition('"')[0]
    assert '<a href="/dashboard/traces?workspace=' in shown


def test_the_search_leads_at_once_to_what_it_names_however_old(tenant: Tenant) -> None:
    old = NOON - timedelta(days=40)
    tenant.calls(1, old, trace_id="monday", session_id="monday", user_id="anna@example.org")
    shown = page(tenant, q="monday")
    assert 'href="/dashboard/traces/monday?workspace=' in shown
    assert "session_id=monday" in shown
    assert "user_id=anna%40example.org" in page(tenant, q="ANNA")
    other = WorkspaceFactory()
    writer.store(other.id, [a_row(NOON, trace_id="theirs", session_id="theirs", user_id="theirs")])
    assert 'class="hits"' not in page(tenant, q="theirs")


def test_empty_fields_of_the_form_are_left_out_of_the_address(tenant: Tenant) -> None:
    query = {"workspace": str(tenant.workspace.id), "q": "", "min_cost_usd": "", "has_error": "true"}
    response = tenant.client.get("/dashboard/traces", query)
    assert response.status_code == 302
    assert response.headers["Location"].endswith(f"?workspace={tenant.workspace.id}&has_error=true")


def test_a_wrong_number_is_named(tenant: Tenant) -> None:
    response = tenant.client.get("/dashboard/traces", {"workspace": str(tenant.workspace.id), "min_cost_usd": "much"})
    assert response.status_code == 422
    assert "must be a number that is not negative" in response.content.decode()


def test_the_panel_shows_the_chosen_columns_and_the_next_page(tenant: Tenant) -> None:
    a_conversation(tenant, "t1", NOON, user_id="ada")
    a_conversation(tenant, "t2", NOON + timedelta(minutes=1), user_id="ada")
    shown = panel(tenant, "?columns=user_id&q=plan", limit=1)
    assert '<th scope="col" class="user_id">User</th>' in shown
    assert "Duration" not in shown
    assert 'href="/dashboard/traces/t2?workspace=' in shown
    assert "Older" in shown
    assert "columns=user_id&amp;q=plan" in shown.partition('rel="next"')[2]


def test_the_panel_without_traces_says_what_to_do(tenant: Tenant) -> None:
    assert "A longer range, or fewer filters, may have some." in panel(tenant)


def test_what_began_after_the_newest_shown_is_new(tenant: Tenant) -> None:
    now = datetime.now(UTC)
    a_conversation(tenant, "shown", now - timedelta(minutes=5))
    a_conversation(tenant, "new", now - timedelta(minutes=4))
    since = iso(now - timedelta(minutes=5))
    assert "1 new" in tenant.client.get("/dashboard/traces-news", {"since": since}).content.decode()
    later = iso(now - timedelta(minutes=4))
    assert "new" not in tenant.client.get("/dashboard/traces-news", {"since": later}).content.decode()
    assert tenant.client.get("/dashboard/traces-news", {"since": "now"}).status_code == 422


def test_the_page_follows_live_only_the_newest(tenant: Tenant) -> None:
    assert 'data-poll-seconds="2"' in page(tenant, live="1")
    assert "Stop following" in page(tenant, live="1")
    assert 'id="panel-traces" aria-label="Traces" aria-busy="true" data-poll' not in page(
        tenant, live="1", sort="slowest"
    )


def test_the_count_is_exact(tenant: Tenant) -> None:
    for number in range(3):
        a_conversation(tenant, f"t{number}", NOON + timedelta(seconds=number))
    window = {"start": iso(NOON), "end": iso(NOON + timedelta(hours=1))}
    assert tenant.client.get("/dashboard/traces-count", window).content.decode().split() == ["3", "traces"]


def test_an_error_group_a_bar_and_a_figure_lead_to_their_traces(tenant: Tenant) -> None:
    tenant.calls(1, NOON, trace_id="bad", status="error", error_type="rate_limit", user_id="ada")
    window = {"start": iso(NOON), "end": iso(NOON + timedelta(hours=1))}

    def links(metric: str) -> str:
        return tenant.client.get(f"/api/v1/{metric}", window, headers={"HX-Request": "true"}).content.decode()

    assert "error_type=rate_limit&amp;has_error=true" in links("performance/errors")
    assert "/dashboard/traces?" in links("usage/calls-over-time")
    assert "user_id=ada" in links("usage/top-users").partition('class="to-traces"')[2]
    assert "has_error=true" in links("performance/overview")
