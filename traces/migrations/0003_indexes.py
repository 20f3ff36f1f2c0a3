"""Adds the indexes for users and sessions, while rows are written: outside of a transaction."""

from pathlib import Path
from typing import Any

from django.db import migrations

SCHEMA_FOLDER = Path(__file__).parent / "sql"
ENGINE = "SELECT obj_description('traces'::regclass, 'pg_class')"
LOCK_TIMEOUT = "SELECT set_config('lock_timeout', %s, false)"


def add(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(ENGINE)
        [(comment,)] = cursor.fetchall()
        text = schema_file(comment.removeprefix("engine: ")).read_text()
        cursor.execute("SHOW lock_timeout")
        [(usual,)] = cursor.fetchall()
        # It waits for the transactions that have begun before, and nobody waits for it.
        cursor.execute(LOCK_TIMEOUT, ["0"])
        # A blank line follows each statement, and none contains one.
        for statement in text.split(";\n\n"):
            cursor.execute(statement)
        cursor.execute(LOCK_TIMEOUT, [usual])


def schema_file(engine: str) -> Path:
    """Returns the file for the engine. An engine without a file of its own has PostgreSQL's schema."""
    own, common = (SCHEMA_FOLDER / f"0003_{name}.sql" for name in (engine, "postgresql"))
    return own if own.exists() else common


def keep(apps: Any, schema_editor: Any) -> None:
    """Leaves the indexes where they are: nothing needs them to be gone."""


class Migration(migrations.Migration):
    atomic = False
    dependencies = (("traces", "0002_followers"),)

    operations = (migrations.RunPython(add, keep, atomic=False),)
