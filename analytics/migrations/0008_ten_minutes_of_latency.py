"""What 0007 makes now, for databases that an earlier state of it has been through."""

from typing import Any

from django.db import migrations
from django.db.backends.utils import CursorWrapper

from analytics import citus, engine, timescaledb
from analytics.rollups import KEPT, LATENCY, STORED, of_rows, upsert
from analytics.schema import FAILED, table

IS_OLD = """
SELECT indexdef NOT LIKE '%INCLUDE%'
FROM pg_indexes
WHERE schemaname = current_schema() AND indexname = 'idx_traces_error_analysis'
"""
IS_THERE = "SELECT to_regclass(%s) IS NOT NULL"
INDEXES_OF_AGGREGATE = """
SELECT format('%%I.%%I', schemaname, indexname)
FROM pg_indexes
JOIN timescaledb_information.continuous_aggregates
    ON materialization_hypertable_schema = schemaname AND materialization_hypertable_name = tablename
WHERE view_schema = current_schema() AND view_name = %s AND indexdef LIKE '%%(workspace_id, bucket%%'
"""
# Those that were counted at once are summed from ten minutes when they are closed.
OPEN_HOURS = f"""
DELETE FROM {LATENCY.tables[LATENCY.widths[1]]} AS hours
USING closed_hours
WHERE closed_hours.workspace_id = hours.workspace_id AND hours.bucket >= closed_before
"""  # noqa: S608 (a constant)


def bring_up(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(IS_OLD)
        if cursor.fetchone() == (False,):
            return
        cursor.execute(citus.LIMITS)
        if engine.is_timescaledb():
            add_to_aggregates(cursor)
        else:
            add_ten_minutes(cursor)
        cursor.execute("DROP INDEX IF EXISTS idx_traces_error_analysis")
        cursor.execute(FAILED)


def is_there(cursor: CursorWrapper, name: str) -> bool:
    cursor.execute(IS_THERE, [name])
    return bool(cursor.fetchone() == (True,))


def add_ten_minutes(cursor: CursorWrapper) -> None:
    if is_there(cursor, LATENCY.narrowest):
        return
    cursor.execute(table(LATENCY, LATENCY.widths[0]))
    citus.join(cursor, LATENCY.narrowest)
    cursor.execute(upsert(LATENCY, LATENCY.narrowest, of_rows(LATENCY, LATENCY.widths[0], STORED)))
    cursor.execute(OPEN_HOURS)


def add_to_aggregates(cursor: CursorWrapper) -> None:
    for counted in KEPT:
        for width, view in counted.tables.items():
            if not is_there(cursor, view):
                cursor.execute(timescaledb.aggregate_of(counted, width))
            cursor.execute(INDEXES_OF_AGGREGATE, [view])
            for (index,) in cursor.fetchall():
                cursor.execute(f"DROP INDEX {index}")
            cursor.execute(timescaledb.index_of(counted, view))
    timescaledb.set_policies(cursor)
    engine.forget()


class Migration(migrations.Migration):
    dependencies = (("analytics", "0007_user_numbers"),)

    operations = (migrations.RunPython(bring_up, migrations.RunPython.noop),)
