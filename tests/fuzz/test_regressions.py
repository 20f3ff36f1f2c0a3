"""Tests faults that were found and mended, each with its smallest case."""

import gzip
import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ingest.formats import otlp_protobuf
from tests.fuzz import targets
from tests.ingest.test_otlp import a_span, any_value, post, request_of, stored
from tests.tenant import NOON, Tenant
from web.body import MAX_MEMBERS, inflate
from web.problems import Problem

pytestmark = pytest.mark.django_db(databases="__all__")


def test_a_body_of_many_gzip_members_is_refused_before_it_takes_quadratic_time() -> None:
    member = gzip.compress(b"")
    assert inflate(member * MAX_MEMBERS, "gzip") == b""
    with pytest.raises(Problem, match="members") as refused:
        inflate(member * 400_000, "gzip")
    assert refused.value.status == 413


def test_a_resource_is_read_once_however_many_broken_spans_share_it() -> None:
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope_spans = resource_spans.scope_spans.add()
    for number in range(1, 101):
        scope_spans.spans.add(trace_id=b"\x11" * 16, span_id=number.to_bytes(8, "big"), name="name")
    body = request.SerializeToString().replace(b"name", b"\xff\xff\xff\xff", 2)
    with patch.object(otlp_protobuf, "lenient_resource", wraps=otlp_protobuf.lenient_resource) as read:
        decoded = otlp_protobuf.decode(body)
    assert len(decoded.spans) + len(decoded.rejections) == 100
    assert decoded.rejections
    assert read.call_count <= 2


NEIGHBOURS = {
    "a status code of another script": {"status": {"code": "²"}},
    "an operation that is a list": {
        "attributes": [
            {"key": "openinference.span.kind", "value": {"stringValue": "LLM"}},
            {"key": "gen_ai.operation.name", "value": {"arrayValue": {"values": []}}},
        ]
    },
    "a double beyond doubles": {"attributes": [{"key": "x", "value": {"doubleValue": 10**400}}], "name": float("nan")},
    "usage that is a dictionary with a list for a key": {
        "attributes": [
            {"key": "llm.openai.usage", "value": {"stringValue": "{[1]: 2}"}},
            {"key": "metadata", "value": {"stringValue": "{[1]: 2}"}},
        ]
    },
    "a session of 400 digits": {
        "attributes": [{"key": "metadata", "value": {"stringValue": "{'session_id': " + "9" * 4000 + "}"}}]
    },
    "a cost of 4,000 hexadecimal digits": {
        "attributes": [
            {"key": "langfuse.observation.type", "value": {"stringValue": "generation"}},
            {
                "key": "langfuse.observation.cost_details",
                "value": {"stringValue": "{'total': 0x" + "f" * 4000 + "}"},
            },
        ]
    },
    "a session of 4,000 hexadecimal digits": {
        "attributes": [{"key": "metadata", "value": {"stringValue": "{'session_id': 0x" + "f" * 4000 + "}"}}]
    },
    "an agent span with NUL in its name": {
        "name": "invoke_agent a\x00b",
        "attributes": [{"key": "openinference.span.kind", "value": {"stringValue": "AGENT"}}],
    },
    "an agent span with an endless name": {
        "name": "".join(map(chr, range(0x10000, 0x10000 + 5000))),
        "attributes": [{"key": "openinference.span.kind", "value": {"stringValue": "AGENT"}}],
    },
    "more tokens than 64 bits hold, in sum": {
        "attributes": [
            {"key": "langfuse.observation.type", "value": {"stringValue": "generation"}},
            {
                "key": "langfuse.observation.usage_details",
                "value": {"stringValue": json.dumps({f"input{n}": 10**9 for n in range(1000)} | {"cache": 10**9})},
            },
        ]
    },
}


@pytest.mark.parametrize("changes", NEIGHBOURS.values(), ids=NEIGHBOURS.keys())
def test_a_malformed_span_never_costs_its_neighbour(tenant: Tenant, changes: dict[str, Any]) -> None:
    response = post(tenant, json.dumps(request_of(a_span(1), a_span(2) | changes)).encode())
    assert response.status_code == 200, response.content
    assert "0000000000000001" in {row["span_id"] for row in stored(tenant)}


SDK_ITEMS = {
    "ids with NUL": {"id": "a\x00", "trace_id": "b\x00", "parent_id": "c\x00"},
    "endless ids": {"id": "a" * 9000, "trace_id": "b" * 9000, "parent_id": "c" * 9000},
    "an integer beyond 64 bits": {"id": "a", "trace_id": "b", "span_data": {"type": "generation", "input": 2**70}},
}


@pytest.mark.parametrize("item", SDK_ITEMS.values(), ids=SDK_ITEMS.keys())
def test_unusual_items_of_the_agents_sdk_are_stored(tenant: Tenant, item: dict[str, Any]) -> None:
    times = {"started_at": NOON.isoformat(), "ended_at": NOON.isoformat()}
    body = {"data": [{"object": "trace.span"} | times | item, {"object": "trace", "id": "t", "group_id": 2**64}]}
    # NaN makes the lenient parser read it, which takes integers of any size.
    text = json.dumps(body | {"nan": float("nan")})
    response = tenant.client.post("/v1/traces/ingest", text, content_type="application/json")
    assert (response.status_code, response.content) == (200, b"{}")
    assert len(stored(tenant)) == 2


FAR_FUTURE = "9999-12-31T23:59:59+00:00"


def test_an_end_in_the_last_year_of_the_calendar_is_no_latency(tenant: Tenant) -> None:
    begin = {"id": "a", "traceId": "t", "startTime": NOON.isoformat(), "model": "gpt-4o"}
    event = {
        "id": "e",
        "type": "generation-create",
        "timestamp": NOON.isoformat(),
        "body": begin | {"endTime": FAR_FUTURE},
    }
    answer = tenant.client.post("/api/public/ingestion", {"batch": [event]}, content_type="application/json")
    assert answer.json()["errors"] == []
    span = {"object": "trace.span", "id": "b", "trace_id": "u", "started_at": NOON.isoformat(), "ended_at": FAR_FUTURE}
    body = {"data": [span, span | {"id": "c", "started_at": FAR_FUTURE}]}
    answer = tenant.client.post("/v1/traces/ingest", body, content_type="application/json")
    assert (answer.status_code, answer.json()["partialSuccess"]["rejectedSpans"]) == (200, "1")
    assert [row["latency_ms"] for row in stored(tenant)] == [None, None]


def test_the_agents_sdk_hears_of_a_request_of_which_nothing_is_stored(tenant: Tenant) -> None:
    answer = tenant.client.post("/v1/traces/ingest", {"data": [{"object": "trace"}]}, content_type="application/json")
    assert (answer.status_code, answer.json()["partialSuccess"]["errorMessage"]) == (422, "id must be a string")


MORE_TOKENS_THAN_A_CALL_HAS = (
    {"gen_ai.usage.input_tokens": 10**12, "gen_ai.usage.output_tokens": 10**12},
    {"gen_ai.usage.input_tokens": 5, "gen_ai.usage.cache_read.input_tokens": 10**9},
    {"langfuse.observation.usage_details": json.dumps({f"input_{n}": 10**9 for n in range(200)})},
)


@pytest.mark.parametrize("usage", MORE_TOKENS_THAN_A_CALL_HAS)
def test_a_weeks_sum_of_tokens_fits_into_64_bits(tenant: Tenant, usage: dict[str, Any]) -> None:
    attributes = {"gen_ai.operation.name": "chat"} | usage
    span = a_span(1) | {"attributes": [{"key": key, "value": any_value(value)} for key, value in attributes.items()]}
    assert post(tenant, json.dumps(request_of(span)).encode()).status_code == 200
    item = {"agent_id": "a", "input_tokens": 10**12}
    assert tenant.client.post("/api/v1/traces", item, content_type="application/json").status_code == 422
    calls_of_a_week = 10_000 * 7 * 24 * 3600
    for row in stored(tenant):
        assert max(row[name] or 0 for name in ("input_tokens", "output_tokens")) * calls_of_a_week < 2**63


@pytest.mark.parametrize("malformed", ["[" * 100 + "]" * 100, "NaN", "9" * 30 + ', "x": NaN', '"\\ud800"', "{}"])
def test_a_malformed_id_is_not_repeated_to_a_langfuse_sdk(tenant: Tenant, malformed: str) -> None:
    score = tenant.client.post("/api/public/scores", f'{{"id": {malformed}}}', content_type="application/json")
    assert score.status_code == 422
    events = f'{{"batch": [{{"id": {malformed}}}, {{"id": "good"}}]}}'
    answer = tenant.client.post("/api/public/ingestion", events, content_type="application/json")
    assert answer.status_code == 207
    assert answer.json()["errors"][1]["id"] == "good"


ODD_VALUES = ["\ud800", "\x00", "x" * 300, 2**80, -1, 1.5, float("nan"), True, None, "", " ", [], {}, [[1]], {"a": 1}]
LANGFUSE_FIELDS = (
    *("id", "traceId", "name", "startTime", "endTime", "completionStartTime", "timestamp", "parentObservationId"),
    *("model", "modelParameters", "usage", "usageDetails", "costDetails", "metadata", "level", "statusMessage", "type"),
    *(
        "userId",
        "sessionId",
        "release",
        "environment",
        "tags",
        "input",
        "value",
        "comment",
        "observationId",
        "dataType",
    ),
)


@pytest.mark.parametrize("field", LANGFUSE_FIELDS)
def test_an_odd_value_in_an_event_of_langfuse_is_stored_or_named(tenant: Tenant, field: str) -> None:
    body = {"id": "1", "traceId": "t", "name": "n", "value": 1, "model": "gpt-4o", "startTime": NOON.isoformat()}
    kinds = ("trace-create", "generation-create", "generation-update", "observation-create", "score-create")
    for kind in kinds:
        events = [
            {"id": str(number), "type": kind, "body": body | {"id": f"{kind} {number}", field: value}}
            for number, value in enumerate(ODD_VALUES)
        ]
        text = json.dumps({"batch": events})
        response = tenant.client.post("/api/public/ingestion", text, content_type="application/json")
        assert response.status_code == 207
        answer = response.json()
        assert len(answer["successes"]) + len(answer["errors"]) == len(events)


def test_an_odd_value_in_a_score_is_stored_or_named(tenant: Tenant) -> None:
    score = {"trace_id": "t", "name": "n", "value": 1}
    fields = ("id", "trace_id", "span_id", "session_id", "name", "value", "comment", "source", "timestamp", "\ud800")
    scores = [score | {name: value} for name in fields for value in ODD_VALUES]
    response = tenant.client.post("/api/v1/scores", json.dumps({"scores": scores}), content_type="application/json")
    assert response.status_code == 200
    answer = response.json()
    assert answer["accepted"] + answer["updated"] + answer["duplicates"] + len(answer["rejected"]) == len(scores)


def test_the_largest_numbers_that_are_taken_can_be_summed(tenant: Tenant) -> None:
    item = {"agent_id": "a", "latency_ms": 1e12, "input_tokens": 10**9, "output_tokens": 10**9, "cost_usd": 1e9}
    response = tenant.client.post("/api/v1/traces", {"traces": [item] * 100}, content_type="application/json")
    assert response.json()["accepted"] == 100
    for metric in ("performance/overview", "performance/latency", "usage/agent-distribution", "cost/by-model"):
        assert tenant.ask(metric, range="1h")


def widest(length: int) -> str:
    """Returns a name of four bytes a character, which a database cannot compress."""
    return "".join(chr(0x10000 + (number * 7919) % 0xF000) for number in range(length))


def test_the_longest_names_in_the_widest_letters_are_stored(tenant: Tenant) -> None:
    fields = {"agent_id": 256, "user_id": 256, "session_id": 256, "trace_id": 256, "span_id": 256}
    fields |= {"provider": 256, "model": 256, "error_type": 256}
    item = {name: widest(length) for name, length in fields.items()} | {"status": "error"}
    response = tenant.client.post("/api/v1/traces", item, content_type="application/json")
    assert (response.status_code, response.json()["accepted"]) == (200, 1)


def corpus() -> Iterator[tuple[str, bytes]]:
    for name in targets.TARGETS:
        for path in sorted((targets.CORPUS / name).iterdir()):
            yield name, path.read_bytes()


def test_the_stored_corpus_passes() -> None:
    count = 0
    for name, body in corpus():
        targets.TARGETS[name](body)
        count += 1
    assert count >= len(targets.TARGETS)


def test_a_number_that_never_ends_is_400() -> None:
    """Found by atheris: the size check passed it, and the code for broken bodies raised."""
    with pytest.raises(Problem) as refused:
        otlp_protobuf.decode(b"000" + b"\xff" * 70 + b"0")
    assert refused.value.status == 400
