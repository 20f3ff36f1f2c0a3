"""TimescaleDB: `traces` in chunks of a day, and each rollup a continuous aggregate that the database fills.

Metrics read the tables in which the aggregates are stored, and rows of `traces` that an aggregate does not contain yet.
They do not read the views: planning a query on a view takes 1.5 ms, on the table behind it 0.1 ms.
"""

import time
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import ProgrammingError, connections, transaction

from traces import scores
from traces.batch_keys import json_keys, moved_keys
from traces.db import rows
from traces.engines import database_name
from traces.engines.protocol import LOCK, WORKSPACE, Aggregate, RollupState
from traces.filters import EARLIEST, LATEST
from traces.rollups import read_statement
from traces.rollups.catalogue import AGGREGATE_TABLES, CATALOGUE, DAY, HOUR, MINUTE, TEN_MINUTES, WEEK, Width
from traces.write_cursor import WriteCursor

INSERT = read_statement("timescaledb", "insert")
CORRECT = read_statement("timescaledb", "correct")
MERGE = read_statement("timescaledb", "merge")
MOVE = read_statement("timescaledb", "move")
DELETE_LABEL_ROWS = read_statement("timescaledb", "delete_label_rows")
ADD_LABEL_ROWS = read_statement("timescaledb", "add_label_rows")
HAS_LABELS = "SELECT EXISTS (SELECT FROM label_values WHERE workspace_id = %(workspace_id)s)"

# When the panels of a page are loaded at once, one of them reads the watermarks for all. So a watermark can be
# this old, and then more is read from `traces`.
WATERMARK_SECONDS = 10
# An empty aggregate has a watermark at the beginning of time.
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

# Rows are dropped by whole days, and their sums stay. A refresh must not reach a day without rows: it would delete the
# sums of that day.
REACH = """
SELECT min((config->>'start_offset')::interval)
FROM timescaledb_information.jobs
WHERE proc_name = 'policy_refresh_continuous_aggregate' AND hypertable_name = ANY(%s)
"""
# A refresh is not split into batches: each minute that would take another query and a line in the log, even if no rows
# arrived.
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
# It sums only what has changed since the last refresh.
REFRESH_NOW = "CALL refresh_continuous_aggregate(%(table)s, %(start)s::timestamptz, %(end)s::timestamptz)"
# The second of each minute at which a width is refreshed. A late row is first summed into its hour, then the hour into
# days and weeks, all within two minutes.
DELAYS: dict[Width, timedelta] = {
    MINUTE: timedelta(0),
    TEN_MINUTES: timedelta(0),
    HOUR: timedelta(0),
    DAY: timedelta(seconds=20),
    WEEK: timedelta(seconds=40),
}
COLUMNSTORE = """
CALL remove_columnstore_policy(%(table)s, if_exists => true);
CALL add_columnstore_policy(%(table)s, after => interval '7 days');
"""
RETENTION = """
SELECT remove_retention_policy(%(table)s, if_exists => true);
SELECT add_retention_policy(%(table)s, drop_after => %(retention)s);
"""

ROW_TABLES = ("traces", "label_rows")

_aggregates: dict[tuple[str, ...], tuple[float, dict[str, Aggregate]]] = {}
"""The time of reading and the aggregates, for each database."""


class TimescaleDB:
    name = "timescaledb"
    # The sizes of all aggregates would take seconds: each has a part for every day.
    sizes_sql = "SELECT 'traces' AS name, hypertable_size('traces') AS bytes, approximate_row_count('traces') AS rows"
    finds_old_rows = False
    # Of the conditions that do not fit the key, this one is also checked before the rows of a compressed chunk are
    # decompressed. A test of truth is not, so that the rows of all workspaces would be.
    hidden_workspace = f"CASE WHEN {WORKSPACE} THEN true END"
    chunk_bounds = "timestamp >= {start} AND timestamp < {start} + interval '{interval}'"
    has_followers = False
    has_label_rows = True

    def complete_schema(self) -> None:
        set_policies()

    def lock(self, cursor: WriteCursor, workspace_id: UUID) -> None:
        cursor.execute(LOCK, {"workspace_id": workspace_id}, prepare=True)

    def insert(self, cursor: WriteCursor, batch: Mapping[str, Any], oldest: datetime, newest: datetime) -> int:
        cursor.execute(INSERT, batch, prepare=True)
        [(accepted,)] = cursor.fetchall()
        return int(accepted)

    def correct(self, cursor: WriteCursor, batch: Mapping[str, Any]) -> None:
        cursor.execute(CORRECT, batch)
        renew_labels(cursor, batch["workspace_id"], json_keys(batch))

    def merge(self, cursor: WriteCursor, batch: Mapping[str, Any]) -> None:
        cursor.execute(MERGE, batch)
        renew_labels(cursor, batch["workspace_id"], json_keys(batch))

    def move(self, cursor: WriteCursor, workspace_id: UUID, moved: Sequence[Mapping[str, Any]]) -> None:
        for row in moved:
            cursor.execute(MOVE, {"workspace_id": workspace_id, **row})
        renew_labels(cursor, workspace_id, moved_keys(moved))

    def rollup_states(self, workspace_ids: Set[UUID], is_stable: bool) -> dict[UUID, RollupState]:
        return dict.fromkeys(workspace_ids, RollupState(LATEST, aggregates=aggregates()))

    def has_closed_hours_since(self, states: Mapping[UUID, RollupState]) -> bool:
        # A watermark that has moved changes no answer: the rows that are summed now were read from `traces`.
        return False

    def delete_old(self, now: datetime, is_due: Callable[[UUID], bool]) -> None:
        # Its policies delete the rest.
        scores.delete_old(now, is_due, self.lock)

    def close_hours(self, now: datetime) -> None:
        """Does nothing: its policies refresh the aggregates."""

    def follow(self, now: datetime) -> None:
        """Does nothing: its policies refresh the aggregates."""

    def fill_now(self, start: datetime, end: datetime) -> None:
        # Not the buckets that have begun: the policies leave them to the rows too.
        end = min(end, datetime.now(UTC) - MINUTE.length)
        with connections["analytics"].cursor() as cursor:
            for entry in CATALOGUE:
                for width, table in entry.aggregates.items():
                    if end - start >= width.length:
                        cursor.execute(REFRESH_NOW, {"table": table, "start": start, "end": end})


ENGINE = TimescaleDB()


def renew_labels(cursor: WriteCursor, workspace_id: UUID, keys: Mapping[str, list[Any]]) -> None:
    """Gives changed rows the labels that they have now, in the table from which their sums are made."""
    cursor.execute(HAS_LABELS, {"workspace_id": workspace_id}, prepare=True)
    if cursor.fetchone() != (True,):
        return
    times = keys["timestamp"]
    params = {"workspace_id": workspace_id, **keys, "first": min(times), "last": max(times)}
    cursor.execute(DELETE_LABEL_ROWS, params)
    cursor.execute(ADD_LABEL_ROWS, params)


def aggregates() -> dict[str, Aggregate]:
    """Returns the aggregates by rollup table."""
    database = database_name()
    read_at, by_table = _aggregates.get(database, (0.0, {}))
    if not by_table or time.monotonic() > read_at + WATERMARK_SECONDS:
        try:
            by_table = {row.pop("name"): Aggregate(**row) for row in rows(AGGREGATES, {"earliest": EARLIEST})}
        except ProgrammingError as error:
            raise ImproperlyConfigured(
                "This version of TimescaleDB has another catalog than the product reads: "
                "adapt AGGREGATES in traces/engines/timescaledb.py, or use an older version."
            ) from error
        _aggregates[database] = time.monotonic(), by_table
    return by_table


def set_policies() -> None:
    """Replaces the policies by which TimescaleDB refreshes, compresses and deletes, as the settings say."""
    row_retention = timedelta(days=settings.RETENTION_DAYS)
    rollup_retention = timedelta(days=settings.ROLLUP_RETENTION_DAYS)
    with transaction.atomic(using="analytics"), connections["analytics"].cursor() as cursor:
        cursor.execute(REACH, [list(AGGREGATE_TABLES)])
        [reached] = cursor.fetchone()
        reach: Any = min(row_retention, reached or row_retention)
        for entry in CATALOGUE:
            for width, table in entry.aggregates.items():
                delay: Any = DELAYS[width]
                cursor.execute(REFRESH, {"view": table, "reach": reach, "delay": delay})
        for table in ROW_TABLES:
            cursor.execute(COLUMNSTORE, {"table": table})
        retentions = dict.fromkeys(ROW_TABLES, row_retention) | dict.fromkeys(AGGREGATE_TABLES, rollup_retention)
        for table, retention in retentions.items():
            params: Any = {"table": table, "retention": retention}
            cursor.execute(RETENTION, params)
