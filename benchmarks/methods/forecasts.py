"""Measures how far forecasts are off on made-up series, beside three simpler ways to forecast."""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from statistics import fmean
from typing import NamedTuple

from benchmarks.methods.families import KINDS, ORIGINS, SHORT_HISTORIES, daily
from methods.forecast import Forecast, forecast

SERIES_OF_KIND = 8
FULL_HISTORY = 84
MONTH_START, MONTH_END = 120, 150
FIRST_DAY = date(2026, 1, 5)
RECENT_DAYS = 28


class Case(NamedTuple):
    kind: str
    series: Sequence[float]
    today: int
    """The number of the day on which the rest of the month is forecast."""
    days: int
    """Of history."""

    @property
    def known(self) -> Sequence[float]:
        return self.series[self.today - self.days : self.today]

    @property
    def days_ahead(self) -> int:
        return MONTH_END - self.today

    @property
    def actual(self) -> float:
        return sum(self.series[self.today : MONTH_END])


class Result(NamedTuple):
    """Amounts of the rest of the month in average days of the series, so that large series count no more than small."""

    case: Case
    actual: float
    error: float
    is_within_range: bool
    pace_error: float
    average_error: float
    last_week_error: float


class Figures(NamedTuple):
    cases: int
    wape: float
    """The sum of all errors, divided by the sum of all amounts."""
    coverage: float
    """The share of cases whose amount was within its range of 80 %."""
    pace: float
    average_day: float
    last_week: float


def cases(seed: int) -> Iterator[Case]:
    rng = random.Random(seed)
    for kind in KINDS:
        for _ in range(SERIES_OF_KIND):
            series = daily(kind, rng)
            yield from (Case(kind, series, o, days) for o in ORIGINS for days in (*SHORT_HISTORIES, FULL_HISTORY))


def forecast_of(case: Case) -> Forecast | None:
    day = FIRST_DAY + timedelta(days=case.today - case.days)
    history = [(day + timedelta(days=i), amount) for i, amount in enumerate(case.known)]
    month = (FIRST_DAY + timedelta(days=MONTH_START), FIRST_DAY + timedelta(days=MONTH_END))
    found = forecast(history, *month, spent=0.0)
    return found if isinstance(found, Forecast) else None


def ms_of_a_year() -> float:
    """Returns the fastest of five forecasts of a year, which take the processor longest."""
    first = date(2026, 4, 8)
    past = [(first + timedelta(days=i), 10.0 + i % 31) for i in range(FULL_HISTORY)]

    def seconds() -> float:
        started = time.process_time()
        forecast(past, date(2026, 7, 1), date(2027, 7, 1), spent=0.0)
        return time.process_time() - started

    return 1000 * min(seconds() for _ in range(5))


def result(case: Case) -> Result | None:
    """Returns None where there is no forecast: all known days are without an amount."""
    found = forecast_of(case)
    if found is None:
        return None
    unit, actual = fmean(case.series), case.actual
    simple = (abs(way(case) - actual) / unit for way in (pace_of_month, average_day, same_day_last_week))
    is_within_range = found.low <= actual <= found.high
    return Result(case, actual / unit, abs(found.expected - actual) / unit, is_within_range, *simple)


def pace_of_month(case: Case) -> float:
    return fmean(case.series[max(MONTH_START, case.today - case.days) : case.today]) * case.days_ahead


def average_day(case: Case) -> float:
    return fmean(case.known[-RECENT_DAYS:]) * case.days_ahead


def same_day_last_week(case: Case) -> float:
    week = case.known[-7:]
    return sum(week[i % 7] for i in range(case.days_ahead)) if len(week) == 7 else average_day(case)


def figures(results: Sequence[Result]) -> Figures:
    actual = sum(result.actual for result in results)
    errors = [
        sum(getattr(result, name) for result in results) / actual
        for name in ("error", "pace_error", "average_error", "last_week_error")
    ]
    coverage = sum(result.is_within_range for result in results) / len(results)
    return Figures(len(results), errors[0], coverage, *errors[1:])


def results(seed: int) -> list[Result]:
    return [found for case in cases(seed) if (found := result(case))]


def grouped(results: Sequence[Result], key: Callable[[Result], str]) -> dict[str, Figures]:
    groups: dict[str, list[Result]] = defaultdict(list)
    for found in results:
        groups[key(found)].append(found)
    return {name: figures(group) for name, group in groups.items()}
