"""TimescaleDB: `traces` in chunks of a day, and each rollup a continuous aggregate that the database fills.

Metrics read the tables in which the aggregates are stored, up to where each is filled, and rows from there on:
planning a view costs 1.5 ms, the table behind it 0.1.
"""

import time
from collections.abc import Mapping, Set
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connections, transaction

from traces.db import rows
from traces.engines import database_name
from traces.engines.protocol import Aggregate, RollupState
from traces.filters import EARLIEST, LATEST
from traces.rollups import statement
from traces.rollups.catalogue import ALL_TABLES, CATALOGUE, DAY, HOUR, MINUTE, TEN_MINUTES, WEEK, Width
from traces.write_cursor import WriteCursor

INSERT = statement("timescaledb", "insert")
CORRECT = statement("timescaledb", "correct")
MOVE = statement("timescaledb", "move")
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%(workspace_id)s::text, 0))"

# Of a page whose panels are loaded at once, one reads the watermarks; the rows beyond them are that much older.
WATERMARK_SECONDS = 10
# Of an aggregate that nothing is summed in yet the watermark is the beginning of time.
AGGREGATES = """
SELECT
    user_view_name::text AS name,
    format('%%I.%%I', schema_name, table_name) AS table,
    greatest(_timescaledb_functions.to_timestamp(watermark), %(earliest)s) AS watermark
FROM _timescaledb_catalog.continuous_agg
JOIN _timescaledb_catalog.hypertable ON hypertable.id = mat_hypertable_id
JOIN _timescaledb_catalog.continuous_aggs_watermark USING (mat_hypertable_id)
WHERE user_view_schema = current_schema()
"""

# Rows are dropped by whole days, whose sums stay. A refresh must not reach a day without rows: it would empty its sums.
REACH = """
SELECT min((config->>'start_offset')::interval)
FROM timescaledb_information.jobs
WHERE proc_name = 'policy_refresh_continuous_aggregate' AND hypertable_name = ANY(%s)
"""
# In one piece: looking for batches costs a query and a line in the log each minute, also when nothing arrived.
REFRESH = """
SELECT remove_continuous_aggregate_policy(%(view)s, if_exists => true);
SELECT add_continuous_aggregate_policy(
    %(view)s,
    start_offset => %(reach)s,
    end_offset => interval '1 minute',
    schedule_interval => interval '1 minute',
    initial_start => date_trunc('minute', now()) + interval '1 minute' + %(delay)s,
    buckets_per_batch => 0
);
"""
# Of each minute: a late row is first in its hour, then in what is summed from hours, all within two minutes.
DELAYS: dict[Width, timedelta] = {
    MINUTE: timedelta(0),
    TEN_MINUTES: timedelta(0),
    HOUR: timedelta(0),
    DAY: timedelta(seconds=20),
    WEEK: timedelta(seconds=40),
}
COLUMNSTORE = """
CALL remove_columnstore_policy('traces', if_exists => true);
CALL add_columnstore_policy('traces', after => interval '7 days');
"""
RETENTION = """
SELECT remove_retention_policy(%(table)s, if_exists => true);
SELECT add_retention_policy(%(table)s, drop_after => %(kept)s);
"""

_aggregates: dict[tuple[str, ...], tuple[float, dict[str, Aggregate]]] = {}
"""Of each database, and when they were read."""


class TimescaleDB:
    name = "timescaledb"

    def create(self) -> None:
        set_policies()

    def lock(self, cursor: WriteCursor, workspace_id: UUID) -> None:
        cursor.execute(LOCK, {"workspace_id": workspace_id}, prepare=True)

    def insert(self, cursor: WriteCursor, batch: Mapping[str, Any], oldest: datetime, newest: datetime) -> int:
        cursor.execute(INSERT, batch, prepare=True)
        [(accepted,)] = cursor.fetchall()
        return int(accepted)

    def correct(self, cursor: WriteCursor, batch: Mapping[str, Any]) -> None:
        cursor.execute(CORRECT, batch)

    def move(self, cursor: WriteCursor, row: Mapping[str, Any]) -> None:
        cursor.execute(MOVE, row)

    def rollup_states(self, workspace_ids: Set[UUID], is_stable: bool) -> dict[UUID, RollupState]:
        return dict.fromkeys(workspace_ids, RollupState(LATEST, aggregates=aggregates()))

    def has_closed_hours_since(self, states: Mapping[UUID, RollupState]) -> bool:
        # A watermark that has moved since does no harm: what is summed now was a row before.
        return False

    def retain(self, now: datetime) -> str:
        set_policies()
        return (
            f"TimescaleDB's policies keep traces {settings.RETENTION_DAYS} days, "
            f"their sums {settings.ROLLUP_RETENTION_DAYS} days."
        )

    def distribute(self) -> list[str]:
        raise CommandError(
            "This database has the schema of TimescaleDB. Citus distributes that of PostgreSQL: "
            "set ANALYTICS_ENGINE=postgresql and migrate an empty database."
        )


ENGINE = TimescaleDB()


def aggregates() -> dict[str, Aggregate]:
    """By rollup table."""
    database = database_name()
    read_at, found = _aggregates.get(database, (0.0, {}))
    if not found or time.monotonic() > read_at + WATERMARK_SECONDS:
        found = {one.pop("name"): Aggregate(**one) for one in rows(AGGREGATES, {"earliest": EARLIEST})}
        _aggregates[database] = time.monotonic(), found
    return found


def set_policies() -> None:
    """Sets what TimescaleDB does by itself, as the settings say. It replaces what the policies said before."""
    rows_kept = timedelta(days=settings.RETENTION_DAYS)
    rollups_kept = timedelta(days=settings.ROLLUP_RETENTION_DAYS)
    with transaction.atomic(using="analytics"), connections["analytics"].cursor() as cursor:
        cursor.execute(REACH, [list(ALL_TABLES)])
        [reached] = cursor.fetchone()
        reach: Any = min(rows_kept, reached or rows_kept)
        for entry in CATALOGUE:
            for width, table in entry.tables.items():
                delay: Any = DELAYS[width]
                cursor.execute(REFRESH, {"view": table, "reach": reach, "delay": delay})
        cursor.execute(COLUMNSTORE)
        for table, kept in ({"traces": rows_kept} | dict.fromkeys(ALL_TABLES, rollups_kept)).items():
            params: Any = {"table": table, "kept": kept}
            cursor.execute(RETENTION, params)
