"""Bodies that would take far more memory and time to parse than their length suggests."""

import pytest

from ingest.formats import otlp_json, otlp_protobuf
from web.problems import Problem

BODY_BYTES = 8 * 1024 * 1024 - 200
IDS = b"\x0a\x10" + b"\x01" * 16 + b"\x12\x08" + b"\x02" * 8


def length(number: int) -> bytes:
    return bytes([number]) if number < 0x80 else bytes([number & 0x7F | 0x80]) + length(number >> 7)


def field(number: int, body: bytes) -> bytes:
    return bytes([number << 3 | 2]) + length(len(body)) + body


def empties(number: int) -> bytes:
    return field(number, b"") * (BODY_BYTES // 2)


def a_span(rest: bytes) -> bytes:
    return field(1, field(2, field(2, IDS + rest)))


def an_attribute(value: bytes) -> bytes:
    return a_span(field(9, field(1, b"a") + field(2, value)))


@pytest.mark.parametrize(
    "body",
    [
        empties(1),
        field(1, empties(2)),
        field(1, field(2, empties(2))),
        field(1, field(1, empties(1))),
        a_span(empties(9)),
        a_span(empties(11)),
        a_span(empties(13)),
        a_span(b"\x73" + empties(9)),
        an_attribute(field(5, empties(1))),
        an_attribute(field(6, empties(1))),
        an_attribute(field(5, b"\x0a\x02\x10\x01" * (BODY_BYTES // 4))),
    ],
    ids=[
        "resources",
        "scopes",
        "spans",
        "resource attributes",
        "attributes",
        "events",
        "links",
        "attributes behind a group",
        "list",
        "map",
        "list of booleans",
    ],
)
def test_millions_of_empty_messages_are_refused_before_they_are_parsed(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.formats.otlp_protobuf.ExportTraceServiceRequest", None)
    with pytest.raises(Problem) as refused:
        otlp_protobuf.decode(body)
    assert refused.value.status == 413


@pytest.mark.parametrize("item", [b"{}", b"[]", b'{"a":0}', b'"ab"', b"["])
def test_millions_of_json_values_are_refused_before_they_are_parsed(
    item: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.json_body.orjson", None)
    body = b'{"resourceSpans":[' + b",".join([item] * (BODY_BYTES // (len(item) + 1))) + b"]}"
    with pytest.raises(Problem) as refused:
        otlp_json.decode(body)
    assert refused.value.status == 413


def test_json_spans_are_counted_before_they_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.json_body.orjson", None)
    span = b'{"spanId":"0102030405060708"}'
    body = b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b",".join([span] * 10_001) + b"]}]}]}"
    with pytest.raises(Problem, match="More than 10000 spans"):
        otlp_json.decode(body)


def test_json_nested_a_hundred_thousand_levels_deep_is_refused() -> None:
    with pytest.raises(Problem) as refused:
        otlp_json.decode(b"[" * 100_000)
    assert refused.value.status == 400


def test_a_large_body_of_ordinary_spans_passes() -> None:
    attribute = field(9, field(1, b"name") + field(2, field(1, b"v" * 100)))
    spans = field(2, IDS + attribute * 20) * 3_000
    body = field(1, field(2, spans))
    assert len(body) > otlp_protobuf.LARGE_BYTES
    assert len(otlp_protobuf.decode(body).spans) == 3_000


def test_a_broken_span_in_a_large_body_does_not_cost_the_others() -> None:
    whole = field(2, IDS + field(9, field(1, b"a") + field(2, field(1, b"v" * 1_000))))
    broken = field(2, IDS + b"\x4a\x7fshort")
    decoded = otlp_protobuf.decode(field(1, field(2, whole * 600 + broken)))
    assert len(decoded.spans) == 600
    assert decoded.rejections == [("format", "the span is not valid protobuf")]
