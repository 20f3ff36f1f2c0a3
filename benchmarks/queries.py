"""How long each answer takes, next to the same question over raw rows in PostgreSQL and in DuckDB over Parquet.

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

from benchmarks import data, databases, tables
from benchmarks.comparing import FLOATS, HISTOGRAM, differences
from benchmarks.databases import Loaded, short
from benchmarks.results import Case, Results, Times, sections

WORKSPACE = UUID(data.MAIN_WORKSPACE)
END = data.END.replace(tzinfo=UTC)
RANGES = ("1h", "24h", "7d", "30d")
FILTERS = ("agent_id=agent-06", "model=gpt-4o")
WAYS = ("ours", "raw", "duckdb")
CACHED_REQUESTS = 21


@dataclass
class Asking:
    """One set of rows, and each way to put a question to it."""

    loaded: Loaded
    ways: Sequence[str]

    def __post_init__(self) -> None:
        from benchmarks import duck

        self.duckdb = duck.asking(self.loaded.parquet)

    def answer(self, way: str, case: Case) -> Any:
        from django.http import QueryDict

        from analytics.catalogue import METRICS
        from analytics.query_string import parse
        from benchmarks.raw_sql import QUESTIONS
        from traces import engines
        from traces.db import rows

        filters = parse(QueryDict(query_string(case)), WORKSPACE)
        if way == "ours":
            return engines.recompute_if_hour_closed(partial(METRICS[case.route].question, filters))
        return QUESTIONS[case.route](rows if way == "raw" else self.duckdb, filters)


def query_string(case: Case) -> str:
    """The window ends with the rows, in the middle of an hour: what `range` gives those who ask just then."""
    from traces.filters import RANGES as LENGTHS

    start = END - LENGTHS[case.range]  # type: ignore[index]
    window = f"start={start:%Y-%m-%dT%H:%M:%S.%fZ}&end={END:%Y-%m-%dT%H:%M:%S.%fZ}"
    return f"{window}&{case.narrowed}" if case.narrowed else window


def measure(case: Case, askings: Sequence[Asking], results: Results, options: argparse.Namespace) -> list[str]:
    """What differs. All ways and sets of rows take turns, so that what else the machine does hits them alike."""
    wrong = []
    for asking in askings:
        databases.use(asking.loaded.database)
        wrong += compare(case, asking)
    for _ in range(options.rounds):
        for asking in askings:
            databases.use(asking.loaded.database)
            times = results[case, asking.loaded.rows]
            for way in asking.ways:
                if sum(getattr(times, way)) < options.seconds:
                    once(case, asking, way, times)
    for asking in askings:
        databases.use(asking.loaded.database)
        results[case, asking.loaded.rows].cached += list(cached(case))
    return wrong


def once(case: Case, asking: Asking, way: str, times: Times) -> None:
    spent = DatabaseTime()
    with connections["analytics"].execute_wrapper(spent), connections["default"].execute_wrapper(spent):
        began = time.perf_counter()
        asking.answer(way, case)
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


def compare(case: Case, asking: Asking) -> list[str]:
    """Warms up, too: these askings are not counted."""
    answers = {way: asking.answer(way, case) for way in asking.ways}
    pairs = [("ours", "raw", HISTOGRAM), ("duckdb", "raw", FLOATS), ("ours", "duckdb", HISTOGRAM)]
    possible = [pair for pair in pairs if {*pair[:2]} <= answers.keys()]
    return [
        f"{short(asking.loaded.rows)} {case.route} {case.range} {case.narrowed}: {one} against {other}: {difference}"
        for one, other, tolerance in possible[:2]
        for difference in list(differences(answers[one], answers[other], tolerance))[:3]
    ]


def cached(case: Case) -> Iterator[float]:
    """Of whole requests: routing, access, cache, JSON."""
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
    """A budget is of the running month; here that is the one in which the rows end."""
    from budgets.spending import spending

    with patch("budgets.answer.spending", partial(spending, now=END)):
        yield


def heading() -> str:
    return (
        f"{tables.machine()}. {databases.engine()}; DuckDB {duckdb.__version__} with {data.THREADS} threads over "
        f"Parquet sorted by workspace and time.\n\nRows: {data.DESCRIPTION}."
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queries", description=__doc__)
    databases.add_arguments(parser)
    parser.add_argument("--rows", type=databases.counts, default="1m,10m", help="how many, like 100k,1m,10m")
    parser.add_argument("--ranges", type=listed, default=",".join(RANGES))
    parser.add_argument("--routes", type=listed, default="", help="only these, like usage/overview,cost/trend")
    parser.add_argument(
        "--filter", action="append", help="agent_id=…&model=…, again for another: asked of the last range as well"
    )
    parser.add_argument("--ways", type=listed, default=",".join(WAYS), help="what to measure: ours,raw,duckdb")
    parser.add_argument("--rounds", type=int, default=15, help="how often each question is asked")
    parser.add_argument("--seconds", type=float, default=10, help="after which one question has been asked enough")
    options = parser.parse_args()
    options.filter = FILTERS if options.filter is None else [one for one in options.filter if one]
    return options


def listed(text: str) -> list[str]:
    return [one for one in text.split(",") if one]


def cases(options: argparse.Namespace) -> list[Case]:
    from benchmarks.raw_sql import QUESTIONS

    windows = [*((asked, "") for asked in options.ranges), *((options.ranges[-1], one) for one in options.filter)]
    return [
        Case(route, asked, narrowed)
        for asked, narrowed in windows
        for route in QUESTIONS
        if not options.routes or route in options.routes
    ]


def main() -> int:
    options = arguments()
    results: Results = defaultdict(Times)
    wrong: list[str] = []
    with databases.server(options.directory, options.database):
        askings = [
            Asking(databases.load(rows, options.fresh, options.directory), options.ways) for rows in options.rows
        ]
        with clock_at_the_end():
            for case in cases(options):
                with databases.step(" ".join((case.route, case.range, case.narrowed)).strip()):
                    wrong += measure(case, askings, results, options)
        print(heading(), *sections(results, options), sep="\n\n")
    if wrong:
        print("\nAnswers differ:\n" + "\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
