"""OTLP trace requests in JSON. One span that cannot be stored does not affect the others."""

import base64
import binascii
from contextlib import suppress
from typing import Any

from django.conf import settings

from ingest.formats.json_values import as_list, as_objects, object_at, parse_spans_json, too_many_spans
from ingest.formats.otlp import (
    MAX_EVENTS,
    MAX_LINKS,
    SPAN_ID_BYTES,
    TRACE_ID_BYTES,
    checked_ids,
    link_to,
    resource_of,
)
from ingest.spans import Decoded, Event, RejectedSpan, Rejection, Resource, Scope, Span, SpanLink
from web import json_body
from web.json_body import MAX_DEPTH
from web.problems import Problem

MAX_NS = 2**64 - 1
STATUS_CODES = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}


def decode(body: bytes) -> Decoded:
    request = parse_spans_json(body, json_body.MAX_OTLP_LEVELS)
    if not isinstance(request, dict):
        raise Problem(400, "The body must be one JSON object with resourceSpans.")
    # An empty object is a request without spans. Any other object without resourceSpans was meant for another endpoint.
    if request and not isinstance(request.get("resourceSpans", ...), list | None):
        raise Problem(400, "The body is not an OTLP trace request: resourceSpans must be a list.")
    spans = spans_with_origin(request)
    if len(spans) > settings.MAX_SPANS_PER_REQUEST:
        raise too_many_spans()
    decoded = Decoded([], misplaced_parts(request))
    for span, scope, resource in spans:
        try:
            decoded.spans.append(span_of(span, scope, resource))
        except RejectedSpan as error:
            decoded.rejections.append(error.rejection)
    return decoded


def spans_with_origin(request: dict[str, Any]) -> list[tuple[Any, Scope, Resource]]:
    """Returns each span with its scope and its resource."""
    return [
        (span, scope, resource)
        for resource_spans in as_objects(request.get("resourceSpans"))
        for resource in [lenient_resource(object_at(resource_spans, "resource"))]
        for scope_spans in as_objects(resource_spans.get("scopeSpans"))
        for scope in [scope_of(object_at(scope_spans, "scope"))]
        for span in as_list(scope_spans.get("spans"))
    ]


def scope_of(scope: dict[str, Any]) -> Scope:
    return Scope(str(scope.get("name") or ""), str(scope.get("version") or ""))


def misplaced_parts(request: dict[str, Any]) -> list[Rejection]:
    """Returns one rejection for each part of the request that should hold spans but has the wrong type."""
    rejections = []
    for resource_spans in as_list(request.get("resourceSpans")):
        scopes = resource_spans.get("scopeSpans") if isinstance(resource_spans, dict) else ...
        if not isinstance(scopes, list | None):
            rejections.append(Rejection("value", "resourceSpans must hold objects with a list of scopeSpans"))
        rejections += [
            Rejection("value", "scopeSpans must hold objects with a list of spans")
            for scope_spans in as_list(scopes)
            if not isinstance(scope_spans, dict) or not isinstance(scope_spans.get("spans"), list | None)
        ]
    return rejections


def lenient_resource(resource: dict[str, Any]) -> Resource:
    try:
        return resource_of(attributes_of(resource.get("attributes")))
    except RejectedSpan:  # A resource that is nested too deep is left out, and its spans are stored.
        return Resource()


def span_of(span: Any, scope: Scope, resource: Resource) -> Span:
    if not isinstance(span, dict):
        raise RejectedSpan("format", "a span must be a JSON object")
    trace_id, span_id, parent_span_id = checked_ids(
        id_of(span.get("traceId"), TRACE_ID_BYTES),
        id_of(span.get("spanId"), SPAN_ID_BYTES),
        id_of(span.get("parentSpanId"), SPAN_ID_BYTES),
    )
    status = object_at(span, "status")
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent_span_id,
        name=str(span.get("name") or ""),
        start_ns=nanoseconds(span.get("startTimeUnixNano"), "startTimeUnixNano"),
        end_ns=nanoseconds(span.get("endTimeUnixNano"), "endTimeUnixNano"),
        status=status_of(status.get("code")),
        status_message=str(status.get("message") or ""),
        attributes=attributes_of(span.get("attributes")),
        events=[event_of(event) for event in as_objects(span.get("events"))[:MAX_EVENTS]],
        links=links_of(span.get("links")),
        scope=scope.name,
        scope_version=scope.version,
        resource=resource,
    )


def event_of(event: dict[str, Any]) -> Event:
    return Event(
        str(event.get("name") or ""),
        nanoseconds(event.get("timeUnixNano"), "timeUnixNano"),
        attributes_of(event.get("attributes")),
    )


def links_of(links: Any) -> list[SpanLink]:
    """Returns the links that name a span. One that does not is left out, and its span is stored."""
    found = []
    for link in as_objects(links)[:MAX_LINKS]:
        with suppress(RejectedSpan):
            found.append(link_to(id_of(link.get("traceId"), TRACE_ID_BYTES), id_of(link.get("spanId"), SPAN_ID_BYTES)))
    return [link for link in found if link]


def id_of(value: Any, length: int) -> bytes:
    """Reads hex digits, as OTLP defines, and base64, as protobuf's own mapping to JSON defines."""
    if value is None or value == "":
        return b""
    if not isinstance(value, str):
        raise RejectedSpan("id", "an id must be a string of hex digits")
    try:
        return bytes.fromhex(value) if len(value) == 2 * length else base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        raise RejectedSpan("id", "an id must be a string of hex digits") from None


def nanoseconds(value: Any, name: str) -> int:
    if value is None:
        return 0
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        raise RejectedSpan("time", f"{name} must be a whole number of nanoseconds") from None
    if not 0 <= number <= MAX_NS:
        raise RejectedSpan("time", f"{name} is beyond 64 bits")
    return number


def status_of(code: Any) -> int:
    if isinstance(code, str):
        return STATUS_CODES.get(code, 0) if not code.isdecimal() else int(code[:1])
    return code if isinstance(code, int) else 0


def attributes_of(pairs: Any, depth: int = MAX_DEPTH) -> dict[str, Any]:
    return {
        pair["key"]: value_of(pair.get("value"), depth)
        for pair in as_objects(pairs)
        if isinstance(pair.get("key"), str)
    }


def value_of(value: Any, depth: int) -> Any:
    if depth == 0:
        raise RejectedSpan("nesting", f"an attribute is nested deeper than {MAX_DEPTH} levels")
    if not isinstance(value, dict):
        return None
    if "stringValue" in value:
        return str(value["stringValue"])
    if "intValue" in value:
        return int_of(value["intValue"])
    if "doubleValue" in value:
        return double_of(value["doubleValue"])
    if "boolValue" in value:
        return value["boolValue"] is True
    if "arrayValue" in value:
        return [value_of(item, depth - 1) for item in as_list(object_at(value, "arrayValue").get("values"))]
    if "kvlistValue" in value:
        return attributes_of(object_at(value, "kvlistValue").get("values"), depth - 1)
    return value.get("bytesValue") if isinstance(value.get("bytesValue"), str) else None


def int_of(value: Any) -> int | None:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if -(2**63) <= number < 2**63 else None


def double_of(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None
