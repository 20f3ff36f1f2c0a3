"""Citus: the schema of PostgreSQL on a cluster. All rows of a workspace are on one node, so a query reads one."""

from django.core.management.base import CommandError
from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

from traces import engines, scores, session_summaries, trace_totals
from traces.engines.postgresql import PostgreSQL
from traces.engines.protocol import WORKSPACE
from traces.rollups.catalogue import ALL_TABLES

DISTRIBUTED_TABLES = (
    *("traces", "user_numbers", "label_values", "label_months", "rollup_state"),
    *(*ALL_TABLES, scores.TABLE, *scores.SUM_TABLES, trace_totals.TABLE, session_summaries.TABLE),
)
FUNCTIONS = (
    *("latency_bucket(double precision)", "time_bucket(interval, timestamptz)"),
    "histogram_sum(integer[], integer[])",
)

# Moving the rows of a large table can take hours. The shards are moved one after the other, in one transaction.
LIMITS = """
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = 0;
SET LOCAL citus.multi_shard_modify_mode = 'sequential';
"""
AVAILABLE = "SELECT 1 FROM pg_available_extensions WHERE name = 'citus'"
MIGRATED = "SELECT to_regclass('rollup_state') IS NOT NULL"
REMAINING = """
SELECT name
FROM unnest(%s::text[]) WITH ORDINALITY AS wanted (name, place)
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = to_regclass(name))
ORDER BY place
"""
SET_ENGINE_NAME = "COMMENT ON TABLE traces IS 'engine: citus'"
FUNCTION = "SELECT create_distributed_function(%s::regprocedure)"
TABLE = "SELECT create_distributed_table(%s, 'workspace_id', colocate_with => %s)"
# Distributing copies the rows to the nodes. The coordinator would keep its own rows on disk, where no query sees them.
EMPTY_LOCAL_COPY = "SELECT truncate_local_data_after_distributing_table(%s::regclass)"


class Citus(PostgreSQL):
    name = "citus"
    hidden_workspace = WORKSPACE  # or Citus would not find its shard
    sizes_sql = "SELECT 'traces' AS name, citus_total_relation_size('traces') AS bytes, NULL::bigint AS rows"


ENGINE = Citus()


def distribute() -> list[str]:
    """Spreads the tables over the cluster. Returns those that were not distributed before."""
    if not isinstance(engines.current(), PostgreSQL):
        raise CommandError(
            f"This database has the schema of {engines.current().name}. Citus distributes that of PostgreSQL: "
            "set ANALYTICS_ENGINE=postgresql and migrate an empty database."
        )
    with transaction.atomic(using="analytics"), connections["analytics"].cursor() as cursor:
        check_citus_is_ready(cursor)
        cursor.execute("CREATE EXTENSION IF NOT EXISTS citus")
        cursor.execute(LIMITS)
        cursor.execute(REMAINING, [list(DISTRIBUTED_TABLES)])
        remaining = [name for (name,) in cursor.fetchall()]
        if "traces" in remaining:
            cursor.execute(SET_ENGINE_NAME)
        for function in FUNCTIONS if remaining else ():
            cursor.execute(FUNCTION, [function])
        for table in remaining:
            cursor.execute(TABLE, [table, "none" if table == "traces" else "traces"])
        for table in DISTRIBUTED_TABLES:
            cursor.execute(EMPTY_LOCAL_COPY, [table])
    engines.forget_engines()
    return remaining


def check_citus_is_ready(cursor: CursorWrapper) -> None:
    """Raises a CommandError if Citus is not installed or the database is not migrated."""
    cursor.execute(AVAILABLE)
    if not cursor.fetchone():
        raise CommandError("Citus is not installed on this server: docs/storage.md says how a cluster is set up.")
    cursor.execute(MIGRATED)
    if cursor.fetchone() != (True,):
        raise CommandError("There are no tables yet: run `manage.py migrate --database analytics` first.")
