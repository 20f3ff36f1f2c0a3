"""The schema on TimescaleDB: `traces` in chunks of a day, and each rollup a continuous aggregate of the same name."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db.backends.utils import CursorWrapper

from traces.rollups import (
    AMOUNTS,
    CHUNK,
    DAY,
    HOUR,
    KEPT,
    MEMBER,
    MINUTE,
    TABLES,
    TEN_MINUTES,
    WEEK,
    Rollup,
    Sets,
    Width,
)
from traces.schema import MEASURE_TYPES
from traces.windows import KEYS_OF_ROWS

OLDEST = (2, 23)

# Moving the rows of a large table takes as long as it takes.
LIMITS = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0"
AVAILABLE = "SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'"

EXTENSION = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        DROP FUNCTION IF EXISTS time_bucket(interval, timestamptz);
        CREATE EXTENSION timescaledb;
    END IF;
END
$$
"""

TRACES = """
SELECT create_hypertable(
    'traces',
    by_range('timestamp', interval '1 day'),
    create_default_indexes => false,
    migrate_data => true
);
ALTER TABLE traces SET (
    timescaledb.enable_columnstore,
    timescaledb.segmentby = 'workspace_id',
    timescaledb.orderby = 'timestamp'
);
"""

# A late batch may open more compressed rows than the default allows: it is stored, not refused.
DECOMPRESSION = """
DO $$
BEGIN
    EXECUTE format(
        'ALTER DATABASE %I SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0',
        current_database()
    );
END
$$
"""

# Chunks of the aggregates: few enough to plan a window of 400 days quickly.
CHUNKS = {MINUTE: "10 days", TEN_MINUTES: "10 days", HOUR: "10 days", DAY: "100 days", WEEK: "700 days"}
# What is read by the thousand is read from the index alone: there the rows of a workspace lie beside each other.
INCLUDED = {
    "agents": tuple(AMOUNTS),
    "latency": ("calls",),
    "users": ("calls",),
    "failures": ("calls",),
    "errors": ("calls",),
}
# Of each minute: a late row is first in its hour, then in what is summed from hours, all within two minutes.
DELAYS: dict[Width, Any] = {
    MINUTE: timedelta(0),
    TEN_MINUTES: timedelta(0),
    HOUR: timedelta(0),
    DAY: timedelta(seconds=20),
    WEEK: timedelta(seconds=40),
}


class Unusable(CommandError):
    """This TimescaleDB cannot hold the schema; the text says why and what to do."""


def set_up(cursor: CursorWrapper) -> None:
    """In place of PostgreSQL's rollup tables. The rows of `traces` stay; the policies fill the aggregates."""
    cursor.execute(LIMITS)
    cursor.execute(AVAILABLE)
    if not cursor.fetchone():
        raise Unusable("This server has no TimescaleDB. Install it, or leave ANALYTICS_ENGINE empty.")
    cursor.execute(EXTENSION)
    check(cursor)
    cursor.execute(f"DROP TABLE closed_hours, {', '.join(TABLES)}")
    cursor.execute(TRACES)
    cursor.execute(DECOMPRESSION)
    add_aggregates(cursor)
    set_policies(cursor)


def add_aggregates(cursor: CursorWrapper) -> None:
    """Those of hours before those of days and weeks, which are made from them."""
    for counted in KEPT:
        for width, view in counted.tables.items():
            cursor.execute(aggregate_of(counted, width))
            cursor.execute(index_of(counted, view))


def index_of(counted: Rollup | Sets, view: str) -> str:
    """By all that questions narrow by, as PostgreSQL's unique key. TimescaleDB has one of its own, by time alone."""
    included = f" INCLUDE ({', '.join(INCLUDED[counted.name])})" if counted.name in INCLUDED else ""
    return f"CREATE INDEX ON {view} ({', '.join(('workspace_id', 'bucket', *counted.keys))}){included}"


def aggregate_of(counted: Rollup | Sets, width: Width) -> str:
    """Days and weeks from what is narrower, all else from rows."""
    narrower = [one for one in counted.widths if HOUR.length <= one.length < width.length]
    rollup = counted.of if isinstance(counted, Sets) else counted
    if narrower:
        source, held, bucket = counted.table(narrower[-1]), "true", f"time_bucket('{width.interval}', bucket)"
    else:
        source, held, bucket = "traces", rollup.held, f"time_bucket('{width.interval}', timestamp)"
    if isinstance(counted, Sets):
        keys = (*counted.keys, "chunk" if narrower else f"{CHUNK} AS chunk")
        measures = {"users": f"bit_or({'users' if narrower else MEMBER})"}
    else:
        keys = counted.keys if narrower else tuple(KEYS_OF_ROWS.get(key, key) for key in counted.keys)
        sums = {name: name for name in rollup.measures} if narrower else rollup.measures
        measures = {name: f"sum({value})::{MEASURE_TYPES[name]}" for name, value in sums.items()}
    return aggregate(counted.table(width), CHUNKS[width], source, bucket, keys, measures, held)


def check(cursor: CursorWrapper) -> None:
    cursor.execute(
        "SELECT extversion, current_setting('timescaledb.license') FROM pg_extension WHERE extname = 'timescaledb'"
    )
    version, license_name = cursor.fetchone()
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        raise Unusable(f"TimescaleDB {version} is too old, 2.23 is needed. ANALYTICS_ENGINE=postgresql does without.")
    if license_name != "timescale":
        raise Unusable(
            "This TimescaleDB is the Apache edition, which has no continuous aggregates: "
            "use the community edition (timescaledb.license = timescale). ANALYTICS_ENGINE=postgresql does without."
        )


def aggregate(
    view: str, chunk: str, source: str, bucket: str, keys: tuple[str, ...], sums: Mapping[str, str], counted: str
) -> str:
    """Real-time: what is not summed yet is read from its source."""
    columns = ", ".join((*keys, *(f"{value} AS {name}" for name, value in sums.items())))
    places = ", ".join(str(place) for place in range(1, len(keys) + 3))
    return f"""
    CREATE MATERIALIZED VIEW {view} WITH (
        timescaledb.continuous,
        timescaledb.materialized_only = false,
        timescaledb.create_group_indexes = false,
        timescaledb.chunk_interval = '{chunk}'
    ) AS
    SELECT workspace_id, {bucket} AS bucket, {columns}
    FROM {source}
    WHERE {counted}
    GROUP BY {places}
    WITH NO DATA"""  # noqa: S608 (built from the names of rollups.py, never from input)


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

COLUMNSTORE = """
CALL remove_columnstore_policy('traces', if_exists => true);
CALL add_columnstore_policy('traces', after => interval '7 days');
"""

RETENTION = """
SELECT remove_retention_policy(%(table)s, if_exists => true);
SELECT add_retention_policy(%(table)s, drop_after => %(kept)s);
"""


def set_policies(cursor: CursorWrapper) -> None:
    """As the settings say; what the policies said before is replaced."""
    rows_kept: Any = timedelta(days=settings.RETENTION_DAYS)
    rollups_kept: Any = timedelta(days=settings.ROLLUP_RETENTION_DAYS)
    cursor.execute(REACH, [list(TABLES)])
    [reached] = cursor.fetchone()
    reach = min(rows_kept, reached or rows_kept)
    for counted in KEPT:
        for width, table in counted.tables.items():
            cursor.execute(REFRESH, {"view": table, "reach": reach, "delay": DELAYS[width]})
    cursor.execute(COLUMNSTORE)
    for table, kept in ({"traces": rows_kept} | dict.fromkeys(TABLES, rollups_kept)).items():
        cursor.execute(RETENTION, {"table": table, "kept": kept})
