"""Keeps the statistics fresh from which PostgreSQL plans its searches."""

from django.db import connections

from web.queue import for_each

# Autovacuum waits until a tenth of a table has changed. Until then the planner takes a new workspace for empty. And it
# does nothing after a restore whose rows nobody changes.
CHANGED_TABLES = """
SELECT format('%I.%I', schemaname, stats.relname)
FROM pg_stat_user_tables AS stats
JOIN pg_class ON pg_class.oid = relid AND pg_get_userbyid(relowner) = current_user
WHERE n_mod_since_analyze > 1000 + 0.02 * n_live_tup
    OR (n_live_tup > 0 AND last_analyze IS NULL AND last_autoanalyze IS NULL)
ORDER BY n_mod_since_analyze DESC
"""


def analyze_changed_tables() -> None:
    with connections["analytics"].cursor() as cursor:
        cursor.execute(CHANGED_TABLES)
        tables = [table for (table,) in cursor.fetchall()]
    for_each(tables, analyze)


def analyze(table: str) -> None:
    with connections["analytics"].cursor() as cursor:
        cursor.execute(f"ANALYZE {table}")
