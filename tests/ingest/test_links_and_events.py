"""Links between spans, and the times of events, are stored in both encodings of OTLP."""

import json
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.ingest.otlp_spans import NOON_NS
from tests.tenant import Tenant
from traces.db import rows

pytestmark = pytest.mark.django_db(databases="__all__")

LINK = {"trace_id": "07" * 16, "span_id": "08" * 8}


def as_protobuf() -> tuple[bytes, str]:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(trace_id=b"1" * 16, span_id=b"2" * 8)
    span.start_time_unix_nano, span.end_time_unix_nano = NOON_NS, NOON_NS + 10**9
    span.links.add(trace_id=b"\x07" * 16, span_id=b"\x08" * 8)
    span.links.add(trace_id=b"short")
    for at in (NOON_NS + 250_000_000, NOON_NS - 1, 0):
        span.events.add(name="note", time_unix_nano=at)
    return request.SerializeToString(), "application/x-protobuf"


def as_json() -> tuple[bytes, str]:
    span = {
        "traceId": "31" * 16,
        "spanId": "32" * 8,
        "startTimeUnixNano": str(NOON_NS),
        "endTimeUnixNano": str(NOON_NS + 10**9),
        "links": [{"traceId": "07" * 16, "spanId": "08" * 8}, {"traceId": "short"}, {"traceId": 7}, "no link", {}],
        "events": [{"name": "note", "timeUnixNano": at} for at in (NOON_NS + 250_000_000, NOON_NS - 1, 0)],
    }
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode(), "application/json"


@pytest.mark.parametrize("request_of", [as_protobuf, as_json])
def test_links_and_times_of_events_are_stored(tenant: Tenant, request_of: Any) -> None:
    body, content_type = request_of()
    assert tenant.client.post("/v1/traces", body, content_type=content_type).content in (b"", b"{}")
    [row] = rows("SELECT attributes::text AS attributes FROM traces", {})
    stored = json.loads(row["attributes"])
    assert stored["links"] == [LINK]
    assert stored["events"] == [{"name": "note", "offset_ms": 250.0}, {"name": "note"}, {"name": "note"}]
