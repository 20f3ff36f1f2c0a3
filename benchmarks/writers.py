"""Processes that store live rows through the product's writer, each over one connection."""

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

import django
import orjson

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
    """After which it stops, though there are rows left."""

    @property
    def traces(self) -> int:
        return max(min(MOST_ROWS, MOST_BATCHES * self.batch), 2 * self.batch) // data.SPANS_OF_TRACE


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

    def rows_per_second(self, database: str, workspace_ids: Sequence[UUID], batch: int, seconds: float) -> float:
        """Of as many writers at once as there are workspaces."""
        pipes = self.pipes[: len(workspace_ids)]
        for pipe, workspace_id in zip(pipes, workspace_ids, strict=True):
            task = Task(database, workspace_id, batch, self.next_trace, seconds)
            self.next_trace += task.traces
            pipe.send(task)
        for pipe in pipes:
            pipe.recv()  # ready
        for pipe in pipes:
            pipe.send("go")
        rates: list[float] = [pipe.recv() for pipe in pipes]
        return sum(rates)

    def end(self) -> None:
        for pipe, process in zip(self.pipes, self.processes, strict=True):
            pipe.send(None)
            process.join()


@contextmanager
def writers(count: int) -> Iterator[Writers]:
    those = Writers(count)
    try:
        yield those
    finally:
        those.end()


def write(pipe: Any) -> None:
    """Makes the rows of each task, says so, stores them when told to, and tells how many it stored in a second."""
    django.setup()
    with data.engine() as engine:
        while task := pipe.recv():
            databases.use(task.database)
            batches = batches_of(engine, task)
            store(task, batches[0])  # opens the connection
            pipe.send("ready")
            pipe.recv()
            pipe.send(rows_per_second(task, batches[1:]))
            databases.close()


def batches_of(engine: Any, task: Task) -> list[list[Any]]:
    rows = list(live_rows(engine, task))
    return [rows[first : first + task.batch] for first in range(0, len(rows), task.batch)]


def live_rows(engine: Any, task: Task) -> Iterator[Any]:
    from ingest.rows import Row

    found = engine.execute(data.arriving(task.first_trace, task.first_trace + task.traces))
    names = [name for name, *_ in found.description]
    given = {one.name for one in fields(Row)}
    for values in found.fetchall():
        row = {name: value for name, value in zip(names, values, strict=True) if name in given}
        row["timestamp"] = databases.utc(row["timestamp"])
        row["attributes"], row["said"] = orjson.loads(row["attributes"]), orjson.loads(row["said"])
        yield Row(**row)


def rows_per_second(task: Task, batches: list[list[Any]]) -> float:
    stored, began = 0, time.perf_counter()
    for batch in batches:
        store(task, batch)
        stored += len(batch)
        if time.perf_counter() - began > task.seconds:
            break
    return stored / (time.perf_counter() - began)


def store(task: Task, batch: list[Any]) -> None:
    from ingest import writer

    result = writer.store(task.workspace_id, batch)
    if result.accepted != len(batch):
        raise SystemExit(f"of {len(batch)} new rows only {result.accepted} were stored")
