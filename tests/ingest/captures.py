"""Captures of real clients as requests, and requests with the same spans in other orders."""

import gzip
import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

CAPTURES = Path(__file__).parent.parent / "captures"
STACKS = sorted(path.name for path in CAPTURES.iterdir() if path.is_dir())
PROTOBUF = "application/x-protobuf"


@dataclass(frozen=True)
class Request:
    path: str
    body: bytes
    content_type: str
    encoding: str | None = None
    when: int = 0
    """The latest end of its spans, in nanoseconds; 0 in a request as it was captured."""
    is_root: bool = False

    @property
    def is_trace(self) -> bool:
        return "traces" in self.path

    @property
    def plain(self) -> bytes:
        return gzip.decompress(self.body) if self.encoding == "gzip" else self.body


def expected(stack: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((CAPTURES / stack / "expected.json").read_text())
    return result


def expected_calls(stack: str) -> list[dict[str, Any]]:
    """Returns each call of the capture as it must be stored, read from the wire. None: the wire does not say it."""
    listed: list[dict[str, Any]] = json.loads((CAPTURES / stack / "calls.json").read_text())
    return [call | {"cost_usd": Decimal(call["cost_usd"]) if call["cost_usd"] else None} for call in listed]


def as_captured(stack: str) -> list[Request]:
    return [request_of(path) for path in sorted((CAPTURES / stack).glob("*.headers.json"))]


def request_of(path: Path) -> Request:
    capture = json.loads(path.read_text())
    headers = {name.lower(): value for name, value in capture["headers"]}
    body = (path.parent / capture["body_file"]).read_bytes()
    return Request(capture["path"], body, headers["content-type"], headers.get("content-encoding"))


def one_span_each(stack: str) -> list[Request]:
    """Returns a request for each span, in the order in which the spans ended: roots come last."""
    requests = [request for request in as_captured(stack) if request.is_trace]
    if "ingest" in requests[0].path:
        return [single for request in requests for single in native_items(request)]
    singles = [single for request in requests for single in otlp_spans(request)]
    return sorted(singles, key=lambda single: single.when)


def native_items(request: Request) -> list[Request]:
    return [
        Request(
            request.path,
            json.dumps({"data": [item]}).encode(),
            request.content_type,
            is_root=item["object"] == "trace",
        )
        for item in json.loads(request.plain)["data"]
    ]


def otlp_spans(request: Request) -> list[Request]:
    singles = []
    for resource_spans in parsed(request).resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                alone = ExportTraceServiceRequest()
                resource = alone.resource_spans.add(resource=resource_spans.resource)
                resource.scope_spans.add(scope=scope_spans.scope, spans=[span])
                singles.append(
                    Request(
                        "/v1/traces",
                        alone.SerializeToString(),
                        PROTOBUF,
                        when=span.end_time_unix_nano,
                        is_root=not span.parent_span_id,
                    )
                )
    return singles


def parsed(request: Request) -> ExportTraceServiceRequest:
    if request.content_type == PROTOBUF:
        return ExportTraceServiceRequest.FromString(request.plain)
    body = json.loads(request.plain)
    for resource_spans in body["resourceSpans"]:
        for scope_spans in resource_spans["scopeSpans"]:
            for span in scope_spans["spans"]:
                for name in ("traceId", "spanId", "parentSpanId"):
                    if span.get(name):
                        span[name] = base64_of(span[name])
    return json_format.ParseDict(body, ExportTraceServiceRequest(), ignore_unknown_fields=True)


def base64_of(digits: str) -> str:
    from base64 import b64encode

    return b64encode(bytes.fromhex(digits)).decode()
