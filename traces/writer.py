"""Rows into `traces`: all of a batch or nothing, and each span once however often it is delivered."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

import orjson
import psycopg
from django.db import connections, transaction

from traces import arrivals, engine, rollups
from traces.filters import EARLIEST
from traces.rollups import HOUR
from traces.row import COLUMNS, CORRECTED_COLUMNS, KEY_COLUMNS, Row

USER_NUMBER = {"user_number": "integer"}
"""Of the row's user in its workspace, which the writer finds out."""
STORED = COLUMNS | USER_NUMBER
CHANGED = (*CORRECTED_COLUMNS, *USER_NUMBER)


def given(names: Iterable[str]) -> str:
    """Rows for a FROM, of `columns`: one JSON array each, which the server reads in half the time of one with rows."""
    arrays = ", ".join(f"json_array_elements_text(%({name})s::json)" for name in names)
    return f"ROWS FROM ({arrays}) AS given ({', '.join(names)})"


def typed(names: Iterable[str]) -> str:
    return ", ".join(f"given.{name}::{STORED[name]}" for name in names)


def columns(names: Sequence[str], rows: Sequence[Row]) -> dict[str, str | None]:
    """By name. Of a column without a value there is nothing to read."""
    values = zip(*map(attrgetter(*names), rows), strict=True)
    return {name: as_json(column) for name, column in zip(names, values, strict=True)}


def as_json(column: tuple[Any, ...]) -> str | None:
    return None if column.count(None) == len(column) else orjson.dumps(column, default=str).decode()


ADD = f"""
    INSERT INTO traces (workspace_id, {", ".join(STORED)})
    SELECT %(workspace_id)s, {typed(STORED)}
    FROM {given(STORED)}
    ON CONFLICT (workspace_id, timestamp, trace_id, span_id) DO NOTHING
    RETURNING {rollups.SOURCE}, 1 AS sign
"""  # noqa: S608 (built from the names above, never from input)
INSERT = f"WITH added AS ({ADD}),{rollups.kept_by('added')} SELECT count(*) FROM added"  # noqa: S608
INSERT_IN_TIME = f"WITH added AS ({ADD}),{rollups.kept_by('added', may_be_late=False)} SELECT count(*) FROM added"  # noqa: S608
"""Of rows whose hours are all open."""
INSERT_ALONE = f"WITH added AS ({ADD}) SELECT count(*) FROM added"  # noqa: S608
"""Where the database sums rollups itself."""

CORRECT = f"""
WITH given AS (
    SELECT {typed((*KEY_COLUMNS, *CHANGED))}
    FROM {given((*KEY_COLUMNS, *CHANGED))}
), old AS (
    SELECT traces.*
    FROM traces
    JOIN given USING ({", ".join(KEY_COLUMNS)})
    WHERE traces.workspace_id = %(workspace_id)s
        AND traces.timestamp BETWEEN %(first)s AND %(last)s
), corrected AS (
    UPDATE traces
    SET {", ".join(f"{name} = given.{name}" for name in CHANGED)}
    FROM given
    JOIN old USING ({", ".join(KEY_COLUMNS)})
    WHERE traces.workspace_id = %(workspace_id)s
        AND traces.trace_id = given.trace_id
        AND traces.span_id = given.span_id
        AND traces.timestamp = given.timestamp
        AND traces.timestamp BETWEEN %(first)s AND %(last)s
    RETURNING traces.*
), changes AS (
    SELECT {rollups.SOURCE}, -1 AS sign
    FROM old
    UNION ALL
    SELECT {rollups.SOURCE}, 1 AS sign
    FROM corrected
),{rollups.kept_by("changes")}
SELECT DISTINCT time_bucket('1 hour', timestamp)
FROM old
JOIN corrected USING ({", ".join(KEY_COLUMNS)})
WHERE timestamp < %(closed_before)s
    AND old.user_number IS NOT NULL
    AND (old.user_number, old.operation, old.status, old.error_type)
        IS DISTINCT FROM (corrected.user_number, corrected.operation, corrected.status, corrected.error_type)
"""  # noqa: S608 (built from the names above, never from input)
"""Answers with the closed hours from which a user's call was taken away."""


CORRECT_ALONE = f"""
WITH given AS (
    SELECT {typed((*KEY_COLUMNS, *CHANGED))}
    FROM {given((*KEY_COLUMNS, *CHANGED))}
)
UPDATE traces
SET {", ".join(f"{name} = given.{name}" for name in CHANGED)}
FROM given
WHERE traces.workspace_id = %(workspace_id)s
    AND traces.trace_id = given.trace_id
    AND traces.span_id = given.span_id
    AND traces.timestamp = given.timestamp
    AND traces.timestamp BETWEEN %(first)s AND %(last)s
"""  # noqa: S608 (built from the names above, never from input)


# Not an UPDATE: TimescaleDB moves no row from one day's chunk to another's.
MOVED = f"""
WITH gone AS (
    DELETE FROM traces
    WHERE workspace_id = %(workspace_id)s
        AND timestamp = %(stored_at)s
        AND trace_id = %(trace_id)s
        AND span_id = %(span_id)s
    RETURNING *
), moved AS (
    INSERT INTO traces (workspace_id, {", ".join(STORED)})
    SELECT
        workspace_id,
        {", ".join(f"%(timestamp)s::{STORED[name]}" if name == "timestamp" else name for name in STORED)}
    FROM gone
    RETURNING *
)"""  # noqa: S608 (built from the names above, never from input)
MOVE = f"""{MOVED}, changes AS (
    SELECT {rollups.SOURCE}, -1 AS sign
    FROM gone
    UNION ALL
    SELECT {rollups.SOURCE}, 1 AS sign
    FROM moved
),{rollups.kept_by("changes")}
SELECT count(*) FROM moved
"""  # noqa: S608 (built from the names above, never from input)
MOVE_ALONE = f"{MOVED} SELECT count(*) FROM moved"  # noqa: S608


KNOWN_NUMBERS = """
SELECT user_id, number
FROM user_numbers
WHERE workspace_id = %(workspace_id)s AND user_id = ANY(%(user_ids)s::text[])
"""
NEXT_NUMBER = "SELECT coalesce(max(number) + 1, 0) FROM user_numbers WHERE workspace_id = %(workspace_id)s"
ADD_NUMBERS = """
INSERT INTO user_numbers (workspace_id, user_id, number)
SELECT %(workspace_id)s, user_id, number
FROM unnest(%(user_ids)s::text[], %(numbers)s::integer[]) AS given (user_id, number)
"""

# Many hours, or one of very many users, take longer than a request may: the next batches go on where this one stops.
CLOSING_SECONDS = 1.0

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%(workspace_id)s::text, 0))"


class Stored(NamedTuple):
    accepted: int
    duplicates: int


class Cursor(psycopg.Cursor[tuple[Any, ...]]):
    """Sends a batch as it is, and not as SQL that the server has to read.

    `prepare` also spares it the planning. Only for statements that look nothing up in `traces`: a plan made while the
    table was small is kept while it grows.
    """

    closed_before = EARLIEST
    """Where the workspace's hours that are not closed begin."""


@contextmanager
def writing(workspace_id: UUID) -> Iterator[Cursor]:
    """A transaction in which nobody else writes to the workspace.

    Its writers would wait for each other anyway, for the rows of the rollups that all of them count up.
    """
    database = connections["analytics"]
    with (
        transaction.atomic(using="analytics"),
        database.wrap_database_errors,
        database.cursor() as usual,
        Cursor(usual.connection) as cursor,
    ):
        lock(cursor, workspace_id)
        yield cursor


def lock(cursor: Cursor, workspace_id: UUID) -> None:
    known = {"workspace_id": workspace_id}
    if engine.is_timescaledb():
        cursor.execute(LOCK, known, prepare=True)
        return
    with Cursor(cursor.connection) as closed:
        # With BEGIN in one exchange: while who holds the lock waits for an answer, all others wait for the lock.
        with cursor.connection.pipeline():
            cursor.execute(LOCK, known, prepare=True)
            closed.execute(rollups.CLOSED_BEFORE, known, prepare=True)
        for (moment,) in closed.fetchall():
            cursor.closed_before = moment


def store(workspace_id: UUID, rows: Sequence[Row]) -> Stored:
    """Committed when it returns."""
    if not rows:
        return Stored(0, 0)
    with writing(workspace_id) as cursor:
        accepted = insert(cursor, workspace_id, rows)
    arrivals.note_arrival(workspace_id)
    return Stored(accepted, len(rows) - accepted)


def insert(cursor: Cursor, workspace_id: UUID, rows: Sequence[Row]) -> int:
    """How many of the rows were new."""
    params = {"workspace_id": workspace_id, **columns(tuple(COLUMNS), rows), **numbers(cursor, workspace_id, rows)}
    if engine.is_timescaledb():
        cursor.execute(INSERT_ALONE, params, prepare=True)
    else:
        newest = max(row.timestamp for row in rows)
        closed = close_hours(cursor, workspace_id, hour_of(newest - rollups.CLOSING_LAG))
        statement = INSERT if min(row.timestamp for row in rows) < closed else INSERT_IN_TIME
        cursor.execute(statement, params | {"closed_before": closed}, prepare=True)
    [(accepted,)] = cursor.fetchall()
    return int(accepted)


def numbers(cursor: Cursor, workspace_id: UUID, rows: Sequence[Row]) -> dict[str, str | None]:
    """The column of the rows' users. Who is new gets the next number: nobody else writes to the workspace now."""
    user_ids = list(dict.fromkeys(row.user_id for row in rows if row.user_id is not None))
    known: dict[str | None, int] = {}
    if user_ids:
        params: dict[str, Any] = {"workspace_id": workspace_id, "user_ids": user_ids}
        cursor.execute(KNOWN_NUMBERS, params)
        known.update(cursor.fetchall())
        if added := [user_id for user_id in user_ids if user_id not in known]:
            cursor.execute(NEXT_NUMBER, params)
            [(following,)] = cursor.fetchall()
            fresh = range(following, following + len(added))
            cursor.execute(ADD_NUMBERS, params | {"user_ids": added, "numbers": list(fresh)})
            known.update(zip(added, fresh, strict=True))
    return {"user_number": as_json(tuple(known.get(row.user_id) for row in rows))}


def correct(cursor: Cursor, workspace_id: UUID, rows: Sequence[Row]) -> None:
    """Stored rows as they are now known to be, and the rollups with them; what the client sent stays."""
    moments = [row.timestamp for row in rows]
    params: dict[str, Any] = {
        "workspace_id": workspace_id,
        **columns((*KEY_COLUMNS, *CORRECTED_COLUMNS), rows),
        **numbers(cursor, workspace_id, rows),
        "first": min(moments),
        "last": max(moments),
    }
    if engine.is_timescaledb():
        cursor.execute(CORRECT_ALONE, params)
    else:
        cursor.execute(CORRECT, params | {"closed_before": cursor.closed_before})
        recount(cursor, workspace_id, [hour for (hour,) in cursor.fetchall()])


def move(cursor: Cursor, workspace_id: UUID, row: Row, stored_at: datetime) -> None:
    """To the row's timestamp, and the rollups with it."""
    params: dict[str, Any] = {"workspace_id": workspace_id, "stored_at": stored_at}
    params |= {name: getattr(row, name) for name in KEY_COLUMNS}
    if engine.is_timescaledb():
        cursor.execute(MOVE_ALONE, params)
    else:
        cursor.execute(MOVE, params | {"closed_before": cursor.closed_before})
        recount(cursor, workspace_id, [hour_of(stored_at)] if stored_at < cursor.closed_before else [])


def recount(cursor: Cursor, workspace_id: UUID, hours: Sequence[datetime]) -> None:
    """The users of closed hours from which a call was taken away."""
    params = {"workspace_id": workspace_id, "closed_before": cursor.closed_before, "hours": list(hours)}
    for statement in rollups.RECOUNTED if hours else ():
        cursor.execute(statement, params)


def close_hours(cursor: Cursor, workspace_id: UUID, until: datetime) -> datetime:
    """Where the hours that are not closed begin, once those before `until` are, or as many as there is time for."""
    ends = time.monotonic() + CLOSING_SECONDS
    while cursor.closed_before < until:
        params: dict[str, Any] = {"workspace_id": workspace_id, "closed_before": cursor.closed_before, "until": until}
        cursor.execute(rollups.OLDEST_OPEN, params)
        [(oldest,)] = cursor.fetchall()
        closed = min(until, oldest + HOUR.length) if oldest else until
        cursor.execute(rollups.CLOSE, params | {"until": closed})
        cursor.closed_before = closed
        if time.monotonic() > ends:
            break
    return cursor.closed_before


def hour_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
