"""The page of one trace, its parts and its two API endpoints."""

import json
import re
from datetime import timedelta
from typing import Any

import jsonschema_rs
import pytest
from django.urls import reverse

from ingest.store import store_scores
from prices.models import PriceOverride
from tests.factories import MembershipFactory, WorkspaceFactory, an_api_key
from tests.ingest.otlp_spans import Sent, chat
from tests.security.world import selecting, signed_in
from tests.tenant import NOON, Tenant
from traces import writer
from traces.db import rows
from traces.row import Row
from traces.scores import Score

pytestmark = pytest.mark.django_db(databases="__all__")

SPAN = {"trace_id": "t", "agent_id": "support"}


def a_trace(tenant: Tenant) -> None:
    """Stores an agent's run of four seconds: a call of one second, a tool of one second, and a call that fails."""
    usage = {"input_tokens": 1000, "output_tokens": 100}
    tenant.calls(1, **SPAN, span_id="run", operation="invoke_agent", name="run", model=None, latency_ms=4000.0)
    tenant.calls(
        1,
        NOON + timedelta(seconds=1),
        **SPAN | usage,
        span_id="ask",
        parent_span_id="run",
        name="chat",
        latency_ms=1000.0,
        first_token_ms=400.0,
        cost_usd="0.003500",
        input_cost_usd="0.0025",
        output_cost_usd="0.0010",
        cost_source="genai-prices",
        price_id="genai-prices-0.2.3:openai/gpt-4o",
        attributes={"gen_ai.input.messages": json.dumps([{"role": "user", "content": "Weather?"}])},
    )
    tenant.calls(
        1,
        NOON + timedelta(seconds=2),
        **SPAN,
        span_id="look",
        parent_span_id="run",
        operation="execute_tool",
        tool="get_weather",
        model=None,
        latency_ms=1000.0,
    )
    tenant.calls(
        1,
        NOON + timedelta(seconds=3),
        **SPAN,
        span_id="fail",
        parent_span_id="gone",
        status="error",
        error_type="rate_limit",
        error_message="slow down",
        latency_ms=500.0,
    )


def answer(tenant: Tenant, path: str, expect: int = 200) -> Any:
    response = tenant.client.get(f"/api/v1/traces/{path}")
    assert response.status_code == expect, response.content
    return response.json()


def page(tenant: Tenant, path: str = "t", expect: int = 200, **query: str) -> str:
    query |= {"workspace": str(tenant.workspace.id)}
    response = tenant.client.get(f"/dashboard/traces/{path}", query)
    assert response.status_code == expect
    return re.sub(r'"X-CSRFToken": "\w+"', "", " ".join(response.content.decode().split()))


def test_the_trace_answers_its_totals_and_its_spans_in_order(tenant: Tenant) -> None:
    a_trace(tenant)
    trace = answer(tenant, "t")
    assert [span["span_id"] for span in trace["spans"]] == ["run", "ask", "look", "fail"]
    totals = ("name", "latency_ms", "span_count", "calls", "tool_calls", "cost_usd", "unpriced_calls", "status")
    assert [trace[name] for name in totals] == ["run", 4000.0, 4, 2, 1, 0.0035, 1, "error"]
    assert (trace["error_type"], trace["agents"], trace["models"]) == ("rate_limit", ["support"], ["gpt-4o"])
    assert [span["preview"] for span in trace["spans"]] == [None, "Weather?", None, None]
    assert trace["latency_split_ms"] == {
        "generating": 600,
        "waiting": 400,
        "model": 500,
        "tools": 1000,
        "own_code": 1500,
    }


def test_the_answers_are_as_declared(tenant: Tenant) -> None:
    a_trace(tenant)
    paths = tenant.client.get("/api/v1/openapi.json").json()["paths"]
    declared = paths["/api/v1/traces/{trace_id}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema_rs.validate(declared, answer(tenant, "t"))
    operation = paths["/api/v1/traces/{trace_id}/spans/{span_id}"]["get"]
    declared = operation["responses"]["200"]["content"]["application/json"]["schema"]
    for span_id in ("run", "ask", "look", "fail"):
        jsonschema_rs.validate(declared, answer(tenant, f"t/spans/{span_id}"))


def test_spans_come_page_by_page(tenant: Tenant) -> None:
    a_trace(tenant)
    first = answer(tenant, "t?limit=3")
    rest = answer(tenant, f"t?limit=3&cursor={first['next_cursor']}")
    assert [span["span_id"] for span in first["spans"] + rest["spans"]] == ["run", "ask", "look", "fail"]
    assert rest["next_cursor"] is None
    assert rest["span_count"] == 4


@pytest.mark.parametrize("query", ["limit=0", "limit=10001", "limit=x", "cursor=x", "range=7d", "limit=1&limit=2"])
def test_wrong_parameters_are_named(tenant: Tenant, query: str) -> None:
    a_trace(tenant)
    assert answer(tenant, f"t?{query}", 422)["errors"]


@pytest.mark.parametrize("trace_id", ["nowhere", "%00", "x" * 2000, "..%2F..", "%ff", "t/", "t/spans/", "t/spans/x"])
def test_no_such_trace_is_a_404(tenant: Tenant, trace_id: str) -> None:
    a_trace(tenant)
    assert answer(tenant, trace_id, 404)["status"] == 404
    assert tenant.client.get(f"/dashboard/traces/{trace_id}").status_code == 404


def test_the_404_keeps_the_navigation_and_is_the_same_for_another_workspace(tenant: Tenant) -> None:
    writer.store(WorkspaceFactory().id, [Row(NOON, "theirs", "s", "chat", "secret agent")])
    theirs, nowhere = page(tenant, "theirs", 404), page(tenant, "nowhere", 404)
    assert "This workspace has no such trace." in theirs
    assert "Performance" in theirs
    assert theirs.replace("theirs", "nowhere") == nowhere


@pytest.mark.parametrize("trace_id", ["a/b c?d#e%f", "line\nbreak", "<b>&amp;", "spans/rows"])
def test_any_id_has_its_page(tenant: Tenant, trace_id: str) -> None:
    tenant.calls(1, trace_id=trace_id, span_id="a/b", status="error", error_type="late", error_message="slow")
    link = reverse("trace-page", args=[trace_id])
    assert tenant.client.get(link).status_code == 200
    assert tenant.client.get(reverse("span-panel", args=[trace_id, "a/b"])).status_code == 200
    shown = tenant.client.get("/api/v1/performance/errors?range=7d", headers={"HX-Request": "true"}).content.decode()
    assert f'href="{link}?workspace=' in shown.replace("&#x27;", "'").replace("&amp;", "&")


def drawn(tenant: Tenant, trace_id: str = "t") -> list[list[Any]]:
    found: list[list[Any]] = tenant.client.get(f"/dashboard/trace-rows/{trace_id}").json()["rows"]
    return found


def test_the_tree_puts_children_below_their_parents_and_marks_orphans(tenant: Tenant) -> None:
    a_trace(tenant)
    assert [(row[0], row[1], row[3], row[5], row[8]) for row in drawn(tenant)] == [
        ("run", 0, "agent", 0, False),
        ("ask", 1, "call", 1000, False),
        ("look", 1, "tool", 2000, False),
        ("fail", 0, "call", 3000, True),
    ]


def test_spans_that_are_their_own_ancestors_are_shown_once(tenant: Tenant) -> None:
    for number, (span_id, parent) in enumerate([("a", "b"), ("b", "a"), ("c", "c")]):
        tenant.calls(1, NOON + timedelta(seconds=number), trace_id="t", span_id=span_id, parent_span_id=parent)
    assert sorted((row[0], row[1]) for row in drawn(tenant)) == [("a", 0), ("b", 1), ("c", 0)]


def test_new_spans_change_the_version_of_the_rows(tenant: Tenant) -> None:
    a_trace(tenant)
    url = "/dashboard/trace-rows/t"
    version = tenant.client.get(url).json()["version"]
    assert tenant.client.get(url, {"version": version}).status_code == 204
    tenant.calls(1, NOON + timedelta(seconds=3), trace_id="t", span_id="late", parent_span_id="run")
    changed = tenant.client.get(url, {"version": version})
    assert (changed.status_code, len(changed.json()["rows"])) == (200, 5)


def test_the_page_says_what_happened(tenant: Tenant) -> None:
    a_trace(tenant)
    shown = page(tenant)
    assert "It failed with rate_limit after" in shown
    assert "4.0 s" in shown
    rows = tenant.client.get("/dashboard/trace-rows/t", headers={"X-Workspace-ID": str(tenant.workspace.id)}).json()
    assert ["tools", "tools", 1000.0] in rows["split"]
    assert "without 1 that has no price" in shown


def test_the_cost_is_explained_line_by_line(tenant: Tenant) -> None:
    a_trace(tenant)
    cost = answer(tenant, "t/spans/ask")["cost"]
    assert cost["description"] == "Price list genai-prices 0.2.3, openai/gpt-4o."
    assert [(line["label"], line["units"], line["usd_per_unit"], line["cost_usd"]) for line in cost["lines"]] == [
        ("Input", 1000, 2.5, 0.0025),
        ("Output", 100, 10.0, 0.001),
    ]
    assert answer(tenant, "t/spans/run")["cost"] is None
    panel = tenant.client.get("/dashboard/traces/t/spans/ask").content.decode()
    assert "genai-prices 0.2.3" in panel
    assert "$2.5" in panel


def test_a_price_of_the_workspace_names_its_rule_until_it_is_deleted(tenant: Tenant) -> None:
    price = {"input_usd_per_million": 1, "output_usd_per_million": 2}
    override = PriceOverride.objects.create(workspace=tenant.workspace, model_pattern="gpt-*", **price)
    tenant.calls(1, **SPAN, span_id="s", cost_usd="0.5", cost_source="override", price_id=f"override:{override.pk}")
    cost = answer(tenant, "t/spans/s")["cost"]
    assert "gpt-*" in cost["description"]
    assert cost["valid_at"]
    assert [(line["label"], line["cost_usd"]) for line in cost["lines"]] == [("Not itemised", 0.5)]
    override.delete()
    assert "deleted" in answer(tenant, "t/spans/s")["cost"]["description"]


def test_events_links_and_other_records_of_the_call_are_shown(tenant: Tenant) -> None:
    outer = Sent(1, attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "support"})
    root_of_sdk = chat(3, response_id="chatcmpl-abc", scope="com.anthropic.sdk.python", trace=2)
    inner = chat(2, 1, response_id="chatcmpl-abc")
    requests = [span.request() for span in (outer, inner, root_of_sdk)]
    span = requests[1]["scopeSpans"][0]["spans"][0]
    span["links"] = [{"traceId": f"{7:032x}", "spanId": f"{8:016x}"}, {"traceId": "no id"}]
    start = int(span["startTimeUnixNano"])
    span["events"] = [{"name": "thinking", "timeUnixNano": start + 250_000_000}]
    sent = tenant.client.post("/v1/traces", {"resourceSpans": requests}, content_type="application/json")
    assert sent.content in (b"", b"{}")
    answered = answer(tenant, f"{1:032x}/spans/{2:016x}")
    assert answered["links"] == [{"trace_id": f"{7:032x}", "span_id": f"{8:016x}"}]
    assert [(event["name"], event["offset_ms"]) for event in answered["events"]] == [("thinking", 250.0)]
    assert [other["trace_id"] for other in answered["other_records"]] == [f"{2:032x}"]
    panel = tenant.client.get(f"/dashboard/traces/{1:032x}/spans/{2:016x}").content.decode()
    assert "Linked:" in panel
    assert "in another trace" in panel


def test_the_download_holds_the_spans_with_their_attributes(tenant: Tenant) -> None:
    a_trace(tenant)
    response = tenant.client.get("/dashboard/trace-json/t", {"workspace": str(tenant.workspace.id)})
    assert response["Content-Disposition"] == 'attachment; filename="trace-t.json"'
    spans = {span["span_id"]: span for span in response.json()["spans"]}
    assert "Weather?" in spans["ask"]["attributes"]["gen_ai.input.messages"]


# --- Scores ---


def given(tenant: Tenant) -> list[dict[str, Any]]:
    return rows(
        "SELECT name, number::float8, category, comment, source, author, span_id FROM scores"
        " WHERE workspace_id = %(id)s ORDER BY name",
        {"id": tenant.workspace.id},
    )


@pytest.mark.parametrize("role", ["viewer", "editor", "owner"])
def test_a_member_of_any_role_scores_a_trace_and_may_change_their_mind(tenant: Tenant, role: str) -> None:
    workspace = WorkspaceFactory()
    Tenant(workspace, tenant.client).calls(1, **SPAN, span_id="s")
    member = MembershipFactory(workspace=workspace, role=role)
    client, headers = signed_in(member.user)
    headers |= selecting(workspace.id)
    for form in ({"kind": "up"}, {"kind": "down", "comment": "Wrong city"}, {"kind": "number", "number": "4"}):
        assert client.post("/dashboard/trace-scores/t", form, headers=headers).status_code == 200
    shown = client.post("/dashboard/trace-scores/t", {"kind": "comment", "comment": "Hm"}, headers=headers)
    assert "Wrong city" in shown.content.decode()
    found = given(Tenant(workspace, client))
    assert [(score["name"], score["number"], score["category"], score["comment"]) for score in found] == [
        ("comment", None, "noted", "Hm"),
        ("rating", 4.0, None, None),
        ("thumb", 0.0, "false", "Wrong city"),
    ]
    assert {(score["source"], score["author"]) for score in found} == {("person", member.user.get_username())}


def test_a_span_is_scored_for_itself(tenant: Tenant) -> None:
    a_trace(tenant)
    for span_id, status in (("ask", 200), ("gone", 404)):
        form = {"kind": "up", "span_id": span_id}
        assert tenant.client.post("/dashboard/trace-scores/t", form).status_code == status
    assert [score["span_id"] for score in given(tenant)] == ["ask"]
    assert answer(tenant, "t")["scores"][0]["value"] is True


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"kind": "shout"},
        {"kind": "number"},
        {"kind": "number", "number": "nan"},
        {"kind": "number", "number": "x"},
        {"kind": "comment", "comment": " "},
        {"kind": "up", "comment": "x" * 5000},
        {"kind": "up", "name": "x" * 300},
    ],
)
def test_a_wrong_score_is_refused(tenant: Tenant, form: dict[str, str]) -> None:
    a_trace(tenant)
    assert tenant.client.post("/dashboard/trace-scores/t", form).status_code == 422
    assert given(tenant) == []


def test_keys_score_through_the_api_and_others_not_at_all(tenant: Tenant) -> None:
    workspace = WorkspaceFactory()
    Tenant(workspace, tenant.client).calls(1, **SPAN, span_id="s")
    _, secret = an_api_key("read", "write", "ingest", workspace=workspace)
    headers = selecting(workspace.id) | {"Authorization": f"Bearer {secret}"}
    assert tenant.client.post("/dashboard/trace-scores/t", {"kind": "up"}, headers=headers).status_code == 403
    member = MembershipFactory(workspace=workspace)
    client, _ = signed_in(member.user)  # without its CSRF token
    assert client.post("/dashboard/trace-scores/t", {"kind": "up"}, headers=selecting(workspace.id)).status_code == 403
    assert tenant.client.post("/dashboard/trace-scores/nowhere", {"kind": "up"}).status_code == 404


def test_scores_of_clients_are_on_the_page(tenant: Tenant) -> None:
    a_trace(tenant)
    score = Score(id="1", timestamp=NOON, name="helpful", trace_id="t", category="very", source="judge")
    store_scores(tenant.workspace.id, [score])
    shown = tenant.client.get("/dashboard/trace-conversation/t").content.decode()
    assert "helpful" in shown
    assert "judge" in shown
