"""The cursor of whoever writes to `traces`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections, transaction

from traces.filters import EARLIEST


class WriteCursor(psycopg.Cursor[tuple[Any, ...]]):
    """Sends a batch as parameters, and not as SQL text that the server has to read.

    `prepare` also spares the server the planning. Use it only for statements that look nothing up in `traces`: a plan
    made while the table was small is kept while it grows.
    """

    filled_until = EARLIEST
    """Where the workspace's open hours begin; see `traces/rollups/catalogue.py`."""


@contextmanager
def write_cursor() -> Iterator[WriteCursor]:
    """A transaction on the analytics database."""
    database = connections["analytics"]
    with (
        transaction.atomic(using="analytics"),
        database.wrap_database_errors,
        database.cursor() as usual,
        WriteCursor(usual.connection) as cursor,
    ):
        yield cursor
