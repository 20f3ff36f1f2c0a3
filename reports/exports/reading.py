"""Reads all rows of a question, a part at a time, the oldest first.

Each part is a short question of its own: no transaction stays open while a client reads, and no connection is kept from
others. The parts follow the order of the table's key, so each row comes once, and an export that was cut off goes on
after its last row. Rows that arrive meanwhile are in it if they come after the part that was read.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connections

from traces.db import rows

PART_ROWS = 10_000
FIRST_WIDTH, NARROWEST, WIDEST = timedelta(hours=1), timedelta(minutes=1), timedelta(days=400)
QUICK_SECONDS, SLOW_SECONDS = 0.1, 1.0
"""The time that is searched at once grows after a quick answer, and shrinks after a slow one: few of its rows may meet
the filters, so that the number of rows bounds nothing."""
LAST_KEY = """
SELECT {key}
FROM {table}
WHERE {condition}
ORDER BY {key}
OFFSET %(part_rows)s - 1
LIMIT 1
"""
PART = """
SELECT
    {values}
FROM {table}
WHERE {condition}
ORDER BY {key}
"""

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Question:
    """Which rows of a table are read. The key begins with `timestamp`."""

    table: str
    key: tuple[str, ...]
    condition: str
    params: Mapping[str, Any]
    start: datetime
    end: datetime
    after: Key | None = None
    """The rows after the one with this key; None: all of them."""
    until: Key | None = None
    """The rows up to the one with this key, which is among them; None: all of them."""

    @property
    def texts(self) -> dict[str, str]:
        """Returns the parts of SQL that the statements above name."""
        window = "timestamp >= %(part_start)s AND timestamp < %(part_end)s"
        conditions = [self.condition, window, *self.places]
        return {
            "table": self.table,
            "key": ", ".join(self.key),
            "condition": "\n      AND ".join(conditions),
        }

    @property
    def places(self) -> list[str]:
        names = ", ".join(self.key)
        return [
            f"({names}) {sign} ({', '.join(f'%({place}_{name})s' for name in self.key)})"
            for place, sign, key in (("after", ">", self.after), ("until", "<=", self.until))
            if key is not None
        ]

    @property
    def bound(self) -> dict[str, Any]:
        """Returns the parameters of the SQL."""
        keys = {
            f"{place}_{name}": value
            for place, key in (("after", self.after), ("until", self.until))
            for name, value in zip(self.key, key or (), strict=False)
        }
        return {**self.params, **keys, "part_start": self.start, "part_end": self.end, "part_rows": PART_ROWS}


def parts(question: Question) -> Iterator[Question]:
    """Yields the question in parts of at most PART_ROWS rows. Each is to be read before the next is asked for."""
    start = max(question.start, question.after[0]) if question.after else question.start
    after, width = question.after, FIRST_WIDTH
    while start < question.end:
        end = min(question.end, start + width)
        part = replace(question, start=start, end=end, after=after)
        began = time.monotonic()
        last = last_key(part)
        seconds = time.monotonic() - began
        yield replace(part, until=last)
        if last is None:
            start, width = end, next_width(width, seconds)
        else:
            start, after = last[0], last


def last_key(part: Question) -> Key | None:
    """Returns the key of the last row of a full part; None if it has fewer rows."""
    found = rows(LAST_KEY, part.bound, None, **part.texts)
    return tuple(found[0][name] for name in part.key) if found else None


def next_width(width: timedelta, seconds: float) -> timedelta:
    if seconds < QUICK_SECONDS:
        return min(width * 4, WIDEST)
    return max(width / 4, NARROWEST) if seconds > SLOW_SECONDS else width


def read(part: Question, values: str) -> list[dict[str, Any]]:
    return rows(PART, part.bound, None, values=values, **part.texts)


def read_csv(part: Question, values: str) -> tuple[bytes, int]:
    """Returns the rows as CSV, which PostgreSQL writes, and their number."""
    statement = f"COPY ({PART}) TO STDOUT (FORMAT csv)".format(values=values, **part.texts)
    with connections["analytics"].cursor() as cursor:
        with cursor.copy(statement, part.bound) as copied:
            text = b"".join(copied)
        return text, cursor.rowcount


def give_back_connections() -> None:
    """Gives the connections back to their pools: the client may read slowly."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
