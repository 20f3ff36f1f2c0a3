"""Measures how many planted faults are found, and how many anomalies are none, on made-up hourly series."""

import random
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from benchmarks.methods.families import Hourly, hourly
from methods.anomalies import Anomaly, Hour, Measure, anomalies

SERIES = 240
MEASURES: tuple[Measure, ...] = ("calls", "spend", "latency", "errors")
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
SCORED_FROM, SCORED_DAYS = MONDAY + timedelta(days=28), 7
LATE = timedelta(hours=1)
"""An anomaly may begin so long after a fault: two of the last three hours make one."""


class Found(NamedTuple):
    measure: Measure
    has_fault: bool
    is_found: bool
    false_alarms: int


class Figures(NamedTuple):
    series: int
    precision: float
    recall: float
    false_alarms: float
    """For 1,000 series and day."""


def found(series: Hourly) -> Found:
    measure = next(measure for measure in MEASURES if measure == series.measure)
    hours = [
        Hour(MONDAY + timedelta(hours=i), value, calls)
        for i, (value, calls) in enumerate(zip(series.values, series.calls, strict=True))
    ]
    alarms = anomalies(measure, hours, SCORED_FROM)
    right = [alarm for alarm in alarms if meets_fault(alarm, series.fault)]
    return Found(measure, series.fault is not None, bool(right), len(alarms) - len(right))


def meets_fault(alarm: Anomaly, fault: tuple[int, int] | None) -> bool:
    if fault is None:
        return False
    begin, end = (MONDAY + timedelta(hours=hour) for hour in fault)
    return alarm.start < end + LATE and alarm.end > begin


def results(seed: int) -> list[Found]:
    rng = random.Random(seed)
    return [found(hourly(rng)) for _ in range(SERIES)]


def figures(results: list[Found]) -> Figures:
    hits, faults = sum(result.is_found for result in results), sum(result.has_fault for result in results)
    false = sum(result.false_alarms for result in results)
    alarms = hits + false
    return Figures(
        len(results),
        hits / alarms if alarms else 1.0,
        hits / faults if faults else 1.0,
        false / len(results) / SCORED_DAYS * 1000,
    )
