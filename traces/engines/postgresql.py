"""PostgreSQL: the rollups are ordinary tables, filled by the writers. Citus distributes the same schema."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections

from traces import scores, session_summaries, trace_totals
from traces.batch_keys import json_keys, moved_keys
from traces.db import rows
from traces.engines.protocol import LOCK, WORKSPACE, RollupState
from traces.filters import EARLIEST
from traces.rollups import read_statement
from traces.rollups.catalogue import ALL_TABLES, CLOSING_LAG, HOUR, LOST_CALL, USER_SET_TABLES
from traces.write_cursor import WriteCursor, write_cursor
from web.queue import for_each

INSERT = read_statement("postgresql", "insert")
INSERT_IN_TIME = read_statement("postgresql", "insert_in_time")
CORRECT = read_statement("postgresql", "correct")
MERGE = read_statement("postgresql", "merge")
MOVE = read_statement("postgresql", "move")
CLOSE_HOURS = read_statement("postgresql", "close_hours")
FOLLOW = read_statement("postgresql", "follow")
FOLLOW_WIDER = read_statement("postgresql", "follow_wider")
FOLLOWED_ROWS = read_statement("postgresql", "followed_rows")
FOLLOW_CHANGES = read_statement("postgresql", "follow_changes")
DELETE_MOVED = """
DELETE FROM traces
WHERE workspace_id = %(workspace_id)s
    AND timestamp = %(stored_at)s
    AND trace_id = %(trace_id)s
    AND span_id = %(span_id)s
"""
REMOVE_USERS = tuple(
    read_statement("postgresql", f"remove_from_{table}")
    for user_set in USER_SET_TABLES
    for table in user_set.tables.values()
)

FILLED_UNTIL = """
SELECT filled_until, followed_since, followed_until, traces_until, sessions_until
FROM rollup_state
WHERE workspace_id = %(workspace_id)s
"""
ROLLUP_STATES = """
SELECT workspace_id, filled_until, followed_since, followed_until, traces_until, sessions_until
FROM rollup_state
WHERE workspace_id = ANY(%(workspace_ids)s)
"""
OLDEST_OPEN_HOUR = """
SELECT time_bucket('1 hour', min(bucket))
FROM totals_minutely
WHERE workspace_id = %(workspace_id)s AND bucket >= %(filled_until)s AND bucket < %(until)s
"""

# Closing many hours, or one with very many users, takes longer than a request may. The next batch continues.
CLOSING_SECONDS = 1.0

OPEN_HOURS = """
SELECT workspace_id
FROM rollup_state AS state
WHERE filled_until < %(until)s
    AND EXISTS (
        SELECT
        FROM totals_minutely AS total
        WHERE total.workspace_id = state.workspace_id AND bucket >= state.filled_until AND bucket < %(until)s
    )
"""

# The followers are filled up to this time ago: most spans arrive when they end, within minutes of their start.
FOLLOWING_LAG = timedelta(minutes=5)
# A writer waits for the follower of its workspace. So it takes few rows at once, and at least a minute.
FOLLOWED_AT_ONCE = 5_000
# After an upgrade the totals of all stored traces are missing. The next run continues.
FILLING_SECONDS = 12.0
NEXT_MINUTES = """
SELECT bucket, sum(calls)::bigint AS calls
FROM totals_minutely
WHERE workspace_id = %(workspace_id)s AND bucket >= %(followed_until)s AND bucket < %(until)s AND calls > 0
GROUP BY bucket
ORDER BY bucket
LIMIT %(minutes)s
"""
SET_FOLLOWED = """
UPDATE rollup_state
SET followed_until = %(until)s
WHERE workspace_id = %(workspace_id)s
"""
BEGIN_FOLLOWING = """
UPDATE rollup_state
SET followed_since = %(midnight)s, followed_until = %(midnight)s
WHERE workspace_id = %(workspace_id)s AND followed_since IS NULL
"""
NOT_FOLLOWED = """
SELECT workspace_id
FROM rollup_state AS state
WHERE followed_until < %(until)s
    AND EXISTS (
        SELECT
        FROM totals_minutely AS total
        WHERE total.workspace_id = state.workspace_id AND bucket >= state.followed_until AND bucket < %(until)s
    )
ORDER BY workspace_id
"""
DELETED_AT_ONCE = 10_000
# Also finds workspaces that were deleted in the other database.
STORED_WORKSPACES = "SELECT workspace_id FROM rollup_state ORDER BY workspace_id"
HAS_OLD = """
SELECT EXISTS (
    SELECT
    FROM {table}
    WHERE workspace_id = %(workspace_id)s AND {time_column} < %(cutoff)s
) AS has_old
"""
LAST_OF_BATCH = """
SELECT {time_column}
FROM {table}
WHERE workspace_id = %(workspace_id)s AND {time_column} < %(cutoff)s
ORDER BY {time_column}
OFFSET %(batch)s - 1
LIMIT 1
"""
DELETE = """
DELETE FROM {table}
WHERE workspace_id = %(workspace_id)s AND {time_column} < %(cutoff)s AND {time_column} <= %(last)s
"""


LISTS = (trace_totals.TABLE, session_summaries.TABLE)
SUMS = (*ALL_TABLES, *scores.SUM_TABLES)
# The rows are those of the last ANALYZE.
SIZES_TEMPLATE = """
SELECT
    kind AS name,
    sum(pg_total_relation_size(pg_class.oid))::bigint AS bytes,
    nullif(sum(reltuples), -1)::bigint AS rows
FROM pg_class
JOIN (
    VALUES {kinds}
) AS kinds (place, kind, table_name) ON relname = table_name AND relnamespace = current_schema()::regnamespace
GROUP BY place, kind
ORDER BY place
"""
KINDS = {"traces": ("traces",), "scores": (scores.TABLE,), "lists": LISTS, "sums": SUMS}


class PostgreSQL:
    name = "postgresql"
    sizes_sql = SIZES_TEMPLATE.format(
        kinds=", ".join(
            f"({place}, '{kind}', '{table}')" for place, (kind, tables) in enumerate(KINDS.items()) for table in tables
        )
    )
    finds_old_rows = True
    hidden_workspace = f"({WORKSPACE}) IS TRUE"
    chunk_bounds = "true"
    has_followers = True
    has_label_rows = False

    def complete_schema(self) -> None:
        """Does nothing: the migrated schema is complete."""

    def lock(self, cursor: WriteCursor, workspace_id: UUID) -> None:
        params = {"workspace_id": workspace_id}
        with WriteCursor(cursor.connection) as state_cursor:
            # Sent with BEGIN in one exchange: while the holder of the lock waits for an answer, all others wait too.
            with cursor.connection.pipeline():
                cursor.execute(LOCK, params, prepare=True)
                state_cursor.execute(FILLED_UNTIL, params, prepare=True)
            for filled_until, followed_since, followed_until, traces_until, sessions_until in state_cursor.fetchall():
                cursor.filled_until = filled_until
                cursor.followed_since = followed_since or EARLIEST
                cursor.followed_until = followed_until or EARLIEST
                cursor.traces_until = traces_until or EARLIEST
                cursor.sessions_until = sessions_until or EARLIEST

    def insert(self, cursor: WriteCursor, batch: Mapping[str, Any], oldest: datetime, newest: datetime) -> int:
        filled_until = close_hours(cursor, batch["workspace_id"], hour_of(newest - CLOSING_LAG))
        sql = INSERT if oldest < filled_until else INSERT_IN_TIME
        with followed(cursor, batch["workspace_id"], (oldest, newest), lambda: json_keys(batch)):
            cursor.execute(sql, {**batch, "filled_until": filled_until}, prepare=True)
            [(accepted,)] = cursor.fetchall()
        return int(accepted)

    def correct(self, cursor: WriteCursor, batch: Mapping[str, Any]) -> None:
        change_stored(cursor, CORRECT, batch)

    def merge(self, cursor: WriteCursor, batch: Mapping[str, Any]) -> None:
        change_stored(cursor, MERGE, batch)

    def move(self, cursor: WriteCursor, workspace_id: UUID, moved: Sequence[Mapping[str, Any]]) -> None:
        keys = moved_keys(moved)
        with followed(cursor, workspace_id, (min(keys["timestamp"]), max(keys["timestamp"])), lambda: keys):
            change_rows(cursor, MOVE, {"workspace_id": workspace_id} | as_arrays(tuple(moved[0]), moved))
            # Not executemany, which would prepare the statement: see `WriteCursor`.
            with cursor.connection.pipeline():
                for row in moved:
                    cursor.execute(DELETE_MOVED, {"workspace_id": workspace_id, **row})

    def rollup_states(self, workspace_ids: Set[UUID], is_stable: bool) -> dict[UUID, RollupState]:
        return states_of(workspace_ids, is_stable)

    def has_closed_hours_since(self, states: Mapping[UUID, RollupState]) -> bool:
        return states_of(states.keys(), is_stable=True) != states

    def delete_old(self, now: datetime, is_due: Callable[[UUID], bool]) -> None:
        for_each(filter(is_due, stored_workspaces()), lambda workspace_id: delete_old_rows(workspace_id, now))
        scores.delete_old(now, is_due, self.lock)

    def close_hours(self, now: datetime) -> None:
        until = hour_of(now - CLOSING_LAG)
        for_each(workspaces_with_open_hours(until), lambda workspace_id: close_all_before(workspace_id, until))

    def follow(self, now: datetime) -> None:
        minute = minute_of(now - FOLLOWING_LAG)
        for_each(workspaces_to_follow(minute), lambda workspace_id: follow_until(workspace_id, minute))
        for_each(
            trace_totals.workspaces_behind(now - trace_totals.LAG),
            lambda workspace_id: trace_totals.fill_until(workspace_id, now - trace_totals.LAG, FILLING_SECONDS),
        )
        until = now - session_summaries.LAG
        for_each(
            session_summaries.workspaces_behind(until),
            lambda workspace_id: session_summaries.fill_until(workspace_id, until, FILLING_SECONDS),
        )

    def fill_now(self, start: datetime, end: datetime) -> None:
        """Does nothing: the writers keep the sums equal to the rows."""


ENGINE = PostgreSQL()


def states_of(workspace_ids: Set[UUID], is_stable: bool) -> dict[UUID, RollupState]:
    if not workspace_ids:
        return {}
    states = rows(ROLLUP_STATES, {"workspace_ids": list(workspace_ids)})
    return dict.fromkeys(workspace_ids, RollupState(EARLIEST, is_stable)) | {
        state["workspace_id"]: RollupState(
            state["filled_until"],
            is_stable,
            followed_since=state["followed_since"] or EARLIEST,
            followed_until=state["followed_until"] or EARLIEST,
            traces_until=state["traces_until"] or EARLIEST,
            sessions_until=state["sessions_until"] or EARLIEST,
        )
        for state in states
    }


def minute_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def hour_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def close_hours(cursor: WriteCursor, workspace_id: UUID, until: datetime) -> datetime:
    """Closes the hours before `until`, or as many as CLOSING_SECONDS allows. Returns where the open hours begin now."""
    ends = time.monotonic() + CLOSING_SECONDS
    while cursor.filled_until < until:
        params: dict[str, Any] = {
            "workspace_id": workspace_id,
            "filled_until": cursor.filled_until,
            "until": until,
        }
        cursor.execute(OLDEST_OPEN_HOUR, params)
        [(oldest,)] = cursor.fetchall()
        closed_until = min(until, oldest + HOUR.length) if oldest else until
        cursor.execute(CLOSE_HOURS, params | {"until": closed_until, "beginning": EARLIEST})
        cursor.filled_until = closed_until
        if time.monotonic() > ends:
            break
    return cursor.filled_until


# --- Followers ---


def workspaces_to_follow(until: datetime) -> list[UUID]:
    return [row["workspace_id"] for row in rows(NOT_FOLLOWED, {"until": until})]


def begin_following(workspace_id: UUID, midnight: datetime) -> None:
    """Lets the followers of a workspace that has none begin at this day, if they have not begun."""
    with write_cursor() as cursor:
        ENGINE.lock(cursor, workspace_id)
        cursor.execute(BEGIN_FOLLOWING, {"workspace_id": workspace_id, "midnight": midnight})


def follow_until(workspace_id: UUID, until: datetime) -> None:
    """Adds the rows before `until` to the followers, some thousand in each transaction."""
    is_done = False
    while not is_done:
        with write_cursor() as cursor:
            ENGINE.lock(cursor, workspace_id)
            is_done = follow_next(cursor, workspace_id, until)


def follow_next(cursor: WriteCursor, workspace_id: UUID, until: datetime) -> bool:
    """Adds the next rows, up to the end of an hour at most. Returns whether there are no more before `until`."""
    since = cursor.followed_until
    params: dict[str, Any] = {"workspace_id": workspace_id, "followed_until": since, "until": until, "minutes": 60}
    cursor.execute(NEXT_MINUTES, params)
    minutes = cursor.fetchall()
    if not minutes:
        return True
    end = min(end_of_next_rows(minutes), until)
    cursor.execute(FOLLOW, {"workspace_id": workspace_id, "since": since, "until": end})
    set_followed(cursor, workspace_id, end)
    return end == until


def end_of_next_rows(minutes: Sequence[tuple[datetime, int]]) -> datetime:
    """Returns the end of those of the minutes that are followed at once: of one hour, and not too many rows."""
    rows_until_now, end = 0, minutes[0][0]
    for minute, calls in minutes:
        rows_until_now += calls
        is_next_hour = hour_of(minute) > hour_of(minutes[0][0])
        if end > minutes[0][0] and (is_next_hour or rows_until_now > FOLLOWED_AT_ONCE):
            break
        end = minute + timedelta(minutes=1)
    return end


def set_followed(cursor: WriteCursor, workspace_id: UUID, until: datetime) -> None:
    """Moves the end of the followed time. The hours that it passes are added to the wider buckets."""
    if until <= cursor.followed_until:
        return
    since_hour, until_hour = hour_of(cursor.followed_until), hour_of(until)
    if since_hour < until_hour:
        cursor.execute(FOLLOW_WIDER, {"workspace_id": workspace_id, "since": since_hour, "until": until_hour})
    cursor.execute(SET_FOLLOWED, {"workspace_id": workspace_id, "until": until})
    cursor.followed_until = until


@contextmanager
def followed(
    cursor: WriteCursor, workspace_id: UUID, times: tuple[datetime, datetime], keys_of: Callable[[], Mapping[str, Any]]
) -> Iterator[None]:
    """Changes the followers and what is stored of traces and sessions as the block changes rows, unless all are newer.

    `times` are those of the oldest and the newest row, and `keys_of` returns the keys of all.
    """
    is_followed, is_in_totals = (times[0] < until for until in (cursor.followed_until, cursor.traces_until))
    is_in_sessions = times[0] < cursor.sessions_until
    keys = keys_of() if is_followed or is_in_totals or is_in_sessions else {}
    with (
        sums_followed(cursor, workspace_id, keys) if is_followed else nullcontext(),
        session_summaries.summed_again(cursor, workspace_id, times, keys) if is_in_sessions else nullcontext(),
    ):
        yield
    if is_in_totals:
        trace_totals.sum_near(cursor, workspace_id, keys["trace_id"], *times)


@contextmanager
def sums_followed(cursor: WriteCursor, workspace_id: UUID, keys: Mapping[str, Any]) -> Iterator[None]:
    """Changes the followers as the block changes the rows with these keys."""
    params = {
        "workspace_id": workspace_id,
        "followed_since": cursor.followed_since,
        "followed_until": cursor.followed_until,
    }
    before = followed_rows(cursor, {**params, **keys})
    yield
    after = followed_rows(cursor, {**params, **keys})
    if before != after:
        cursor.execute(FOLLOW_CHANGES, params | {"before": before, "after": after}, prepare=True)


def followed_rows(cursor: WriteCursor, params: Mapping[str, Any]) -> str:
    """Returns the stored rows with the keys of `params` that the followers have, as JSON."""
    cursor.execute(FOLLOWED_ROWS, params)
    [(found,)] = cursor.fetchall()
    return str(found)


# --- Rows that change ---


def change_stored(cursor: WriteCursor, statement: Any, batch: Mapping[str, Any]) -> None:
    with followed(cursor, batch["workspace_id"], (batch["first"], batch["last"]), lambda: json_keys(batch)):
        change_rows(cursor, statement, batch)


def change_rows(cursor: WriteCursor, statement: Any, batch: Mapping[str, Any]) -> None:
    cursor.execute(statement, {**batch, "filled_until": cursor.filled_until})
    lost = [dict(zip(LOST_CALL, call, strict=True)) for call in cursor.fetchall()]
    if lost:
        remove_users(cursor, batch["workspace_id"], lost)


def remove_users(cursor: WriteCursor, workspace_id: UUID, lost: Sequence[Mapping[str, Any]]) -> None:
    """Removes users from the sets of closed hours in which they have lost a call and have no other."""
    for sql in REMOVE_USERS:
        cursor.execute(sql, {"workspace_id": workspace_id} | as_arrays(LOST_CALL, lost))


def as_arrays(names: Sequence[str], values: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [value[name] for value in values] for name in names}


# --- Retention: by whole days in UTC, rows after RETENTION_DAYS, their sums after ROLLUP_RETENTION_DAYS ---


def delete_old_rows(workspace_id: UUID, now: datetime) -> None:
    """Deletes old rows and sums of the workspace. Writers wait for one batch at most."""
    cutoff = day_before(now, settings.RETENTION_DAYS)
    close_all_before(workspace_id, cutoff)
    # After an upgrade that nobody followed by a refill: what is stored from the day before on is summed.
    begin_following(workspace_id, day_before(now, 1))
    if workspace_id in workspaces_to_follow(cutoff):
        follow_until(workspace_id, cutoff)
    delete_before(workspace_id, "traces", "timestamp", cutoff)
    trace_totals.delete_old(workspace_id, cutoff)
    session_summaries.delete_old(workspace_id, cutoff)
    for table in ALL_TABLES:
        delete_before(workspace_id, table, "bucket", day_before(now, settings.ROLLUP_RETENTION_DAYS))


def stored_workspaces() -> list[UUID]:
    with connections["analytics"].cursor() as cursor:
        cursor.execute(STORED_WORKSPACES)
        return [workspace_id for (workspace_id,) in cursor.fetchall()]


def workspaces_with_open_hours(until: datetime) -> list[UUID]:
    """Returns the workspaces with calls before `until` in hours that are not closed."""
    return [row["workspace_id"] for row in rows(OPEN_HOURS, {"until": until})]


def day_before(now: datetime, days: int) -> datetime:
    return (now - timedelta(days=days)).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def close_all_before(workspace_id: UUID, cutoff: datetime) -> None:
    """Closes hours whose rows will be deleted, because closing sums these rows."""
    filled_until = states_of({workspace_id}, is_stable=False)[workspace_id].filled_until
    while filled_until < cutoff:
        with write_cursor() as cursor:
            ENGINE.lock(cursor, workspace_id)
            filled_until = close_hours(cursor, workspace_id, cutoff)


def has_old(params: Mapping[str, Any], table: str, time_column: str) -> bool:
    [found] = rows(HAS_OLD, params, table=table, time_column=time_column)
    return bool(found["has_old"])


def delete_before(workspace_id: UUID, table: str, time_column: str, cutoff: datetime) -> None:
    names = {"table": table, "time_column": time_column}
    params: dict[str, Any] = {"workspace_id": workspace_id, "cutoff": cutoff, "batch": DELETED_AT_ONCE}
    # Writers wait for the lock, so it is not taken in vain.
    while has_old(params, table, time_column):
        with write_cursor() as cursor:
            ENGINE.lock(cursor, workspace_id)
            cursor.execute(LAST_OF_BATCH.format(**names), params)
            last = cursor.fetchone()
            cursor.execute(DELETE.format(**names), params | {"last": last[0] if last else cutoff})
