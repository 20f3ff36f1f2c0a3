"""The cursor with which rows of `traces` are written."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections, transaction

from traces.filters import EARLIEST


class WriteCursor(psycopg.Cursor[tuple[Any, ...]]):
    """Sends a batch as parameters, and not as SQL text that the server has to read.

    `prepare` also spares the server the planning. Use it only for statements that read nothing from `traces`: a plan
    that was made while the table was small is used again when it is large.
    """

    filled_until = EARLIEST
    """Where the workspace's open hours begin; see `traces/rollups/catalogue.py`."""
    followed_since = EARLIEST
    followed_until = EARLIEST
    """The time of the rows that the followers have."""
    traces_until = EARLIEST
    """`trace_totals` has the traces with a row before it."""
    sessions_until = EARLIEST
    """`session_summaries` has the rows before it."""


@contextmanager
def write_cursor() -> Iterator[WriteCursor]:
    """Opens a transaction on the analytics database."""
    database = connections["analytics"]
    with (
        transaction.atomic(using="analytics"),
        database.wrap_database_errors,
        database.cursor() as django_cursor,
        WriteCursor(django_cursor.connection) as cursor,
    ):
        yield cursor
