"""Queries the same rows as Parquet with DuckDB: the SQL of raw_sql.py in its dialect."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb

from benchmarks.data import MEMORY, THREADS
from benchmarks.databases import utc
from benchmarks.raw_sql import PERCENTILES, Rows, RunQuery

DIALECT = {PERCENTILES: "quantile_cont(latency_ms, [0.5, 0.95, 0.99]) AS percentiles"}


def query_function(parquet: Path) -> RunQuery:
    """Returns a function that queries the file. The connection caches metadata and data of the file between queries."""
    connection = duckdb.connect(config={"threads": THREADS, "memory_limit": MEMORY})
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET default_null_order = 'nulls_last_on_asc_first_on_desc'")  # as PostgreSQL
    connection.execute("SET parquet_metadata_cache = true")
    connection.execute(f"CREATE VIEW traces AS SELECT * FROM '{parquet}'")  # noqa: S608 (our own path)

    def run_query(sql: str, params: Mapping[str, Any]) -> Rows:
        for ours, theirs in DIALECT.items():
            sql = sql.replace(ours, theirs)
        # Values become text, as in the product under client-side binding, so both planners know them.
        sql = re.sub(r"%\((\w+)\)s", lambda name: literal(params[name[1]]), sql)
        result = connection.execute(sql)
        names = [name for name, *_ in result.description or ()]
        return [dict(zip(names, map(aware, row), strict=True)) for row in result.fetchall()]

    return run_query


def literal(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case list():
            return f"[{', '.join(map(literal, value))}]"
        case datetime():
            return f"TIMESTAMP '{value.astimezone(UTC).replace(tzinfo=None).isoformat()}'"
        case timedelta():
            return f"INTERVAL '{value // timedelta(seconds=1)} seconds'"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case UUID():
            return f"'{value}'::UUID"
    return str(value)


def aware(value: Any) -> Any:
    return utc(value) if isinstance(value, datetime) else value
