"""Finds stored spans: the spans of some traces, and other records of the same calls in other traces.

Each search uses an index of the week or day and 8 bytes, a hash of the id. So new rows go to the few pages of the index
that are in memory. Different ids can have the same hash, so the id in the row is compared too.

The statements give the planner no choice: `{workspace}` is a condition that fits no index, see
`Engine.hidden_workspace`. `{in_week}` and `{in_day}` repeat the condition before them for `Engine.chunk_bounds`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
import psycopg

from traces import engines
from traces.row import CORRECTED_COLUMNS, KEY_COLUMNS, Row

LOOKUP_COLUMNS = (*KEY_COLUMNS, *CORRECTED_COLUMNS, "span_facts")
JSON_COLUMNS = ("labels", "usage_details", "span_facts")
# Looks into the index once for each id. Without OFFSET 0 the planner, whose statistics of a growing table are always
# old, may read all rows of the workspace instead. The ids are compared outside, or the planner may skip through the
# table's key, which begins with the time, to find them.
SPANS_OF_TRACES = """
SELECT {columns}
FROM unnest(%(trace_ids)s::text[]) AS wanted (trace_id)
CROSS JOIN LATERAL generate_series(
    date_bin('168 hours', %(first)s, timestamptz '2000-01-03 00:00:00+00'), %(last)s, interval '168 hours'
) AS week
JOIN LATERAL (
    SELECT *
    FROM traces
    WHERE {workspace}
        AND timestamp BETWEEN %(first)s AND %(last)s
        AND date_bin('168 hours', timestamp, timestamptz '2000-01-03 00:00:00+00') = week
        AND {in_week}
        AND hashtextextended(trace_id, uuid_hash_extended(workspace_id, 0))
            = hashtextextended(wanted.trace_id, uuid_hash_extended(%(workspace_id)s, 0))
        AND span_facts ? 'kind'
    OFFSET 0
) AS found ON found.trace_id = wanted.trace_id
"""
# Roots have an index without the time, because a root may be much older than the spans that look for it.
ROOTS_OF_TRACES = """
SELECT found.trace_id, found.timestamp, found.latency_ms
FROM unnest(%(trace_ids)s::text[]) AS wanted (trace_id)
JOIN LATERAL (
    SELECT trace_id, timestamp, latency_ms
    FROM traces
    WHERE {workspace}
        AND timestamp BETWEEN %(first)s AND %(last)s
        AND hashtextextended(trace_id, uuid_hash_extended(workspace_id, 0))
            = hashtextextended(wanted.trace_id, uuid_hash_extended(%(workspace_id)s, 0))
        AND parent_span_id IS NULL
        AND span_facts ? 'kind'
    OFFSET 0
) AS found ON found.trace_id = wanted.trace_id
"""
ITEMS = """
SELECT {columns}
FROM unnest(%(trace_ids)s::text[], %(span_ids)s::text[]) AS wanted (trace_id, span_id)
CROSS JOIN LATERAL generate_series(
    date_bin('168 hours', %(first)s, timestamptz '2000-01-03 00:00:00+00'), %(last)s, interval '168 hours'
) AS week
JOIN LATERAL (
    SELECT *
    FROM traces
    WHERE {workspace}
        AND timestamp BETWEEN %(first)s AND %(last)s
        AND date_bin('168 hours', timestamp, timestamptz '2000-01-03 00:00:00+00') = week
        AND {in_week}
        AND hashtextextended(span_id, hashtextextended(trace_id, uuid_hash_extended(workspace_id, 0)))
            = hashtextextended(
                wanted.span_id, hashtextextended(wanted.trace_id, uuid_hash_extended(%(workspace_id)s, 0))
            )
        AND span_facts ? 'item'
    OFFSET 0
) AS found ON found.trace_id = wanted.trace_id AND found.span_id = wanted.span_id
"""
ATTRIBUTES = """
SELECT traces.trace_id, traces.span_id, traces.attributes::text
FROM json_array_elements(%(keys)s::json) AS wanted (key)
CROSS JOIN LATERAL (
    SELECT trace_id, span_id, attributes
    FROM traces
    WHERE workspace_id = %(workspace_id)s
        AND timestamp = (key->>0)::timestamptz
        AND timestamp BETWEEN %(first)s AND %(last)s
        AND trace_id = key->>1
        AND span_id = key->>2
    OFFSET 0
) AS traces
"""
PROVIDER_ROOT = "provider"
"""The beginning of the link of a call that a provider's SDK recorded in a trace of its own. It has no room for the
response id, so such calls have another index by their response id."""
# Does the same for links, but by day, because two records of one call are hours apart at most.
TRACES_OF_LINKS = """
SELECT DISTINCT found.trace_id
FROM json_to_recordset(%(links)s::json)
    AS wanted (
        link text, since timestamptz, until timestamptz, lasting_to timestamptz, ended_by timestamptz,
        input_tokens bigint, output_tokens bigint
    )
CROSS JOIN LATERAL generate_series(
    date_bin('24 hours', since, timestamptz '2000-01-03 00:00:00+00'), until, interval '24 hours'
) AS day
CROSS JOIN LATERAL (
    SELECT trace_id, timestamp, latency_ms, span_facts
    FROM traces
    WHERE {workspace}
        AND date_bin('24 hours', timestamp, timestamptz '2000-01-03 00:00:00+00') = day
        AND {in_day}
        AND hashtextextended(link, uuid_hash_extended(workspace_id, 0))
            = hashtextextended(wanted.link, uuid_hash_extended(%(workspace_id)s, 0))
        AND timestamp BETWEEN %(first)s AND %(last)s
        AND traces.link = wanted.link
    UNION ALL
    SELECT trace_id, timestamp, latency_ms, span_facts
    FROM traces
    WHERE {workspace}
        AND date_bin('24 hours', timestamp, timestamptz '2000-01-03 00:00:00+00') = day
        AND {in_day}
        AND hashtextextended(response_id, uuid_hash_extended(workspace_id, 0))
            = hashtextextended(wanted.link, uuid_hash_extended(%(workspace_id)s, 0))
        AND timestamp BETWEEN %(first)s AND %(last)s
        AND traces.response_id = wanted.link
        AND link LIKE 'provider:%%'
    OFFSET 0
) AS found
WHERE found.timestamp >= wanted.since
    AND found.timestamp <= wanted.until
    AND found.timestamp + coalesce(found.latency_ms, 0) * interval '1 millisecond' >= wanted.lasting_to
    AND (
        found.timestamp + coalesce((found.span_facts->>'latency_ms')::float8, 0) * interval '1 millisecond'
        > wanted.ended_by
    ) IS NOT TRUE
    AND (found.span_facts->'input_tokens' <> to_jsonb(wanted.input_tokens)) IS NOT TRUE
    AND (found.span_facts->'output_tokens' <> to_jsonb(wanted.output_tokens)) IS NOT TRUE
"""

ROWS_AFTER = """
SELECT {columns}
FROM traces AS found
WHERE workspace_id = %(workspace_id)s
    AND (timestamp, trace_id, span_id) > (%(timestamp)s, %(trace_id)s, %(span_id)s)
    AND timestamp >= %(timestamp)s
    AND timestamp < %(end)s
ORDER BY timestamp, trace_id, span_id
LIMIT %(limit)s
"""


COLUMNS_SQL = ", ".join(f"found.{name}{'::text' if name in JSON_COLUMNS else ''}" for name in LOOKUP_COLUMNS)


def lookup_sql(statement: str) -> str:
    return statement.format(columns=COLUMNS_SQL, **engines.search_conditions())


def items_by_ids(
    cursor: psycopg.Cursor[tuple[Any, ...]],
    workspace_id: UUID,
    ids: Iterable[tuple[str, str]],
    within: tuple[datetime, datetime],
) -> list[Row]:
    """Returns the stored JSON items with these ids of trace and span that began in the time range."""
    first, last = within
    trace_ids, span_ids = zip(*sorted(ids), strict=True)
    params = {"trace_ids": list(trace_ids), "span_ids": list(span_ids), "first": first, "last": last}
    cursor.execute(lookup_sql(ITEMS), {"workspace_id": workspace_id, **params})
    return [row_from(values) for values in cursor.fetchall()]


class Root(NamedTuple):
    """A span without a parent."""

    trace_id: str
    timestamp: datetime
    latency_ms: float | None


def roots_of_traces(
    cursor: psycopg.Cursor[tuple[Any, ...]],
    workspace_id: UUID,
    trace_ids: Iterable[str],
    within: tuple[datetime, datetime],
) -> list[Root]:
    """Returns the stored roots of these traces that began in the time range, which may be long."""
    first, last = within
    cursor.execute(
        lookup_sql(ROOTS_OF_TRACES),
        {"workspace_id": workspace_id, "trace_ids": sorted(trace_ids), "first": first, "last": last},
    )
    return [Root(*values) for values in cursor.fetchall()]


def attributes_of(
    cursor: psycopg.Cursor[tuple[Any, ...]], workspace_id: UUID, rows: Sequence[Row]
) -> dict[tuple[str, str], dict[str, Any]]:
    """Returns the attributes of stored rows by the ids of trace and span."""
    if not rows:
        return {}
    keys = [(row.timestamp.isoformat(), row.trace_id, row.span_id) for row in rows]
    cursor.execute(
        ATTRIBUTES,
        {
            "workspace_id": workspace_id,
            "keys": orjson.dumps(keys).decode(),
            "first": min(row.timestamp for row in rows),
            "last": max(row.timestamp for row in rows),
        },
    )
    return {(trace_id, span_id): orjson.loads(attributes) for trace_id, span_id, attributes in cursor.fetchall()}


def spans_of_traces(
    cursor: psycopg.Cursor[tuple[Any, ...]],
    workspace_id: UUID,
    trace_ids: Iterable[str],
    within: tuple[datetime, datetime],
) -> list[Row]:
    """Returns the stored spans of these traces that began in the time range and that a later span may correct.

    In each row only the key, the columns that can be corrected and `span_facts` are filled.
    """
    first, last = within
    cursor.execute(
        lookup_sql(SPANS_OF_TRACES),
        {"workspace_id": workspace_id, "trace_ids": sorted(trace_ids), "first": first, "last": last},
    )
    return [row_from(values) for values in cursor.fetchall()]


def row_from(values: Sequence[Any]) -> Row:
    """Returns the row with these values of LOOKUP_COLUMNS. Those of JSON_COLUMNS are text, or None."""
    named = dict(zip(LOOKUP_COLUMNS, values, strict=True))
    for name in JSON_COLUMNS:
        named[name] = orjson.loads(named[name]) if named[name] else None
    return Row(**named)


def rows_after(
    cursor: psycopg.Cursor[tuple[Any, ...]],
    workspace_id: UUID,
    after_key: tuple[datetime, str, str],
    end: datetime,
    limit: int,
) -> list[Row]:
    """Returns the first stored rows that come after the key and began before `end`.

    The key is a timestamp, a trace id and a span id.
    """
    timestamp, trace_id, span_id = after_key
    cursor.execute(
        lookup_sql(ROWS_AFTER),
        {
            "workspace_id": workspace_id,
            "timestamp": timestamp,
            "trace_id": trace_id,
            "span_id": span_id,
            "end": end,
            "limit": limit,
        },
    )
    return [row_from(values) for values in cursor.fetchall()]


NEWEST_BEFORE = """
SELECT max(timestamp)
FROM traces
WHERE workspace_id = %(workspace_id)s AND timestamp < %(before)s
"""


def newest_before(cursor: psycopg.Cursor[tuple[Any, ...]], workspace_id: UUID, before: datetime) -> datetime | None:
    """Returns when the newest of the older rows began; None if there is none."""
    cursor.execute(NEWEST_BEFORE, {"workspace_id": workspace_id, "before": before})
    [(newest,)] = cursor.fetchall()
    timestamp: datetime | None = newest
    return timestamp


class WantedLink(NamedTuple):
    """Describes records with this link that began from `since` to `until` and lasted at least to `lasting_to`.

    Those that lasted longer than to `ended_by`, or state other tokens, are left out.
    """

    link: str
    since: datetime
    until: datetime
    lasting_to: datetime
    ended_by: datetime | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


def traces_of_links(
    cursor: psycopg.Cursor[tuple[Any, ...]], workspace_id: UUID, links: Iterable[WantedLink]
) -> set[str]:
    """Returns the ids of the traces that have records with these links."""
    distinct = list(dict.fromkeys(links))
    if not distinct:
        return set()
    cursor.execute(
        lookup_sql(TRACES_OF_LINKS),
        {
            "workspace_id": workspace_id,
            "links": links_as_json(distinct),
            # TimescaleDB leaves out the chunks before and after these.
            "first": min(link.since for link in distinct),
            "last": max(link.until for link in distinct),
        },
    )
    return {str(trace_id) for (trace_id,) in cursor.fetchall()}


def links_as_json(links: Iterable[WantedLink]) -> str:
    """Returns the links as one text. Sending four arrays would take longer than the query itself."""
    return orjson.dumps([link._asdict() for link in links]).decode()
