"""Makes new tables for the followers on PostgreSQL, and adds sums under several filters on every engine."""

from pathlib import Path
from typing import Any

from django.db import migrations
from django.db.migrations.exceptions import IrreversibleError

SCHEMA_FOLDER = Path(__file__).parent / "sql"
ENGINE = "SELECT obj_description('traces'::regclass, 'pg_class')"


def replace(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(ENGINE)
        [(comment,)] = cursor.fetchall()
        # A blank line follows each statement, and none contains one.
        for statement in schema_file(comment.removeprefix("engine: ")).read_text().split(";\n\n"):
            cursor.execute(statement)


def schema_file(engine: str) -> Path:
    """Returns the file for the engine. An engine without a file of its own has PostgreSQL's schema."""
    own, common = (SCHEMA_FOLDER / f"0007_{name}.sql" for name in (engine, "postgresql"))
    return own if own.exists() else common


def refuse_to_drop(apps: Any, schema_editor: Any) -> None:
    raise IrreversibleError("The sums of the version before are not kept: restore a backup.")


class Migration(migrations.Migration):
    dependencies = (("traces", "0006_views"),)

    operations = (migrations.RunPython(replace, refuse_to_drop),)
