"""Brings databases that were migrated before to the schema that 0003 now makes, and fills its rollups from their rows."""

from typing import Any

from django.db import migrations
from django.db.backends.utils import CursorWrapper

from analytics import citus, engine, timescaledb
from analytics.rollups import FILL, KEPT
from analytics.schema import CLOSED_HOURS, FAILED, KEY, USER_NUMBERS, table

HAS_NUMBERS = "SELECT to_regclass('user_numbers') IS NOT NULL"
OLD_KEYS = "SELECT conname FROM pg_constraint WHERE conrelid = 'traces'::regclass AND contype = 'u'"
# What an earlier version may have made, the widest first: they are made from the narrower ones.
OLD_ROLLUPS = [
    f"{name}_{width}"
    for width in ("weekly", "daily", "hourly", "minutely")
    for name in (
        *("totals", "models", "agents", "calls", "latency", "call_latency", "users", "user_agents", "failures"),
        "errors",
    )
]


def bring_up(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(HAS_NUMBERS)
        if cursor.fetchone() == (True,):
            return
        # Filling takes as long as there are rows. One change in a statement, as Citus takes them.
        cursor.execute(citus.LIMITS)
        cursor.execute("DROP INDEX IF EXISTS idx_traces_workspace_user")
        cursor.execute("DROP INDEX IF EXISTS idx_traces_error_analysis")
        cursor.execute("ALTER TABLE traces RESET (toast_tuple_target)")
        if engine.is_timescaledb():
            drop_rollups(cursor, "MATERIALIZED VIEW")
            number_users(cursor)
            timescaledb.add_aggregates(cursor)
            timescaledb.set_policies(cursor)
        else:
            drop_rollups(cursor, "TABLE")
            cursor.execute("DROP TABLE closed_days")
            drop_keys(cursor)
            number_users(cursor)
            cursor.execute(KEY)
            add_rollups(cursor)
        cursor.execute(FAILED)


def drop_rollups(cursor: CursorWrapper, kind: str) -> None:
    for name in OLD_ROLLUPS:
        cursor.execute(f"DROP {kind} IF EXISTS {name}")


def drop_keys(cursor: CursorWrapper) -> None:
    """A hypertable with a columnstore keeps the key it has: it finds the same, slower."""
    cursor.execute(OLD_KEYS)
    for (name,) in cursor.fetchall():
        cursor.execute(f"ALTER TABLE traces DROP CONSTRAINT {name}")


def number_users(cursor: CursorWrapper) -> None:
    add_column, make_table, *fill = USER_NUMBERS
    cursor.execute(add_column)
    cursor.execute(make_table)
    citus.join(cursor, "user_numbers")
    for statement in fill:
        cursor.execute(statement)


def add_rollups(cursor: CursorWrapper) -> None:
    cursor.execute(CLOSED_HOURS)
    citus.join(cursor, "closed_hours")
    for counted in KEPT:
        for width in counted.widths:
            cursor.execute(table(counted, width))
            citus.join(cursor, counted.table(width))
    for statement in FILL:
        cursor.execute(statement)


class Migration(migrations.Migration):
    dependencies = (("analytics", "0006_short_indexes"),)

    operations = (migrations.RunPython(bring_up, migrations.RunPython.noop),)
