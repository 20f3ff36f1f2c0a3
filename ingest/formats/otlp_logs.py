"""Reads the evaluations (`gen_ai.evaluation.result`) in OTLP log requests. They are stored as scores.

No other record is stored: most of them repeat the spans. A body without an evaluation is not parsed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson
from django.conf import settings
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse

from ingest.formats import otlp_json, otlp_protobuf, wire
from ingest.formats.json_values import as_objects, parse_spans_json
from ingest.formats.scores import EVALUATION_EVENT, evaluation
from ingest.spans import RejectedSpan
from traces.scores import Score
from web import json_body
from web.problems import Problem

Record = TypeVar("Record")

STRUCTURE: wire.MessageFields = {
    "request": {1: "resource_logs"},
    "resource_logs": {1: "resource", 2: "scope_logs"},
    "scope_logs": {1: "scope", 2: "record"},
}
CONTENTS: wire.MessageFields = {
    **{name: otlp_protobuf.CONTENTS[name] for name in ("resource", "scope", "key_value", "any_value", "array")},
    "key_values": otlp_protobuf.CONTENTS["key_values"],
    "record": {5: "any_value", 6: "key_value"},
}
NOT_STORED = "an evaluation needs a name, a value or label, a time that is not too old, and a trace or session.id"


@dataclass(slots=True)
class Evaluations:
    """The evaluations in a request, and one reason for each that cannot be stored."""

    scores: list[Score] = field(default_factory=list)
    rejections: list[str] = field(default_factory=list)

    def add(
        self, attributes: Mapping[str, Any], time_ns: int, trace_id: bytes, span_id: bytes, author: str | None
    ) -> None:
        score = evaluation(attributes, time_ns, hex_of(trace_id), hex_of(span_id), author)
        if score is None:
            self.rejections.append(NOT_STORED)
        else:
            self.scores.append(score)


def decode(body: bytes, as_json: bool, author: str | None) -> Evaluations:
    found = Evaluations()
    if EVALUATION_EVENT.encode() in body:
        read_json(body, found, author) if as_json else read_protobuf(body, found, author)
    return found


def response_body(rejections: list[str], as_json: bool) -> bytes:
    """Returns the ExportLogsServiceResponse."""
    if not rejections:
        return b"{}" if as_json else b""
    if as_json:
        partial = {"rejectedLogRecords": str(len(rejections)), "errorMessage": rejections[0]}
        return orjson.dumps({"partialSuccess": partial})
    response = ExportLogsServiceResponse()
    response.partial_success.rejected_log_records = len(rejections)
    response.partial_success.error_message = rejections[0]
    return response.SerializeToString()


def hex_of(value: bytes) -> str | None:
    return value.hex() if any(value) else None


# --- JSON ---


def read_json(body: bytes, found: Evaluations, author: str | None) -> None:
    request = parse_spans_json(body, json_body.MAX_OTLP_LEVELS)
    if not isinstance(request, dict):
        raise Problem(400, "The body must be one JSON object with resourceLogs.")
    for record in records_in(request):
        try:
            attributes = otlp_json.attributes_of(record.get("attributes"))
            if EVALUATION_EVENT in (record.get("eventName"), attributes.get("event.name")):
                found.add(attributes, time_of(record), *ids_of(record), author)
        except RejectedSpan as reason:
            found.rejections.append(str(reason))


def records_in(request: dict[str, Any]) -> list[dict[str, Any]]:
    records = [
        record
        for resource_logs in as_objects(request.get("resourceLogs"))
        for scope_logs in as_objects(resource_logs.get("scopeLogs"))
        for record in as_objects(scope_logs.get("logRecords"))
    ]
    return checked_count(records)


def time_of(record: dict[str, Any]) -> int:
    time_ns = otlp_json.nanoseconds(record.get("timeUnixNano"), "timeUnixNano")
    return time_ns or otlp_json.nanoseconds(record.get("observedTimeUnixNano"), "observedTimeUnixNano")


def ids_of(record: dict[str, Any]) -> tuple[bytes, bytes]:
    return otlp_json.id_of(record.get("traceId"), 16), otlp_json.id_of(record.get("spanId"), 8)


# --- Protobuf ---


def read_protobuf(body: bytes, found: Evaluations, author: str | None) -> None:
    check_message_count(body)
    try:
        request = ExportLogsServiceRequest.FromString(body)
    except DecodeError as error:
        raise Problem(400, "The body is not an OTLP log request in protobuf.") from error
    for resource_logs in request.resource_logs:
        for scope_logs in resource_logs.scope_logs:
            for record in scope_logs.log_records:
                attributes = otlp_protobuf.attributes_of(record.attributes)
                if EVALUATION_EVENT in (record.event_name, attributes.get("event.name")):
                    time_ns = record.time_unix_nano or record.observed_time_unix_nano
                    found.add(attributes, time_ns, record.trace_id, record.span_id, author)


def check_message_count(body: bytes) -> None:
    """Raises 413 for too many records or values, 400 if the body is no protobuf, before anything is parsed."""
    try:
        parts = wire.walk(
            body + bytes(16), ("request", 0, len(body)), STRUCTURE, CONTENTS, max_parts=json_body.MAX_VALUES
        )
        checked_count([part for part in parts if part[0] == "record"])
    except wire.TooManyParts:
        raise json_body.too_many_values() from None
    except (IndexError, ValueError) as error:
        raise Problem(400, "The body is not an OTLP log request in protobuf.") from error


def checked_count(records: Iterable[Record]) -> list[Record]:
    counted = list(records)
    if len(counted) > settings.MAX_SPANS_PER_REQUEST:
        raise Problem(413, f"More than {settings.MAX_SPANS_PER_REQUEST} records in a request; send smaller batches.")
    return counted
