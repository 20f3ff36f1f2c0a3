"""OTLP trace requests, protobuf or JSON, into spans. A span that cannot be stored never costs its neighbours."""

import base64
import binascii
from collections.abc import Iterator
from typing import Any

import orjson
from django.conf import settings
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from ingest import bounds
from ingest import conventions as c
from ingest.attributes import Attributes
from ingest.spans import Decoded, Event, Resource, Span
from traces.text import ID_LENGTH
from web import json_body
from web.json_body import DEEPEST
from web.problems import Problem

TRACE_ID_BYTES = 16
SPAN_ID_BYTES = 8
MOST_EVENTS = 128
REASONS_TOLD = 5
MOST_NS = 2**64 - 1
STATUS_CODES = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}


class Refused(ValueError):
    """Why a span cannot be stored."""


def answer(refused: list[str], as_json: bool) -> bytes:
    """The ExportTraceServiceResponse."""
    if not refused:
        return b"{}" if as_json else b""
    told = "; ".join(refused[:REASONS_TOLD])
    if len(refused) > REASONS_TOLD:
        told += f"; and {len(refused) - REASONS_TOLD} more"
    if as_json:
        # 64-bit numbers are strings in protobuf's JSON.
        return orjson.dumps({"partialSuccess": {"rejectedSpans": str(len(refused)), "errorMessage": told}})
    response = ExportTraceServiceResponse()
    response.partial_success.rejected_spans = len(refused)
    response.partial_success.error_message = told
    return response.SerializeToString()


def checked_ids(trace_id: bytes, span_id: bytes, parent_span_id: bytes) -> tuple[str, str, str | None]:
    if len(trace_id) != TRACE_ID_BYTES or not any(trace_id):
        raise Refused(f"trace_id must be {TRACE_ID_BYTES} bytes and not all zero")
    if len(span_id) != SPAN_ID_BYTES or not any(span_id):
        raise Refused(f"span_id must be {SPAN_ID_BYTES} bytes and not all zero")
    if parent_span_id and len(parent_span_id) != SPAN_ID_BYTES:
        raise Refused(f"parent_span_id must be {SPAN_ID_BYTES} bytes or empty")
    return trace_id.hex(), span_id.hex(), parent_span_id.hex() if any(parent_span_id) else None


def resource_of(values: dict[str, Any]) -> Resource:
    attributes = Attributes(values)
    return Resource(
        service=attributes.text(c.SERVICE, ID_LENGTH),
        version=attributes.text(c.SERVICE_VERSION),
        environment=attributes.text(c.ENVIRONMENT),
    )


# --- Protobuf ---


def decode_protobuf(body: bytes) -> Decoded:
    bounds.check_protobuf(body)
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        return decode_one_by_one(body)
    decoded = Decoded([], [])
    for resource_spans in request.resource_spans:
        resource = resource_of(attributes_of(resource_spans.resource.attributes))
        for scope_spans in resource_spans.scope_spans:
            scope = scope_spans.scope.name
            for span in scope_spans.spans:
                add(decoded, span, scope, resource)
    return decoded


def add(decoded: Decoded, span: trace_pb2.Span, scope: str, resource: Resource) -> None:
    try:
        trace_id, span_id, parent_span_id = checked_ids(span.trace_id, span.span_id, span.parent_span_id)
    except Refused as reason:
        decoded.refused.append(str(reason))
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
                for event in span.events[:MOST_EVENTS]
            ]
            if span.events
            else [],
            scope=scope,
            resource=resource,
        )
    )


def attributes_of(pairs: Any) -> dict[str, Any]:
    return {pair.key: value_of(pair.value) for pair in pairs}


def value_of(value: AnyValue) -> Any:
    if text := value.string_value:  # what most are; asking for it is the cheapest way to know
        return text
    if number := value.int_value:
        return number
    which = value.WhichOneof("value")
    if which == "string_value":
        return value.string_value
    if which is None:
        return None
    if which == "array_value":
        return [value_of(item) for item in value.array_value.values]
    if which == "kvlist_value":
        return attributes_of(value.kvlist_value.values)
    if which == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return getattr(value, which)


def decode_one_by_one(body: bytes) -> Decoded:
    """Where the body as a whole cannot be parsed: which spans are to blame. Raises 400 where that cannot be told."""
    decoded = Decoded([], [])
    last_body, resource = b"", Resource()
    try:
        bodies = list(span_bodies(body))
    except (IndexError, ValueError) as error:
        raise Problem(400, "The body is not an OTLP trace request in protobuf.") from error
    for resource_body, scope_body, span_body in bodies:
        if resource_body is not last_body:  # once, however many spans share it
            last_body, resource = resource_body, lenient_resource(resource_body)
        try:
            add(decoded, trace_pb2.Span.FromString(span_body), lenient_scope(scope_body), resource)
        except DecodeError:
            decoded.refused.append("the span is not valid protobuf")
    return decoded


def lenient_scope(body: bytes) -> str:
    try:
        return InstrumentationScope.FromString(body).name
    except DecodeError:
        return ""


def lenient_resource(body: bytes) -> Resource:
    try:
        return resource_of(attributes_of(resource_pb2.Resource.FromString(body).attributes))
    except DecodeError:
        return Resource()


def span_bodies(body: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Resource, scope and span, each as it lies in the body. Raises IndexError or ValueError."""
    for resource_spans in submessages(body, 1):
        resource = next(submessages(resource_spans, 1), b"")
        for scope_spans in submessages(resource_spans, 2):
            scope = next(submessages(scope_spans, 1), b"")
            for span in submessages(scope_spans, 2):
                yield resource, scope, span


def submessages(body: bytes, wanted: int) -> Iterator[bytes]:
    position = 0
    end = len(body)
    while position < end:
        tag, position = varint(body, position)
        wire_type = tag & 7
        if wire_type == 2:
            length, position = varint(body, position)
            if position + length > end:
                raise ValueError("a length reaches beyond the end")
            if tag >> 3 == wanted:
                yield body[position : position + length]
            position += length
        elif wire_type == 0:
            _, position = varint(body, position)
        elif wire_type in (1, 5):
            position += 8 if wire_type == 1 else 4
        else:
            raise ValueError("groups are not used by OTLP")
    if position > end:
        raise ValueError("the last field is cut off")


def varint(body: bytes, position: int) -> tuple[int, int]:
    value = body[position]
    position += 1
    if value < 0x80:
        return value, position
    value &= 0x7F
    for shift in range(7, 70, 7):
        byte = body[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a varint is longer than 64 bits")


# --- JSON ---


def decode_json(body: bytes) -> Decoded:
    request = bounds.parsed_json(body, json_body.MOST_OTLP_LEVELS)
    if not isinstance(request, dict):
        raise Problem(400, "The body must be one JSON object with resourceSpans.")
    # Nothing at all is a request without spans. Anything else that holds none was meant for another address.
    if request and not isinstance(request.get("resourceSpans", ...), list | None):
        raise Problem(400, "The body is not an OTLP trace request: resourceSpans must be a list.")
    given = [
        (span, scope, resource)
        for resource_spans in objects(request.get("resourceSpans"))
        for resource in [json_resource(inner(resource_spans, "resource"))]
        for scope_spans in objects(resource_spans.get("scopeSpans"))
        for scope in [str(inner(scope_spans, "scope").get("name") or "")]
        for span in listed(scope_spans.get("spans"))
    ]
    if len(given) > settings.MAX_TRACES_PER_REQUEST:
        raise bounds.too_many_spans()
    decoded = Decoded([], misplaced(request))
    for span, scope, resource in given:
        try:
            decoded.spans.append(json_span(span, scope, resource))
        except Refused as reason:
            decoded.refused.append(str(reason))
    return decoded


def misplaced(request: dict[str, Any]) -> list[str]:
    """Why parts that should hold spans hold none."""
    found = []
    for resource_spans in listed(request.get("resourceSpans")):
        scopes = resource_spans.get("scopeSpans") if isinstance(resource_spans, dict) else ...
        if not isinstance(scopes, list | None):
            found.append("resourceSpans must hold objects with a list of scopeSpans")
        found += [
            "scopeSpans must hold objects with a list of spans"
            for scope_spans in listed(scopes)
            if not isinstance(scope_spans, dict) or not isinstance(scope_spans.get("spans"), list | None)
        ]
    return found


def json_resource(given: dict[str, Any]) -> Resource:
    try:
        return resource_of(json_attributes(given.get("attributes")))
    except Refused:  # nested too deep, which costs its spans nothing
        return Resource()


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in listed(value) if isinstance(item, dict)]


def inner(value: dict[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def json_span(span: Any, scope: str, resource: Resource) -> Span:
    if not isinstance(span, dict):
        raise Refused("a span must be a JSON object")
    trace_id, span_id, parent_span_id = checked_ids(
        json_id(span.get("traceId"), TRACE_ID_BYTES),
        json_id(span.get("spanId"), SPAN_ID_BYTES),
        json_id(span.get("parentSpanId"), SPAN_ID_BYTES),
    )
    status = inner(span, "status")
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent_span_id,
        name=str(span.get("name") or ""),
        start_ns=json_time(span.get("startTimeUnixNano"), "startTimeUnixNano"),
        end_ns=json_time(span.get("endTimeUnixNano"), "endTimeUnixNano"),
        status=json_status(status.get("code")),
        status_message=str(status.get("message") or ""),
        attributes=json_attributes(span.get("attributes")),
        events=[
            Event(
                str(event.get("name") or ""),
                json_time(event.get("timeUnixNano"), "timeUnixNano"),
                json_attributes(event.get("attributes")),
            )
            for event in objects(span.get("events"))[:MOST_EVENTS]
        ],
        scope=scope,
        resource=resource,
    )


def json_id(value: Any, length: int) -> bytes:
    """Hex as OTLP says; base64 as protobuf's own JSON mapping says."""
    if value is None or value == "":
        return b""
    if not isinstance(value, str):
        raise Refused("an id must be a string of hex digits")
    try:
        return bytes.fromhex(value) if len(value) == 2 * length else base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        raise Refused("an id must be a string of hex digits") from None


def json_time(value: Any, name: str) -> int:
    if value is None:
        return 0
    try:
        nanoseconds = int(value)
    except (TypeError, ValueError, OverflowError):
        raise Refused(f"{name} must be a whole number of nanoseconds") from None
    if not 0 <= nanoseconds <= MOST_NS:
        raise Refused(f"{name} is beyond 64 bits")
    return nanoseconds


def json_status(code: Any) -> int:
    if isinstance(code, str):
        return STATUS_CODES.get(code, 0) if not code.isdecimal() else int(code[:1])
    return code if isinstance(code, int) else 0


def json_attributes(pairs: Any, depth: int = DEEPEST) -> dict[str, Any]:
    return {
        pair["key"]: json_value(pair.get("value"), depth) for pair in objects(pairs) if isinstance(pair.get("key"), str)
    }


def json_value(value: Any, depth: int) -> Any:
    if depth == 0:
        raise Refused(f"an attribute is nested deeper than {DEEPEST} levels")
    if not isinstance(value, dict):
        return None
    if "stringValue" in value:
        return str(value["stringValue"])
    if "intValue" in value:
        return json_int(value["intValue"])
    if "doubleValue" in value:
        return json_double(value["doubleValue"])
    if "boolValue" in value:
        return value["boolValue"] is True
    if "arrayValue" in value:
        return [json_value(item, depth - 1) for item in listed(inner(value, "arrayValue").get("values"))]
    if "kvlistValue" in value:
        return json_attributes(inner(value, "kvlistValue").get("values"), depth - 1)
    return value.get("bytesValue") if isinstance(value.get("bytesValue"), str) else None


def json_int(value: Any) -> int | None:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if -(2**63) <= number < 2**63 else None


def json_double(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None
