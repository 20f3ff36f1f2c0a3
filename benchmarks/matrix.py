"""Measures every endpoint over each range and under each filter: the time in the database, and how it grows with rows.

python -m benchmarks.matrix --rows 1m,10m

The ways, and the sets of rows, take turns. A time is the shortest of some rounds: other work of the machine only adds.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from django.db import connections

from benchmarks import databases
from benchmarks.databases import Loaded, row_count_label
from benchmarks.queries import RANGES, WORKSPACE, DatabaseTime, clock_at_the_end, names, query_string
from benchmarks.results import MS, Case, digits
from benchmarks.text_tables import Cell, machine, table

FILTERS = (
    *("", "agent_id=agent-06", "model=gpt-4o", "provider=openai", "operation=chat", "environment=production"),
    *("release=1.2.0", "status=error", "error_type=rate_limit", "user_id=user-0006", "label.customer=customer-001"),
    *(
        "agent_id=agent-06&model=gpt-4o",
        "environment=production&model=gpt-4o",
        "label.customer=customer-001&model=gpt-4o",
    ),
)
COUNTS_PEOPLE_OR_RANKS = (
    *("usage/overview", "usage/top-users", "performance/overview", "performance/latency", "performance/first-token"),
    *("performance/errors", "performance/tools"),
)
"""These count distinct users or find percentiles."""
SUMS_MS, RANKS_MS, LABELS_MS, GROWTH = 20, 40, 60, 1.3
GROWTH_FROM_MS = 5
"""Below it, a ratio is made of the noise of some tenths of a millisecond."""
SLOW_SECONDS = 1.0
"""A question that takes longer is asked once."""

Results = dict[tuple[Case, int], float]
"""Milliseconds in the database, by case and number of rows."""


def bar_ms(case: Case) -> int:
    if "label." in case.filter_query:
        return LABELS_MS
    return RANKS_MS if case.route in COUNTS_PEOPLE_OR_RANKS else SUMS_MS


def ask(case: Case, is_of_processor: bool) -> float:
    """Returns the milliseconds that one answer spends in the database, without any cache."""
    from django.http import QueryDict

    from analytics.catalogue import METRICS
    from analytics.query_string import parse_filters
    from traces import engines

    filters = parse_filters(QueryDict(query_string(case)), WORKSPACE)
    spent, before = DatabaseTime(), processor_ms() if is_of_processor else 0.0
    with connections["analytics"].execute_wrapper(spent), connections["default"].execute_wrapper(spent):
        engines.recompute_if_hour_closed(partial(METRICS[case.route].question, filters))
    return processor_ms() - before if is_of_processor else spent.seconds * MS


def processor_ms() -> float:
    """Returns the processor time that the database's process for the traces has used. It must run on this machine."""
    with connections["analytics"].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [(pid,)] = cursor.fetchall()
    nanoseconds, *_ = Path(f"/proc/{pid}/schedstat").read_text().split()
    return int(nanoseconds) / 1e6


def measure(cases: Sequence[Case], loaded: Sequence[Loaded], options: argparse.Namespace) -> Results:
    """Returns the shortest time of each case. The first answer, which reads files into memory, does not count."""
    times: Results = {}
    for case in cases:
        for subject in loaded:
            databases.select_database(subject.database)
            began = time.perf_counter()
            first = ask(case, options.processor)
            is_slow = time.perf_counter() - began > SLOW_SECONDS
            rounds = 0 if is_slow else options.rounds
            times[case, subject.rows] = min((ask(case, options.processor) for _ in range(rounds)), default=first)
    return times


def sections(cases: Sequence[Case], times: Results, options: argparse.Namespace) -> Iterator[str]:
    few, many = options.rows[0], options.rows[-1]
    for range_name in options.ranges:
        unit = "ms of processor time of the database" if options.processor else "ms in the database"
        yield f"{row_count_label(many)} rows, range {range_name}: {unit}"
        yield by_filter(cases, range_name, options, lambda case: digits(times[case, many]))
        if few != many:
            yield f"Range {range_name}: times the {row_count_label(few)} rows' time"
            yield by_filter(cases, range_name, options, lambda case: digits(times[case, many] / times[case, few]))
    yield misses(cases, times, few, many)


def by_filter(cases: Sequence[Case], range_name: str, options: argparse.Namespace, cell: Callable[[Case], Cell]) -> str:
    """Returns a table with a line for each endpoint and a column for each filter."""
    of_range = [case for case in cases if case.range == range_name]
    lines = [
        [route, *(cell(case) for case in of_range if case.route == route)]
        for route in dict.fromkeys(case.route for case in of_range)
    ]
    heads = (", ".join(part.partition("=")[0] for part in text.split("&")) or "no filter" for text in options.filter)
    return table(["endpoint", *heads], lines, options.markdown)


def misses(cases: Sequence[Case], times: Results, few: int, many: int) -> str:
    """Lists what is above its bar, the slowest first, and what grows too much."""
    slow = [case for case in cases if times[case, many] > bar_ms(case)]
    slow.sort(key=lambda case: -times[case, many] / bar_ms(case))
    lines = [f"At most {SUMS_MS} ms for sums, {RANKS_MS} for percentiles and users, {LABELS_MS} under a label:"]
    lines[0] += f" {len(cases) - len(slow)} of {len(cases)}"
    lines += [f"- {named(case)}: {digits(times[case, many])} ms (bar {bar_ms(case)})" for case in slow]
    if few != many:
        grown = {case: times[case, many] / times[case, few] for case in cases if times[case, many] > GROWTH_FROM_MS}
        above = sorted((case for case in grown if grown[case] > GROWTH), key=lambda case: -grown[case])
        lines += ["", f"At most {GROWTH} times the {row_count_label(few)} rows' time, where it is above "]
        lines[-1] += f"{GROWTH_FROM_MS} ms: {len(grown) - len(above)} of {len(grown)}"
        lines += [f"- {named(case)}: {digits(times[case, few])} to {digits(times[case, many])} ms" for case in above]
    return "\n".join(lines)


def named(case: Case) -> str:
    return f"{case.route} {case.range} {case.filter_query}".strip()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.matrix", description=__doc__)
    databases.add_arguments(parser)
    parser.add_argument("--rows", type=databases.counts, default="1m,10m", help="how many, like 1m,10m")
    parser.add_argument("--ranges", type=names, default=",".join(RANGES))
    parser.add_argument("--routes", type=names, default="", help="only these, like usage/overview,cost/trend")
    parser.add_argument("--filter", action="append", help="agent_id=…&model=…, again for another; '' for none")
    parser.add_argument("--rounds", type=int, default=5, help="how often each answer is measured")
    parser.add_argument(
        "--processor", action="store_true", help="processor time of the database, where the machine does other work"
    )
    options = parser.parse_args()
    options.filter = options.filter or FILTERS
    return options


def main() -> int:
    options = arguments()
    with databases.server(options.directory, options.database):
        from analytics.catalogue import METRICS

        loaded = [databases.load(rows, options.fresh, options.directory) for rows in options.rows]
        cases = [
            Case(route, range_name, filter_query)
            for range_name in options.ranges
            for filter_query in options.filter
            for route in METRICS
            if not options.routes or route in options.routes
        ]
        with clock_at_the_end(), databases.step(f"{len(cases)} questions"):
            times = measure(cases, loaded, options)
        print(f"{machine()}. {databases.server_description()}")
        print(*sections(cases, times, options), sep="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
