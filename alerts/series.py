"""Reads what a rule measures step by step over the past, and sums its window at each step.

The window moves along the steps. Sums are added and taken away, histograms and sets of users are too, so each moment
costs what a step has, and not what a window has.
"""

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

from alerts.comparisons import OF_LAST_WEEK, OF_PREVIOUS, Reading
from alerts.metrics import HISTOGRAM, SCORES, SUMMED, USERS, Metric, metric_of
from alerts.models import Rule
from analytics import query_sources
from analytics.query import bucket_of
from analytics.query_parameters import Parameters
from traces import engines
from traces.buckets import HOUR
from traces.db import rows
from traces.filters import BUCKET_ORIGIN, Filters
from traces.rollups.catalogue import ZERO_LATENCY_BUCKET

WEEK = timedelta(days=7)
MOST_GROUPS = 20
"""Of a rule with groups the past of so many is looked at: those with the most calls."""
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
SUBBUCKETS = 32
"""Of an octave of the histogram, see traces/rollups/catalogue.py."""


@dataclass(frozen=True, slots=True)
class SteppedFilters(Filters):
    """Filters whose buckets are steps of any length, from a multiple of it on."""

    step: timedelta = HOUR

    @property
    def bucket(self) -> timedelta:
        return self.step

    @property
    def bucket_starts(self) -> tuple[datetime, ...]:
        return steps(self.start, self.end, self.step)

    @property
    def has_equal_buckets(self) -> bool:
        return True


@lru_cache(maxsize=8)
def steps(start: datetime, end: datetime, step: timedelta) -> tuple[datetime, ...]:
    first = start - (start - BUCKET_ORIGIN) % step
    return tuple(first + number * step for number in range(-((first - end) // step)))


def stepped(rule: Rule, start: datetime, end: datetime, step: timedelta) -> SteppedFilters:
    return SteppedFilters(
        rule.workspace_id,
        start,
        end,
        granularity="hourly",
        limit=MOST_GROUPS,
        values=rule.filter_values,
        zone=rule.workspace.zone,
        step=step,
    )


class Moment(NamedTuple):
    """What the window that ends then says."""

    at: datetime
    reading: Reading


def courses(rule: Rule, start: datetime, end: datetime, step: timedelta) -> dict[str, list[Moment]]:
    """Returns for each group, at each step after `start` up to `end`, what the window that ends there says."""
    lead = lead_of(rule)
    filters = stepped(rule, start - lead, end, step)
    found = engines.recompute_if_hour_closed(lambda: by_group(rule, filters))
    lead_steps, window, back = lead // step, rule.window // step, back_of(rule) // step
    moments = [filters.start + number * step for number in range(1, len(filters.bucket_starts) + 1)]
    return {
        group: [
            Moment(moments[place], reading)
            for place, reading in enumerate(with_references(values, back))
            if place >= lead_steps
        ]
        for group, values in ((group, windows_of(rule, steps_of, window)) for group, steps_of in found.items())
    }


def lead_of(rule: Rule) -> timedelta:
    """Returns how much earlier than the first moment the steps begin that it needs."""
    return rule.window + back_of(rule)


def back_of(rule: Rule) -> timedelta:
    """Returns how much earlier the window is that it compares with."""
    if rule.comparison in OF_LAST_WEEK:
        return WEEK
    return rule.window if rule.comparison in OF_PREVIOUS else timedelta(0)


def with_references(values: Sequence[tuple[float | None, int]], back: int) -> Iterator[Reading]:
    for place, (value, calls) in enumerate(values):
        if not back:
            yield Reading(value, calls)
        elif place < back:
            yield Reading(value, calls, None, 0)
        else:
            yield Reading(value, calls, *values[place - back])


# --- Steps ---


class Steps(NamedTuple):
    """What each step of a group has. A step without anything has no key."""

    number: int
    sums: Mapping[int, Mapping[str, Any]]
    counts: Mapping[int, Mapping[Any, int]] = {}
    """Calls by bucket of the histogram, or by user."""


LISTED = """
WITH source AS ({source}
), listed AS (
    SELECT {group} AS value
    FROM source
    GROUP BY 1
    HAVING {group} IS NULL = {is_one} AND coalesce({group}, '-') <> ''
    ORDER BY sum(calls) DESC, 1
    LIMIT %(limit)s
)
SELECT coalesce({group}, '') AS value, timestamp, {columns}
FROM source
WHERE coalesce({group}, '') IN (SELECT coalesce(value, '') FROM listed)
"""


def by_group(rule: Rule, filters: SteppedFilters) -> dict[str, Steps]:
    metric = metric_of(rule.metric)
    columns = ("calls", *(metric.columns if metric.source == SUMMED else ()))
    parameters = parameters_of(rule)
    source = query_sources.summed_calls(parameters, filters, columns)
    sums: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for row in listed_rows(rule, filters, source, ", ".join(columns)):
        sums[row["value"]][place_of(filters, row["timestamp"])] = row
    number = len(filters.bucket_starts)
    counts = counts_by_group(rule, metric, filters, parameters, [*sums])
    if metric.source == SCORES:
        return with_scores(rule, filters, parameters, number, sums)
    groups = [*sums] if rule.per else [""]
    return {group: Steps(number, sums.get(group, {}), counts.get(group, {})) for group in groups}


def parameters_of(rule: Rule) -> Parameters:
    return Parameters(("calls",), by=(rule.per_dimension,) if rule.per else (), order="-calls", is_series=True)


def listed_rows(rule: Rule, filters: Filters, source: Any, columns: str) -> list[dict[str, Any]]:
    group, is_one = ("dimension_1", "false") if rule.per else ("NULL::text", "true")
    params = source.params | {"limit": MOST_GROUPS}
    return rows(LISTED, params, source=source.sql, group=group, is_one=is_one, columns=columns)


def place_of(filters: SteppedFilters, moment: datetime) -> int:
    return (moment - filters.bucket_starts[0]) // filters.step


COUNTED = """
SELECT {group} AS value, timestamp, {key} AS key, sum({calls})::bigint AS calls
FROM ({source}) AS source
WHERE {is_listed}
GROUP BY 1, 2, 3
"""
LISTED_ONLY = "dimension_1 = ANY(%(listed)s)"
"""The others would fill the memory: each user may have a row for each hour and bucket."""


def counts_by_group(
    rule: Rule, metric: Metric, filters: SteppedFilters, parameters: Parameters, listed: Sequence[str]
) -> dict[str, dict[int, dict[Any, int]]]:
    if metric.source == HISTOGRAM:
        source, key, calls = (
            query_sources.histogram(parameters, filters, bucket_of(rule.metric)),
            "latency_bucket",
            "calls",
        )
    elif metric.source == USERS:
        source, key, calls = query_sources.users(parameters, filters), "user_number", "1"
    else:
        return {}
    names: dict[str, Any] = {"source": source.sql, "key": key, "calls": calls, **group_and_condition(rule)}
    found: dict[str, dict[int, dict[Any, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows(COUNTED, source.params | {"listed": listed}, **names):
        if row["key"] is not None and row["value"] is not None:
            found[row["value"]][place_of(filters, row["timestamp"])][row["key"]] = row["calls"]
    return found


def group_and_condition(rule: Rule) -> dict[str, Any]:
    if rule.per:
        return {"group": "dimension_1", "is_listed": LISTED_ONLY}
    return {"group": "''", "is_listed": "true"}


SCORED = """
SELECT {group} AS value, timestamp, sum(number)::float8 AS total, count(number) AS scores
FROM ({source}) AS source
WHERE {is_listed}
GROUP BY 1, 2
"""


def with_scores(
    rule: Rule,
    filters: SteppedFilters,
    parameters: Parameters,
    number: int,
    sums: Mapping[str, Mapping[int, Mapping[str, Any]]],
) -> dict[str, Steps]:
    source = query_sources.scores(parameters, filters, rule.metric)
    merged: dict[str, dict[int, dict[str, Any]]] = {
        name: {p: dict(s) for p, s in of.items()} for name, of in sums.items()
    }
    for row in rows(SCORED, source.params | {"listed": [*sums]}, source=source.sql, **group_and_condition(rule)):
        place = place_of(filters, row["timestamp"])
        merged.setdefault(row["value"] or "", {}).setdefault(place, {"calls": 0}).update(row)
    groups = [*merged] if rule.per else [""]
    return {group: Steps(number, merged.get(group, {})) for group in groups}


# --- Windows over steps ---

Values = list[tuple[float | None, int]]
"""The value and the calls of the window that ends with each step."""


def windows_of(rule: Rule, found: Steps, window: int) -> Values:
    metric = metric_of(rule.metric)
    calls = moving_sums(found, "calls", window)
    if metric.source == SUMMED:
        moving = {name: moving_sums(found, name, window) for name in ("calls", *metric.columns)}
        of = metric.of or (lambda sums: None)
        return [
            (of({name: sums[place] for name, sums in moving.items()}), int(calls[place]))
            for place in range(found.number)
        ]
    if metric.source == SCORES:
        totals, scores = moving_sums(found, "total", window), moving_sums(found, "scores", window)
        return [(float(t) / s if s else None, int(c)) for t, s, c in zip(totals, scores, calls, strict=True)]
    value = users_in if metric.source == USERS else percentile_of(QUANTILES[rule.metric[:3]])
    return [(value(counts), int(calls[place])) for place, counts in enumerate(moving_counts(found, window))]


def moving_sums(found: Steps, name: str, window: int) -> list[Any]:
    """Returns for each step the sum over the steps of the window that ends with it."""
    sums = [*accumulate((found.sums.get(place, {}).get(name) or 0 for place in range(found.number)), initial=0)]
    return [sums[place + 1] - sums[max(place + 1 - window, 0)] for place in range(found.number)]


def moving_counts(found: Steps, window: int) -> Iterator[Counter[Any]]:
    """Yields for each step the counts of the window that ends with it. They are the same object, which changes."""
    counts: Counter[Any] = Counter()
    for place in range(found.number):
        counts.update(found.counts.get(place, {}))
        for key, calls in found.counts.get(place - window, {}).items():
            counts[key] -= calls
            if not counts[key]:
                del counts[key]
        yield counts


def users_in(counts: Mapping[Any, int]) -> float | None:
    return float(len(counts))


def percentile_of(quantile: float) -> Callable[[Mapping[int, int]], float | None]:
    """Returns the function that estimates a percentile in ms from a histogram, as `analytics/percentiles.py` does."""

    def estimate(counts: Mapping[int, int]) -> float | None:
        if not counts:
            return None
        buckets = sorted(counts)
        ends = [*accumulate(counts[bucket] for bucket in buckets)]
        rank = quantile * (ends[-1] - 1)
        low, high = (latency_at(buckets, ends, neighbour) for neighbour in (math.floor(rank), math.ceil(rank)))
        return low + (high - low) * (rank - math.floor(rank))

    return estimate


def latency_at(buckets: Sequence[int], ends: Sequence[int], rank: int) -> float:
    place = bisect_right(ends, rank)
    bucket, first = buckets[place], ends[place - 1] if place else 0
    if bucket == ZERO_LATENCY_BUCKET:
        return 0.0
    share = min(max((rank - first + 0.5) / (ends[place] - first), 1 / 3), 2 / 3)
    return float(2 ** ((bucket + share) / SUBBUCKETS))
