"""Adds environment, release, labels, tool and first token, and the sums by them, by the literal SQL for each engine."""

from hashlib import sha256
from pathlib import Path
from typing import Any

from django.db import migrations
from django.db.migrations.exceptions import IrreversibleError

SCHEMA_FOLDER = Path(__file__).parent / "sql"
ENGINE = "SELECT obj_description('traces'::regclass, 'pg_class')"


def add(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(ENGINE)
        [(comment,)] = cursor.fetchall()
        text = schema_file(comment.removeprefix("engine: ")).read_text()
        # A blank line follows each statement, and none contains one.
        for statement in text.split(";\n\n"):
            cursor.execute(statement)
        # As the initial migration does: `migrate` recognises by it a database of an unreleased state.
        cursor.execute(f"COMMENT ON TABLE label_values IS 'schema: {sha256(text.encode()).hexdigest()}'")


def schema_file(engine: str) -> Path:
    """Returns the file for the engine. An engine without a file of its own has PostgreSQL's schema."""
    own, common = (SCHEMA_FOLDER / f"0002_{name}.sql" for name in (engine, "postgresql"))
    return own if own.exists() else common


def refuse_to_drop(apps: Any, schema_editor: Any) -> None:
    raise IrreversibleError("Traces are not dropped by a migration: drop the database.")


class Migration(migrations.Migration):
    dependencies = (("traces", "0001_initial"),)

    operations = (migrations.RunPython(add, refuse_to_drop),)
