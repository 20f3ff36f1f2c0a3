"""Reads one trace: its totals, its spans, other records of its calls, and the contents of its spans.

Each statement looks into the index of traces once for each week of the stored time: see `traces/lookup.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

import orjson
from django.conf import settings
from pydantic import Field
from typing_extensions import TypedDict

from analytics.scores import ListedScore, listed
from traces import engines
from traces.db import rows
from traces.row import CALL_OPERATIONS, COLUMNS, TOOL_OPERATION
from traces.text import ID_LENGTH

MAX_SPANS = 10_000
"""The spans of one answer, and of one page."""
CONTENT_SPANS, CONTENT_BYTES = 500, 4 * 1024 * 1024
"""Contents are read in the order of time until one of these is reached. The bytes are those on disk."""
SAME_CALL_WITHIN = timedelta(hours=1)
AHEAD = timedelta(days=2)
"""A span may begin in the future: clocks differ."""

SPAN_COLUMNS = tuple(name for name in COLUMNS if name not in ("trace_id", "attributes", "span_facts", "link"))
Status = Literal["success", "error", "timeout"]


class TraceSummary(TypedDict):
    """What a trace is in a list of traces."""

    trace_id: str
    name: Annotated[str | None, Field(description="The name of the root, or of the first span.")]
    started_at: datetime
    latency_ms: Annotated[float, Field(description="From the first start to the last end.")]
    status: Annotated[Status, Field(description="Of the last model call; if it succeeded or none ran, of the root.")]
    error_type: str | None
    agents: list[str]
    models: list[str]
    user_id: str | None
    session_id: str | None
    environment: str | None
    release: str | None
    labels: dict[str, str]
    span_count: int
    calls: int
    tool_calls: int
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: Annotated[float | None, Field(description="Of the calls that have a price; null if none has.")]
    unpriced_calls: int


LOOKUP = """
    FROM generate_series(
        date_bin('168 hours', %(first)s, timestamptz '2000-01-03 00:00:00+00'), %(last)s, interval '168 hours'
    ) AS week
    JOIN LATERAL (
        SELECT {columns}
        FROM traces
        WHERE {workspace}
            AND timestamp BETWEEN %(first)s AND %(last)s
            AND date_bin('168 hours', timestamp, timestamptz '2000-01-03 00:00:00+00') = week
            AND {in_week}
            AND hashtextextended(trace_id, uuid_hash_extended(workspace_id, 0))
                = hashtextextended(%(trace_id)s, uuid_hash_extended(%(workspace_id)s, 0))
        OFFSET 0
    ) AS found ON found.trace_id = %(trace_id)s
"""
SUMMARY = """
WITH spans AS (
    SELECT found.*, timestamp + coalesce(latency_ms, 0) * interval '1 millisecond' AS ended
    {lookup}
), totals AS (
    SELECT
        min(timestamp) AS started_at,
        extract(epoch FROM max(ended) - min(timestamp))::float8 * 1000 AS latency_ms,
        coalesce(array_agg(DISTINCT agent_id) FILTER (WHERE agent_id <> ''), '{{}}') AS agents,
        coalesce(array_agg(DISTINCT model) FILTER (WHERE model IS NOT NULL), '{{}}') AS models,
        min(user_id) AS user_id,
        min(session_id) AS session_id,
        min(environment) AS environment,
        min(release) AS release,
        count(*) AS span_count,
        count(*) FILTER (WHERE operation = ANY(%(calls)s)) AS calls,
        count(*) FILTER (WHERE operation = %(tool)s) AS tool_calls,
        sum(input_tokens)::bigint AS input_tokens,
        sum(output_tokens)::bigint AS output_tokens,
        sum(cost_usd) AS cost_usd,
        count(*) FILTER (WHERE operation = ANY(%(calls)s) AND cost_usd IS NULL) AS unpriced_calls
    FROM spans
    HAVING count(*) > 0
), root AS (
    SELECT name, status, error_type, labels
    FROM spans
    ORDER BY (parent_span_id IS NOT NULL), timestamp, span_id
    LIMIT 1
), last_call AS (
    SELECT status, error_type
    FROM spans
    WHERE operation = ANY(%(calls)s)
    ORDER BY ended DESC, span_id
    LIMIT 1
)
SELECT
    %(trace_id)s AS trace_id,
    root.name,
    totals.*,
    coalesce(NULLIF(last_call.status, 'success'), root.status) AS status,
    CASE WHEN last_call.status <> 'success' THEN last_call.error_type ELSE root.error_type END AS error_type,
    coalesce(root.labels, '{{}}')::text AS labels
FROM totals
CROSS JOIN root
LEFT JOIN last_call ON true
"""
SUMMARY_COLUMNS = (
    *("trace_id", "span_id", "parent_span_id", "timestamp", "latency_ms", "operation", "name", "agent_id", "model"),
    *("user_id", "session_id", "environment", "release", "labels", "status", "error_type", "input_tokens"),
    *("output_tokens", "cost_usd"),
)
SPANS = """
SELECT {names}
{lookup}
WHERE (timestamp, span_id) > (%(after)s, %(after_id)s)
ORDER BY timestamp, span_id
LIMIT %(limit)s
"""
# Offsets, because ten thousand times take longer to read than all other columns.
TREE = """
SELECT
    {names},
    extract(epoch FROM timestamp - %(started_at)s)::float8 * 1000 AS start_ms
{lookup}
ORDER BY timestamp, span_id
LIMIT %(limit)s
"""
TREE_COLUMNS = (
    *("span_id", "parent_span_id", "operation", "name", "status", "latency_ms", "first_token_ms", "model", "tool"),
)
SPAN = """
SELECT {names}, attributes::text AS attributes
{lookup}
WHERE span_id = %(span_id)s
ORDER BY timestamp
LIMIT 1
"""
# A text that is too long for its row is stored beside it, and is not read for its size.
CONTENTS = """
WITH sized AS (
    SELECT
        found.*,
        sum(pg_column_size(attributes)) OVER in_time - pg_column_size(attributes) AS bytes_before,
        row_number() OVER in_time AS place
    {lookup}
    WINDOW in_time AS (ORDER BY timestamp, span_id ROWS UNBOUNDED PRECEDING)
)
SELECT {names}, attributes::text AS attributes
FROM sized
WHERE place <= %(spans)s AND bytes_before < %(bytes)s
ORDER BY timestamp, span_id
"""
CONTENT_COLUMNS = (
    *("trace_id", "span_id", "parent_span_id", "timestamp", "latency_ms", "operation", "name", "agent_id", "model"),
    *("tool", "status"),
)
SAME_CALL = """
SELECT found.trace_id, found.span_id, found.name, found.timestamp
FROM generate_series(
    date_bin('24 hours', %(first)s, timestamptz '2000-01-03 00:00:00+00'), %(last)s, interval '24 hours'
) AS day
CROSS JOIN LATERAL (
    SELECT trace_id, span_id, name, timestamp
    FROM traces
    WHERE {workspace}
        AND date_bin('24 hours', timestamp, timestamptz '2000-01-03 00:00:00+00') = day
        AND {in_day}
        AND hashtextextended(link, uuid_hash_extended(workspace_id, 0))
            = hashtextextended(%(response_id)s, uuid_hash_extended(%(workspace_id)s, 0))
        AND traces.link = %(response_id)s
    UNION ALL
    SELECT trace_id, span_id, name, timestamp
    FROM traces
    WHERE {workspace}
        AND date_bin('24 hours', timestamp, timestamptz '2000-01-03 00:00:00+00') = day
        AND {in_day}
        AND hashtextextended(response_id, uuid_hash_extended(workspace_id, 0))
            = hashtextextended(%(response_id)s, uuid_hash_extended(%(workspace_id)s, 0))
        AND traces.response_id = %(response_id)s
        AND link LIKE 'provider:%%'
    OFFSET 0
) AS found
WHERE found.timestamp BETWEEN %(first)s AND %(last)s
    AND (found.trace_id, found.span_id) <> (%(trace_id)s, %(span_id)s)
ORDER BY found.timestamp, found.span_id
LIMIT 20
"""
SCORES = """
SELECT id, trace_id, span_id, session_id, name, number, category, comment, source, author, timestamp
FROM scores
WHERE workspace_id = %(workspace_id)s AND trace_id = %(trace_id)s
ORDER BY timestamp DESC, id
LIMIT 1000
"""


class Place(NamedTuple):
    """The last span of a page of spans."""

    timestamp: datetime
    span_id: str


START = Place(datetime(1, 1, 1, tzinfo=UTC), "")


def is_an_id(text: str) -> bool:
    """Tells whether a stored id can be like this: no other is looked for."""
    return 0 < len(text.encode("utf-8", "replace")) <= 2 * ID_LENGTH and "\0" not in text


def params_of(workspace_id: UUID, trace_id: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "workspace_id": workspace_id,
        "trace_id": trace_id,
        "first": now - timedelta(days=settings.RETENTION_DAYS + 1),
        "last": now + AHEAD,
        "calls": list(CALL_OPERATIONS),
        "tool": TOOL_OPERATION,
    }


def lookup(columns: Sequence[str]) -> str:
    return LOOKUP.format(columns=", ".join(columns), **engines.search_conditions())


def summary(workspace_id: UUID, trace_id: str) -> TraceSummary | None:
    """Returns the totals of the trace; None if the workspace has no span of it."""
    if not is_an_id(trace_id):
        return None
    found = rows(SUMMARY, params_of(workspace_id, trace_id), TraceSummary, lookup=lookup(SUMMARY_COLUMNS))
    return {**found[0], "labels": orjson.loads(str(found[0]["labels"]))} if found else None


def spans(workspace_id: UUID, trace_id: str, after: Place = START, limit: int = MAX_SPANS) -> list[dict[str, Any]]:
    """Returns the first spans of the trace after a place, in the order of their starts, without their attributes."""
    params = {"after": after.timestamp, "after_id": after.span_id, "limit": limit}
    found = rows(
        SPANS,
        params_of(workspace_id, trace_id) | params,
        lookup=lookup(("trace_id", *SPAN_COLUMNS)),
        names=names(SPAN_COLUMNS),
    )
    return [parsed(row) for row in found]


class TreeSpan(TypedDict):
    """What the tree and the waterfall show of a span."""

    span_id: str
    parent_span_id: str | None
    operation: str
    name: str | None
    status: Status
    latency_ms: float | None
    first_token_ms: float | None
    model: str | None
    tool: str | None
    start_ms: float
    """After the start of the trace."""


def tree_spans(workspace_id: UUID, summary: TraceSummary) -> list[TreeSpan]:
    """Returns the first MAX_SPANS spans of the trace, in the order of their starts."""
    params = {"started_at": summary["started_at"], "limit": MAX_SPANS}
    return rows(
        TREE,
        params_of(workspace_id, summary["trace_id"]) | params,
        TreeSpan,
        lookup=lookup(("trace_id", "timestamp", *TREE_COLUMNS)),
        names=", ".join(TREE_COLUMNS),
    )


def span(workspace_id: UUID, trace_id: str, span_id: str) -> dict[str, Any] | None:
    """Returns one span with its attributes; None if there is none."""
    if not is_an_id(trace_id) or not is_an_id(span_id):
        return None
    found = rows(
        SPAN,
        params_of(workspace_id, trace_id) | {"span_id": span_id},
        lookup=lookup(("trace_id", *SPAN_COLUMNS, "attributes")),
        names=names(SPAN_COLUMNS),
    )
    return parsed(found[0]) if found else None


def contents(workspace_id: UUID, trace_id: str) -> list[dict[str, Any]]:
    """Returns the attributes of the first spans of the trace, as many as the limits allow."""
    params = {"spans": CONTENT_SPANS, "bytes": CONTENT_BYTES}
    found = rows(
        CONTENTS,
        params_of(workspace_id, trace_id) | params,
        lookup=lookup((*CONTENT_COLUMNS, "attributes")),
        names=", ".join(CONTENT_COLUMNS),
    )
    return [parsed(row) for row in found]


class SameCall(TypedDict):
    trace_id: str
    span_id: str
    name: str | None
    timestamp: datetime


def other_records(workspace_id: UUID, trace_id: str, span: Mapping[str, Any]) -> list[SameCall]:
    """Returns other spans that record the same call, by the id of its response."""
    if not span["response_id"]:
        return []
    params = {
        "response_id": span["response_id"],
        "span_id": span["span_id"],
        "first": span["timestamp"] - SAME_CALL_WITHIN,
        "last": span["timestamp"] + SAME_CALL_WITHIN,
    }
    conditions = engines.search_conditions()
    return rows(SAME_CALL, params_of(workspace_id, trace_id) | params, SameCall, **conditions)


def scores(workspace_id: UUID, trace_id: str) -> list[ListedScore]:
    """Returns the scores of the trace and of its spans, the newest first."""
    return [listed(row) for row in rows(SCORES, {"workspace_id": workspace_id, "trace_id": trace_id})]


def names(columns: Sequence[str]) -> str:
    return ", ".join(f"{name}::text AS {name}" if COLUMNS[name] == "jsonb" else name for name in columns)


def parsed(row: dict[str, Any]) -> dict[str, Any]:
    for name in ("labels", "usage_details", "attributes"):
        if isinstance(row.get(name), str):
            row[name] = orjson.loads(row[name])
    return row
