"""Tests OTLP requests (encodings, bad bodies, spans that repeat a call, contents, costs) and the other addresses."""

import gzip
import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from ingest.urls import PATHS
from prices.models import PriceOverride
from tests.tenant import NOON, Tenant
from traces.db import rows

pytestmark = pytest.mark.django_db(databases="__all__")

JSON = "application/json"
PROTOBUF = "application/x-protobuf"
NOON_NS = int(NOON.timestamp()) * 10**9
TRACE = "0af7651916cd43dd8448eb211c80319c"


def a_span(number: int = 1, parent: int | None = None, **changes: Any) -> dict[str, Any]:
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 100,
    } | changes.pop("attributes", {})
    return {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        "parentSpanId": f"{parent:016x}" if parent else "",
        "name": "chat gpt-4o",
        "startTimeUnixNano": str(NOON_NS + number),
        "endTimeUnixNano": str(NOON_NS + 10**9),
        "attributes": [
            {"key": key, "value": value if isinstance(value, dict) else any_value(value)}
            for key, value in attributes.items()
        ],
    } | changes


def any_value(value: Any) -> dict[str, Any]:
    return {"stringValue": value} if isinstance(value, str) else {"intValue": value}


def request_of(*spans: Any) -> dict[str, Any]:
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": list(spans)}]}]}


def post(tenant: Tenant, body: Any, content_type: str = JSON, **headers: str) -> Any:
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    headers["Content-Type"] = content_type  # the test client leaves it out of an empty body
    return tenant.client.post("/v1/traces", body, content_type=content_type, headers=headers)


def stored(tenant: Tenant) -> list[dict[str, Any]]:
    found = rows(
        "SELECT * FROM traces WHERE workspace_id = %(workspace_id)s ORDER BY timestamp, span_id",
        {"workspace_id": tenant.workspace.id},
    )
    return [row | {"attributes": json.loads(row["attributes"])} for row in found]


def protobuf(*spans: dict[str, Any]) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    scope_spans = request.resource_spans.add().scope_spans.add()
    for span in spans:
        added = scope_spans.spans.add(
            trace_id=bytes.fromhex(span["traceId"]),
            span_id=bytes.fromhex(span["spanId"]),
            name=span["name"],
            start_time_unix_nano=int(span["startTimeUnixNano"]),
            end_time_unix_nano=int(span["endTimeUnixNano"]),
        )
        for pair in span["attributes"]:
            attribute = added.attributes.add(key=pair["key"])
            for kind, value in pair["value"].items():
                setattr(attribute.value, {"stringValue": "string_value", "intValue": "int_value"}[kind], value)
    return request


def test_a_call_is_read_and_priced(tenant: Tenant) -> None:
    response = post(tenant, request_of(a_span()))
    assert (response.status_code, response.content, response["Content-Type"]) == (200, b"{}", JSON)
    [row] = stored(tenant)
    assert (row["operation"], row["provider"], row["model"]) == ("chat", "openai", "gpt-4o")
    assert (row["input_tokens"], row["output_tokens"], row["latency_ms"]) == (1000, 100, pytest.approx(1000))
    # 1,000 at 2.50 and 100 at 10 USD a million
    assert (row["cost_usd"], row["cost_source"]) == (Decimal("0.0035"), "genai-prices")


def test_protobuf_is_answered_in_protobuf(tenant: Tenant) -> None:
    response = post(tenant, protobuf(a_span()).SerializeToString(), PROTOBUF)
    assert (response.status_code, response.content, response["Content-Type"]) == (200, b"", PROTOBUF)
    assert len(stored(tenant)) == 1


@pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)], ids=["gzip", "deflate"]
)
def test_a_compressed_body_is_inflated(tenant: Tenant, encoding: str, compress: Callable[[bytes], bytes]) -> None:
    body = compress(json.dumps(request_of(a_span())).encode())
    assert post(tenant, body, **{"Content-Encoding": encoding}).status_code == 200
    assert len(stored(tenant)) == 1


def changed(name: str, value: Any) -> dict[str, Any]:
    return a_span(2) | {name: value}


def with_attribute(value: Any) -> dict[str, Any]:
    return a_span(2, attributes={"gen_ai.usage.input_tokens": value})


REFUSED = {
    "trace id too short": changed("traceId", "abc"),
    "trace id too long": changed("traceId", "ab" * 17),
    "trace id of zeros": changed("traceId", "00" * 16),
    "trace id empty": changed("traceId", ""),
    "trace id a number": changed("traceId", 7),
    "trace id null": changed("traceId", None),
    "trace id not hex": changed("traceId", "z" * 32),
    "span id too short": changed("spanId", "abc"),
    "span id of zeros": changed("spanId", "00" * 8),
    "span id a list": changed("spanId", []),
    "parent of 3 bytes": changed("parentSpanId", "YWJj"),
    "year 2554": changed("startTimeUnixNano", str(2**64 - 1)),
    "beyond 64 bits": changed("startTimeUnixNano", str(2**64)),
    "before the epoch": changed("startTimeUnixNano", -1),
    "start of 1970": changed("startTimeUnixNano", 0),
    "no start": changed("startTimeUnixNano", None),
    "start is a word": changed("startTimeUnixNano", "noon"),
    "start is a list": changed("startTimeUnixNano", [1]),
    "start is infinite": changed("startTimeUnixNano", float("inf")),
    "end beyond 64 bits": changed("endTimeUnixNano", 2**65),
    "no object": "span",
    "null": None,
}


@pytest.mark.parametrize("bad", REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_span_is_refused_and_its_neighbours_stored(tenant: Tenant, bad: Any) -> None:
    response = post(tenant, request_of(a_span(1), bad, a_span(3)))
    assert response.status_code == 200
    assert response.json()["partialSuccess"]["rejectedSpans"] == "1"
    assert response.json()["partialSuccess"]["errorMessage"]
    assert len(stored(tenant)) == 2


TOLERATED = {
    "NUL in a name": changed("name", "a\0b"),
    "lone surrogate": changed("name", "a\ud800"),
    "name is a number": changed("name", 7),
    "name is missing": changed("name", None),
    "unknown field": changed("flavour", "mint"),
    "times as numbers": a_span(2) | {"startTimeUnixNano": NOON_NS, "endTimeUnixNano": NOON_NS + 1},
    "end before start": changed("endTimeUnixNano", "1"),
    "status by name": changed("status", {"code": "STATUS_CODE_ERROR"}),
    "unknown status": changed("status", {"code": "STATUS_CODE_GREAT"}),
    "status is a word": changed("status", "bad"),
    "unknown kind": changed("kind", "SPAN_KIND_MAGIC"),
    "attributes are a word": changed("attributes", "none"),
    "attribute without value": changed("attributes", [{"key": "a"}]),
    "attribute without key": changed("attributes", [{"value": {"stringValue": "a"}}]),
    "events are a number": changed("events", 7),
    "tokens as text": with_attribute({"intValue": "1000"}),
    "tokens as a double": with_attribute({"doubleValue": 1000.0}),
    "tokens negative": with_attribute({"intValue": -5}),
    "tokens a word": with_attribute({"stringValue": "many"}),
    "tokens not a number": with_attribute({"doubleValue": float("nan")}),
    "tokens huge": with_attribute({"intValue": 2**62}),
    "tokens a list": with_attribute({"arrayValue": {"values": [{"intValue": 1}]}}),
    "ids in base64": changed("traceId", "CvdlGRbNQ92ESOshHIAxnA=="),
}


@pytest.mark.parametrize("changes", TOLERATED.values(), ids=TOLERATED.keys())
def test_an_unusual_span_is_stored(tenant: Tenant, changes: Any) -> None:
    response = post(tenant, request_of(a_span(1), changes))
    assert (response.status_code, response.content) == (200, b"{}")
    assert len(stored(tenant)) == 2


def test_spans_in_the_wrong_place_are_reported(tenant: Tenant) -> None:
    request = request_of(a_span(1))
    request["resourceSpans"] += [{"scopeSpans": 7}, {"scopeSpans": [{"spans": {}}]}]
    answer = post(tenant, request).json()
    assert answer["partialSuccess"]["rejectedSpans"] == "2"
    assert "scopeSpans" in answer["partialSuccess"]["errorMessage"]
    assert len(stored(tenant)) == 1


UNREADABLE: dict[str, tuple[bytes, str, dict[str, str], int]] = {
    "no JSON": (b"{", JSON, {}, 400),
    "empty JSON": (b"", JSON, {}, 400),
    "a list": (b"[]", JSON, {}, 400),
    "no list of spans": (b'{"resourceSpans": 5}', JSON, {}, 400),
    "meant for /api/v1/traces": (b'{"traces": []}', JSON, {}, 400),
    "deep": (b"[" * 100_000, JSON, {}, 400),
    "no protobuf": (b"\xff" * 40, PROTOBUF, {}, 400),
    "truncated protobuf": (protobuf(a_span()).SerializeToString()[:-9], PROTOBUF, {}, 400),
    "truncated gzip": (gzip.compress(b"{}" * 99)[:-9], JSON, {"Content-Encoding": "gzip"}, 400),
    "no gzip": (b"{}", JSON, {"Content-Encoding": "gzip"}, 400),
    "bomb": (gzip.compress(b" " * 7_000_000), JSON, {"Content-Encoding": "gzip"}, 413),
    "brotli": (b"{}", JSON, {"Content-Encoding": "br"}, 415),
    "text": (b"{}", "text/plain", {}, 415),
    "too many spans": (protobuf(*[a_span()] * 10_001).SerializeToString(), PROTOBUF, {}, 413),
}


@pytest.mark.parametrize(("body", "content_type", "headers", "status"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_body_is_refused(
    tenant: Tenant, body: bytes, content_type: str, headers: dict[str, str], status: int
) -> None:
    assert post(tenant, body, content_type, **headers).status_code == status
    assert stored(tenant) == []


@pytest.mark.parametrize("body", [b"{}", b'{"resourceSpans": []}', b'{"resourceSpans": null}'])
def test_a_request_without_spans_is_accepted(tenant: Tenant, body: bytes) -> None:
    assert post(tenant, body).status_code == 200


def test_an_empty_protobuf_body_is_an_empty_request(tenant: Tenant) -> None:
    assert post(tenant, b"", PROTOBUF).status_code == 200


def test_a_span_that_cannot_be_parsed_does_not_cost_its_neighbours(tenant: Tenant) -> None:
    body = protobuf(a_span(1), a_span(2)).SerializeToString()
    broken = body.replace(b"chat gpt-4o", b"chat\xff\xfe\xff\xfe\xff4o", 1)
    response = post(tenant, broken, PROTOBUF)
    assert ExportTraceServiceResponse.FromString(response.content).partial_success.rejected_spans == 1
    assert len(stored(tenant)) == 1


# --- Spans that repeat a call ---


def totals(tenant: Tenant) -> tuple[int, int, int]:
    overview = tenant.ask("usage/overview")["total_calls"]
    rows = stored(tenant)
    return overview, sum(row["input_tokens"] or 0 for row in rows), sum(row["output_tokens"] or 0 for row in rows)


def repeating(operation: dict[str, Any]) -> dict[str, Any]:
    return a_span(1, name="agent", attributes={"gen_ai.usage.input_tokens": 2000} | operation)


TRAPS = {
    "strands": repeating({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a"}),
    "smolagents": repeating({"openinference.span.kind": "AGENT", "llm.token_count.prompt": 2000}),
    "vercel-ai 6": repeating({"gen_ai.operation.name": "", "ai.operationId": "ai.generateText"}),
    "pydantic-ai": repeating({"gen_ai.operation.name": "invoke_agent", "gen_ai.aggregated_usage.input_tokens": 2000}),
    "traceloop workflow": repeating({"traceloop.span.kind": "workflow"}),
}


@pytest.mark.parametrize("agent", TRAPS.values(), ids=TRAPS.keys())
def test_an_agent_run_repeats_its_calls_and_counts_nothing(tenant: Tenant, agent: dict[str, Any]) -> None:
    post(tenant, request_of(agent, a_span(2, parent=1), a_span(3, parent=1)))
    assert totals(tenant) == (2, 2000, 200)


def test_a_call_inside_a_call_is_the_same_call(tenant: Tenant) -> None:
    post(tenant, request_of(a_span(1), a_span(2, parent=1)))
    assert totals(tenant) == (1, 1000, 100)


def test_two_response_ids_are_two_calls(tenant: Tenant) -> None:
    outer = a_span(1, attributes={"gen_ai.response.id": "resp_1"})
    post(tenant, request_of(outer, a_span(2, parent=1, attributes={"gen_ai.response.id": "resp_2"})))
    assert totals(tenant) == (2, 2000, 200)


def test_the_same_response_in_two_traces_is_one_call(tenant: Tenant) -> None:
    call = a_span(1, attributes={"gen_ai.response.id": "msg_1"})
    post(tenant, request_of(call))
    post(tenant, request_of(call | {"traceId": "ab" * 16}))
    assert totals(tenant) == (1, 1000, 100)


def test_the_same_response_an_hour_later_is_another_call(tenant: Tenant) -> None:
    call = a_span(1, attributes={"gen_ai.response.id": "msg_1"})
    later = {"startTimeUnixNano": str(NOON_NS + 3600 * 10**9), "endTimeUnixNano": str(NOON_NS + 3601 * 10**9)}
    post(tenant, request_of(call))
    post(tenant, request_of(call | later | {"traceId": "ab" * 16}))
    assert totals(tenant) == (2, 2000, 200)


def test_a_late_root_gives_its_children_user_and_agent(tenant: Tenant) -> None:
    post(tenant, request_of(a_span(2, parent=1)))
    assert (stored(tenant)[0]["agent_id"], stored(tenant)[0]["user_id"]) == ("unknown", None)
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "support", "user.id": "alice"}
    post(tenant, request_of(a_span(1, attributes=agent)))
    assert [(row["agent_id"], row["user_id"]) for row in stored(tenant)] == [("support", "alice")] * 2
    assert [agent["agent_id"] for agent in tenant.ask("usage/agent-distribution")["data"]] == ["support"]


# --- Content ---


def test_a_long_prompt_is_cut_and_marked(tenant: Tenant) -> None:
    post(tenant, request_of(a_span(attributes={"gen_ai.input.messages": "x" * 100_000})))
    prompt = stored(tenant)[0]["attributes"]["gen_ai.input.messages"]
    assert len(prompt) == 65_536
    assert "[cut " in prompt


@pytest.mark.parametrize("switch", ["setting", "workspace"])
def test_content_can_be_left_out(tenant: Tenant, settings: Any, switch: str) -> None:
    if switch == "setting":
        settings.STORE_CONTENT = False
    else:
        tenant.workspace.store_content = False
        tenant.workspace.save()
    post(
        tenant,
        request_of(
            a_span(attributes={"gen_ai.input.messages": "secret", "gen_ai.tool.args": "secret", "server.port": 443})
        ),
    )
    [row] = stored(tenant)
    assert "secret" not in json.dumps(row["attributes"])
    assert row["attributes"]["server.port"] == 443
    assert row["input_tokens"] == 1000


# --- Cost ---


def override(tenant: Tenant, **values: Any) -> None:
    defaults = {"provider": "", "model_pattern": "gpt-*", "valid_from": datetime(2020, 1, 1, tzinfo=UTC)}
    prices = {"input_usd_per_million": 10, "output_usd_per_million": 100}
    PriceOverride.objects.create(workspace=tenant.workspace, **(defaults | prices | values))


def test_the_workspaces_own_price_comes_first(tenant: Tenant) -> None:
    override(tenant)
    post(tenant, request_of(a_span(attributes={"operation.cost": {"doubleValue": 5.0}})))
    [row] = stored(tenant)
    # 1,000 at 10 and 100 at 100 USD a million
    assert (row["cost_usd"], row["cost_source"]) == (Decimal("0.02"), "override")


def test_the_clients_figure_comes_second(tenant: Tenant) -> None:
    post(tenant, request_of(a_span(attributes={"operation.cost": {"doubleValue": 5.0}})))
    assert (stored(tenant)[0]["cost_usd"], stored(tenant)[0]["cost_source"]) == (5, "reported")


def test_an_unknown_model_is_unpriced_not_free(tenant: Tenant) -> None:
    post(tenant, request_of(a_span(attributes={"gen_ai.request.model": "acme-7b"})))
    assert (stored(tenant)[0]["cost_usd"], stored(tenant)[0]["cost_source"]) == (None, "unknown")


def test_repricing_shows_the_totals_and_applies_them(tenant: Tenant, capsys: Any) -> None:
    post(tenant, request_of(a_span()))
    override(tenant)
    arguments = ["--workspace", str(tenant.workspace.id), "--from", "2020-01-01", "--to", "2100-01-01"]
    call_command("reprice", *arguments, "--dry-run")
    output = capsys.readouterr().out
    assert "before    0.0035 USD, 0 unpriced" in output
    assert "after     0.02 USD, 0 unpriced" in output
    assert stored(tenant)[0]["cost_source"] == "genai-prices"
    call_command("reprice", *arguments)
    assert (stored(tenant)[0]["cost_usd"], stored(tenant)[0]["cost_source"]) == (Decimal("0.02"), "override")


def test_json_without_a_cost_is_priced_too(tenant: Tenant) -> None:
    item = {"agent_id": "a", "provider": "openai", "model": "gpt-4o", "input_tokens": 1000, "output_tokens": 100}
    tenant.client.post("/api/v1/traces", json.dumps(item), content_type=JSON)
    assert stored(tenant)[0]["cost_usd"] == Decimal("0.0035")


# --- The other addresses ---


@pytest.mark.parametrize("path", ["/v1/logs", "/v1/metrics"])
def test_logs_and_metrics_store_no_spans(tenant: Tenant, path: str) -> None:
    response = tenant.client.post(path, b"{}", content_type=JSON)
    assert (response.status_code, response.content) == (200, b"{}")
    assert stored(tenant) == []


def test_langfuse_finds_its_project(tenant: Tenant) -> None:
    [project] = tenant.client.get("/api/public/projects").json()["data"]
    itself = {"id": str(tenant.workspace.id), "name": tenant.workspace.name}
    assert project == itself | {"metadata": {}, "organization": itself}


def test_a_trace_without_a_time_moves_to_its_first_span_and_the_totals_with_it(tenant: Tenant) -> None:
    trace = {"object": "trace", "id": "trace_" + "a" * 32, "workflow_name": "support", "group_id": "conversation-7"}
    call = {
        "object": "trace.span",
        "id": "span_" + "b" * 24,
        "trace_id": trace["id"],
        "started_at": NOON.isoformat(),
        "ended_at": NOON.isoformat(),
        "span_data": {"type": "generation", "model": "gpt-4o", "usage": {"input_tokens": 1000, "output_tokens": 100}},
    }
    for item in (trace, call, trace):
        body = json.dumps({"data": [item]})
        assert tenant.client.post("/v1/traces/ingest", body, content_type=JSON).status_code == 200
    assert [(row["timestamp"], row["session_id"]) for row in stored(tenant)] == [(NOON, "conversation-7")] * 2
    assert tenant.ask("usage/overview", operation="invoke_workflow")["total_calls"] == 1
    assert tenant.ask("usage/overview", operation="invoke_workflow", range="24h")["total_calls"] == 0


@pytest.mark.parametrize("path", ["/v1/traces/", "/api/public/otel/v1/traces/"])
def test_a_slash_at_the_end_of_the_path_changes_nothing(tenant: Tenant, path: str) -> None:
    response = tenant.client.post(path, json.dumps(request_of(a_span())), content_type=JSON)
    assert (response.status_code, response.content) == (200, b"{}")
    assert len(stored(tenant)) == 1


@pytest.mark.parametrize("path", sorted(PATHS))
def test_every_path_answers_with_a_slash_as_without(tenant: Tenant, path: str) -> None:
    answers = [tenant.client.post(f"/{path}{slash}", b"{}", content_type=JSON) for slash in ("", "/")]
    assert answers[0].status_code == answers[1].status_code != 404
    if path != "api/v1/traces":  # every answer has a new error or span
        assert answers[0].content == answers[1].content
