"""Reads all rows of a question, a part at a time, the oldest first.

Each part is a short question of its own: no transaction stays open while a client reads, and no connection is kept from
others. The parts follow the order of the table's key, so each row comes once, and an export that was cut off goes on
after its last row. Rows that arrive meanwhile are in it if they come after the part that was read.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connections

from traces.db import rows

PART_ROWS = 5_000
FIRST_WIDTH, NARROWEST, WIDEST = timedelta(hours=1), timedelta(minutes=1), timedelta(days=400)
QUICK_SECONDS, SLOW_SECONDS = 0.1, 1.0
"""A part of the window becomes wider after a quick answer, and narrower after a slow one: few of its rows may meet the
filters, so that the number of rows bounds nothing."""
PART = """
SELECT
    {values}
FROM {table}
WHERE {condition}
      AND timestamp >= %(part_start)s AND timestamp < %(part_end)s
      AND (%(is_begun)s OR ({key}) > ({place}))
ORDER BY {key}
LIMIT %(part_rows)s
"""

Line = Mapping[str, Any]


@dataclass(frozen=True)
class Question:
    """Which rows of a table are read. The key begins with `timestamp`."""

    table: str
    key: tuple[str, ...]
    condition: str
    params: Mapping[str, Any]
    start: datetime
    end: datetime
    after: tuple[Any, ...] | None = None
    """The key of the last row that the client has; None: it has none."""


def parts(question: Question, values: str) -> Iterator[list[Line]]:
    """Yields the rows in parts, each with the columns of `values`. An empty part says only that time has passed."""
    start, place, width = question.start, question.after, FIRST_WIDTH
    if place is not None:
        start = max(start, place[0])
    while start < question.end:
        end = min(question.end, start + width)
        began = time.monotonic()
        found = read(question, values, start, end, place)
        seconds = time.monotonic() - began
        give_back_connections()
        yield found
        if len(found) == PART_ROWS:
            place = tuple(found[-1][f"key_{name}"] for name in question.key)
            start = place[0]
        else:
            start = end
            width = next_width(width, seconds)


def read(question: Question, values: str, start: datetime, end: datetime, place: tuple[Any, ...] | None) -> list[Line]:
    named = {f"place_{name}": value for name, value in zip(question.key, place or [None] * 3, strict=False)}
    keys = ", ".join(f"{name} AS key_{name}" for name in question.key)
    return rows(
        PART,
        {
            **question.params,
            **named,
            "part_start": start,
            "part_end": end,
            "is_begun": place is None,
            "part_rows": PART_ROWS,
        },
        values=f"{values},\n    {keys}",
        table=question.table,
        condition=question.condition,
        key=", ".join(question.key),
        place=", ".join(f"%(place_{name})s" for name in question.key),
    )


def next_width(width: timedelta, seconds: float) -> timedelta:
    if seconds < QUICK_SECONDS:
        return min(width * 4, WIDEST)
    return max(width / 4, NARROWEST) if seconds > SLOW_SECONDS else width


def give_back_connections() -> None:
    """Gives the connections back to their pools: the client may read slowly."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
