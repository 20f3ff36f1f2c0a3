"""Reads the hourly series in which anomalies are looked for: one SQL question for all series of a dimension.

Hours are those of UTC, which the sums have; their starts are told in the workspace's zone. Where a zone is half an hour
off, an hour begins at half past.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from analytics.percentiles import estimated, histograms
from methods.anomalies import Hour, Measure
from traces import sums
from traces.bucket_series import bucket_sql
from traces.buckets import HOUR, UTC_ZONE
from traces.db import rows
from traces.filters import Filters

DIMENSIONS = ("agent_id", "provider", "model", "environment")
MOST_SERIES = {"agent_id": 12, "provider": 6, "model": 12, "environment": 4}
"""So many values of a dimension are looked at: those with the largest share of the calls or of the spend."""
SUMS = ("calls", "errors", "cost_usd", "latency_ms", "timed_calls")

SERIES = """
WITH hourly AS (
    SELECT (extract(epoch FROM {bucket}) / 3600)::integer AS hour, {value} AS value, {sums}
    FROM {calls} AS calls
    WHERE {value} IS NOT NULL
    GROUP BY 1, 2
), by_value AS (
    SELECT value, sum(calls) AS calls, sum(cost_usd) AS cost_usd
    FROM hourly
    GROUP BY value
), shares AS (
    SELECT
        value,
        greatest(calls / NULLIF(sum(calls) OVER (), 0), cost_usd / NULLIF(sum(cost_usd) OVER (), 0)) AS share
    FROM by_value
), ranked AS (
    SELECT
        value,
        count(*) OVER () AS all_values,
        row_number() OVER (ORDER BY share DESC NULLS LAST, value) AS place
    FROM shares
)
SELECT value, all_values, array_agg(hour ORDER BY hour) AS hours, {arrays}
FROM ranked
JOIN hourly USING (value)
WHERE place <= %(most_series)s
GROUP BY value, all_values, place
ORDER BY place
"""


class Series(NamedTuple):
    """The sums of each hour from the first call in the window on, by name. An hour without calls has 0."""

    dimension: str | None
    """None: of the whole workspace."""
    value: str | None
    starts: Sequence[datetime]
    """In the workspace's zone."""
    sums: Mapping[str, Sequence[float]]

    @property
    def scope(self) -> dict[str, str | None]:
        return {self.dimension: self.value} if self.dimension else {}

    def hours(self, measure: Measure, planned: frozenset[datetime] = frozenset()) -> list[Hour]:
        """Returns the hours of a measure that is a sum. Those in `planned` have no value."""
        values = self.sums[COLUMN_OF[measure]]
        return [
            Hour(start, None if start in planned else value, int(calls))
            for start, value, calls in zip(self.starts, values, self.sums["calls"], strict=True)
        ]

    def average_latencies(self, planned: frozenset[datetime] = frozenset()) -> list[Hour]:
        timed = zip(self.starts, self.sums["latency_ms"], self.sums["timed_calls"], strict=True)
        return [
            Hour(start, latency / calls if calls and start not in planned else None, int(calls))
            for start, latency, calls in timed
        ]


COLUMN_OF: dict[Measure, str] = {"calls": "calls", "spend": "cost_usd", "errors": "errors"}


class Read(NamedTuple):
    """The series of one dimension."""

    series: list[Series]
    all_values: int
    """How many values the dimension has; those that are not in `series` are the smallest."""


def series_of(filters: Filters, dimension: str | None) -> Read:
    """Returns the largest series of a dimension; None: the one of all calls. The window has whole hours."""
    hourly = replace(filters, granularity="hourly", zone=UTC_ZONE)
    value = dimension or "''::text"
    found = rows(
        SERIES,
        hourly.params | {"most_series": MOST_SERIES.get(dimension or "", 1)},
        bucket=bucket_sql(hourly),
        value=value,
        sums=", ".join(f"sum({name})::float8 AS {name}" for name in SUMS),
        arrays=", ".join(f"array_agg({name} ORDER BY hour) AS {name}" for name in SUMS),
        calls=sums.calls_sql(hourly, *filter(None, [dimension]), *SUMS, by_bucket=True),
    )
    starts = [start.astimezone(filters.zone) for start in hourly.bucket_starts]
    return Read([series(row, dimension, starts) for row in found], found[0]["all_values"] if found else 0)


def series(row: Mapping[str, Any], dimension: str | None, starts: Sequence[datetime]) -> Series:
    """Returns the series of a row, whose hours are numbered from 1970 on. It begins with its first call."""
    first, last = row["hours"][0], hour_number(starts[-1])
    found = {name: [0.0] * (last + 1 - first) for name in SUMS}
    for name, values in found.items():
        for hour, value in zip(row["hours"], row[name], strict=True):
            values[hour - first] = value
    return Series(dimension, row["value"] if dimension else None, starts[first - hour_number(starts[0]) :], found)


def hour_number(moment: datetime) -> int:
    return int(moment.timestamp()) // 3600


# Each hour is looked up in the sums: only few of the hours of a month are asked for.
HISTOGRAMS = """SELECT wanted.hour AS timestamp, wanted.value, latency_bucket, found.calls
    FROM unnest(%(hours)s::timestamptz[], %(values)s::text[]) AS wanted (hour, value)
    CROSS JOIN LATERAL (
        SELECT latency_bucket, calls
        FROM {histogram} AS calls
        WHERE timestamp >= wanted.hour AND timestamp < wanted.hour + interval '1 hour' AND {condition}
        OFFSET 0
    ) AS found"""


def p95_latencies(
    filters: Filters, dimension: str | None, wanted: Iterable[tuple[str | None, datetime]]
) -> dict[tuple[str | None, datetime], float]:
    """Returns the 95th percentile of the latency by value and hour, for those that are wanted and have calls."""
    pairs = list(wanted)
    if not pairs:
        return {}
    hourly = replace(filters, granularity="hourly", zone=UTC_ZONE)
    histogram = HISTOGRAMS.format(
        histogram=sums.LATENCIES.sql(hourly, *filter(None, [dimension]), by_bucket=True),
        condition=f"{dimension} = wanted.value" if dimension else "true",
    )
    params = hourly.params | {"hours": [hour for _, hour in pairs], "values": [value for value, _ in pairs]}
    latencies = {}
    for keys, calls in histograms(histogram, params, "timestamp, value"):
        if (latency_ms := estimated(calls)["p95_latency_ms"]) is not None:
            latencies[keys["value"], keys["timestamp"].astimezone(filters.zone)] = latency_ms
    return latencies


def whole_hours(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Returns the window of the whole hours that lie in another window."""
    first = start.replace(minute=0, second=0, microsecond=0)
    return first if first == start else first + HOUR, end.replace(minute=0, second=0, microsecond=0)
