"""The parts of OTLP that do not depend on the encoding: the response, and checks of ids and resources."""

from typing import Any

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from ingest import client_rules, fields
from ingest.attributes import Attributes
from ingest.labels import label_text
from ingest.spans import RejectedSpan, Rejection, Resource, SpanLink
from traces.text import ID_LENGTH, clean

TRACE_ID_BYTES = 16
SPAN_ID_BYTES = 8
MAX_EVENTS = 128
MAX_LINKS = 128
MAX_REASONS = 5
MAX_RESOURCE_ATTRIBUTES = 32
MACHINE = (
    *("cloud.", "container.", "device.", "faas.", "host.", "os.", "process.", "service.", "telemetry.", "webengine."),
    *("k8s.cluster.", "k8s.container.", "k8s.node.", "k8s.pod.", "k8s.replicaset."),
)
"""Beginnings of the conventions' attributes that say on what a process runs."""


def response_body(rejections: list[Rejection], as_json: bool) -> bytes:
    """Returns the ExportTraceServiceResponse, with the first reasons for spans that were rejected."""
    if not rejections:
        return b"{}" if as_json else b""
    reasons = "; ".join(rejection.text for rejection in rejections[:MAX_REASONS])
    if len(rejections) > MAX_REASONS:
        reasons += f"; and {len(rejections) - MAX_REASONS} more"
    if as_json:
        # Numbers of 64 bits are strings in protobuf's JSON.
        return orjson.dumps({"partialSuccess": {"rejectedSpans": str(len(rejections)), "errorMessage": reasons}})
    response = ExportTraceServiceResponse()
    response.partial_success.rejected_spans = len(rejections)
    response.partial_success.error_message = reasons
    return response.SerializeToString()


def checked_ids(trace_id: bytes, span_id: bytes, parent_span_id: bytes) -> tuple[str, str, str | None]:
    """Returns the three ids as hex digits; a missing parent is None. Raises RejectedSpan."""
    if len(trace_id) != TRACE_ID_BYTES or not any(trace_id):
        raise RejectedSpan("id", f"trace_id must be {TRACE_ID_BYTES} bytes and not all zero")
    if len(span_id) != SPAN_ID_BYTES or not any(span_id):
        raise RejectedSpan("id", f"span_id must be {SPAN_ID_BYTES} bytes and not all zero")
    if parent_span_id and len(parent_span_id) != SPAN_ID_BYTES:
        raise RejectedSpan("id", f"parent_span_id must be {SPAN_ID_BYTES} bytes or empty")
    return trace_id.hex(), span_id.hex(), parent_span_id.hex() if any(parent_span_id) else None


def link_to(trace_id: bytes, span_id: bytes) -> SpanLink | None:
    """Returns the link, or None if it names no span: the span itself is stored without it."""
    is_span = len(trace_id) == TRACE_ID_BYTES and len(span_id) == SPAN_ID_BYTES
    return SpanLink(trace_id.hex(), span_id.hex()) if is_span else None


def resource_of(values: dict[str, Any]) -> Resource:
    attributes = Attributes(values)
    return Resource(
        service=attributes.text(fields.SERVICE, ID_LENGTH),
        version=attributes.identifier(fields.SERVICE_VERSION),
        release=attributes.identifier(fields.RELEASE),
        environment=attributes.identifier(fields.ENVIRONMENT),
        user=attributes.identifier(fields.USER),
        session=attributes.identifier(fields.SESSION),
        attributes=own_attributes(values),
    )


def own_attributes(values: dict[str, Any]) -> dict[str, str]:
    """Returns what the application says of the process, like its team. They are stored with each of its spans, so
    what describes the machine or has a column of its own is left out, and so are long texts."""
    texts = ((name, label_text(value)) for name, value in values.items() if is_own(name))
    own = [(clean(name, ID_LENGTH), text) for name, text in texts if text is not None]
    return dict(own[:MAX_RESOURCE_ATTRIBUTES])


def is_own(name: str) -> bool:
    return name not in client_rules.INDEX and not name.startswith(MACHINE)
