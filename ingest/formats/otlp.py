"""OTLP in both encodings: how a request is answered, and the checks that do not depend on the encoding."""

from typing import Any

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from ingest import fields
from ingest.attributes import Attributes
from ingest.spans import RefusedSpan, Resource
from traces.text import ID_LENGTH

TRACE_ID_BYTES = 16
SPAN_ID_BYTES = 8
MOST_EVENTS = 128
MOST_REASONS = 5


def answer(refusals: list[str], as_json: bool) -> bytes:
    """The ExportTraceServiceResponse, with the first reasons of the spans that were not stored."""
    if not refusals:
        return b"{}" if as_json else b""
    reasons = "; ".join(refusals[:MOST_REASONS])
    if len(refusals) > MOST_REASONS:
        reasons += f"; and {len(refusals) - MOST_REASONS} more"
    if as_json:
        # Numbers of 64 bits are strings in protobuf's JSON.
        return orjson.dumps({"partialSuccess": {"rejectedSpans": str(len(refusals)), "errorMessage": reasons}})
    response = ExportTraceServiceResponse()
    response.partial_success.rejected_spans = len(refusals)
    response.partial_success.error_message = reasons
    return response.SerializeToString()


def checked_ids(trace_id: bytes, span_id: bytes, parent_span_id: bytes) -> tuple[str, str, str | None]:
    """The three ids as hex digits; no parent is None. Raises RefusedSpan."""
    if len(trace_id) != TRACE_ID_BYTES or not any(trace_id):
        raise RefusedSpan(f"trace_id must be {TRACE_ID_BYTES} bytes and not all zero")
    if len(span_id) != SPAN_ID_BYTES or not any(span_id):
        raise RefusedSpan(f"span_id must be {SPAN_ID_BYTES} bytes and not all zero")
    if parent_span_id and len(parent_span_id) != SPAN_ID_BYTES:
        raise RefusedSpan(f"parent_span_id must be {SPAN_ID_BYTES} bytes or empty")
    return trace_id.hex(), span_id.hex(), parent_span_id.hex() if any(parent_span_id) else None


def resource_of(values: dict[str, Any]) -> Resource:
    attributes = Attributes(values)
    return Resource(
        service=attributes.text(fields.SERVICE, ID_LENGTH),
        version=attributes.text(fields.SERVICE_VERSION),
        environment=attributes.text(fields.ENVIRONMENT),
    )
