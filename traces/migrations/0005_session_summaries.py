"""Adds a row for each session, by which lists of sessions are sorted and filtered."""

from pathlib import Path
from typing import Any

from django.db import migrations
from django.db.migrations.exceptions import IrreversibleError

SCHEMA = Path(__file__).parent / "sql" / "0005_postgresql.sql"
ENGINE = "SELECT obj_description('traces'::regclass, 'pg_class')"


def add(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(ENGINE)
        [(comment,)] = cursor.fetchall()
        # There no worker fills sums behind the writers.
        if comment == "engine: timescaledb":
            return
        # A blank line follows each statement, and none contains one.
        for statement in SCHEMA.read_text().split(";\n\n"):
            cursor.execute(statement)


def refuse_to_drop(apps: Any, schema_editor: Any) -> None:
    raise IrreversibleError("Traces are not dropped by a migration: drop the database.")


class Migration(migrations.Migration):
    dependencies = (("traces", "0004_trace_totals"),)

    operations = (migrations.RunPython(add, refuse_to_drop),)
