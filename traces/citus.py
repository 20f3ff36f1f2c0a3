"""The PostgreSQL schema spread over a cluster: a workspace lies on one node, so each question goes to one."""

from django.core.management.base import CommandError
from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

from traces import engine
from traces.rollups import TABLES

DISTRIBUTED = ("traces", "user_numbers", "closed_hours", *TABLES)
FUNCTIONS = ("latency_bucket(double precision)", "time_bucket(interval, timestamptz)")

# Moving the rows of a large table takes as long as it takes. One shard after the other: all in one transaction.
LIMITS = """
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = 0;
SET LOCAL citus.multi_shard_modify_mode = 'sequential';
"""
AVAILABLE = "SELECT 1 FROM pg_available_extensions WHERE name = 'citus'"
MIGRATED = "SELECT to_regclass('closed_hours') IS NOT NULL"
REMAINING = """
SELECT name
FROM unnest(%s::text[]) WITH ORDINALITY AS wanted (name, place)
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = to_regclass(name))
ORDER BY place
"""
FUNCTION = "SELECT create_distributed_function(%s::regprocedure)"
TABLE = "SELECT create_distributed_table(%s, 'workspace_id', colocate_with => %s)"
# Distributing copies the rows to the nodes: the coordinator's own would be left, unseen, on its disk.
EMPTIED = "SELECT truncate_local_data_after_distributing_table(%s::regclass)"


def distribute() -> list[str]:
    """The tables that were not distributed yet, and are now."""
    if engine.is_timescaledb():
        raise CommandError(
            "This database has the schema of TimescaleDB. Citus distributes that of PostgreSQL: "
            "set ANALYTICS_ENGINE=postgresql and migrate an empty database."
        )
    with transaction.atomic(using="analytics"), connections["analytics"].cursor() as cursor:
        check(cursor)
        cursor.execute("CREATE EXTENSION IF NOT EXISTS citus")
        cursor.execute(LIMITS)
        cursor.execute(REMAINING, [list(DISTRIBUTED)])
        remaining = [name for (name,) in cursor.fetchall()]
        for function in FUNCTIONS if remaining else ():
            cursor.execute(FUNCTION, [function])
        for table in remaining:
            cursor.execute(TABLE, [table, "none" if table == "traces" else "traces"])
        for table in DISTRIBUTED:
            cursor.execute(EMPTIED, [table])
    return remaining


def join(cursor: CursorWrapper, table: str) -> None:
    """Distributes a new table where those there are distributed already."""
    cursor.execute(HAS_CATALOG)
    if cursor.fetchone() != (True,):
        return
    cursor.execute(REMAINING, [["traces"]])
    if not cursor.fetchall():
        cursor.execute(TABLE, [table, "traces"])


HAS_CATALOG = "SELECT to_regclass('pg_dist_partition') IS NOT NULL"


def check(cursor: CursorWrapper) -> None:
    cursor.execute(AVAILABLE)
    if not cursor.fetchone():
        raise CommandError("Citus is not installed on this server: docs/storage.md says how a cluster is set up.")
    cursor.execute(MIGRATED)
    if cursor.fetchone() != (True,):
        raise CommandError("There are no tables yet: run `manage.py migrate --database analytics` first.")
