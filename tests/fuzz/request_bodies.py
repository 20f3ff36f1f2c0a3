"""Bodies as clients send them, with values that often break parsers, in the places where they do."""

import json
from typing import Any

from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from ingest import client_rules
from tests.tenant import NOON

NOON_NS = int(NOON.timestamp()) * 10**9
KINDS = ("openinference.span.kind", "langfuse.observation.type", "traceloop.span.kind", "gen_ai.operation.name")
NAMES = sorted(
    {
        *client_rules.INDEX,
        "llm.openai.usage",
        "llm.anthropic.usage",
        "duration",
        "output.value",
        "langfuse.observation.level",
    }
)
KIND_VALUES = (
    *("chat", "LLM", "AGENT", "TOOL", "invoke_agent", "execute_tool"),
    *("embeddings", "generation", "agent", "log"),
)
PROVIDER_SCOPES = ("com.anthropic.sdk.python", "opentelemetry.instrumentation.openai_v2")
SCOPES = sorted({"", "logfire", "my.app", *PROVIDER_SCOPES, *client_rules.INVENTED_ID_SCOPES})

texts = st.one_of(
    st.sampled_from(
        [
            "", "\x00", "a\x00b", "\ud800", "²", "٣", "NaN", "-inf", "1e400", "9" * 16, "9" * 400, "x" * 700,
            "\U0001f600" * 600, "{[1]: 2}", "{1: {2}}", "{'input_tokens': " + "9" * 400 + "}",
            '{"input_tokens": 1e308}', '{"user_id": [1], "id": "msg_1"}', "[" * 300, "\\u0000",
            '{"input": 9007199254740992, "cache": 9007199254740992}',
            "0001-01-01T00:00:00+14:00", "2026-02-30T00:00:00Z", "<class 'x'>", "Traceback", "%s%n{0}",
        ]
    ),
    st.sampled_from(KIND_VALUES),
    st.text(max_size=20),
)  # fmt: skip
numbers = st.one_of(
    st.sampled_from([0, 1, -1, 2**31, 2**53, 2**63 - 1, -(2**63), 2**63, 2**64, 10**400, 0.1, -0.5, 1e308, 5e-324]),
    st.integers(0, 10**6),
    st.floats(),
)
plain = st.one_of(texts, numbers, st.booleans(), st.none())
anything = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=5
)


def any_value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value) if value % 2 else value}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(item) for item in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": pairs(value)}}
    return {"stringValue": value} if value is not None else {}


def pairs(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": any_value(value)} for key, value in values.items()]


attributes = st.dictionaries(st.sampled_from(NAMES) | texts, anything, max_size=6)
kinds = st.dictionaries(st.sampled_from(KINDS), st.sampled_from(KIND_VALUES), max_size=2)
attribute_pairs = st.builds(lambda kind, rest: pairs(kind | rest), kinds, attributes)
times = st.one_of(st.integers(NOON_NS, NOON_NS + 10**12).map(str), st.just(str(NOON_NS)), st.just(NOON_NS), anything)
ids = st.one_of(st.sampled_from(["1" * 32, "2" * 32, "3" * 16, "4" * 16, "", None]), anything)
json_spans = st.fixed_dictionaries(
    {
        "traceId": st.sampled_from(["1" * 32, "2" * 32]) | ids,
        "spanId": st.sampled_from(["3" * 16, "4" * 16, "5" * 16, "6" * 16]) | ids,
        "startTimeUnixNano": st.just(str(NOON_NS)) | times,
    },
    optional={
        "parentSpanId": ids,
        "endTimeUnixNano": times,
        "name": texts | st.sampled_from(["chat x", "invoke_agent " + "a" * 300, "execute_tool t\x00"]) | anything,
        "status": st.fixed_dictionaries({}, optional={"code": anything, "message": anything}) | anything,
        "attributes": attribute_pairs | anything,
        "events": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "name": st.just("exception") | anything,
                    "timeUnixNano": times,
                    "attributes": attribute_pairs,
                },
            )
            | anything,
            max_size=2,
        ),
    },
)  # fmt: skip
json_requests = st.builds(
    lambda resource, scope, spans: {
        "resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": [{"scope": scope, "spans": spans}]}]
    },
    attribute_pairs | anything,
    st.fixed_dictionaries({"name": st.sampled_from(SCOPES) | texts}) | anything,
    st.lists(json_spans | anything, max_size=4) | anything,
)
json_bodies = (json_requests | anything).map(lambda request: json.dumps(request).encode("utf-8", "surrogatepass"))

sdk_items = st.fixed_dictionaries(
    {"object": st.sampled_from(["trace", "trace.span"]) | anything, "id": texts | anything},
    optional={
        "trace_id": texts | anything,
        "parent_id": anything,
        "workflow_name": anything,
        "group_id": anything,
        "metadata": anything,
        "started_at": st.just(NOON.isoformat()) | anything,
        "ended_at": st.just(NOON.isoformat()) | anything,
        "span_data": st.fixed_dictionaries(
            {"type": st.sampled_from(["generation", "response", "function", "agent"]) | anything},
            optional=dict.fromkeys(("name", "model", "usage", "data", "input", "output", "response_id"), anything),
        ),
        "error": st.fixed_dictionaries({}, optional={"message": anything, "data": anything}) | anything,
    },
)
sdk_bodies = st.lists(sdk_items | anything, max_size=4).map(lambda items: json.dumps({"data": items}).encode())

trace_items = st.fixed_dictionaries(
    {"agent_id": texts | anything},
    optional={
        "timestamp": st.just(NOON.isoformat()) | anything,
        "operation": st.sampled_from(KIND_VALUES) | anything,
        "status": st.sampled_from(["success", "error", "timeout"]) | anything,
        "attributes": anything,
        **dict.fromkeys(("latency_ms", "cost_usd", "input_tokens", "output_tokens", "cache_read_tokens"), numbers),
        **dict.fromkeys(
            ("trace_id", "span_id", "parent_span_id", "name", "provider", "model", "user_id", "error_type",
             "session_id", "error_message"),
            texts | anything,
        ),
    },
)  # fmt: skip
trace_bodies = (st.lists(trace_items | anything, max_size=4).map(lambda items: {"traces": items}) | anything).map(
    lambda body: json.dumps(body).encode("utf-8", "surrogatepass")
)


def fill(value: AnyValue, content: Any) -> None:
    """Sets the nearest value that protobuf can hold."""
    if isinstance(content, bool):
        value.bool_value = content
    elif isinstance(content, int):
        value.int_value = content if -(2**63) <= content < 2**63 else 0
    elif isinstance(content, float):
        value.double_value = content
    elif isinstance(content, str):
        value.string_value = content.encode("utf-8", "replace").decode()
    elif isinstance(content, list):
        value.array_value.SetInParent()
        for item in content:
            fill(value.array_value.values.add(), item)
    elif isinstance(content, dict):
        value.kvlist_value.SetInParent()
        for key, item in content.items():
            fill(value.kvlist_value.values.add(key=key.encode("utf-8", "replace").decode()).value, item)


@st.composite
def protobuf_bodies(draw: st.DrawFn) -> bytes:
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    for key, value in draw(attributes).items():
        fill(resource_spans.resource.attributes.add(key=key.encode("utf-8", "replace").decode()).value, value)
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = draw(st.sampled_from(SCOPES))
    for _ in range(draw(st.integers(0, 3))):
        span = scope_spans.spans.add(
            trace_id=draw(st.sampled_from([b"\x11" * 16, b"\x22" * 16, b"", b"\x00" * 16])),
            span_id=draw(st.sampled_from([b"\x33" * 8, b"\x44" * 8, b"\x55" * 8, b"x"])),
            parent_span_id=draw(st.sampled_from([b"", b"\x33" * 8, b"\x44" * 8, b"\x00" * 8])),
            name=draw(texts).encode("utf-8", "replace").decode(),
            start_time_unix_nano=draw(st.sampled_from([NOON_NS, NOON_NS + 1, 0, 2**64 - 1])),
            end_time_unix_nano=draw(st.sampled_from([NOON_NS, NOON_NS + 10**9, 0, 2**64 - 1])),
        )
        span.status.code = draw(st.sampled_from([0, 1, 2]))
        span.status.message = draw(texts).encode("utf-8", "replace").decode()
        for key, value in draw(attributes | kinds).items():
            fill(span.attributes.add(key=key.encode("utf-8", "replace").decode()).value, value)
        if draw(st.booleans()):
            event = span.events.add(name="exception", time_unix_nano=NOON_NS)
            fill(event.attributes.add(key="exception.message").value, draw(anything))
    body = bytearray(request.SerializeToString())
    for _ in range(draw(st.integers(0, 2))):
        if body:  # a byte that fell over
            body[draw(st.integers(0, len(body) - 1))] = draw(st.integers(0, 255))
    return bytes(body)
