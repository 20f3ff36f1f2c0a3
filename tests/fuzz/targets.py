"""The code that a request body passes through before the database, as functions of bytes.

A body may be refused, with a Problem. Any other exception would be a 500. PostgreSQL must accept every row that
comes out. Otherwise one span would cost its whole batch.
"""

import dataclasses
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.test import RequestFactory

from ingest import store, views
from ingest.formats import agents_sdk, otlp, otlp_json, otlp_protobuf
from ingest.formats import json_traces as plain_json
from ingest.labels import NO_CHOICE
from ingest.span_rows import new_span_row, stored_span_row
from ingest.spans import Decoded
from prices import pricing
from traces.lookup import row_from
from traces.row import CALL_OPERATIONS, CORRECTED_COLUMNS, KEY_COLUMNS, Row
from web import body
from web.problems import Problem

CORPUS = Path(__file__).parent / "corpus"
BIGINT = range(-(2**63), 2**63)
# PostgreSQL refuses an index entry above 2,704 bytes, and the rollups' keys hold four names; two more for a mark.
LONGEST_INDEXED = 258
INDEXED = ("trace_id", "span_id", "agent_id", "provider", "model", "user_id", "session_id", "error_type")
OPERATIONS = {*CALL_OPERATIONS, "invoke_agent", "invoke_workflow", "execute_tool", "other"}


def otlp_protobuf_rows(data: bytes) -> list[Row]:
    return recorded(otlp_protobuf.decode, data)


def otlp_json_rows(data: bytes) -> list[Row]:
    return recorded(otlp_json.decode, data)


def agents_sdk_rows(data: bytes) -> list[Row]:
    return recorded(agents_sdk.decode, data)


def json_trace_rows(data: bytes) -> list[Row]:
    try:
        rows, rejected = plain_json.rows_and_rejections(plain_json.items(data))
    except Problem as problem:
        check_problem(problem)
        return []
    views.json_response({"rejected": rejected})
    pricing.price_calls([], [pricing.CallToPrice(row, (row.model,) if row.model else (), row.cost_usd) for row in rows])
    check_rows(rows)
    return rows


def inflated(data: bytes) -> bytes | None:
    """Inflates a body. The first byte chooses the encoding."""
    encoding = ("gzip", "deflate", "identity", "br")[data[0] % 4] if data else "gzip"
    request = RequestFactory().post(
        "/v1/traces", data[1:], content_type="application/json", headers={"Content-Encoding": encoding}
    )
    try:
        whole = body.read_body(request)
    except Problem as problem:
        check_problem(problem)
        return None
    assert len(whole) <= settings.MAX_BODY_BYTES
    return whole


def recorded(decode: Callable[[bytes], Decoded], data: bytes) -> list[Row]:
    """Returns the rows as `store_spans` would send them to an empty database."""
    try:
        decoded = decode(data)
    except Problem as problem:
        check_problem(problem)
        return []
    otlp.response_body(decoded.rejections, as_json=True)
    otlp.response_body(decoded.rejections, as_json=False)
    spans = {}
    for span in store.accepted_spans(decoded):
        span_row = new_span_row(span, store_content=True, choice=NO_CHOICE)
        spans.setdefault(span_row.key, span_row)
    store.resolve_rows(list(spans.values()), [])
    rows = [span_row.row for span_row in spans.values()]
    check_rows(rows)
    for row in rows:
        # As a later span of the same trace reads it back.
        values = [getattr(row, name) for name in (*KEY_COLUMNS, *CORRECTED_COLUMNS)]
        stored_span_row(row_from([*values, orjson.dumps(row.span_facts).decode()]))
    return rows


def check_problem(problem: Problem) -> None:
    assert problem.status in (400, 413, 415)
    orjson.dumps([problem.detail, problem.errors])


def check_rows(rows: Iterable[Row]) -> None:
    text = orjson.dumps(list(rows), default=str).decode()
    assert "\\u0000" not in text.replace("\\\\", "")
    for row in rows:
        assert row.operation in OPERATIONS
        for field in dataclasses.fields(row):
            check_value(field.name, getattr(row, field.name))


def check_value(name: str, value: Any) -> None:
    if isinstance(value, str):
        assert "\x00" not in value, name
        value.encode()
        assert name not in INDEXED or len(value.encode()) <= LONGEST_INDEXED, name
    elif isinstance(value, bool):
        raise AssertionError(f"{name} must not hold a boolean")
    elif isinstance(value, int):
        assert value in BIGINT, name
        assert value >= 0, name
    elif isinstance(value, (float, Decimal)):
        assert 0 <= value < 1e15, name  # not NaN, not infinite
    elif isinstance(value, dict):
        check_nested(name, value)
    else:
        assert value is None or isinstance(value, datetime), name


def check_nested(name: str, value: Any, depth: int = 80) -> None:
    assert depth, name
    if isinstance(value, dict):
        for key, item in value.items():
            check_value("key", key)
            check_nested(name, item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            check_nested(name, item, depth - 1)
    elif isinstance(value, str):
        check_value(name, value)


TARGETS: dict[str, Callable[[bytes], Any]] = {
    "otlp-protobuf": otlp_protobuf_rows,
    "otlp-json": otlp_json_rows,
    "inflater": inflated,
    "agents-sdk": agents_sdk_rows,
    "json-traces": json_trace_rows,
}
