"""Brings databases that were migrated before to the schema that 0003 now makes: it has the key and all rollups."""

from typing import Any

from django.db import migrations
from django.db.backends.utils import CursorWrapper

from analytics import engine, timescaledb
from analytics.rollups import ROLLUPS, fill
from analytics.schema import KEY, table

HAS_KEY = "SELECT EXISTS (SELECT FROM pg_constraint WHERE conname = 'traces_span_key')"
OLD_KEY = "ALTER TABLE traces DROP CONSTRAINT traces_workspace_id_timestamp_trace_id_span_id_key"
NO_LONGER = ("DROP INDEX idx_traces_workspace_user", "ALTER TABLE traces RESET (toast_tuple_target)")


def bring_up(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        # Filling takes as long as there are rows.
        cursor.execute("SET LOCAL statement_timeout = 0")
        change_traces(cursor)
        add_rollups(cursor)


def change_traces(cursor: CursorWrapper) -> None:
    cursor.execute(HAS_KEY)
    if cursor.fetchone() == (True,):
        return
    for statement in NO_LONGER:  # one at a time, as Citus takes them
        cursor.execute(statement)
    if not engine.is_timescaledb():  # a hypertable with a columnstore keeps the key it has: it finds the same, slower
        cursor.execute(KEY)
        cursor.execute(OLD_KEY)


def add_rollups(cursor: CursorWrapper) -> None:
    missing = [
        (rollup, width) for rollup in ROLLUPS for width in rollup.widths if not exists(cursor, rollup.table(width))
    ]
    if missing and engine.is_timescaledb():
        timescaledb.add_aggregates(cursor, missing)
        timescaledb.set_policies(cursor)
        return
    for rollup, width in missing:
        cursor.execute(table(rollup, width))
        cursor.execute(fill(rollup, width))


def exists(cursor: CursorWrapper, name: str) -> bool:
    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
    return bool(cursor.fetchone() == (True,))


class Migration(migrations.Migration):
    dependencies = (("analytics", "0004_engine"),)

    operations = (migrations.RunPython(bring_up, migrations.RunPython.noop),)
