"""A TimescaleDB in place of the analytics database: of TEST_TIMESCALEDB_URL, or one that Node.js runs for the tests."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import override_settings

from tests.tools import tool

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def server() -> Iterator[dict[str, Any]]:
    """Yields the address of an empty database, as a part of Django's settings."""
    url = os.environ.get("TEST_TIMESCALEDB_URL")
    with database_on(url) if url else packaged_server() as address:
        yield address


@contextmanager
def database_on(url: str) -> Iterator[dict[str, Any]]:
    name = f"test_{uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        parts = urlsplit(url)
        try:
            yield {
                "HOST": parts.hostname,
                "PORT": parts.port or 5432,
                "USER": parts.username,
                "PASSWORD": parts.password,
                "NAME": name,
                "OPTIONS": {},
            }
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def packaged_server() -> Iterator[dict[str, Any]]:
    node = tool("node")
    if not (HERE / "node_modules").exists():
        missing("tests/timescaledb/node_modules", "`make test` installs it")
    process = subprocess.Popen(
        [node, "server.mjs"], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout
        listening = json.loads(process.stdout.readline())
        yield {
            "HOST": listening["host"],
            "PORT": listening["port"],
            "USER": "postgres",
            "PASSWORD": "postgres",
            "NAME": "postgres",
            "OPTIONS": {"sslmode": "disable"},
        }
    finally:
        process.communicate()


def missing(name: str, remedy: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{name} is missing; {remedy}")
    pytest.skip(f"{name} is missing; {remedy}")


@pytest.fixture(scope="session")
def migrated(server: dict[str, Any], django_db_setup: None, django_db_blocker: Any) -> Iterator[BaseDatabaseWrapper]:
    """Yields one connection outside of transactions. The packaged server allows one; a refresh refuses transactions."""
    # The packaged one is loaded with its first use, so that it is not found but has to be named.
    forced = "" if "TEST_TIMESCALEDB_URL" in os.environ else "timescaledb"
    usual = connections["analytics"]
    wrapper = type(usual)(usual.settings_dict | server, alias="analytics")
    with django_db_blocker.unblock(), closing(wrapper):
        with in_place(wrapper), override_settings(ANALYTICS_ENGINE=forced):
            call_command("migrate", database="analytics", verbosity=0)
        if not forced:
            # Else they run the policies in the middle of a test.
            with wrapper.cursor() as cursor:
                cursor.execute("SELECT _timescaledb_functions.stop_background_workers()")
        yield wrapper


@pytest.fixture
def postgresql(db: None) -> BaseDatabaseWrapper:
    """Returns the analytics database of all other tests, for comparison."""
    for alias in ("default", "analytics"):
        with connections[alias].cursor() as cursor:
            # The test's transaction waits while TimescaleDB works.
            cursor.execute("SET idle_in_transaction_session_timeout = 0")
    return connections["analytics"]


@contextmanager
def in_place(wrapper: BaseDatabaseWrapper) -> Iterator[None]:
    usual = connections["analytics"]
    connections["analytics"] = wrapper
    try:
        yield
    finally:
        connections["analytics"] = usual


RunQuery = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def timescaledb(migrated: BaseDatabaseWrapper, postgresql: BaseDatabaseWrapper) -> Iterator[RunQuery]:
    """Makes all code read and write analytics there. Yields a function that runs SQL and returns the rows."""

    def run_query(sql: str, *params: Any) -> list[tuple[Any, ...]]:
        with migrated.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchall() if cursor.description else []

    with in_place(migrated):
        yield run_query


@pytest.fixture
def run_policies(timescaledb: RunQuery) -> Callable[[str], None]:
    """Returns a function that runs policies at once: `refresh`, `compression` or `retention`."""

    def run(kind: str) -> None:
        jobs = timescaledb(
            "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name LIKE %s ORDER BY job_id", f"policy_{kind}%"
        )
        for (job,) in jobs:
            timescaledb("CALL run_job(%s)", job)

    return run
