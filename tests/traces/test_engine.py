"""Checks which engine is used, and the message if it cannot be used."""

import os
import subprocess
import sys
from importlib import import_module

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from traces import engines

pytestmark = pytest.mark.django_db(databases=["default", "analytics"])


INITIAL = import_module("traces.migrations.0001_initial")


def test_without_timescaledb_it_is_postgresql() -> None:
    with connections["analytics"].cursor() as cursor:
        assert INITIAL.engine_of(cursor) == "postgresql"
    assert engines.current().name == "postgresql"


def test_the_engine_is_the_one_that_the_migration_has_noted() -> None:
    with connections["analytics"].cursor() as cursor:
        cursor.execute("COMMENT ON TABLE traces IS 'engine: citus'")
    engines.forget_engines()
    assert engines.current().name == "citus"
    engines.forget_engines()


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
    assert "citus or postgresql or timescaledb, not 'mysql'." in result.stderr


def test_an_engine_without_a_schema_of_its_own_has_that_of_postgresql() -> None:
    assert INITIAL.statements("citus") == INITIAL.statements("postgresql") != INITIAL.statements("timescaledb")


def test_distributing_without_citus_says_so() -> None:
    with pytest.raises(CommandError, match="Citus is not installed on this server"):
        call_command("distribute")
