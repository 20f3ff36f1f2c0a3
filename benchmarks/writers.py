"""Runs processes that store live rows through the product's writer, each over one connection."""

import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import django
import orjson
from django.db import connections

from benchmarks import data, databases

MOST_ROWS, MOST_BATCHES = 60_000, 3_000
# Nothing else writes traces with numbers this high.
UNUSED_TRACE = 1_000_000_000


@dataclass(frozen=True)
class Task:
    database: str
    workspace_id: UUID
    batch: int
    first_trace: int
    seconds: float
    """After this time it stops, even if there are rows left."""

    @property
    def traces(self) -> int:
        return max(min(MOST_ROWS, MOST_BATCHES * self.batch), 2 * self.batch) // data.SPANS_OF_TRACE


class Rate(NamedTuple):
    rows_per_second: float
    cpu_us: float
    """Time of the database's process for a row. Other work hardly changes it. 0 if it runs on another machine."""


class Writers:
    def __init__(self, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.next_trace = UNUSED_TRACE
        self.pipes, self.processes = [], []
        for _ in range(count):
            here, there = context.Pipe()
            self.pipes.append(here)
            self.processes.append(context.Process(target=write, args=[there], daemon=True))
            self.processes[-1].start()

    def store(self, database: str, workspace_ids: Sequence[UUID], batch: int, seconds: float) -> Rate:
        """Returns the rate of as many writers at once as there are workspaces."""
        pipes = self.pipes[: len(workspace_ids)]
        for pipe, workspace_id in zip(pipes, workspace_ids, strict=True):
            task = Task(database, workspace_id, batch, self.next_trace, seconds)
            self.next_trace += task.traces
            pipe.send(task)
        for pipe in pipes:
            pipe.recv()  # ready
        for pipe in pipes:
            pipe.send("go")
        rates: list[Rate] = [pipe.recv() for pipe in pipes]
        return Rate(sum(rate.rows_per_second for rate in rates), max(rate.cpu_us for rate in rates))

    def end(self) -> None:
        for pipe, process in zip(self.pipes, self.processes, strict=True):
            pipe.send(None)
            process.join()


@contextmanager
def writers(count: int) -> Iterator[Writers]:
    started = Writers(count)
    try:
        yield started
    finally:
        started.end()


def write(pipe: Any) -> None:
    """Makes the rows of each task, sends "ready", waits for "go", stores the rows, and sends the rate."""
    django.setup()
    with data.duckdb_connection() as source:
        while task := pipe.recv():
            databases.select_database(task.database)
            batches = batches_of(source, task)
            store(task, batches[0])  # opens the connection
            pipe.send("ready")
            pipe.recv()
            pipe.send(rate(task, batches[1:]))
            databases.close()


def batches_of(source: Any, task: Task) -> list[list[Any]]:
    rows = list(live_rows(source, task))
    return [rows[first : first + task.batch] for first in range(0, len(rows), task.batch)]


def live_rows(source: Any, task: Task) -> Iterator[Any]:
    from traces.row import Row

    result = source.execute(data.arriving(task.first_trace, task.first_trace + task.traces))
    names = [name for name, *_ in result.description]
    stored_columns = {field.name for field in fields(Row)}
    for values in result.fetchall():
        row = {name: value for name, value in zip(names, values, strict=True) if name in stored_columns}
        row["timestamp"] = databases.utc(row["timestamp"])
        row |= {name: orjson.loads(row[name]) for name in ("attributes", "span_facts", "labels")}
        yield Row(**row)


def rate(task: Task, batches: list[list[Any]]) -> Rate:
    stored, began, cpu_began = 0, time.perf_counter(), cpu_seconds()
    for batch in batches:
        store(task, batch)
        stored += len(batch)
        if time.perf_counter() - began > task.seconds:
            break
    seconds = time.perf_counter() - began
    return Rate(stored / seconds, (cpu_seconds() - cpu_began) / stored * 1e6)


def cpu_seconds() -> float:
    """Returns the processor time of this connection's server process."""
    stat = Path(f"/proc/{connections['analytics'].connection.info.backend_pid}/stat")
    if not connections["analytics"].settings_dict["HOST"].startswith("/") or not stat.exists():
        return 0
    # After the name in parentheses; user and system time are the 14th and 15th of all (proc(5)).
    fields_of_stat = stat.read_text().rpartition(")")[2].split()
    return (int(fields_of_stat[11]) + int(fields_of_stat[12])) / os.sysconf("SC_CLK_TCK")


def store(task: Task, batch: list[Any]) -> None:
    from traces import writer

    result = writer.store(task.workspace_id, batch)
    if result.accepted != len(batch):
        raise SystemExit(f"of {len(batch)} new rows only {result.accepted} were stored")
