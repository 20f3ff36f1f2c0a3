"""Rows into `traces`: all of a batch or nothing, and each span once however often it is delivered."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from traces import arrivals, engines
from traces.row import COLUMNS, CORRECTED_COLUMNS, KEY_COLUMNS, Row
from traces.write_cursor import WriteCursor, write_cursor

KNOWN_NUMBERS = """
SELECT user_id, number
FROM user_numbers
WHERE workspace_id = %(workspace_id)s AND user_id = ANY(%(user_ids)s::text[])
"""
NEXT_NUMBER = "SELECT coalesce(max(number) + 1, 0) FROM user_numbers WHERE workspace_id = %(workspace_id)s"
ADD_NUMBERS = """
INSERT INTO user_numbers (workspace_id, user_id, number)
SELECT %(workspace_id)s, user_id, number
FROM unnest(%(user_ids)s::text[], %(numbers)s::integer[]) AS added (user_id, number)
"""


class Stored(NamedTuple):
    accepted: int
    duplicates: int


@contextmanager
def writing(workspace_id: UUID) -> Iterator[WriteCursor]:
    """A transaction in which nobody else writes to the workspace.

    Its writers would wait for each other anyway, for the rows of the rollups that all of them add to.
    """
    with write_cursor() as cursor:
        engines.current().lock(cursor, workspace_id)
        yield cursor


def store(workspace_id: UUID, rows: Sequence[Row]) -> Stored:
    """Committed when it returns."""
    if not rows:
        return Stored(0, 0)
    with writing(workspace_id) as cursor:
        accepted = insert(cursor, workspace_id, rows)
    arrivals.note_arrival(workspace_id)
    return Stored(accepted, len(rows) - accepted)


def insert(cursor: WriteCursor, workspace_id: UUID, rows: Sequence[Row]) -> int:
    """Stores the rows that are not stored yet. Answers how many they were."""
    batch = {"workspace_id": workspace_id, **columns(tuple(COLUMNS), rows), **numbers(cursor, workspace_id, rows)}
    moments = [row.timestamp for row in rows]
    return engines.current().insert(cursor, batch, min(moments), max(moments))


def correct(cursor: WriteCursor, workspace_id: UUID, rows: Sequence[Row]) -> None:
    """Changes stored rows to what they are now known to be, and the rollups with them.

    The attributes and the span's own facts stay as the client sent them.
    """
    moments = [row.timestamp for row in rows]
    batch = {
        "workspace_id": workspace_id,
        **columns((*KEY_COLUMNS, *CORRECTED_COLUMNS), rows),
        **numbers(cursor, workspace_id, rows),
        "first": min(moments),
        "last": max(moments),
    }
    engines.current().correct(cursor, batch)


def move(cursor: WriteCursor, workspace_id: UUID, row: Row, stored_at: datetime) -> None:
    """Moves the stored row to the timestamp it has now, and the rollups with it."""
    key = {name: getattr(row, name) for name in KEY_COLUMNS}
    engines.current().move(cursor, {"workspace_id": workspace_id, "stored_at": stored_at, **key})


# --- A batch as parameters ---


def columns(names: Sequence[str], rows: Sequence[Row]) -> dict[str, str | None]:
    """By name, the values of all rows as one JSON array."""
    values = zip(*map(attrgetter(*names), rows), strict=True)
    return {name: as_json(column) for name, column in zip(names, values, strict=True)}


def as_json(column: tuple[Any, ...]) -> str | None:
    """None where no row has a value: then the server has nothing to read."""
    return None if column.count(None) == len(column) else orjson.dumps(column, default=str).decode()


def numbers(cursor: WriteCursor, workspace_id: UUID, rows: Sequence[Row]) -> dict[str, str | None]:
    """The column of the users' numbers. A new user gets the next number: nobody else writes to the workspace now."""
    user_ids = list(dict.fromkeys(row.user_id for row in rows if row.user_id is not None))
    known: dict[str | None, int] = {}
    if user_ids:
        params: dict[str, Any] = {"workspace_id": workspace_id, "user_ids": user_ids}
        cursor.execute(KNOWN_NUMBERS, params)
        known.update(cursor.fetchall())
        if new_ids := [user_id for user_id in user_ids if user_id not in known]:
            cursor.execute(NEXT_NUMBER, params)
            [(next_number,)] = cursor.fetchall()
            new_numbers = range(next_number, next_number + len(new_ids))
            cursor.execute(ADD_NUMBERS, params | {"user_ids": new_ids, "numbers": list(new_numbers)})
            known.update(zip(new_ids, new_numbers, strict=True))
    return {"user_number": as_json(tuple(known.get(row.user_id) for row in rows))}
