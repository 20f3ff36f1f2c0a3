"""Measures how many rows a second the writer stores, rollups included, by batch size, or the cost of each index.

python -m benchmarks.ingest --rows-stored 10m
python -m benchmarks.ingest --rows-stored 10m --indexes
"""

import argparse
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from django.core.management import call_command

from benchmarks import data, databases
from benchmarks.databases import row_count_label
from benchmarks.text_tables import machine, table
from benchmarks.writers import Rate, Writers, writers
from traces import engines

BATCHES = (1, 10, 100, 1000, 5000)
MAIN, OTHER = UUID(data.MAIN_WORKSPACE), UUID("0000000b-0000-4000-8000-000000000001")
CONNECTIONS = {"one connection": [MAIN], "two": [MAIN, MAIN], "two, a workspace each": [MAIN, OTHER]}
EMPTY, FULL = "ingest_empty", "ingest_full"

# Indexes of the original design. If the schema has an index of this name, that one is measured.
DESIGNED = {
    "idx_traces_workspace_timestamp_status": "(workspace_id, timestamp, status)",
    "idx_traces_workspace_agent": "(workspace_id, agent_id, timestamp)",
    "idx_traces_workspace_model": "(workspace_id, model, timestamp)",
    "idx_traces_workspace_status": "(workspace_id, status, timestamp)",
    "idx_traces_workspace_user": "(workspace_id, user_id, timestamp) WHERE user_id IS NOT NULL",
    "idx_traces_error_analysis": "(workspace_id, timestamp, error_type) WHERE status <> 'success'",
    "idx_traces_cost_analysis": "(workspace_id, timestamp, provider, model) WHERE cost_usd IS NOT NULL",
    "idx_traces_latency_percentiles": "(workspace_id, timestamp) INCLUDE (operation, latency_ms)",
}


def by_batch(processes: Writers, options: argparse.Namespace) -> str:
    rates: defaultdict[tuple[str, int, str], list[Rate]] = defaultdict(list)
    stored = {EMPTY: "empty", FULL: row_count_label(options.rows_stored)}
    for number in range(options.rounds):
        for batch in options.batches:
            with databases.step(f"round {number + 1}, batches of {batch:,}"):
                for name, workspace_ids in CONNECTIONS.items():
                    for database in stored:
                        rates[database, batch, name] += [
                            processes.store(database, workspace_ids, batch, options.seconds)
                        ]
    head = ["rows in a batch", *(f"{name}, {label}" for name in CONNECTIONS for label in stored.values())]
    lines = [
        [f"{batch:,}", *(f"{per_second(rates[database, batch, name])}" for name in CONNECTIONS for database in stored)]
        for batch in options.batches
    ]
    return table(head, lines, options.markdown)


def per_second(rates: list[Rate]) -> str:
    return f"{statistics.median(rate.rows_per_second for rate in rates):,.0f}"


def cpu_us(rates: list[Rate]) -> float:
    return statistics.median(rate.cpu_us for rate in rates)


# --- Indexes ---


# Unique indexes are left out: the product needs them.
INDEXES = """
SELECT relname
FROM pg_index
JOIN pg_class ON pg_class.oid = indexrelid
WHERE indrelid = 'traces'::regclass AND NOT indisunique
ORDER BY relname
"""


def by_index(processes: Writers, options: argparse.Namespace) -> str:
    """Measures the indexes of the schema and of the original design."""
    if engines.current().name == "timescaledb":
        raise SystemExit("Each chunk has indexes of its own: measure their cost on PostgreSQL.")
    with database(FULL) as connection:
        schema = [name for (name,) in connection.execute(INDEXES)]
        names = [name for name in dict.fromkeys((*schema, *DESIGNED)) if options.indexes in name]
        lines = [cost_of(name, name in schema, connection, processes, options) for name in names]
    head = ["index", "in the schema", "size", "rows/s without", "with", "CPU of a row without", "with", "cost"]
    return table(head, lines, options.markdown)


def cost_of(
    name: str, is_ours: bool, connection: psycopg.Connection[Any], processes: Writers, options: argparse.Namespace
) -> list[str]:
    rates: dict[bool, list[Rate]] = {True: [], False: []}
    with databases.step(name if is_ours else f"{name}, which is made for this"):
        if not is_ours:
            connection.execute(f"CREATE INDEX {name} ON traces {DESIGNED[name]}")
        [size] = connection.execute("SELECT pg_size_pretty(pg_relation_size(%s::regclass))", [name]).fetchone() or [""]
        for number in range(options.rounds):
            for is_maintained in (number % 2 == 0, number % 2 == 1):
                set_maintained(connection, name, is_maintained)
                rates[is_maintained] += [processes.store(FULL, [MAIN], 1000, options.seconds)]
        if is_ours:
            set_maintained(connection, name, True)
        else:
            connection.execute(f"DROP INDEX {name}")
    without, with_it = cpu_us(rates[False]), cpu_us(rates[True])
    return [
        name,
        "yes" if is_ours else "no",
        size,
        per_second(rates[False]),
        per_second(rates[True]),
        f"{without:.1f} µs",
        f"{with_it:.1f} µs",
        f"{(with_it / without - 1) * 100:.0f} %" if without else "-",
    ]


def set_maintained(connection: psycopg.Connection[Any], name: str, is_maintained: bool) -> None:
    """Sets whether writers maintain the index. Otherwise it lacks rows, so this is only for a temporary copy."""
    statement = "UPDATE pg_index SET indisready = %s, indisvalid = %s WHERE indexrelid = %s::regclass"
    connection.execute(statement, [is_maintained, is_maintained, name])


@contextmanager
def database(name: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(**databases.parameters(name), autocommit=True) as connection:
        yield connection


# --- Running ---


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    databases.add_arguments(parser)
    parser.add_argument("--rows-stored", type=databases.count, default="10m", help="before it begins, like 1m")
    parser.add_argument("--batches", type=databases.counts, default=",".join(map(str, BATCHES)))
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    parser.add_argument("--seconds", type=float, default=3, help="how long one measurement takes at most")
    parser.add_argument(
        "--indexes",
        nargs="?",
        const="idx_traces_",
        help="measure the cost of each index whose name contains this text instead",
    )
    return parser.parse_args()


@contextmanager
def copies(options: argparse.Namespace) -> Iterator[None]:
    """Makes an empty database, and a copy of the full one to write to: the full one itself is not changed."""
    original = databases.load(options.rows_stored, options.fresh, options.directory)
    databases.close()
    try:
        with databases.step(f"a copy of {original.database}"):
            databases.copy(FULL, source=original.database)
        databases.recreate(EMPTY)
        databases.select_database(EMPTY)
        call_command("migrate", database="analytics", verbosity=0)
        databases.close()
        yield
    finally:
        databases.close()
        databases.drop(FULL)
        databases.drop(EMPTY)


def main() -> int:
    options = arguments()
    with databases.server(options.directory, options.database), copies(options), writers(2) as processes:
        measured = by_index(processes, options) if options.indexes else by_batch(processes, options)
        print(f"{machine()}. {databases.server_description()}.\n\nRows: {data.DESCRIPTION}.\n\n{measured}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
