"""Measures how long each answer takes, and the same question over raw rows in PostgreSQL and in DuckDB over Parquet.

python -m benchmarks.queries --rows 1m,10m
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from functools import partial
from typing import Any
from unittest.mock import patch
from uuid import UUID

import duckdb
from django.db import connections

from benchmarks import data, databases, text_tables
from benchmarks.compare import FLOATS, HISTOGRAM, differences
from benchmarks.databases import Loaded, row_count_label
from benchmarks.results import Case, Results, Times, sections

WORKSPACE = UUID(data.MAIN_WORKSPACE)
END = data.END.replace(tzinfo=UTC)
RANGES = ("1h", "24h", "7d", "30d")
FILTERS = ("agent_id=agent-06", "model=gpt-4o")
WAYS = ("ours", "raw", "duckdb")
CACHED_REQUESTS = 21


@dataclass
class Subject:
    """A set of rows, and each way to query it."""

    loaded: Loaded
    ways: Sequence[str]

    def __post_init__(self) -> None:
        from benchmarks import duck

        self.duckdb = duck.query_function(self.loaded.parquet)

    def answer(self, way: str, case: Case) -> Any:
        from django.http import QueryDict

        from analytics.catalogue import METRICS
        from analytics.query_string import parse_filters
        from benchmarks.raw_sql import QUESTIONS
        from traces import engines
        from traces.db import rows

        filters = parse_filters(QueryDict(query_string(case)), WORKSPACE)
        if way == "ours":
            return engines.recompute_if_hour_closed(partial(METRICS[case.route].question, filters))
        return QUESTIONS[case.route](rows if way == "raw" else self.duckdb, filters)


def query_string(case: Case) -> str:
    """Returns the query string of a window that ends with the rows, as if `range` were requested at that moment."""
    from traces.filters import RANGES as LENGTHS

    start = END - LENGTHS[case.range]
    window = f"start={start:%Y-%m-%dT%H:%M:%S.%fZ}&end={END:%Y-%m-%dT%H:%M:%S.%fZ}"
    return f"{window}&{case.filter_query}" if case.filter_query else window


def measure(case: Case, subjects: Sequence[Subject], results: Results, options: argparse.Namespace) -> list[str]:
    """Returns the differences. All ways and sets of rows take turns, so that other work affects all of them alike."""
    wrong = []
    for subject in subjects:
        databases.select_database(subject.loaded.database)
        wrong += compare(case, subject)
    for _ in range(options.rounds):
        for subject in subjects:
            databases.select_database(subject.loaded.database)
            times = results[case, subject.loaded.rows]
            for way in subject.ways:
                if sum(getattr(times, way)) < options.seconds:
                    measure_once(case, subject, way, times)
    for subject in subjects:
        databases.select_database(subject.loaded.database)
        results[case, subject.loaded.rows].cached += list(cached(case))
    return wrong


def measure_once(case: Case, subject: Subject, way: str, times: Times) -> None:
    spent = DatabaseTime()
    with connections["analytics"].execute_wrapper(spent), connections["default"].execute_wrapper(spent):
        began = time.perf_counter()
        subject.answer(way, case)
        getattr(times, way).append(time.perf_counter() - began)
    if way == "ours":
        times.in_database.append(spent.seconds)


class DatabaseTime:
    """Sums what a connection spends in the database."""

    seconds = 0.0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            self.seconds += time.perf_counter() - began


def compare(case: Case, subject: Subject) -> list[str]:
    """Compares the answers of all ways. This also warms the caches up: these queries are not measured."""
    answers = {way: subject.answer(way, case) for way in subject.ways}
    pairs = [("ours", "raw", HISTOGRAM), ("duckdb", "raw", FLOATS), ("ours", "duckdb", HISTOGRAM)]
    possible = [pair for pair in pairs if {*pair[:2]} <= answers.keys()]
    label = f"{row_count_label(subject.loaded.rows)} {case.route} {case.range} {case.filter_query}"
    return [
        f"{label}: {way} against {other_way}: {difference}"
        for way, other_way, tolerance in possible[:2]
        for difference in list(differences(answers[way], answers[other_way], tolerance))[:3]
    ]


def cached(case: Case) -> Iterator[float]:
    """Yields the seconds of whole requests: routing, access, cache, JSON."""
    from django.core.cache import cache
    from django.test import Client

    cache.clear()
    client = Client(SERVER_NAME="localhost", headers={"X-Workspace-ID": str(WORKSPACE)})
    url = f"/api/v1/{case.route}?{query_string(case)}"
    for number in range(CACHED_REQUESTS + 1):
        began = time.perf_counter()
        response = client.get(url)
        seconds = time.perf_counter() - began
        if response.status_code != 200 or response["X-Cache"] != ("hit" if number else "miss"):
            raise SystemExit(f"{url} answered {response.status_code}, X-Cache {response.get('X-Cache')}")
        if number:
            yield seconds


@contextmanager
def clock_at_the_end() -> Iterator[None]:
    """Sets the clock of budgets to the end of the rows, so that the running month has rows."""
    from budgets.spending import spending

    with patch("budgets.answer.spending", partial(spending, now=END)):
        yield


def heading() -> str:
    return (
        f"{text_tables.machine()}. {databases.server_description()}; "
        f"DuckDB {duckdb.__version__} with {data.THREADS} threads over "
        f"Parquet sorted by workspace and time.\n\nRows: {data.DESCRIPTION}."
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queries", description=__doc__)
    databases.add_arguments(parser)
    parser.add_argument("--rows", type=databases.counts, default="1m,10m", help="how many, like 100k,1m,10m")
    parser.add_argument("--ranges", type=names, default=",".join(RANGES))
    parser.add_argument("--routes", type=names, default="", help="only these, like usage/overview,cost/trend")
    parser.add_argument(
        "--filter", action="append", help="agent_id=…&model=…, again for another: measured with the last range"
    )
    parser.add_argument("--ways", type=names, default=",".join(WAYS), help="what to measure: ours,raw,duckdb")
    parser.add_argument("--rounds", type=int, default=15, help="how often each query runs")
    parser.add_argument("--seconds", type=float, default=10, help="after this time a query is not repeated")
    options = parser.parse_args()
    options.filter = FILTERS if options.filter is None else [text for text in options.filter if text]
    return options


def names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def cases(options: argparse.Namespace) -> list[Case]:
    from benchmarks.raw_sql import QUESTIONS

    windows = [
        *((range_name, "") for range_name in options.ranges),
        *((options.ranges[-1], text) for text in options.filter),
    ]
    return [
        Case(route, range_name, filter_query)
        for range_name, filter_query in windows
        for route in QUESTIONS
        if not options.routes or route in options.routes
    ]


def main() -> int:
    options = arguments()
    results: Results = defaultdict(Times)
    wrong: list[str] = []
    with databases.server(options.directory, options.database):
        subjects = [
            Subject(databases.load(rows, options.fresh, options.directory), options.ways) for rows in options.rows
        ]
        with clock_at_the_end():
            for case in cases(options):
                with databases.step(" ".join((case.route, case.range, case.filter_query)).strip()):
                    wrong += measure(case, subjects, results, options)
        print(heading(), *sections(results, options), sep="\n\n")
    if wrong:
        print("\nAnswers differ:\n" + "\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
