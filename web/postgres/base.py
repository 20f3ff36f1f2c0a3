"""Extends Django's PostgreSQL backend: it measures waits, and ends them at the request's deadline."""

import time
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg import errors
from psycopg.abc import RV, PQGen

from web import deadline, prometheus

# psycopg does not document this name. Without it the import fails, and not the first request while a database hangs.
WaitTimeout = errors._WaitTimeout

# A connection that worked a moment ago responds at once, or its server hangs.
CHECK_SECONDS = 1
CONFIGURE_SECONDS = 3


class DeadlinePassed(psycopg.OperationalError):
    """The server sent neither a result nor an error in time."""


class Connection(psycopg.Connection[Any]):
    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        remaining = deadline.remaining_seconds()
        if remaining is None or timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, remaining)
        except WaitTimeout as error:
            # The result may still arrive, and the next query must not read it as its own.
            self.pgconn.finish()
            raise DeadlinePassed(f"no answer within the request's time ({remaining:.1f} s)") from error


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: Any) -> Any:
        if deadline.has_passed():
            raise DeadlinePassed("the request's time is over")
        began = time.monotonic()
        try:
            with deadline.at_most(CHECK_SECONDS):
                return super().get_new_connection(conn_params)
        finally:
            prometheus.POOL_WAIT.labels(self.alias).observe(time.monotonic() - began)

    def _configure_connection(self, connection: Any) -> bool:
        with deadline.at_most(CONFIGURE_SECONDS):
            return super()._configure_connection(connection)  # type: ignore[misc, no-any-return]

    def schema_editor(self, *args: Any, **kwargs: Any) -> Any:
        # Building an index may take longer than statement_timeout.
        with self.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
        return super().schema_editor(*args, **kwargs)

    def _commit(self) -> None:
        began = time.monotonic()
        super()._commit()  # type: ignore[misc]
        prometheus.COMMIT.labels(self.alias).observe(time.monotonic() - began)
