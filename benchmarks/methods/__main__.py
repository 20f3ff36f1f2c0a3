"""Prints how far forecasts, anomalies and comparisons are off on made-up series.

python -m benchmarks.methods
python -m benchmarks.methods --seeds 1 2 3 --only forecast
"""

import argparse
import random
import time
from collections.abc import Iterator

from benchmarks.methods import anomalies, comparisons, forecasts
from benchmarks.text_tables import machine, table
from methods.comparison import always_valid, fixed

PARTS = ("forecast", "anomalies", "comparison")
WIDTHS = {"fixed interval": fixed, "always-valid interval": always_valid}
FORECAST_HEAD = ("cases", "count", "WAPE", "in the range", "month's pace", "average day", "same day last week")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--runs", type=int, default=1000, help="of each interval of a comparison")
    parser.add_argument("--experiments", type=int, default=200, help="that are looked at again and again")
    parser.add_argument("--markdown", action="store_true", help="write tables for a document")
    return parser.parse_args()


def forecast_table(chosen: argparse.Namespace) -> Iterator[str]:
    started = time.perf_counter()
    by_seed = {seed: forecasts.results(seed) for seed in chosen.seeds}
    found = [result for results in by_seed.values() for result in results]
    yield f"Forecast of the rest of a month, {1000 * (time.perf_counter() - started) / len(found):.1f} ms each"
    groups = {
        "all": forecasts.figures(found),
        **{f"seed {seed}": forecasts.figures(results) for seed, results in by_seed.items()},
        **forecasts.grouped(found, lambda result: result.case.kind),
        **forecasts.grouped(found, lambda result: f"{result.case.days} days of history"),
    }
    yield table(FORECAST_HEAD, [(name, *forecast_cells(figures)) for name, figures in groups.items()], chosen.markdown)
    yield f"A year ahead from 84 days: {forecasts.ms_of_a_year():.1f} ms"


def forecast_cells(figures: forecasts.Figures) -> tuple[str, ...]:
    errors = (figures.pace, figures.average_day, figures.last_week)
    return f"{figures.cases:,}", f"{figures.wape:.3f}", f"{figures.coverage:.0%}", *(f"{error:.3f}" for error in errors)


def anomaly_table(chosen: argparse.Namespace) -> Iterator[str]:
    started = time.perf_counter()
    by_seed = {seed: anomalies.results(seed) for seed in chosen.seeds}
    found = [result for results in by_seed.values() for result in results]
    yield f"Anomalies of a week of hours, {1000 * (time.perf_counter() - started) / len(found):.1f} ms a series"
    groups = {"all": found, **{f"seed {seed}": results for seed, results in by_seed.items()}}
    groups |= {name: [result for result in found if result.measure == name] for name in anomalies.MEASURES}
    lines = [(name, *anomaly_cells(anomalies.figures(results))) for name, results in groups.items()]
    yield table(
        ("cases", "series", "precision", "recall", "false alarms per 1,000 series and day"), lines, chosen.markdown
    )


def anomaly_cells(figures: anomalies.Figures) -> tuple[str, ...]:
    return f"{figures.series:,}", f"{figures.precision:.2f}", f"{figures.recall:.2f}", f"{figures.false_alarms:.1f}"


def comparison_table(chosen: argparse.Namespace) -> Iterator[str]:
    rng = random.Random(chosen.seeds[0])
    found = {calls: comparisons.coverages(calls, chosen.runs, rng) for calls in comparisons.CALLS}
    yield "Intervals of 95 % that hold the truth, by calls of an arm"
    lines = [
        (first.case, *(share(coverage, chosen.runs) for coverage in (first, *others)))
        for first, *others in zip(*found.values(), strict=True)
    ]
    yield table(("interval", *(f"{calls:,}" for calls in found)), lines, chosen.markdown)
    yield f"Equal arms that are called different at one of {comparisons.LOOKS} looks"
    wrong = [
        (
            kind.name,
            *(f"{comparisons.false_verdicts(width, kind, chosen.experiments, rng):.1%}" for width in WIDTHS.values()),
        )
        for kind in comparisons.EXPERIMENTS
    ]
    yield table(("calls", *WIDTHS), wrong, chosen.markdown)


def share(coverage: comparisons.Coverage, runs: int) -> str | None:
    if coverage.share is None or coverage.intervals < runs / 10:
        return None
    return f"{coverage.share:.1%}"


def main() -> None:
    chosen = options()
    print(machine())
    for name, make in zip(PARTS, (forecast_table, anomaly_table, comparison_table), strict=True):
        if name in chosen.only:
            for text in make(chosen):
                print(f"\n{text}", flush=True)


if __name__ == "__main__":
    main()
