"""Makes the SQL of a rollup's tables for each engine, from the catalogue: a migration takes it as literal text."""

from collections.abc import Iterable

from traces.rollups.catalogue import DAY, HISTOGRAM, HOUR, LABEL, ROW_KEYS, TOKEN_COLUMNS, WEEK, Rollup, Width
from traces.rollups.statements import column_numbers, one_per_line
from traces.row import COST_COLUMNS

# Text is compared byte by byte. Comparing by the rules of a language makes every index and sort slower, and no answer
# needs it.
TEXT = 'text COLLATE "C"'
KEY_TYPES = {
    "user_number": "integer",
    "latency_bucket": "integer",
    "first_token_bucket": "integer",
    "user_range": "integer",
    LABEL: "bigint",
}
"""The types of the keys that are no texts."""
MEASURE_TYPES = {
    "calls": "integer",
    "errors": "integer",
    "timed_calls": "integer",
    "latency_ms": "double precision",
    "priced_calls": "integer",
    "cost_usd": "numeric",
    **dict.fromkeys(COST_COLUMNS, "numeric"),
    **dict.fromkeys(TOKEN_COLUMNS, "bigint"),
    "model_calls": "integer",
    "traces": "integer",
    "duration_ms": "double precision",
    "squared_latency": "double precision",
    "squared_cost": "numeric",
}


def rollup_table(rollup: Rollup, width: Width) -> str:
    columns = (
        "workspace_id uuid NOT NULL",
        "bucket timestamptz NOT NULL",
        *(f"{key} {KEY_TYPES.get(key, TEXT)}" for key in rollup.row_keys),
        *(f"{name} {MEASURE_TYPES[name]} NOT NULL" for name in rollup.measures),
        *((f"{HISTOGRAM} integer[] NOT NULL",) if rollup.packed else ()),
        f"CONSTRAINT {rollup.table(width)}_key UNIQUE NULLS NOT DISTINCT"
        f" ({', '.join(('workspace_id', 'bucket', *rollup.row_keys))})",
    )
    # Each page has free space, so that a changed row stays on its page and no index changes.
    return f"""
CREATE TABLE {rollup.table(width)} (
{one_per_line(columns)}
)
WITH (fillfactor = 70)
"""


# Chunks of the aggregates: few enough to plan a window of 400 days quickly.
CHUNK_INTERVALS = {HOUR: "10 days", DAY: "100 days", WEEK: "700 days"}


def aggregate(rollup: Rollup, width: Width) -> str:
    """Returns the SQL for a continuous aggregate. Days and weeks sum narrower aggregates, hours sum rows.

    It is a real-time aggregate: rows that are not summed yet are read from its source.
    """
    narrower = [other for other in rollup.aggregates if other.length < width.length]
    rows = "label_rows" if rollup.is_of_labels else "traces"
    source, time_column = (rollup.table(narrower[-1]), "bucket") if narrower else (rows, "timestamp")
    keys = rollup.keys if narrower else tuple(ROW_KEYS.get(key, key) for key in rollup.keys)
    sums = {name: name if narrower else sql for name, sql in rollup.measures.items()}
    columns = (
        "workspace_id",
        f"time_bucket('{width.interval}', {time_column}) AS bucket",
        *keys,
        *(f"sum({sql})::{MEASURE_TYPES[name]} AS {name}" for name, sql in sums.items()),
    )
    where = "" if narrower else f"\nWHERE {rollup.where_calls}"
    return f"""
CREATE MATERIALIZED VIEW {rollup.table(width)}
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false,
    timescaledb.chunk_interval = '{CHUNK_INTERVALS[width]}'
) AS
SELECT
{one_per_line(columns)}
FROM {source}{where}
GROUP BY {column_numbers(len(keys) + 2)}
WITH NO DATA
"""


def aggregate_index(rollup: Rollup, width: Width) -> str:
    """Returns an index by all columns that queries filter by. TimescaleDB's own index is by time alone."""
    key = ", ".join(("workspace_id", "bucket", *rollup.keys))
    return f"\nCREATE INDEX ON {rollup.table(width)} ({key})\n"


def tables(rollup: Rollup) -> str:
    """Returns the statements for all widths of a rollup. Each is followed by a blank line, as migrations read them."""
    postgresql = (rollup_table(rollup, width) for width in rollup.widths)
    timescaledb = (sql(rollup, width) for width in rollup.aggregates for sql in (aggregate, aggregate_index))
    return f"-- PostgreSQL\n{as_text(postgresql)}\n-- TimescaleDB\n{as_text(timescaledb)}"


def as_text(statements: Iterable[str]) -> str:
    return ";\n\n".join(statement.strip() for statement in statements) + ";\n"
