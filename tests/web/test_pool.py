"""Connections that a restart of the database has ended fail no request."""

from collections.abc import Iterator
from copy import deepcopy

import pytest
from django.db import connections
from psycopg_pool.base import AttemptWithBackoff

from web import deadline
from web.postgres.base import Connection, DatabaseWrapper

pytestmark = pytest.mark.django_db(databases="__all__")
POOLED = 6


@pytest.fixture
def database() -> Iterator[DatabaseWrapper]:
    options = deepcopy(connections["analytics"].settings_dict)
    options["OPTIONS"] = options["OPTIONS"] | {
        "pool": {"connection_class": Connection, "min_size": 1, "max_size": POOLED, "timeout": 2}
    }
    database = DatabaseWrapper(options, "pooled")
    yield database
    database.close()
    database.close_pool()


def end_idle_connections(database: DatabaseWrapper) -> None:
    """Ends as many connections as the pool has, as a restart of the server does."""
    database.pool.open()
    idle = [database.pool.getconn() for _ in range(POOLED)]
    ended = [connection.info.backend_pid for connection in idle]
    for connection in idle:
        database.pool.putconn(connection)
    with connections["analytics"].cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid, 5000) FROM unnest(%s) AS pid", [ended])


def test_the_first_request_after_a_restart_is_answered_at_once(
    database: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The pool itself pauses for a second after a connection that does not work, and longer after the next.
    pauses: list[float] = []
    monkeypatch.setattr(AttemptWithBackoff, "update_delay", lambda attempt, now: pauses.append(now))
    end_idle_connections(database)
    for _ in range(POOLED):
        with database.cursor() as cursor:
            cursor.execute("SELECT 1")
        database.close()
    assert not pauses


def test_a_connection_that_has_just_answered_is_not_asked_again(database: DatabaseWrapper) -> None:
    with deadline.at_most(10):
        for _ in range(2):
            with database.cursor() as cursor:
                cursor.execute("SELECT 1")
            connection = database.connection
            database.close()
        assert connection.is_trusted()
    connection.answered_at -= 2
    assert not connection.is_trusted()


def test_a_connection_that_ends_right_after_its_last_answer_fails_no_request(database: DatabaseWrapper) -> None:
    with deadline.at_most(10):
        for _ in range(20):
            with database.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                ended = cursor.fetchone()
            assert database.connection.is_trusted()
            database.close()
            with connections["analytics"].cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", ended)
