"""Malformed spans in protobuf: each is refused, or stored as far as it can be read. Its neighbours are stored."""

import json
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.ingest.test_otlp import PROTOBUF, post, stored
from tests.ingest.test_otlp import a_span as json_span
from tests.tenant import NOON, Tenant

pytestmark = pytest.mark.django_db(databases="__all__")

NOON_NS = int(NOON.timestamp()) * 10**9
TRACE_ID, SPAN_ID, NAME, START, END, ATTRIBUTES, EVENTS, STATUS = 1, 2, 5, 7, 8, 9, 11, 15
VARINT, FIXED64, BYTES, GROUP, FIXED32 = 0, 1, 2, 3, 5


def varint(number: int) -> bytes:
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def part(number: int, wire_type: int, value: bytes) -> bytes:
    length = varint(len(value)) if wire_type == BYTES else b""
    return varint(number << 3 | wire_type) + length + value


def a_span(number: int, **changes: bytes) -> bytes:
    fields = {
        "trace_id": part(TRACE_ID, BYTES, bytes([10]) * 16),
        "span_id": part(SPAN_ID, BYTES, number.to_bytes(8, "big")),
        "name": part(NAME, BYTES, b"chat gpt-4o"),
        "start": part(START, FIXED64, (NOON_NS + number).to_bytes(8, "little")),
        "end": part(END, FIXED64, (NOON_NS + 10**9).to_bytes(8, "little")),
    }
    return b"".join((fields | changes).values())


def request_of(*spans: bytes) -> bytes:
    scope_spans = b"".join(part(2, BYTES, span) for span in spans)
    return part(1, BYTES, part(2, BYTES, scope_spans))


def key_value(key: bytes, value: bytes) -> bytes:
    return part(ATTRIBUTES, BYTES, part(1, BYTES, key) + part(2, BYTES, value))


REFUSED = {
    "trace id of 15 bytes": a_span(2, trace_id=part(TRACE_ID, BYTES, b"a" * 15)),
    "trace id of 32 bytes": a_span(2, trace_id=part(TRACE_ID, BYTES, b"a" * 32)),
    "trace id of zeros": a_span(2, trace_id=part(TRACE_ID, BYTES, bytes(16))),
    "no trace id": a_span(2, trace_id=b""),
    "trace id as a number": a_span(2, trace_id=part(TRACE_ID, VARINT, varint(7))),
    "span id of 7 bytes": a_span(2, span_id=part(SPAN_ID, BYTES, b"a" * 7)),
    "span id of zeros": a_span(2, span_id=part(SPAN_ID, BYTES, bytes(8))),
    "no span id": a_span(2, span_id=b""),
    "parent of 3 bytes": a_span(2, parent=part(4, BYTES, b"abc")),
    "year 2554": a_span(2, start=part(START, FIXED64, b"\xff" * 8)),
    "start of 1970": a_span(2, start=part(START, FIXED64, bytes(8))),
    "no start": a_span(2, start=b""),
    "start as a varint": a_span(2, start=part(START, VARINT, varint(NOON_NS))),
    "start in 32 bits": a_span(2, start=part(START, FIXED32, bytes(4))),
    "empty": b"",
    "a name that is not UTF-8": a_span(2, name=part(NAME, BYTES, b"\xff\xfe")),
    "a field number of 0": a_span(2) + b"\x02\x00",
    "a field cut off": a_span(2) + b"\x2a\x7f",
    "an unknown wire type": a_span(2) + b"\x2f",
    "an endless varint": a_span(2) + b"\x30" + b"\xff" * 11,
}


@pytest.mark.parametrize("bad", REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_span_is_refused_and_its_neighbours_stored(tenant: Tenant, bad: bytes) -> None:
    response = post(tenant, request_of(a_span(1), bad, a_span(3)), PROTOBUF)
    assert response.status_code == 200
    answer = ExportTraceServiceResponse.FromString(response.content).partial_success
    assert answer.rejected_spans == 1
    assert answer.error_message
    assert [row["span_id"] for row in stored(tenant)] == [f"{1:016x}", f"{3:016x}"]


TOLERATED = {
    "NUL in the name": a_span(2, name=part(NAME, BYTES, b"a\0b")),
    "name as a number": a_span(2, name=part(NAME, VARINT, varint(7))),
    "no name": a_span(2, name=b""),
    "end before start": a_span(2, end=part(END, FIXED64, bytes(8))),
    "unknown status": a_span(2, status=part(STATUS, BYTES, part(3, VARINT, varint(99)))),
    "unknown kind": a_span(2, kind=part(6, VARINT, varint(99))),
    "unknown field": a_span(2, unknown=part(2000, BYTES, b"mint")),
    "an attribute without a value": a_span(2, attributes=part(ATTRIBUTES, BYTES, part(1, BYTES, b"a"))),
    "an attribute without a key": a_span(2, attributes=key_value(b"", part(1, BYTES, b"a"))),
    "an attribute of nothing": a_span(2, attributes=part(ATTRIBUTES, BYTES, b"")),
    "NUL in a key": a_span(2, attributes=key_value(b"a\0b", part(1, BYTES, b"a\0b"))),
    "tokens as text": a_span(2, attributes=key_value(b"gen_ai.usage.input_tokens", part(1, BYTES, b"1000"))),
    "tokens not a number": a_span(2, attributes=key_value(b"gen_ai.usage.input_tokens", part(4, FIXED64, b"\xff" * 8))),
    "tokens negative": a_span(
        2, attributes=key_value(b"gen_ai.usage.input_tokens", part(3, VARINT, varint(2**64 - 5)))
    ),
    "an event of nothing": a_span(2, events=part(EVENTS, BYTES, b"")),
    "the same key twice": a_span(2, attributes=key_value(b"a", part(1, BYTES, b"b")) * 2),
}


@pytest.mark.parametrize("span", TOLERATED.values(), ids=TOLERATED.keys())
def test_an_unusual_span_is_stored(tenant: Tenant, span: bytes) -> None:
    response = post(tenant, request_of(a_span(1), span, a_span(3)), PROTOBUF)
    assert (response.status_code, response.content) == (200, b"")
    assert len(stored(tenant)) == 3


@pytest.mark.parametrize(
    "deep",
    [
        {"resource": {"attributes": "DEEP"}},
        {"scopeSpans": [{"spans": [{"attributes": "DEEP"}]}]},
    ],
    ids=["resource", "span"],
)
def test_deep_nesting_does_not_cost_the_neighbours(tenant: Tenant, deep: Any) -> None:
    value: dict[str, Any] = {"stringValue": "bottom"}
    for _ in range(150):
        value = {"arrayValue": {"values": [value]}}
    nested = json.loads(json.dumps(deep).replace('"DEEP"', json.dumps([{"key": "a", "value": value}])))
    good = {"scopeSpans": [{"spans": [json_span(1)]}]}
    response = post(tenant, {"resourceSpans": [nested, good]})
    assert response.status_code == 200
    assert len(stored(tenant)) == 1
