"""Checks which engine is used, and the message if it cannot be used."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connections

from traces import engines
from traces.engines import timescaledb

pytestmark = pytest.mark.django_db(databases=["default", "analytics"])


INITIAL = import_module("traces.migrations.0001_initial")


def test_without_timescaledb_it_is_postgresql() -> None:
    with connections["analytics"].cursor() as cursor:
        assert INITIAL.engine_of(cursor) == "postgresql"
    assert engines.current().name == "postgresql"


@pytest.fixture
def forgotten_engines() -> Iterator[None]:
    """Makes the test read the engine from the database, and the next test again."""
    engines.forget_engines()
    yield
    engines.forget_engines()


def test_the_engine_is_the_one_that_the_migration_has_noted(forgotten_engines: None) -> None:
    with connections["analytics"].cursor() as cursor:
        cursor.execute("COMMENT ON TABLE traces IS 'engine: citus'")
    assert engines.current().name == "citus"


def test_tables_without_the_name_of_their_engine_are_refused(forgotten_engines: None) -> None:
    with connections["analytics"].cursor() as cursor:
        cursor.execute("COMMENT ON TABLE traces IS NULL")
    with pytest.raises(ImproperlyConfigured, match="restore it with COMMENT ON TABLE traces IS 'engine: postgresql'"):
        engines.current()


def test_a_catalog_that_is_not_that_of_timescaledb_is_named() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"adapt AGGREGATES in traces/engines/timescaledb\.py"):
        timescaledb.aggregates()


def test_a_forced_engine_is_used_without_a_search(settings) -> None:  # type: ignore[no-untyped-def]
    settings.ANALYTICS_ENGINE = "timescaledb"
    with connections["analytics"].cursor() as cursor:
        assert INITIAL.engine_of(cursor) == "timescaledb"


def test_a_forced_timescaledb_that_is_missing_is_named() -> None:
    with (
        connections["analytics"].cursor() as cursor,
        pytest.raises(CommandError, match="This server has no TimescaleDB"),
    ):
        INITIAL.create_extension(cursor)


def test_an_unknown_engine_is_refused() -> None:
    result = subprocess.run(
        [sys.executable, "-c", "import observability.settings"],
        env=os.environ | {"ANALYTICS_ENGINE": "mysql"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ANALYTICS_ENGINE must be " in result.stderr
    assert "citus or postgresql or timescaledb." in result.stderr


def test_an_engine_without_a_schema_of_its_own_has_that_of_postgresql() -> None:
    assert INITIAL.schema_file("citus") == INITIAL.schema_file("postgresql") != INITIAL.schema_file("timescaledb")


def test_distributing_without_citus_says_so() -> None:
    with pytest.raises(CommandError, match="Citus is not installed on this server"):
        call_command("distribute")
