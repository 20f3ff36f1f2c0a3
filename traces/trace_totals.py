"""Holds one row for each trace, by which lists of traces are sorted and filtered: the table `trace_totals`.

The worker fills it behind the writers, up to `rollup_state.traces_until`. It has every trace with a span before that
time, summed over all its spans. Whoever stores, changes or moves a span of that time sums its trace anew. Spans that
came after it are read from rows: only they can make a row of the table old.

`keys` has a number for each value of each filter that one of the spans has, and for what the whole trace is, with the
day of its start. So one index answers every filter, a day at a time: new rows go to new places of it, and a release of
last month is found without a look at newer traces. A trace that has all wanted keys need not have them on one span, so
it is looked up whole.

A trace of more than MOST_SPANS spans is not summed again: else each of its spans would take longer to store than the
one before. Lists show its real totals, and sort it by what it was then.
"""

import math
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from traces import engines
from traces.db import rows
from traces.filters import DIMENSIONS, EARLIEST
from traces.row import CALL_OPERATIONS
from traces.write_cursor import WriteCursor, write_cursor

TABLE = "trace_totals"
LONGEST_TRACE = timedelta(days=14)
"""The spans of a trace are looked for so long before and after the one that was found."""
# A writer waits for the worker, which takes so many rows at once, or all of one moment.
ROWS_AT_ONCE = 2_000
TRACES_AT_ONCE = 500
MOST_SPANS = 10_000
LAG = timedelta(minutes=5)
"""Most traces are over by then. A span that comes later has its trace summed once more."""
ONE_MICROSECOND = timedelta(microseconds=1)
HAS_ERROR, STATUS = "has_error", "status"
"""The names of the keys that are of the whole trace. All others are of its spans."""
COLUMN_OF_KEY = {
    **{dimension.name: dimension.name for dimension in DIMENSIONS if dimension.name != STATUS},
    "tool": "tool",
}
VALUES = ", ".join(f"('{name}', {column})" for name, column in COLUMN_OF_KEY.items())
KEY = "hashtextextended({text}, uuid_hash_extended({workspace}, 0))"
DAY = "to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
KEY_OF_VALUE = KEY.format(text=f"{DAY} || ' ' || name || '=' || value", workspace="%(workspace_id)s")

SUMMED = f"""
WITH spans AS (
    SELECT found.*, timestamp + coalesce(latency_ms, 0) * interval '1 millisecond' AS ended
    FROM (
        SELECT trace_id
        FROM unnest({{trace_ids}}) AS given (trace_id)
        WHERE NOT EXISTS (
            SELECT
            FROM trace_totals
            WHERE workspace_id = %(workspace_id)s AND trace_totals.trace_id = given.trace_id AND spans > %(most_spans)s
        )
    ) AS wanted
    CROSS JOIN generate_series(
        date_bin('168 hours', %(first)s, timestamptz '2000-01-03 00:00:00+00'), %(last)s, interval '168 hours'
    ) AS week
    JOIN LATERAL (
        SELECT
            trace_id,
            span_id,
            parent_span_id,
            timestamp,
            latency_ms,
            status,
            cost_usd,
            input_tokens,
            output_tokens,
            labels,
            {", ".join(COLUMN_OF_KEY.values())}
        FROM traces
        WHERE {{workspace}}
            AND timestamp BETWEEN %(first)s AND %(last)s
            AND date_bin('168 hours', timestamp, timestamptz '2000-01-03 00:00:00+00') = week
            AND {{in_week}}
            AND hashtextextended(trace_id, uuid_hash_extended(workspace_id, 0))
                = hashtextextended(wanted.trace_id, uuid_hash_extended(%(workspace_id)s, 0))
        LIMIT %(most_spans)s + 1
    ) AS found ON found.trace_id = wanted.trace_id
), totals AS (
    SELECT
        trace_id,
        min(timestamp) AS started_at,
        extract(epoch FROM max(ended) - min(timestamp))::float8 * 1000 AS latency_ms,
        sum(cost_usd)::float8 AS cost_usd,
        (coalesce(sum(input_tokens), 0) + coalesce(sum(output_tokens), 0))::float8 AS tokens,
        coalesce(
            NULLIF(
                (array_agg(status ORDER BY ended DESC, span_id) FILTER (WHERE operation IN {CALL_OPERATIONS}))[1],
                'success'
            ),
            (array_agg(status ORDER BY parent_span_id IS NOT NULL, timestamp, span_id))[1]
        ) AS status,
        bool_or(status <> 'success') AS has_error,
        count(*) AS spans
    FROM spans
    GROUP BY trace_id
), named AS (
    SELECT DISTINCT trace_id, of_span.name, of_span.value
    FROM spans
    CROSS JOIN LATERAL (
        VALUES {VALUES}
        UNION ALL
        SELECT 'label.' || key, value FROM jsonb_each_text(labels) AS label (key, value)
    ) AS of_span (name, value)
    WHERE of_span.value IS NOT NULL
    UNION ALL
    SELECT trace_id, '{STATUS}', status FROM totals
    UNION ALL
    SELECT trace_id, '{HAS_ERROR}', has_error::text FROM totals
), keys AS (
    SELECT trace_id, array_agg({KEY_OF_VALUE} ORDER BY name, value) AS keys
    FROM named
    JOIN totals USING (trace_id)
    GROUP BY trace_id
), summed AS (
    SELECT %(workspace_id)s::uuid AS workspace_id, trace_id, started_at, latency_ms, cost_usd, tokens, spans, keys
    FROM totals
    JOIN keys USING (trace_id)
)"""  # noqa: S608 (constants)
STORE = f"""
{SUMMED}
INSERT INTO trace_totals AS stored (workspace_id, trace_id, started_at, latency_ms, cost_usd, tokens, spans, keys)
SELECT workspace_id, trace_id, started_at, latency_ms, cost_usd, tokens, spans, keys
FROM summed
ON CONFLICT (workspace_id, trace_id) DO UPDATE
SET (started_at, latency_ms, cost_usd, tokens, spans, keys) = (
    excluded.started_at, excluded.latency_ms, excluded.cost_usd, excluded.tokens, excluded.spans, excluded.keys
)
WHERE (stored.started_at, stored.latency_ms, stored.cost_usd, stored.tokens, stored.spans, stored.keys)
    IS DISTINCT FROM (
    excluded.started_at, excluded.latency_ms, excluded.cost_usd, excluded.tokens, excluded.spans, excluded.keys
)
"""  # noqa: S608 (constants)
# The totals of a day that are not those of the rows, but for traces with spans that the table need not know.
DIFFERENCES = f"""
{SUMMED}, newer AS (
    SELECT DISTINCT trace_id
    FROM traces
    WHERE workspace_id = %(workspace_id)s AND timestamp >= {{traces_until}}
), stored AS (
    SELECT *
    FROM trace_totals
    WHERE workspace_id = %(workspace_id)s AND started_at >= %(start)s AND started_at < %(end)s
        AND spans <= %(most_spans)s
), of_rows AS (
    SELECT *
    FROM summed
    WHERE started_at >= %(start)s AND started_at < %(end)s
)
SELECT
    'trace_totals' AS name,
    coalesce(stored.started_at, of_rows.started_at) AS bucket,
    jsonb_build_object('trace_id', trace_id)::text AS key,
    jsonb_build_object(
        'latency_ms', jsonb_build_array(stored.latency_ms, of_rows.latency_ms),
        'cost_usd', jsonb_build_array(stored.cost_usd, of_rows.cost_usd),
        'tokens', jsonb_build_array(stored.tokens, of_rows.tokens),
        'spans', jsonb_build_array(stored.spans, of_rows.spans),
        'keys', jsonb_build_array(cardinality(stored.keys), cardinality(of_rows.keys))
    )::text AS measures,
    count(*) OVER () AS differing
FROM stored
FULL JOIN of_rows USING (trace_id)
WHERE (stored.started_at, stored.latency_ms, stored.cost_usd, stored.tokens, stored.spans, stored.keys)
    IS DISTINCT FROM (
    of_rows.started_at, of_rows.latency_ms, of_rows.cost_usd, of_rows.tokens, of_rows.spans, of_rows.keys
)
    AND trace_id NOT IN (SELECT trace_id FROM newer)
ORDER BY 2, 3
LIMIT %(limit)s
"""  # noqa: S608 (constants)
IDS_OF_DAY = """ARRAY(
        SELECT DISTINCT trace_id
        FROM traces
        WHERE workspace_id = %(workspace_id)s
            AND timestamp >= %(start)s AND timestamp < %(end)s AND timestamp < {until}
    )"""
NEXT_ROWS = """
SELECT min(timestamp), max(timestamp), array_agg(DISTINCT trace_id)
FROM (
    SELECT timestamp, trace_id
    FROM traces
    WHERE workspace_id = %(workspace_id)s AND timestamp >= %(since)s AND timestamp < %(until)s
    ORDER BY timestamp
    FETCH FIRST %(at_once)s ROWS WITH TIES
) AS next
"""
SET_UNTIL = "UPDATE rollup_state SET traces_until = %(until)s WHERE workspace_id = %(workspace_id)s"
BEHIND = """
SELECT workspace_id
FROM rollup_state AS state
WHERE coalesce(traces_until, %(earliest)s) < %(until)s
    AND EXISTS (
        SELECT
        FROM traces
        WHERE traces.workspace_id = state.workspace_id
            AND timestamp >= coalesce(state.traces_until, %(earliest)s)
            AND timestamp < %(until)s
    )
ORDER BY workspace_id
"""
DELETE_SINCE = "DELETE FROM trace_totals WHERE workspace_id = %(workspace_id)s AND started_at >= %(since)s"
DELETE_OLD = """
DELETE FROM trace_totals
WHERE workspace_id = %(workspace_id)s
    AND trace_id IN (
        SELECT trace_id
        FROM trace_totals
        WHERE workspace_id = %(workspace_id)s AND started_at < %(cutoff)s
        ORDER BY started_at
        LIMIT %(at_once)s
    )
RETURNING trace_id
"""


def key_sql(parameter: str) -> str:
    """Returns the SQL of the number in `keys` for a bound text, which the planner computes."""
    return KEY.format(text=f"%({parameter})s", workspace="%(workspace_id)s")


def key_text(day: datetime, name: str, value: str) -> str:
    return f"{day:%Y-%m-%d} {name}={value}"


# --- Filling ---


def workspaces_behind(until: datetime) -> list[UUID]:
    return [row["workspace_id"] for row in rows(BEHIND, {"until": until, "earliest": EARLIEST})]


def fill_until(workspace_id: UUID, until: datetime, seconds: float = math.inf) -> None:
    """Sums the traces with rows before `until`, some hundred in each transaction. It may end after some seconds."""
    ends = time.monotonic() + seconds
    is_done = False
    while not is_done and time.monotonic() < ends:
        with write_cursor() as cursor:
            engines.current().lock(cursor, workspace_id)
            is_done = fill_next(cursor, workspace_id, until)


def fill_next(cursor: WriteCursor, workspace_id: UUID, until: datetime) -> bool:
    """Sums the traces of the next rows. Returns whether there are no more before `until`."""
    params = {"workspace_id": workspace_id, "since": cursor.traces_until, "until": until, "at_once": ROWS_AT_ONCE}
    cursor.execute(NEXT_ROWS, params)
    [(first, last, trace_ids)] = cursor.fetchall()
    if trace_ids:
        sum_near(cursor, workspace_id, trace_ids, first, last)
    reached = min(until, last + ONE_MICROSECOND) if trace_ids else until
    if reached > cursor.traces_until:
        set_until(cursor, workspace_id, reached)
    return reached == until


def set_until(cursor: WriteCursor, workspace_id: UUID, until: datetime) -> None:
    cursor.execute(SET_UNTIL, {"workspace_id": workspace_id, "until": until})
    cursor.traces_until = until


def sum_near(
    cursor: WriteCursor, workspace_id: UUID, trace_ids: Iterable[str], first: datetime, last: datetime
) -> None:
    """Sums these traces over all their spans. Each trace has a span in the given time."""
    sum_anew(cursor, workspace_id, trace_ids, first - LONGEST_TRACE, last + LONGEST_TRACE)


def sum_anew(
    cursor: WriteCursor, workspace_id: UUID, trace_ids: Iterable[str], first: datetime, last: datetime
) -> None:
    """Sums these traces over all their spans of the given time."""
    params: dict[str, Any] = {
        "workspace_id": workspace_id,
        "trace_ids": list(dict.fromkeys(trace_ids)),
        "first": first,
        "last": last,
        "most_spans": MOST_SPANS,
    }
    sql = STORE.format(trace_ids="%(trace_ids)s::text[]", **engines.search_conditions())
    cursor.execute(sql, params)


def forget_since(workspace_id: UUID, since: datetime) -> None:
    """Deletes what the table has from `since` on, so that it is filled again."""
    with write_cursor() as cursor:
        engines.current().lock(cursor, workspace_id)
        if since < cursor.traces_until:
            cursor.execute(DELETE_SINCE, {"workspace_id": workspace_id, "since": since})
            set_until(cursor, workspace_id, since)


# --- Verification ---


def names_of_differences(traces_until: str) -> dict[str, str]:
    """Returns the names in DIFFERENCES; `traces_until` is SQL."""
    return {
        "trace_ids": IDS_OF_DAY.format(until=traces_until),
        "traces_until": traces_until,
        **engines.search_conditions(),
    }


# --- Retention ---


def delete_old(workspace_id: UUID, cutoff: datetime) -> None:
    """Deletes traces that began before the cutoff, whose rows were deleted, and sums what is left of them."""
    params = {"workspace_id": workspace_id, "cutoff": cutoff, "at_once": TRACES_AT_ONCE}
    trace_ids = [""] * TRACES_AT_ONCE
    while len(trace_ids) == TRACES_AT_ONCE:
        with write_cursor() as cursor:
            engines.current().lock(cursor, workspace_id)
            cursor.execute(DELETE_OLD, params)
            trace_ids = [trace_id for (trace_id,) in cursor.fetchall()]
            if trace_ids:
                sum_anew(cursor, workspace_id, trace_ids, cutoff, cutoff + LONGEST_TRACE)
