"""Reads one trace: its totals, its spans, other records of its calls, and the contents of its spans.

Each statement looks into the index of traces once for each week of the stored time: see `traces/lookup.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.conf import settings
from typing_extensions import TypedDict

from analytics.scores import ListedScore, listed
from explorer.summaries import Status, TraceSummary, summaries
from traces import engines
from traces.db import rows
from traces.row import COLUMNS
from traces.text import ID_LENGTH

MAX_SPANS = 10_000
"""The spans of one answer, and of one page."""
CONTENT_SPANS, CONTENT_BYTES = 500, 4 * 1024 * 1024
"""Contents are read in the order of time until one of these is reached. The bytes are those on disk."""
SAME_CALL_WITHIN = timedelta(hours=1)
AHEAD = timedelta(days=2)
"""A span may begin in the future: clocks differ."""

SPAN_COLUMNS = tuple(name for name in COLUMNS if name not in ("trace_id", "attributes", "span_facts", "link"))

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
    }


def lookup(columns: Sequence[str]) -> str:
    return LOOKUP.format(columns=", ".join(columns), **engines.search_conditions())


def summary(workspace_id: UUID, trace_id: str) -> TraceSummary | None:
    """Returns the totals of the trace; None if the workspace has no span of it."""
    if not is_an_id(trace_id):
        return None
    params = params_of(workspace_id, trace_id)
    found = summaries(workspace_id, [trace_id], (params["first"], params["last"]))
    return found[0] if found else None


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
