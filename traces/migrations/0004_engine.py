"""On TimescaleDB, what the migrations before made for PostgreSQL takes its shape there. Elsewhere there is nothing to do."""

from typing import Any

from django.db import migrations
from django.db.migrations.exceptions import IrreversibleError

from traces import engine, timescaledb


def set_up(apps: Any, schema_editor: Any) -> None:
    if engine.will_be_timescaledb():
        with schema_editor.connection.cursor() as cursor:
            timescaledb.set_up(cursor)
        engine.forget()


def back(apps: Any, schema_editor: Any) -> None:
    if engine.is_timescaledb():
        raise IrreversibleError("A hypertable does not become a table again: restore a backup.")


class Migration(migrations.Migration):
    dependencies = (("traces", "0003_rollups"),)

    operations = (migrations.RunPython(set_up, back),)
