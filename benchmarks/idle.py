"""Measures the work of the database while no traces and no queries arrive.

python -m benchmarks.idle --rows 1m
"""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from benchmarks import databases
from benchmarks.text_tables import Cell, machine, table

# Statistics of earlier work still arrive for some seconds.
SETTLED_AFTER_SECONDS = 15
# Run in another database, so that this query itself is not counted.
WORK = """
SELECT
    xact_commit + xact_rollback AS transactions,
    tup_returned + tup_fetched AS rows_read,
    tup_inserted + tup_updated + tup_deleted AS rows_written,
    pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS wal_bytes
FROM pg_stat_database
WHERE datname = %s
"""


class Work(NamedTuple):
    transactions: int
    rows_read: int
    rows_written: int
    wal_bytes: int
    cpu_ms: int | None
    """The time of all the server's processes; None if it runs on another machine."""


def work(connection: psycopg.Connection[Any], database: str) -> Work:
    [(transactions, rows_read, rows_written, wal_bytes)] = connection.execute(WORK, [database]).fetchall()
    return Work(transactions, rows_read, rows_written, int(wal_bytes), server_cpu_ms(connection))


def server_cpu_ms(connection: psycopg.Connection[Any]) -> int | None:
    own = stat(connection.info.backend_pid)
    if own is None:
        return None
    postmaster = int(own[1])
    processes = [stat(int(path.name)) for path in Path("/proc").iterdir() if path.name.isdigit()]
    # After the name in parentheses: the parent is second, user and system time 12th and 13th, and of ended children
    # 14th and 15th (proc(5)).
    children = sum(int(stats[11]) + int(stats[12]) for stats in processes if stats and int(stats[1]) == postmaster)
    main = stat(postmaster) or []
    return (children + sum(map(int, main[11:15]))) * 1000 // os.sysconf("SC_CLK_TCK")


def stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def a_minute(before: int | None, after: int | None, seconds: int) -> Cell:
    return None if before is None or after is None else f"{(after - before) * 60 / seconds:,.0f}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.idle", description=__doc__)
    databases.add_arguments(parser)
    parser.add_argument("--rows", type=databases.count, default="1m", help="that are stored, like 1m")
    parser.add_argument("--seconds", type=int, default=120, help="how long to watch")
    options = parser.parse_args()
    with databases.server(options.directory, options.database):
        loaded = databases.load(options.rows, options.fresh, options.directory)
        server = databases.server_description()
        with databases.admin() as connection:
            connection.execute("CHECKPOINT")
            with databases.step(f"watching for {options.seconds} s"):
                time.sleep(SETTLED_AFTER_SECONDS)
                before = work(connection, loaded.database)
                time.sleep(options.seconds)
                after = work(connection, loaded.database)
    lines = [
        [name.replace("_", " "), a_minute(then, now, options.seconds)]
        for name, then, now in zip(Work._fields, before, after, strict=True)
    ]
    print(f"{machine()}. {server}.\n\n{table(['a minute', 'idle'], lines, options.markdown)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
