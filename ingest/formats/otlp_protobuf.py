"""OTLP trace requests in protobuf. One span that cannot be stored does not affect the others."""

import base64
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from ingest.formats import wire
from ingest.formats.json_values import too_many_spans
from ingest.formats.otlp import MAX_EVENTS, MAX_LINKS, checked_ids, link_to, resource_of
from ingest.spans import Decoded, Event, RejectedSpan, Rejection, Resource, Scope, Span
from web import json_body
from web.problems import Problem

# The numbers of the fields that are messages themselves (opentelemetry-proto).
STRUCTURE: wire.MessageFields = {
    "request": {1: "resource_spans"},
    "resource_spans": {1: "resource", 2: "scope_spans"},
    "scope_spans": {1: "scope", 2: "span"},
}
CONTENTS: wire.MessageFields = {
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
# In a smaller body the contents of spans are always harmless. Walking through them would take a twentieth of the time
# for storing them.
LARGE_BYTES = 512 * 1024


def decode(body: bytes) -> Decoded:
    check_message_count(body)
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        return decode_one_by_one(body)
    decoded = Decoded([], [])
    for resource_spans in request.resource_spans:
        resource = resource_of(attributes_of(resource_spans.resource.attributes))
        for scope_spans in resource_spans.scope_spans:
            scope = Scope(scope_spans.scope.name, scope_spans.scope.version)
            for span in scope_spans.spans:
                add(decoded, span, scope, resource)
    return decoded


def check_message_count(body: bytes) -> None:
    """Raises 413 for too many spans or values, 400 if the spans cannot be separated from each other.

    The check comes before parsing, which takes seconds and thirty times the size of a body of empty messages in memory.
    """
    try:
        count_parts(body)
    except wire.TooManyParts:
        raise json_body.too_many_values() from None
    except (IndexError, ValueError) as error:
        raise Problem(400, "The body is not an OTLP trace request in protobuf.") from error


def count_parts(body: bytes) -> None:
    spans_left = settings.MAX_SPANS_PER_REQUEST
    is_large = len(body) > LARGE_BYTES
    padded = body + bytes(16) if is_large else body  # the walk may read behind a span that is cut off
    contents = CONTENTS if is_large else None
    for part in wire.walk(padded, ("request", 0, len(body)), STRUCTURE, contents, json_body.MAX_VALUES):
        if part[0] == "span":
            spans_left -= 1
            if spans_left < 0:
                raise too_many_spans()


def add(decoded: Decoded, span: trace_pb2.Span, scope: Scope, resource: Resource) -> None:
    try:
        trace_id, span_id, parent_span_id = checked_ids(span.trace_id, span.span_id, span.parent_span_id)
    except RejectedSpan as error:
        decoded.rejections.append(error.rejection)
        return
    decoded.spans.append(
        Span(
            trace_id=trace_id,
            span_id=span_id,
            parent_span_id=parent_span_id,
            name=span.name,
            start_ns=span.start_time_unix_nano,
            end_ns=span.end_time_unix_nano,
            status=span.status.code,
            status_message=span.status.message,
            attributes=attributes_of(span.attributes),
            events=[
                Event(event.name, event.time_unix_nano, attributes_of(event.attributes))
                for event in span.events[:MAX_EVENTS]
            ]
            if span.events
            else [],
            links=[link for one in span.links[:MAX_LINKS] if (link := link_to(one.trace_id, one.span_id))]
            if span.links
            else [],
            scope=scope.name,
            scope_version=scope.version,
            resource=resource,
        )
    )


def attributes_of(pairs: Any) -> dict[str, Any]:
    return {pair.key: value_of(pair.value) for pair in pairs}


def value_of(value: AnyValue) -> Any:
    # Most values are texts, and most others are whole numbers. Reading these is the fastest way to find the type.
    if text := value.string_value:
        return text
    if number := value.int_value:
        return number
    field = value.WhichOneof("value")
    if field == "string_value":
        return value.string_value
    if field is None:
        return None
    if field == "array_value":
        return [value_of(item) for item in value.array_value.values]
    if field == "kvlist_value":
        return attributes_of(value.kvlist_value.values)
    if field == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return getattr(value, field)


# --- If the body as a whole cannot be parsed ---


def decode_one_by_one(body: bytes) -> Decoded:
    """Parses each span alone, so that only the broken spans are rejected."""
    decoded = Decoded([], [])
    last_body, resource = b"", Resource()
    for resource_body, scope_body, span_body in span_bodies(body):
        if resource_body is not last_body:  # parsed once for all spans that share it
            last_body, resource = resource_body, lenient_resource(resource_body)
        try:
            add(decoded, trace_pb2.Span.FromString(span_body), lenient_scope(scope_body), resource)
        except DecodeError:
            decoded.rejections.append(Rejection("format", "the span is not valid protobuf"))
    return decoded


def span_bodies(body: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yields the bytes of resource, scope and span for each span of a body that has passed `check_message_count`."""
    for resource_spans in inside(body, ("request", 0, len(body)), "resource_spans"):
        resource = first_inside(body, resource_spans, "resource")
        for scope_spans in inside(body, resource_spans, "scope_spans"):
            scope = first_inside(body, scope_spans, "scope")
            for _, start, end in inside(body, scope_spans, "span"):
                yield resource, scope, body[start:end]


def inside(body: bytes, message: wire.Part, kind: str) -> Iterator[wire.Part]:
    """Returns the messages of this kind directly inside the message."""
    parts = wire.walk(body, message, {message[0]: STRUCTURE[message[0]]})
    return (part for part in parts if part[0] == kind)


def first_inside(body: bytes, message: wire.Part, kind: str) -> bytes:
    """Returns the first message of this kind directly inside the message, or empty bytes."""
    return next((body[start:end] for _, start, end in inside(body, message, kind)), b"")


def lenient_scope(body: bytes) -> Scope:
    try:
        scope = InstrumentationScope.FromString(body)
    except DecodeError:
        return Scope()
    return Scope(scope.name, scope.version)


def lenient_resource(body: bytes) -> Resource:
    try:
        return resource_of(attributes_of(resource_pb2.Resource.FromString(body).attributes))
    except DecodeError:
        return Resource()
