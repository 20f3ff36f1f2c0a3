"""Creates the table of spans and its rollups, by the literal SQL for each engine."""

from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import migrations
from django.db.backends.utils import CursorWrapper
from django.db.migrations.exceptions import IrreversibleError

SCHEMA_FOLDER = Path(__file__).parent / "sql"
OLDEST_TIMESCALEDB = (2, 23)

# Installed in the database, or at least loaded by the server: packages alone do not make it usable.
HAS_TIMESCALEDB = """
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')
    AND (
        EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')
        OR EXISTS (SELECT FROM pg_settings WHERE name = 'timescaledb.disable_load')
    )
"""
PACKAGE = "SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'"
EXTENSION = "CREATE EXTENSION IF NOT EXISTS timescaledb"
VERSION = "SELECT extversion, current_setting('timescaledb.license') FROM pg_extension WHERE extname = 'timescaledb'"


class Unusable(CommandError):
    """This TimescaleDB cannot hold the schema. The text gives the reason and a way out."""


def create(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        engine = engine_of(cursor)
        if engine == "timescaledb":
            create_extension(cursor)
        text = schema_file(engine).read_text()
        for statement in statements(text):
            cursor.execute(statement)
        # The product recognises the engine by this comment.
        cursor.execute(f"COMMENT ON TABLE traces IS 'engine: {engine}'")
        # Until a version is released this file changes: `migrate` recognises by its hash a database of another state.
        cursor.execute(f"COMMENT ON TABLE user_numbers IS 'schema: {sha256(text.encode()).hexdigest()}'")


def engine_of(cursor: CursorWrapper) -> str:
    """Returns the engine of the setting ANALYTICS_ENGINE; without it TimescaleDB, if the server has it."""
    if settings.ANALYTICS_ENGINE:
        return str(settings.ANALYTICS_ENGINE)
    cursor.execute(HAS_TIMESCALEDB)
    return "timescaledb" if cursor.fetchone() == (True,) else "postgresql"


def create_extension(cursor: CursorWrapper) -> None:
    cursor.execute(PACKAGE)
    if not cursor.fetchone():
        raise Unusable("This server has no TimescaleDB. Install it, or leave ANALYTICS_ENGINE empty.")
    cursor.execute(EXTENSION)
    cursor.execute(VERSION)
    version, license_name = cursor.fetchone()
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_TIMESCALEDB:
        raise Unusable(f"TimescaleDB {version} is too old, 2.23 is needed. ANALYTICS_ENGINE=postgresql does without.")
    if license_name != "timescale":
        raise Unusable(
            "This TimescaleDB is the Apache edition, which has no continuous aggregates: "
            "use the community edition (timescaledb.license = timescale). ANALYTICS_ENGINE=postgresql does without."
        )


def schema_file(engine: str) -> Path:
    """Returns the file with the engine's schema. An engine without a file of its own has PostgreSQL's schema."""
    own, common = (SCHEMA_FOLDER / f"0001_{name}.sql" for name in (engine, "postgresql"))
    return own if own.exists() else common


def statements(text: str) -> list[str]:
    """Returns the statements of a schema file. A blank line follows each of them, and none contains one."""
    return text.split(";\n\n")


def refuse_to_drop(apps: Any, schema_editor: Any) -> None:
    raise IrreversibleError("Traces are not dropped by a migration: drop the database.")


class Migration(migrations.Migration):
    initial = True

    operations = (migrations.RunPython(create, refuse_to_drop),)
