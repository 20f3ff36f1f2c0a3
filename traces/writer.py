"""Stores rows in `traces`: all rows of a batch or none, and each span once even if it is delivered often."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from traces import arrivals, engines, labels, scores
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


class StoreResult(NamedTuple):
    accepted: int = 0
    updated: int = 0
    """Stored spans that have learned from another copy."""
    duplicates: int = 0

    def plus(self, other: "StoreResult") -> "StoreResult":
        return StoreResult(*map(sum, zip(self, other, strict=True)))


@contextmanager
def writing(workspace_id: UUID) -> Iterator[WriteCursor]:
    """Opens a transaction in which nobody else writes to the workspace.

    Its writers would wait for each other anyway: all of them add to the same rows of the rollups.
    """
    with write_cursor() as cursor:
        engines.current().lock(cursor, workspace_id)
        yield cursor


def store(workspace_id: UUID, rows: Sequence[Row]) -> StoreResult:
    """Stores the rows. They are committed when it returns."""
    if not rows:
        return StoreResult()
    with writing(workspace_id) as cursor:
        accepted = insert(cursor, workspace_id, rows)
        scores.correct(cursor, workspace_id, rows)
    arrivals.record_arrival(workspace_id)
    return StoreResult(accepted, duplicates=len(rows) - accepted)


def insert(cursor: WriteCursor, workspace_id: UUID, rows: Sequence[Row]) -> int:
    """Stores the rows that are not stored yet. Returns how many these were."""
    batch = {
        "workspace_id": workspace_id,
        **columns(tuple(COLUMNS), rows),
        **number_columns(cursor, workspace_id, rows),
    }
    timestamps = [row.timestamp for row in rows]
    return engines.current().insert(cursor, batch, min(timestamps), max(timestamps))


def correct(cursor: WriteCursor, workspace_id: UUID, rows: Sequence[Row]) -> None:
    """Gives stored rows the values of `rows`, and corrects the rollups.

    The attributes and the span's own facts stay as the client sent them.
    """
    names = (*KEY_COLUMNS, *CORRECTED_COLUMNS)
    engines.current().correct(cursor, changed_batch(cursor, workspace_id, names, rows))


def merge(cursor: WriteCursor, workspace_id: UUID, rows: Sequence[Row]) -> None:
    """Does the same for rows that were merged with another copy of their span: all columns may change."""
    engines.current().merge(cursor, changed_batch(cursor, workspace_id, tuple(COLUMNS), rows))


def changed_batch(cursor: WriteCursor, workspace_id: UUID, names: Sequence[str], rows: Sequence[Row]) -> dict[str, Any]:
    timestamps = [row.timestamp for row in rows]
    return {
        "workspace_id": workspace_id,
        **columns(names, rows),
        **number_columns(cursor, workspace_id, rows),
        "first": min(timestamps),
        "last": max(timestamps),
    }


def move(cursor: WriteCursor, workspace_id: UUID, moved: Sequence[tuple[Row, datetime]]) -> None:
    """Moves each stored row from the given time to its timestamp, and corrects the rollups."""
    if moved:
        keys = [{name: getattr(row, name) for name in KEY_COLUMNS} for row, _ in moved]
        stored = [{"stored_at": stored_at, **key} for key, (_, stored_at) in zip(keys, moved, strict=True)]
        engines.current().move(cursor, workspace_id, stored)


# --- A batch as parameters ---


def columns(names: Sequence[str], rows: Sequence[Row]) -> dict[str, str | None]:
    """Returns for each column the values of all rows as one JSON array."""
    values = zip(*map(attrgetter(*names), rows), strict=True)
    return {name: as_json(column) for name, column in zip(names, values, strict=True)}


def as_json(column: tuple[Any, ...]) -> str | None:
    """Returns the column as a JSON array; None if no row has a value, so that the server has nothing to read."""
    return None if column.count(None) == len(column) else orjson.dumps(column, default=str).decode()


def number_columns(cursor: WriteCursor, workspace_id: UUID, rows: Sequence[Row]) -> dict[str, str | None]:
    """Returns the columns that clients do not send, which stand for users and labels."""
    numbers = labels.label_numbers(cursor, workspace_id, rows)
    return {
        "user_number": as_json(user_numbers(cursor, workspace_id, rows)),
        "label_numbers": as_json(tuple(as_array(of_row) for of_row in numbers)),
    }


def as_array(numbers: Sequence[int] | None) -> str | None:
    """Returns the numbers as PostgreSQL writes an array."""
    return "{" + ",".join(map(str, numbers)) + "}" if numbers else None


def user_numbers(cursor: WriteCursor, workspace_id: UUID, rows: Sequence[Row]) -> tuple[int | None, ...]:
    """Returns the numbers of the rows' users. A new user gets the next one: nobody else writes to the workspace now."""
    user_ids = list(dict.fromkeys(row.user_id for row in rows if row.user_id is not None))
    numbers: dict[str | None, int] = {}
    if user_ids:
        params: dict[str, Any] = {"workspace_id": workspace_id, "user_ids": user_ids}
        cursor.execute(KNOWN_NUMBERS, params)
        numbers.update(cursor.fetchall())
        if new_ids := [user_id for user_id in user_ids if user_id not in numbers]:
            cursor.execute(NEXT_NUMBER, params)
            [(next_number,)] = cursor.fetchall()
            new_numbers = range(next_number, next_number + len(new_ids))
            cursor.execute(ADD_NUMBERS, params | {"user_ids": new_ids, "numbers": list(new_numbers)})
            numbers.update(zip(new_ids, new_numbers, strict=True))
    return tuple(numbers.get(row.user_id) for row in rows)
