"""Holds one row for each session, by which lists of sessions are sorted: the table `session_summaries`.

The worker fills it behind the writers, up to `rollup_state.sessions_until`: it adds the next rows to their sessions. So
the table has the sums of exactly the rows before that time. Whoever stores, changes or moves a row of that time sums
its session anew.

The arrays have each value that one of the spans has, and NULL if one has none. From them follows whether all spans of
the session pass a filter, or none does.

A session of more than MOST_SPANS spans is not summed anew: else each late span would take longer to store than the one
before. From then on it is not exact, and lists read its rows.
"""

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from traces import engines
from traces.db import rows
from traces.filters import EARLIEST
from traces.rollups.catalogue import SESSION_MEASURES
from traces.write_cursor import WriteCursor, write_cursor

TABLE = "session_summaries"
# A writer waits for the worker, which takes so many rows at once, or all of one moment.
ROWS_AT_ONCE = 5_000
SESSIONS_AT_ONCE = 500
MOST_SPANS = 10_000
MOST_VALUES = 1_000
"""A session with more users, agents, environments or releases is not exact."""
LAG = timedelta(minutes=15)
"""What came later is read from rows. A span that comes later has its session summed anew, so few should."""
ONE_MICROSECOND = timedelta(microseconds=1)

SUMS = {
    "spans": "count(*)",
    "traces": f"sum({SESSION_MEASURES['traces']})",
    "calls": f"sum({SESSION_MEASURES['model_calls']})",
    "errors": f"sum({SESSION_MEASURES['errors']})",
    "priced_calls": f"sum({SESSION_MEASURES['priced_calls']})",
    "cost_usd": f"sum({SESSION_MEASURES['cost_usd']})",
    "tokens": f"sum({SESSION_MEASURES['input_tokens']} + {SESSION_MEASURES['output_tokens']})",
    "duration_ms": f"sum({SESSION_MEASURES['duration_ms']})",
}
VALUES = {
    "user_numbers": "user_number",
    "agents": "agent_id",
    "environments": "environment",
    "releases": "release",
}
"""The array of each column of `traces` that lists of sessions are filtered by."""
COLUMNS = ("started_at", "last_seen", *SUMS, *VALUES)
SUMMED = f"""
    SELECT
        session_id,
        min(timestamp) AS started_at,
        max(timestamp) AS last_seen,
        {", ".join(f"{sql} AS {name}" for name, sql in SUMS.items())},
        {", ".join(f"array_agg(DISTINCT {column} ORDER BY {column}) AS {name}" for name, column in VALUES.items())}
    FROM {{spans}} AS spans
    GROUP BY session_id
"""  # noqa: S608 (constants)
EACH_ONCE = "(SELECT array_agg(DISTINCT value ORDER BY value) FROM unnest(added.{name} || stored.{name}) AS value)"
WITH_STORED = {
    "started_at": "least(added.started_at, stored.started_at)",
    "last_seen": "greatest(added.last_seen, stored.last_seen)",
    **{name: f"added.{name} + coalesce(stored.{name}, 0)" for name in SUMS},
    **{name: EACH_ONCE.format(name=name) for name in VALUES},
}
"""The SQL of each column of a session with rows that were added to it."""
SPANS_OF_TIME = """(
        SELECT *
        FROM traces
        WHERE workspace_id = %(workspace_id)s
            AND timestamp >= %(since)s AND timestamp < %(until)s
            AND session_id IS NOT NULL
    )"""
# By the index of sessions, whatever the planner thinks of how many rows one has.
SPANS_OF_SESSIONS = """(
        SELECT found.*
        FROM unnest({session_ids}) AS wanted (session_id)
        CROSS JOIN LATERAL (
            SELECT *
            FROM traces
            WHERE {workspace}
                AND session_id IS NOT NULL
                AND hashtextextended(session_id, uuid_hash_extended(workspace_id, 0))
                    = hashtextextended(wanted.session_id, uuid_hash_extended(%(workspace_id)s, 0))
                AND session_id = wanted.session_id
                AND timestamp >= {since} AND timestamp < {until}
            LIMIT %(most_session_spans)s + 1
        ) AS found
    )"""
IS_SMALL = " AND ".join(f"cardinality({name}) <= {MOST_VALUES}" for name in VALUES)
STORED = ", ".join(f"CASE WHEN {IS_SMALL} THEN {name} ELSE '{{}}' END" if name in VALUES else name for name in COLUMNS)
ADD = f"""
WITH added AS ({SUMMED.format(spans=SPANS_OF_TIME)}), merged AS (
    SELECT
        added.session_id,
        {", ".join(f"{sql} AS {name}" for name, sql in WITH_STORED.items())},
        coalesce(stored.is_exact, true) AS was_exact
    FROM added
    LEFT JOIN session_summaries AS stored
        ON stored.workspace_id = %(workspace_id)s AND stored.session_id = added.session_id
)
INSERT INTO session_summaries AS summaries (workspace_id, session_id, {", ".join(COLUMNS)}, is_exact)
SELECT %(workspace_id)s::uuid, session_id, {STORED}, was_exact AND {IS_SMALL}
FROM merged
ON CONFLICT (workspace_id, session_id) DO UPDATE
SET ({", ".join(COLUMNS)}, is_exact) = ({", ".join(f"excluded.{name}" for name in COLUMNS)}, excluded.is_exact)
"""  # noqa: S608 (constants)
SPANS_AGAIN = SPANS_OF_SESSIONS.format(
    session_ids="%(session_ids)s::text[]", workspace="{workspace}", since="%(since)s", until="%(until)s"
)
FORGET = """
DELETE FROM session_summaries
WHERE workspace_id = %(workspace_id)s AND session_id = ANY(%(session_ids)s::text[]) AND spans <= %(most_session_spans)s
"""
# Lists read the rows of these sessions, where a window has some.
WIDEN = """
UPDATE session_summaries
SET started_at = least(started_at, %(first)s), last_seen = greatest(last_seen, %(last)s), is_exact = false
WHERE workspace_id = %(workspace_id)s
    AND session_id = ANY(%(session_ids)s::text[])
    AND spans > %(most_session_spans)s
"""
SUM_AGAIN = f"""
WITH summed AS ({SUMMED.replace("{spans}", SPANS_AGAIN)})
INSERT INTO session_summaries (workspace_id, session_id, {", ".join(COLUMNS)}, is_exact)
SELECT %(workspace_id)s::uuid, session_id, {STORED}, spans <= %(most_session_spans)s AND {IS_SMALL}
FROM summed
ON CONFLICT (workspace_id, session_id) DO NOTHING
"""  # noqa: S608 (constants)
END_OF_NEXT_ROWS = """
SELECT max(timestamp)
FROM (
    SELECT timestamp
    FROM traces
    WHERE workspace_id = %(workspace_id)s AND timestamp >= %(since)s AND timestamp < %(until)s
    ORDER BY timestamp
    FETCH FIRST %(at_once)s ROWS WITH TIES
) AS next
"""
SET_UNTIL = "UPDATE rollup_state SET sessions_until = %(until)s WHERE workspace_id = %(workspace_id)s"
BEHIND = """
SELECT workspace_id
FROM rollup_state AS state
WHERE coalesce(sessions_until, %(earliest)s) < %(until)s
    AND EXISTS (
        SELECT
        FROM traces
        WHERE traces.workspace_id = state.workspace_id
            AND timestamp >= coalesce(state.sessions_until, %(earliest)s)
            AND timestamp < %(until)s
    )
ORDER BY workspace_id
"""
SESSIONS_OF_ROWS = """
SELECT DISTINCT session_id
FROM unnest(%(trace_id)s::text[], %(span_id)s::text[], %(timestamp)s::timestamptz[])
    AS batch (trace_id, span_id, timestamp)
CROSS JOIN LATERAL (
    SELECT session_id
    FROM traces
    WHERE workspace_id = %(workspace_id)s
        AND trace_id = batch.trace_id
        AND span_id = batch.span_id
        AND timestamp = batch.timestamp
    OFFSET 0
) AS stored
WHERE session_id IS NOT NULL
"""
SEEN_SINCE = """
SELECT session_id
FROM session_summaries
WHERE workspace_id = %(workspace_id)s AND last_seen >= %(since)s
"""
BEGUN_BEFORE = """
SELECT session_id
FROM session_summaries
WHERE workspace_id = %(workspace_id)s AND started_at < %(cutoff)s
LIMIT %(at_once)s
"""
DELETE = """
DELETE FROM session_summaries
WHERE workspace_id = %(workspace_id)s AND session_id = ANY(%(session_ids)s::text[])
"""
# The sessions that began on some days whose row is not that of their spans.
IDS_OF_DAYS = """ARRAY(
        SELECT DISTINCT session_id
        FROM traces
        WHERE workspace_id = %(workspace_id)s
            AND timestamp >= %(start)s AND timestamp < %(end)s AND timestamp < {sessions_until}
            AND session_id IS NOT NULL
    )"""
COMPARED = tuple(name for name in COLUMNS if name != "duration_ms")
SPANS_OF_DAYS = SPANS_OF_SESSIONS.replace("LIMIT %(most_session_spans)s + 1", "OFFSET 0").format(
    session_ids=IDS_OF_DAYS, workspace="{workspace}", since="%(first_of_session)s", until="{sessions_until}"
)
DIFFERENCES = f"""
WITH summed AS ({SUMMED.replace("{spans}", SPANS_OF_DAYS)}), stored AS (
    SELECT *
    FROM session_summaries
    WHERE workspace_id = %(workspace_id)s AND started_at >= %(start)s AND started_at < %(end)s
), of_rows AS (
    SELECT *
    FROM summed
    WHERE started_at >= %(start)s AND started_at < %(end)s
)
SELECT
    'session_summaries' AS name,
    coalesce(stored.started_at, of_rows.started_at) AS bucket,
    jsonb_build_object('session_id', session_id)::text AS key,
    jsonb_build_object({
    ", ".join(f"'{name}', jsonb_build_array(stored.{name}, of_rows.{name})" for name in COLUMNS)
})::text AS measures,
    count(*) OVER () AS differing
FROM stored
FULL JOIN of_rows USING (session_id)
WHERE coalesce(stored.is_exact, true)
    AND (
        ({", ".join(f"stored.{name}" for name in COMPARED)})
            IS DISTINCT FROM ({", ".join(f"of_rows.{name}" for name in COMPARED)})
        OR abs(stored.duration_ms - of_rows.duration_ms) > 0.001 + 1e-6 * abs(of_rows.duration_ms)
    )
ORDER BY 2, 3
LIMIT %(limit)s
"""  # noqa: S608 (constants)


# --- Filling ---


def workspaces_behind(until: datetime) -> list[UUID]:
    return [row["workspace_id"] for row in rows(BEHIND, {"until": until, "earliest": EARLIEST})]


def fill_until(workspace_id: UUID, until: datetime, seconds: float = math.inf) -> None:
    """Adds the rows before `until`, some thousand in each transaction. It may end after some seconds."""
    ends = time.monotonic() + seconds
    is_done = False
    while not is_done and time.monotonic() < ends:
        with write_cursor() as cursor:
            engines.current().lock(cursor, workspace_id)
            is_done = fill_next(cursor, workspace_id, until)


def fill_next(cursor: WriteCursor, workspace_id: UUID, until: datetime) -> bool:
    """Adds the next rows to their sessions. Returns whether there are no more before `until`."""
    since = cursor.sessions_until
    if since >= until:
        return True
    params: dict[str, Any] = {"workspace_id": workspace_id, "since": since, "until": until, "at_once": ROWS_AT_ONCE}
    cursor.execute(END_OF_NEXT_ROWS, params)
    [(last,)] = cursor.fetchall()
    reached = min(until, last + ONE_MICROSECOND) if last else until
    if last:
        cursor.execute(ADD, params | {"until": reached, "most_session_spans": MOST_SPANS})
    set_until(cursor, workspace_id, reached)
    return reached == until


def set_until(cursor: WriteCursor, workspace_id: UUID, until: datetime) -> None:
    cursor.execute(SET_UNTIL, {"workspace_id": workspace_id, "until": until})
    cursor.sessions_until = until


# --- Rows that change ---


@contextmanager
def summed_again(
    cursor: WriteCursor, workspace_id: UUID, times: tuple[datetime, datetime], keys: Mapping[str, Any]
) -> Iterator[None]:
    """Sums the sessions anew that the rows with these keys have before the block changes them, or after it.

    `times` are those of the oldest and the newest row.
    """
    before = sessions_of(cursor, workspace_id, keys)
    yield
    session_ids = list({*before, *sessions_of(cursor, workspace_id, keys)})
    sum_again(cursor, workspace_id, session_ids)
    if session_ids:
        widen(cursor, workspace_id, session_ids, times)


def widen(cursor: WriteCursor, workspace_id: UUID, session_ids: list[str], times: tuple[datetime, datetime]) -> None:
    """Notes that these sessions are not exact, if they have very many spans: some of this time have changed."""
    first, last = times
    params: dict[str, Any] = {"workspace_id": workspace_id, "session_ids": session_ids, "first": first, "last": last}
    cursor.execute(WIDEN, params | {"most_session_spans": MOST_SPANS})


def sessions_of(cursor: WriteCursor, workspace_id: UUID, keys: Mapping[str, Any]) -> list[str]:
    cursor.execute(SESSIONS_OF_ROWS, {"workspace_id": workspace_id, **keys})
    return [session_id for (session_id,) in cursor.fetchall()]


def sum_again(
    cursor: WriteCursor,
    workspace_id: UUID,
    session_ids: Iterable[str],
    forget: str = FORGET,
    since: datetime = EARLIEST,
) -> None:
    """Sums these sessions over their rows that the table has. `forget` deletes what it has now."""
    wanted = list(session_ids)
    if not wanted:
        return
    params: dict[str, Any] = {
        "workspace_id": workspace_id,
        "session_ids": wanted,
        "since": since,
        "until": cursor.sessions_until,
        "most_session_spans": MOST_SPANS,
    }
    cursor.execute(forget, params)
    workspace = engines.search_conditions()["workspace"]
    cursor.execute(SUM_AGAIN.replace("{workspace}", workspace), params)


def forget_since(workspace_id: UUID, since: datetime) -> None:
    """Takes the rows from `since` on out of the table, so that they are added again."""
    with write_cursor() as cursor:
        engines.current().lock(cursor, workspace_id)
        if since < cursor.sessions_until:
            cursor.execute(SEEN_SINCE, {"workspace_id": workspace_id, "since": since})
            session_ids = [session_id for (session_id,) in cursor.fetchall()]
            set_until(cursor, workspace_id, since)
            sum_again(cursor, workspace_id, session_ids, DELETE)


# --- Retention ---


def delete_old(workspace_id: UUID, cutoff: datetime) -> None:
    """Deletes sessions that began before the cutoff, whose rows were deleted, and sums what is left of them."""
    params: dict[str, Any] = {"workspace_id": workspace_id, "cutoff": cutoff, "at_once": SESSIONS_AT_ONCE}
    session_ids = [""] * SESSIONS_AT_ONCE
    while len(session_ids) == SESSIONS_AT_ONCE:
        with write_cursor() as cursor:
            engines.current().lock(cursor, workspace_id)
            cursor.execute(BEGUN_BEFORE, params)
            session_ids = [session_id for (session_id,) in cursor.fetchall()]
            sum_again(cursor, workspace_id, session_ids, DELETE, since=cutoff)
