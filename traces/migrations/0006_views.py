"""Makes the schema observability_v1, whose views other tools read through roles of `manage.py read_role`."""

from pathlib import Path
from typing import Any

from django.db import migrations
from django.db.migrations.exceptions import IrreversibleError

SCHEMA_FOLDER = Path(__file__).parent / "sql"
ENGINE = "SELECT obj_description('traces'::regclass, 'pg_class')"


def add(apps: Any, schema_editor: Any) -> None:
    # It reads tables and changes none, so no writer waits for it.
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(ENGINE)
        [(comment,)] = cursor.fetchall()
        # A blank line follows each statement, and none contains one.
        for statement in schema_file(comment.removeprefix("engine: ")).read_text().split(";\n\n"):
            cursor.execute(statement)


def schema_file(engine: str) -> Path:
    """Returns the file for the engine. An engine without a file of its own has PostgreSQL's schema."""
    own, common = (SCHEMA_FOLDER / f"0006_{name}.sql" for name in (engine, "postgresql"))
    return own if own.exists() else common


def refuse_to_drop(apps: Any, schema_editor: Any) -> None:
    raise IrreversibleError("Other tools read these views: drop the schema observability_v1 by hand.")


class Migration(migrations.Migration):
    dependencies = (("traces", "0005_session_summaries"),)

    operations = (migrations.RunPython(add, refuse_to_drop),)
