"""Extends Django's PostgreSQL backend: it measures waits, and ends them at the request's deadline."""

import select
import time
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg import errors
from psycopg.abc import RV, PQGen
from psycopg_pool import ConnectionPool

from web import deadline, prometheus

# psycopg does not document this name. Without it the import fails, and not the first request while a database hangs.
WaitTimeout = errors._WaitTimeout

# A connection that worked a moment ago responds at once, or its server hangs.
CHECK_SECONDS = 1
# For so long after its last answer nobody asks a connection whether it works, unless its server has sent something.
TRUSTED_SECONDS = 1
# How many connections of the pool a request tries.
ATTEMPTS = 2
CONFIGURE_SECONDS = 3


class DeadlinePassed(psycopg.OperationalError):
    """The server sent neither a result nor an error in time."""


class Connection(psycopg.Connection[Any]):
    answered_at = -float("inf")
    """When the server last answered, by the monotonic clock."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        remaining = deadline.remaining_seconds()
        if remaining is None or timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            answer = super().wait(gen, interval, remaining)
        except WaitTimeout as error:
            # The result may still arrive, and the next query must not read it as its own.
            self.pgconn.finish()
            raise DeadlinePassed(f"no answer within the request's time ({remaining:.1f} s)") from error
        self.answered_at = time.monotonic()
        return answer

    def is_trusted(self) -> bool:
        """Returns whether the server has answered a moment ago and has sent nothing since.

        A server that ends a connection says so, or at least closes it; both can be read.
        """
        if self.closed or time.monotonic() - self.answered_at > TRUSTED_SECONDS:
            return False
        poll = select.poll()
        poll.register(self.pgconn.socket, select.POLLIN)
        return not poll.poll(0)


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: Any) -> Any:
        if deadline.has_passed():
            raise DeadlinePassed("the request's time is over")
        began = time.monotonic()
        try:
            return self.working_connection(conn_params)
        finally:
            prometheus.POOL_WAIT.labels(self.alias).observe(time.monotonic() - began)

    def working_connection(self, conn_params: Any) -> Any:
        """Returns a connection that works. If the server has ended one, the others of the pool are checked at once.

        The pool itself checks one after the other, and pauses for a second or more after each that does not work: so
        the first requests after a restart of the database would fail.
        """
        for _ in range(ATTEMPTS):
            connection = super().get_new_connection(conn_params)
            if not self.pool or connection.is_trusted():
                return connection
            try:
                with deadline.at_most(CHECK_SECONDS):
                    ConnectionPool.check_connection(connection)
            except psycopg.Error as error:
                fault = error
                self.pool.putconn(connection)
                if not isinstance(error, DeadlinePassed):
                    with deadline.at_most(CHECK_SECONDS):
                        self.pool.check()
            else:
                return connection
        raise fault

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
