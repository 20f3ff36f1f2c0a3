"""Stores the measured times, and makes the tables that show them."""

import argparse
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.databases import row_count_label
from benchmarks.text_tables import Cell, table

MS = 1000
IN_DATABASE_MS, TIMES_RAW, RAW_SECONDS, GROWTH = 60, 50, 1, 1.5


@dataclass(frozen=True)
class Case:
    route: str
    range: str
    filter_query: str = ""
    """As in a URL: agent_id=agent-06&model=gpt-4o."""


@dataclass
class Times:
    """Seconds of each query."""

    ours: list[float] = field(default_factory=list)
    in_database: list[float] = field(default_factory=list)
    """The part of `ours` that the database took."""
    cached: list[float] = field(default_factory=list)
    raw: list[float] = field(default_factory=list)
    duckdb: list[float] = field(default_factory=list)

    def median_ms(self, name: str) -> float | None:
        seconds = getattr(self, name)
        return statistics.median(seconds) * MS if seconds else None

    def ratio(self, name: str) -> float | None:
        """Returns the time of this way, divided by the time of ours."""
        theirs, ours = self.median_ms(name), self.median_ms("ours")
        return theirs / ours if theirs and ours else None


Results = dict[tuple[Case, int], Times]
"""By the number of rows."""


def sections(results: Results, options: argparse.Namespace) -> Iterator[str]:
    for rows in options.rows:
        windows = dict.fromkeys((case.range, case.filter_query) for case, count in results if count == rows)
        for range_name, filter_query in windows:
            yield f"{row_count_label(rows)} rows, range {range_name}" + (f", {filter_query}" if filter_query else "")
            yield endpoints(results, rows, range_name, filter_query, options.markdown)
    if len(options.rows) > 1:
        few, many = row_count_label(options.rows[0]), row_count_label(options.rows[-1])
        yield f"In the database, growth from {few} to {many} rows"
        yield growth(results, options)
    yield targets(results, options)


def endpoints(results: Results, rows: int, range_name: str, filter_query: str, markdown: bool) -> str:
    head = ("endpoint", "in database", "answer", "cached", "raw rows", "times ours", "DuckDB", "times ours")
    lines = [
        (
            case.route,
            *(ms(times.median_ms(name)) for name in ("in_database", "ours", "cached", "raw")),
            ratio(times.ratio("raw")),
            ms(times.median_ms("duckdb")),
            ratio(times.ratio("duckdb")),
        )
        for (case, count), times in results.items()
        if (count, case.range, case.filter_query) == (rows, range_name, filter_query)
    ]
    return table(head, lines, markdown)


def growth(results: Results, options: argparse.Namespace) -> str:
    few, many = options.rows[0], options.rows[-1]
    head = [
        "endpoint",
        *(
            name
            for range_name in options.ranges
            for name in (f"{range_name}: {row_count_label(few)}", row_count_label(many), "grown")
        ),
    ]
    lines: list[list[Cell]] = []
    for route in dict.fromkeys(case.route for case, _ in results):
        line: list[Cell] = [route]
        for range_name in options.ranges:
            times = [results[Case(route, range_name), rows].median_ms("in_database") for rows in (few, many)]
            line += [*map(ms, times), ratio(grown(results, Case(route, range_name), few, many))]
        lines.append(line)
    return table(head, lines, options.markdown)


def grown(results: Results, case: Case, few: int, many: int) -> float | None:
    before, after = (results[case, rows].median_ms("in_database") for rows in (few, many))
    return after / before if before and after else None


def targets(results: Results, options: argparse.Namespace) -> str:
    """Lists which targets are met with the widest range and the most rows."""
    few, rows, range_name = options.rows[0], options.rows[-1], options.ranges[-1]
    last = {
        case.route: times
        for (case, count), times in results.items()
        if (count, case.range, case.filter_query) == (rows, range_name, "")
    }
    raw = {route: times for route, times in last.items() if (times.median_ms("raw") or 0) >= RAW_SECONDS * MS}
    lines = [
        f"At {row_count_label(rows)} rows and range {range_name}:",
        "",
        target(
            f"at most {IN_DATABASE_MS} ms in the database",
            {route: (times.median_ms("in_database") or 0) <= IN_DATABASE_MS for route, times in last.items()},
        ),
        target(
            f"{TIMES_RAW} times faster than raw rows, where those take {RAW_SECONDS} s",
            {route: (times.ratio("raw") or 0) >= TIMES_RAW for route, times in raw.items()},
        ),
        target("faster than DuckDB", {route: (times.ratio("duckdb") or 0) > 1 for route, times in last.items()}),
    ]
    if few != rows:
        ratios = {route: grown(results, Case(route, range_name), few, rows) for route in last}
        lines.append(
            target(
                f"at most {GROWTH} times the {row_count_label(few)} rows' time",
                {route: (times or 0) <= GROWTH for route, times in ratios.items()},
            )
        )
    return "\n".join(lines)


def target(text: str, outcomes: dict[str, bool]) -> str:
    missed = [route for route, is_met in outcomes.items() if not is_met]
    return f"- {text}: {len(outcomes) - len(missed)} of {len(outcomes)}" + (
        f" (not {', '.join(missed)})" if missed else ""
    )


def ms(value: float | None) -> Cell:
    return f"{digits(value)} ms" if value is not None else None


def ratio(value: float | None) -> Cell:
    return digits(value) if value is not None else None


def digits(value: float) -> str:
    return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f}"
