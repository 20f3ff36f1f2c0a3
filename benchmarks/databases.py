"""Makes databases full of the benchmarks' rows: one for each number of rows, stored for the next run."""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import django
import duckdb
import psycopg
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from benchmarks import data
from observability.launcher import embedded

ROOT = Path(__file__).resolve().parent.parent
DIRECTORY = ROOT / "var" / "benchmarks"
COPIED_AT_ONCE = 1 << 20
ONE_DAY = timedelta(days=1)
NUMBERS = """
INSERT INTO user_numbers (workspace_id, user_id, number)
SELECT DISTINCT workspace_id, user_id, user_number
FROM traces
WHERE user_id IS NOT NULL
"""
LABELS = """
INSERT INTO label_values (workspace_id, name, value, number)
SELECT DISTINCT workspace_id, label.name, value, number
FROM traces
CROSS JOIN LATERAL (
    VALUES
        ('customer', labels->>'customer', label_numbers[1]),
        ('feature', labels->>'feature', label_numbers[2]),
        ('customer', '', 1::bigint << 32),
        ('feature', '', 2::bigint << 32)
) AS label (name, value, number)
"""
LABEL_MONTHS = """
INSERT INTO label_months (workspace_id, month, number)
SELECT workspace_id, month::date, number
FROM label_values
CROSS JOIN generate_series(timestamp '{first}', timestamp '{last}', interval '1 month') AS month
"""
COLUMNSTORE_JOBS = """
SELECT job_id
FROM timescaledb_information.jobs
WHERE proc_name IN ('policy_compression', 'policy_columnstore')
"""

NUMBERED = (
    NUMBERS,
    LABELS,
    LABEL_MONTHS.format(first=f"{data.START:%Y-%m-01}", last=f"{data.END:%Y-%m-01}"),
)


@dataclass(frozen=True)
class Loaded:
    rows: int
    database: str
    parquet: Path


@contextmanager
def server(directory: Path = DIRECTORY, url: str | None = None) -> Iterator[None]:
    """Sets Django up on a PostgreSQL of the benchmarks' own, or on the one at `url` for the analytics."""
    directory.mkdir(parents=True, exist_ok=True)
    postgres = directory / "postgres"
    with embedded.running(postgres):
        embedded.create_database("observability", postgres)
        own = embedded.url("observability", postgres)
        os.environ |= {
            "ENVIRONMENT": "development",
            "DATABASE_URL": own,
            "ANALYTICS_DATABASE_URL": url or own,
            "OPEN_WORKSPACE_IDS": data.MAIN_WORKSPACE,
            "DJANGO_SETTINGS_MODULE": "observability.settings",
            "REDIS_URL": "",
            "STATIC_ROOT": str(ROOT / "static"),  # there without collectstatic
            # Loading and raw questions take longer than any request may.
            "STATEMENT_TIMEOUT_MS": "0",
        }
        django.setup()
        call_command("migrate", verbosity=0)
        create_workspace()
        try:
            yield
        finally:
            close()


def create_workspace() -> None:
    from workspaces.models import Workspace

    Workspace.objects.get_or_create(id=data.MAIN_WORKSPACE, defaults={"name": "Benchmark"})


def close() -> None:
    """Closes every connection; the next use opens them again."""
    for connection in [*connections.all(), *used.values()]:
        connection.close()
        connection.close_pool()


used: dict[str, Any] = {}


def select_database(name: str) -> None:
    """Makes the product use this analytics database. Each database has its own connection, which stays open."""
    if name not in used:
        connection: Any = connections["analytics"].copy()
        connection.settings_dict["NAME"] = name
        connection._connection_pools = {}  # its own: Django's are by alias
        used[name] = connection
    connections["analytics"] = used[name]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fresh", action="store_true", help="make and load the rows again")
    parser.add_argument("--directory", type=Path, default=DIRECTORY, help="the folder of the rows and of PostgreSQL")
    parser.add_argument("--database", help="postgres://… of a server to use instead, such as one with TimescaleDB")
    parser.add_argument("--markdown", action="store_true", help="tables for a document")


def load(rows: int, fresh: bool = False, directory: Path = DIRECTORY) -> Loaded:
    """Returns the database with this many rows. Makes it if it is missing or the rows have changed since."""
    loaded = Loaded(
        rows, f"benchmark_{row_count_label(rows)}", directory / f"rows-{row_count_label(rows)}-{version(rows)}.parquet"
    )
    if not loaded.parquet.exists() or fresh:
        with step(f"{row_count_label(rows)} rows as Parquet"):
            data.write_parquet(rows, loaded.parquet)
    is_there = not fresh and rows_version_of(loaded.database) == version(rows)
    if not is_there:
        recreate(loaded.database)
    select_database(loaded.database)
    call_command("migrate", database="analytics", verbosity=0)
    if not is_there:
        fill(rows)
    return loaded


def recreate(name: str, template: str = "template0") -> None:
    drop(name)
    with admin() as connection:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))


def copy(name: str, source: str) -> None:
    """Copies a database. Nobody may be connected to it meanwhile, not even TimescaleDB's workers."""
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with admin() as connection:
        connection.execute(allow.format(sql.Identifier(source), sql.SQL("false")))
        try:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [source]
            )
            recreate(name, source)
        finally:
            connection.execute(allow.format(sql.Identifier(source), sql.SQL("true")))


def drop(name: str) -> None:
    with admin() as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def admin() -> psycopg.Connection[Any]:
    return psycopg.connect(**parameters("postgres"), autocommit=True)


def parameters(name: str) -> dict[str, Any]:
    """Returns psycopg's parameters for a database on the server of the analytics."""
    settings = connections["analytics"].settings_dict
    parts = {
        "host": settings["HOST"],
        "port": settings["PORT"],
        "user": settings["USER"],
        "password": settings["PASSWORD"],
    }
    return {key: value for key, value in parts.items() if value} | {"dbname": name}


def version(rows: int) -> str:
    """Returns an id that changes whenever the rows do."""
    made_from = f"{data.TABLES} {data.generated(rows)} {data.hours()} {duckdb.__version__}"
    return sha256(" ".join(made_from.split()).encode()).hexdigest()[:8]


def rows_version_of(name: str) -> str | None:
    """Returns the version of a database's rows; None without a database, or if it was not filled to the end."""
    with admin() as connection:
        stored_version = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
        ).fetchone()
    return stored_version[0] if stored_version else None


def engine_name() -> str:
    from traces import engines

    return engines.current().name


def fill(rows: int) -> None:
    """Fills the database fast: COPY into `traces` without its indexes, then the indexes, then each rollup at once."""
    name = connections["analytics"].settings_dict["NAME"]
    with psycopg.connect(**parameters(name), autocommit=True, options="-c timezone=UTC") as connection:
        if engine_name() == "timescaledb":
            # Two refreshes of one aggregate at the same time may sum a bucket twice.
            connection.execute("SELECT _timescaledb_functions.stop_background_workers()")
        with step(f"{row_count_label(rows)} rows into PostgreSQL"):
            index_statements = drop_indexes(connection)
            copy_in(connection, rows)
        for statement in index_statements:
            with step(statement.partition(" ON ")[0].removeprefix("ALTER TABLE ")[:70]):
                connection.execute(statement)
        for statement in fill_statements(connection):
            with step(" ".join(statement.split()[:3])):
                connection.execute(statement)
        with step("the rows that the worker has followed"):
            follow()
        with step("VACUUM ANALYZE"):
            connection.execute("VACUUM ANALYZE")
        connection.execute(
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(version(rows)))
        )


def follow() -> None:
    """Fills the followers up to where the worker has filled them when the rows end."""
    from traces import engines
    from traces.engines.postgresql import FOLLOWING_LAG, follow_until, minute_of, workspaces_to_follow

    if engines.current().has_followers:
        until = minute_of(data.END.replace(tzinfo=UTC) - FOLLOWING_LAG)
        for workspace_id in workspaces_to_follow(until):
            follow_until(workspace_id, until)


def fill_statements(connection: psycopg.Connection[Any]) -> Sequence[str]:
    from traces import rollups
    from traces.rollups.catalogue import CATALOGUE

    if engine_name() != "timescaledb":
        return (*NUMBERED, *rollups.read_statement("postgresql", "fill").split(";\n\n"))
    compress = connection.execute(COLUMNSTORE_JOBS)
    return (
        *NUMBERED,
        rollups.read_statement("timescaledb", "add_label_rows_of_all"),
        "VACUUM ANALYZE traces",  # or a refresh may read its rows by the index
        *(
            statement
            for entry in CATALOGUE
            for width, table in entry.aggregates.items()
            for statement in refresh(table, width)
        ),
        *(f"CALL run_job({job})" for (job,) in compress.fetchall()),
        "SELECT _timescaledb_functions.start_background_workers()",
    )


def refresh(table: str, width: Any) -> Iterator[str]:
    """Yields a refresh for each day, so that rows of the same time are next to each other, as policies leave them."""
    day = data.START.replace(hour=0, minute=0, second=0, microsecond=0)
    while width.length < ONE_DAY and day < data.END:
        yield f"CALL refresh_continuous_aggregate('{table}', '{day}+00', '{day + ONE_DAY}+00')"
        day += ONE_DAY
    yield f"CALL refresh_continuous_aggregate('{table}', NULL, NULL)"


def drop_indexes(connection: psycopg.Connection[Any]) -> list[str]:
    """Drops all indexes, and returns the statements that make them again."""
    constraints = connection.execute(
        """
        SELECT conname, format('ALTER TABLE traces ADD CONSTRAINT %I %s', conname, pg_get_constraintdef(oid))
        FROM pg_constraint
        WHERE conrelid = 'traces'::regclass AND contype IN ('u', 'p')
        """
    ).fetchall()
    indexes = connection.execute(
        """
        SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
        FROM pg_index
        WHERE indrelid = 'traces'::regclass
          AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
        """
    ).fetchall()
    for name, _ in constraints:
        connection.execute(sql.SQL("ALTER TABLE traces DROP CONSTRAINT {}").format(sql.Identifier(name)))
    for name, _ in indexes:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    return [statement for _, statement in (*constraints, *indexes)]


def copy_in(connection: psycopg.Connection[Any], rows: int) -> None:
    with data.duckdb_connection() as duckdb_rows:
        columns = data.columns(duckdb_rows)
    statement = sql.SQL("COPY traces ({}) FROM STDIN (FORMAT csv)").format(
        sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with TemporaryDirectory() as directory, connection.cursor().copy(statement) as copied:
        for path in data.csv_slices(rows, Path(directory)):
            with path.open("rb") as file:
                while block := file.read(COPIED_AT_ONCE):
                    copied.write(block)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Prints a step and its duration to the error output, so that the output has the results only."""
    began = time.monotonic()
    print(f"  {text} …", end="", file=sys.stderr, flush=True)
    yield
    print(f" {time.monotonic() - began:,.0f} s", file=sys.stderr, flush=True)


def row_count_label(rows: int) -> str:
    for unit, size in (("m", 1_000_000), ("k", 1_000)):
        if rows % size == 0 and rows >= size:
            return f"{rows // size}{unit}"
    return str(rows)


def counts(text: str) -> list[int]:
    return [count(part) for part in text.split(",")]


def count(text: str) -> int:
    """Returns 1m or 500k as a number."""
    sizes = {"k": 1_000, "m": 1_000_000}
    return int(float(text.lower().rstrip("km")) * sizes.get(text.lower()[-1], 1))


def utc(moment: datetime) -> datetime:
    """Adds the zone. DuckDB's moments have none, since it computes faster with those."""
    return moment.replace(tzinfo=UTC)


def server_description() -> str:
    """Returns the versions of the server that holds the selected analytics database."""
    with connections["analytics"].cursor() as cursor:
        cursor.execute(
            """
            SELECT
                split_part(version(), ' ', 2),
                (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb')
            """
        )
        version, timescale = cursor.fetchone()
    return f"PostgreSQL {version}" + (f" with TimescaleDB {timescale}" if timescale else "")
