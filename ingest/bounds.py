"""How much a body may hold, judged before it is parsed: a body of empty messages or objects takes thirty times its
size in memory to parse, and seconds."""

from typing import Any

from django.conf import settings

from web import json_body
from web.problems import Problem

# Fields that are messages themselves, by number (opentelemetry-proto).
OUTER: dict[str, dict[int, str]] = {
    "request": {1: "resource_spans"},
    "resource_spans": {1: "resource", 2: "scope_spans"},
    "scope_spans": {1: "scope", 2: "span"},
}
WHOLE = OUTER | {
    "resource": {1: "key_value"},
    "scope": {3: "key_value"},
    "span": {9: "key_value", 11: "event", 13: "link"},
    "event": {3: "key_value"},
    "link": {4: "key_value"},
    "key_value": {2: "any_value"},
    "any_value": {5: "array", 6: "key_values"},
    "array": {1: "any_value"},
    "key_values": {1: "key_value"},
}
# Bodies below this are harmless whatever is in their spans, and looking would cost a twentieth of storing them.
LARGE_BYTES = 512 * 1024


def check_protobuf(body: bytes) -> None:
    """Raises 413 for too many spans or values, 400 where spans cannot be told from each other."""
    try:
        # With room behind for reading on where a span is cut off: that costs only this span.
        count(*((body + bytes(16), WHOLE) if len(body) > LARGE_BYTES else (body, OUTER)), len(body))
    except (IndexError, ValueError) as error:
        raise Problem(400, "The body is not an OTLP trace request in protobuf.") from error


def count(body: bytes, fields: dict[str, dict[int, str]], size: int) -> None:
    spans_left, parts_left = settings.MAX_TRACES_PER_REQUEST, json_body.MOST_VALUES
    messages = [("request", 0, size)]
    while messages:
        kind, position, end = messages.pop()
        kinds = fields[kind]
        while position < end:
            tag = body[position]
            position += 1
            if tag >= 0x80:
                tag, position = varint(body, position - 1)
            wire_type = tag & 7
            if wire_type == 2:
                length = body[position]
                position += 1
                if length >= 0x80:
                    length, position = varint(body, position - 1)
                inner = kinds.get(tag >> 3)
                if inner:
                    parts_left -= 1
                    spans_left -= inner == "span"
                    if spans_left < 0:
                        raise too_many_spans()
                    if parts_left < 0:
                        raise json_body.too_many_values()
                    if length and inner in fields:
                        messages.append((inner, position, min(position + length, end)))
                position += length
            elif wire_type == 0:
                while body[position] >= 0x80:
                    position += 1
                position += 1
            elif wire_type in (1, 5):
                position += 8 if wire_type == 1 else 4
            elif kind in OUTER:
                raise ValueError("groups are not used by OTLP")
            elif wire_type > 5:
                break  # the parser will stop here too, and refuse the one span
        if position > end and kind in OUTER:
            raise ValueError("a length reaches beyond the end")


def varint(body: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = body[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a varint is longer than 64 bits")


def parsed_json(body: bytes, most_levels: int = json_body.MOST_LEVELS) -> Any:
    """The parsed body. Raises 413 for too many spans or values, 400 for what is no JSON or is nested too deep."""
    if body.count(b'"spanId"') > settings.MAX_TRACES_PER_REQUEST:
        raise too_many_spans()
    return json_body.parsed(body, most_levels)


def too_many_spans() -> Problem:
    return Problem(413, f"More than {settings.MAX_TRACES_PER_REQUEST} spans in a request; send smaller batches.")
