"""A span that is refused carries a reason, one of a few, and a text for the client."""

import json
from typing import Any

import pytest

from ingest.formats import agents_sdk, otlp_json
from ingest.spans import Rejection
from ingest.store import store_spans
from tests.ingest.test_otlp import a_span
from tests.tenant import Tenant


def nested(levels: int) -> dict[str, Any]:
    return {"arrayValue": {"values": [nested(levels - 1)]}} if levels else {"stringValue": "deep"}


@pytest.mark.parametrize(
    ("faults", "reason", "text"),
    [
        ({"traceId": "00" * 16}, "id", "trace_id must be 16 bytes and not all zero"),
        ({"spanId": "not hex"}, "id", "an id must be a string of hex digits"),
        ({"startTimeUnixNano": "noon"}, "time", "startTimeUnixNano must be a whole number of nanoseconds"),
        ({"endTimeUnixNano": 2**64}, "time", "endTimeUnixNano is beyond 64 bits"),
        (
            {"attributes": [{"key": "deep", "value": nested(70)}]},
            "nesting",
            "an attribute is nested deeper than 64 levels",
        ),
    ],
)
def test_a_span_of_otlp(faults: dict[str, Any], reason: str, text: str) -> None:
    request = {"resourceSpans": [{"scopeSpans": [{"spans": [a_span() | faults]}]}]}
    assert otlp_json.decode(json.dumps(request).encode()).rejections == [(reason, text)]


@pytest.mark.parametrize(
    ("item", "reason", "text"),
    [
        ("text", "format", "an item must be a JSON object"),
        ({"object": "span"}, "value", 'object must be "trace" or "trace.span"'),
        ({"object": "trace", "id": 7}, "id", "id must be a string"),
        ({"object": "trace.span", "trace_id": "a", "id": "b"}, "time", "started_at must be ISO 8601"),
    ],
)
def test_an_item_of_the_agents_sdk(item: Any, reason: str, text: str) -> None:
    assert agents_sdk.decode(json.dumps({"data": [item]}).encode()).rejections == [(reason, text)]


@pytest.mark.django_db(databases="__all__")
def test_a_span_of_another_year(tenant: Tenant) -> None:
    request = {"resourceSpans": [{"scopeSpans": [{"spans": [a_span() | {"startTimeUnixNano": "1"}]}]}]}
    decoded = otlp_json.decode(json.dumps(request).encode())
    store_spans(tenant.workspace, decoded)
    text = "the start must lie within the last 400 days and at most 1 hour ahead"
    assert decoded.rejections == [Rejection("time", text)]
