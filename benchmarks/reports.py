"""Measures PDFs of reports: seconds, memory of the compiler, and growth of the process that wants the PDF.

python -m benchmarks.reports

The documents have the columns and charts of the four kinds, and 3,000 rows. They need no database.
"""

import argparse
import subprocess
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import cycle
from statistics import median
from threading import Thread
from zoneinfo import ZoneInfo

import psutil

from benchmarks.text_tables import machine, table
from reports.document import Chart, Column, Document, Figure, Section, Series, Table, Unit, Value
from reports.pdf.content import files_of
from reports.pdf.papers import SIZES, Paper
from reports.pdf.typesetting import COMMAND, order_of

MEGABYTE = 1 << 20
ROUNDS = 3
MOST_SECONDS, MOST_MB = 2, 150
ZONE = ZoneInfo("Europe/Berlin")
START, END = datetime(2026, 11, 1, tzinfo=ZONE), datetime(2026, 12, 1, tzinfo=ZONE)
DAYS = [START + timedelta(days=day) for day in range(30)]
COLOURS = ("#736bc9", "#46b4a6", "#91670d", "#c44b7a", "#0547a4", "#84a412", "#842e13", "#c083ee")
UNITS: dict[str, tuple[Unit, ...]] = {
    "cost": ("text", "usd", "percent", "count", "usd", "count"),
    "usage": ("text", "count", "percent", "count", "percent", "ms", "usd"),
    "performance": ("text", "count", "count", "percent", "ms", "ms"),
    "statement": ("day", "text", "count", "count", "count", "usd", "count"),
}
"""Of the columns of the longest table of each kind."""
TITLES = ("kind", "paper", "seconds", "compiler MB", "growth MB", "file MB", "good")
LATIN = ("agent",)
SCRIPTS = (*LATIN, "поддержка", "وكيل", "エージェント", "agent-" + "x" * 60)


def document(kind: str, rows: int, names: Sequence[str]) -> Document:
    columns = [Column(f"{unit.capitalize()} {place}", unit, unit) for place, unit in enumerate(UNITS[kind])]
    main = Table("All rows", columns, [[value(unit, row, names) for unit in UNITS[kind]] for row in range(rows)])
    sections = [Section("Summary", "In short.", figures(), charts()), Section("Rows", tables=[main])]
    return Document(kind, kind.capitalize(), "", "Acme", START, END, ZONE, [], END, "Spend was $412.", sections)


def value(unit: Unit, row: int, names: Sequence[str]) -> Value:
    if unit == "text":
        return f"{names[row % len(names)]}-{row}"
    if unit == "day":
        return DAYS[row % 30]
    return row * 37 % 10_007 / (1 if unit == "count" else 7)


def figures() -> list[Figure]:
    return [Figure(f"Figure {place}", 1234.5, "usd", 12.5) for place in range(4)]


def charts() -> list[Chart]:
    values = [[float(day * place % 17) for day in range(30)] for place in range(1, 9)]
    series = [Series(f"model-{c}", of, c) for of, c in zip(values, cycle(COLOURS), strict=False)]
    return [
        Chart("stacked_bars", "Spend", DAYS, series, "usd", granularity="daily"),
        Chart("lines", "Latency", DAYS, series[:3], "ms", granularity="daily"),
    ]


class Measured:
    """The time and the memory of one PDF."""

    def __init__(self, of: Document, paper: Paper) -> None:
        process = psutil.Process()
        before, began = process.memory_info().rss, time.perf_counter()
        order = order_of(files_of(of, paper), of.made_at)
        with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={}) as compiler:  # noqa: S603
            watch = Thread(target=self.watch, args=[psutil.Process(compiler.pid)])
            watch.start()
            self.body, _ = compiler.communicate(order)
        self.seconds = time.perf_counter() - began
        watch.join()
        self.growth_mb = (process.memory_info().rss - before) / MEGABYTE

    def watch(self, compiler: psutil.Process) -> None:
        self.peak_mb = 0.0
        while compiler.is_running() and compiler.status() != psutil.STATUS_ZOMBIE:
            self.peak_mb = max(self.peak_mb, peak_of(compiler))
            time.sleep(0.005)


def peak_of(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss) / MEGABYTE
    except psutil.NoSuchProcess:
        return 0


def lines(rows: int, names: Sequence[str]) -> Iterator[list[str]]:
    for kind in UNITS:
        for paper in SIZES:
            runs = [Measured(document(kind, rows, names), paper) for _ in range(ROUNDS)]
            seconds, peak = median(run.seconds for run in runs), max(run.peak_mb for run in runs)
            growth = max(run.growth_mb for run in runs[1:])
            is_good = seconds <= MOST_SECONDS and peak <= MOST_MB
            yield [
                kind,
                paper,
                f"{seconds:.2f}",
                f"{peak:.0f}",
                f"{growth:.0f}",
                f"{len(runs[0].body) / MEGABYTE:.1f}",
                "yes" if is_good else "no",
            ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--scripts", action="store_true", help="names in five scripts, whose fonts take memory too")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    print(machine())
    print(table(TITLES, list(lines(options.rows, SCRIPTS if options.scripts else LATIN)), options.markdown))


if __name__ == "__main__":
    main()
