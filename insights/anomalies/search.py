"""Answers `/api/v1/insights/anomalies`: hours that were unusual, what caused them, and what they were worth.

It is computed from the sums of the window and of the 30 days before it, also for hours that were filled later. What
happens in the same hours is one event, named by its narrowest cause. docs/methods.md explains the method.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from insights.anomalies import hourly_series
from insights.anomalies import words as anomaly_words
from insights.anomalies.hourly_series import DIMENSIONS, Series
from methods.anomalies import (
    CAUSE_SHARE,
    Anomaly,
    Event,
    Finding,
    Hour,
    Known,
    Measure,
    anomalies_of,
    narrowest_causes,
)
from traces import sums
from traces.buckets import HOUR, UTC_ZONE
from traces.db import union_rows
from traces.filters import Filters, FilterValues
from workspaces.annotations import about, planned_between
from workspaces.models import Annotation, Workspace

HISTORY = timedelta(days=30)
"""What lies before the window: 28 days to compare with, and a day in which an anomaly may have begun."""
SUMMED: tuple[Measure, ...] = ("spend", "calls", "errors")
MEASURES: tuple[Measure, ...] = ("spend", "errors", "latency", "calls")
"""The measure that comes first tells an event in which several were unusual."""
LATENCY_SHIFT, LATENCY_NOISE = 0.2, 3.0
"""The percentile of an hour is looked at if its average is so far off: on a logarithmic scale, by this much, and by
this much divided by the root of the calls."""
MOST_HISTOGRAMS = 30_000
"""So many rows of histograms are read for a dimension. An hour has as many as calls, and 150 at most."""
ROWS_OF_HOUR = 150
MOST_EVENTS = 100
NARROWER = 0.8
"""A series is narrower than another one if its usual amount is this share of it, or less."""
CONTRIBUTION_SHARE = 0.05
"""Of the event's impact: what contributes less is not named."""


@dataclass(frozen=True)
class Impact:
    """What an event was worth. None: unknown for its measure."""

    usd: float | None
    calls: float | None
    """More or fewer calls; failed calls; of latency the calls of these hours."""
    users: int | None
    """Who called in these hours."""
    share_of_day: float
    """Of a usual day of the workspace: of its spend, or of its calls."""


class Contributor(NamedTuple):
    dimension: str
    value: str
    amounts: tuple[float, float]
    """Of the event's hours, and usually."""

    @property
    def change(self) -> float:
        return self.amounts[0] - self.amounts[1]


@dataclass(frozen=True)
class Unusual:
    """An event: hours that were unusual in one measure, or in several."""

    id: UUID
    event: Event
    also: tuple[Finding, ...]
    """Other measures of the same calls that were unusual in the same hours."""
    impact: Impact
    contributors: tuple[Contributor, ...]
    sentence: str

    @property
    def measure(self) -> Measure:
        return self.event.cause.measure

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Its own measure, and then the others that were unusual in the same hours."""
        return (self.measure, *(one.measure for one in self.also))

    @property
    def anomaly(self) -> Anomaly:
        return self.event.cause.anomaly

    @property
    def scope(self) -> Mapping[str, str | None]:
        return self.event.cause.scope

    @property
    def is_rise(self) -> bool:
        return self.anomaly.score > 0


class Looked(NamedTuple):
    """How many series of a dimension were looked at."""

    dimension: str | None
    series: int
    all_values: int


class Result(NamedTuple):
    events: list[Unusual]
    """Those that matter most first."""
    looked_at: list[Looked]


def unusual(workspace: Workspace, start: datetime, end: datetime, now: datetime | None = None) -> Result:
    """Returns what was unusual in the whole hours of the window that are over."""
    since, until = hourly_series.whole_hours(start, min(end, now or datetime.now(UTC)))
    if since >= until:
        return Result([], [])
    return Search(workspace, since, until).result()


class Search:
    """Looks at all series of a workspace once."""

    def __init__(self, workspace: Workspace, since: datetime, until: datetime) -> None:
        self.workspace, self.since = workspace, since
        self.filters = Filters(workspace.pk, since - HISTORY, until, granularity="hourly", zone=workspace.zone)
        self.planned = planned_between(workspace.pk, self.filters.start, until)
        self.known: dict[tuple[Measure, str | None, str | None], Known] = {}
        self.series: list[Series] = []
        self.looked_at: list[Looked] = []

    def result(self) -> Result:
        self.read()
        if not self.series:
            return Result([], [])
        findings = [*self.sum_findings(), *self.latency_findings()]
        merged = with_other_measures([self.narrowed(event) for event in narrowest_causes(findings)])
        users = self.users_of([event for event, _ in merged[:MOST_EVENTS]])
        events = [self.unusual(event, also, users.get(place)) for place, (event, also) in enumerate(merged)]
        events.sort(key=lambda one: (-one.impact.share_of_day, one.anomaly.start))
        return Result(events[:MOST_EVENTS], self.looked_at)

    def read(self) -> None:
        for dimension in (None, *DIMENSIONS):
            found = hourly_series.series_of(self.filters, dimension)
            self.series += found.series
            self.looked_at.append(Looked(dimension, len(found.series), found.all_values))
            if not found.series:
                return

    def planned_hours(self, series: Series) -> frozenset[datetime]:
        """Returns the hours that an annotation calls planned, for calls that the series may contain."""
        included = {name: [value or ""] for name, value in series.scope.items()}
        planned = about(self.planned, included)
        return frozenset(start for start in series.starts if any(touches(one, start) for one in planned))

    # --- Findings ---

    def sum_findings(self) -> Iterable[Finding]:
        for series in self.series:
            planned = self.planned_hours(series)
            for measure in SUMMED:
                known = Known(measure, series.hours(measure, planned))
                self.known[measure, series.dimension, series.value] = known
                yield from (Finding(measure, series.scope, found) for found in anomalies_of(known, self.since))

    def latency_findings(self) -> Iterable[Finding]:
        for dimension in (None, *DIMENSIONS):
            of_dimension = [series for series in self.series if series.dimension == dimension]
            averages = {
                series.value: Known("latency", series.average_latencies(self.planned_hours(series)))
                for series in of_dimension
            }
            wanted = wanted_hours(averages, self.since)
            found = hourly_series.p95_latencies(self.filters, dimension, wanted)
            for series in of_dimension:
                yield from self.slow_hours(series, averages[series.value], found)

    def slow_hours(
        self, series: Series, averages: Known, p95: Mapping[tuple[str | None, datetime], float]
    ) -> Iterable[Finding]:
        """Yields the unusual hours of the percentiles that are known, with the time that all their calls took."""
        hours = [hour._replace(value=p95.get((series.value, hour.start))) for hour in averages.hours]
        known = Known("latency", hours)
        self.known["latency", series.dimension, series.value] = averages
        for found in anomalies_of(known, self.since):
            yield Finding("latency", series.scope, found, time_taken(averages, found.start, found.end))

    def narrowed(self, event: Event) -> Event:
        """Names as the cause a narrower series that explains most of the event, though it was not found by itself: a
        new agent has no usual hours, and of one that calls now and then nothing is certain."""
        cause = event.cause
        if cause.measure == "latency":
            return event
        start, end = cause.anomaly.start, cause.anomaly.end
        value, usual = self.known[cause.measure, *dimension_and_value(cause)].totals(start, end)
        explaining = [
            (other_usual, DIMENSIONS.index(dimension), Finding(cause.measure, {dimension: name}, anomaly))
            for (measure, dimension, name), known in self.known.items()
            if measure == cause.measure and dimension and dimension not in cause.scope
            for other_value, other_usual in [known.totals(start, end)]
            if (other_value - other_usual) * cause.impact >= CAUSE_SHARE * (value - usual) * cause.impact
            and other_usual <= NARROWER * usual
            for anomaly in [cause.anomaly._replace(value=other_value, expected=other_usual)]
        ]
        narrowest = min(explaining, key=lambda one: one[:2], default=None)
        return event._replace(cause=narrowest[2]) if narrowest else event

    # --- What they are worth ---

    def unusual(self, event: Event, also: tuple[Finding, ...], users: int | None) -> Unusual:
        cause, anomaly = event.cause, event.cause.anomaly
        times = (anomaly.start, anomaly.end)
        words = anomaly_words.sentence(cause.measure, cause.scope, times, anomaly.value, anomaly.expected)
        others = [anomaly_words.also_words(one.measure, one.anomaly.value, one.anomaly.expected) for one in also]
        return Unusual(
            id=finding_id(self.workspace, cause),
            event=event,
            also=also,
            impact=self.impact(cause, users),
            contributors=self.contributors(event),
            sentence=words + (f" In the same hours {' and '.join(others)}." if others else ""),
        )

    def impact(self, cause: Finding, users: int | None) -> Impact:
        start, end = cause.anomaly.start, cause.anomaly.end
        dimension, value = dimension_and_value(cause)
        spend, usual_spend = self.known["spend", dimension, value].totals(start, end)
        calls, usual_calls = self.known["calls", dimension, value].totals(start, end)
        usd = cause.impact if cause.measure == "spend" else spend - usual_spend
        changed = {
            "spend": calls - usual_calls,
            "calls": cause.anomaly.impact,
            "errors": cause.anomaly.impact,
            "latency": calls,
        }[cause.measure]
        share = share_of(usd, self.usual_day("spend")) if cause.measure == "spend" else 0.0
        share = share or share_of(changed, self.usual_day("calls"))
        return Impact(None if cause.measure in ("latency", "errors") else usd, changed, users, share)

    def usual_day(self, measure: Measure) -> float:
        """Returns what the workspace has on an average day."""
        hours = self.known[measure, None, None].hours
        return math.fsum(hour.value or 0.0 for hour in hours) * 24 / max(len(hours), 1)

    def contributors(self, event: Event) -> tuple[Contributor, ...]:
        """Returns the value of each other dimension that changed most in the same hours and direction."""
        cause = event.cause
        largest: dict[str, Contributor] = {}
        for (measure, dimension, value), known in self.known.items():
            if measure != cause.measure or dimension is None or dimension in cause.scope:
                continue
            one = Contributor(dimension, value or "", amounts(known, cause.anomaly.start, cause.anomaly.end))
            if dimension not in largest or one.change * cause.impact > largest[dimension].change * cause.impact:
                largest[dimension] = one
        large = [one for one in largest.values() if one.change * cause.impact >= CONTRIBUTION_SHARE * cause.impact**2]
        return tuple(sorted(large, key=lambda one: -abs(one.change)))

    def users_of(self, events: Sequence[Event]) -> dict[int, int]:
        """Returns how many users called in the hours of each event, by its place."""
        windows = [replace(self.filters, **hours_of(event), values=scope_values(event)) for event in events]
        found = union_rows([(users_sql(place, window), window.params) for place, window in enumerate(windows)])
        return {row["place"]: row["users"] for row in found}


def touches(annotation: Annotation, start: datetime) -> bool:
    return annotation.starts_at < start + HOUR and (annotation.ends_at or annotation.starts_at) > start


# --- Latency: hours whose average is off ---


def wanted_hours(averages: Mapping[str | None, Known], since: datetime) -> Iterable[tuple[str | None, datetime]]:
    """Returns the hours whose percentiles are needed: those whose average is off, and what they are compared with."""
    shifts = [
        (abs(shift), value, hour.start)
        for value, known in averages.items()
        for hour in known.hours
        if hour.start >= since - timedelta(hours=27) and (shift := shift_of(known, hour))
    ]
    wanted: dict[tuple[str | None, datetime], int] = {}
    for _, value, start in sorted(shifts, key=lambda one: (-one[0], one[2], one[1] or "")):
        needed = hours_needed(averages[value], start)
        wanted |= {(value, hour.start): min(hour.calls, ROWS_OF_HOUR) for hour in needed}
        if sum(wanted.values()) > MOST_HISTOGRAMS:
            break
    return wanted


def shift_of(known: Known, hour: Hour) -> float:
    """Returns by how much the hour's average latency is off, on a logarithmic scale; 0 if chance may explain it."""
    compared = known.compared(hour)
    if not compared:
        return 0.0
    usual = median(other.value or 0.0 for other in compared)
    shift = math.log(max(hour.value or 0.0, 1e-3) / max(usual, 1e-3))
    return shift if abs(shift) >= max(LATENCY_SHIFT, LATENCY_NOISE / math.sqrt(hour.calls)) else 0.0


def hours_needed(known: Known, start: datetime) -> list[Hour]:
    """Returns the hour, its neighbours, since two of three make an anomaly, and all that these are compared with."""
    near = [hour for hour in known.hours if abs(hour.start - start) <= 2 * HOUR]
    return [*near, *(other for hour in near for other in known.compared(hour))]


def amounts(known: Known, start: datetime, end: datetime) -> tuple[float, float]:
    """Returns what adds up over series, in the hours and usually: of latency the time that calls took."""
    return time_taken(known, start, end) if known.measure == "latency" else known.totals(start, end)


def time_taken(averages: Known, start: datetime, end: datetime) -> tuple[float, float]:
    """Returns the time in ms that the calls of the hours took, and that they usually take."""
    found = [hour for hour in averages.hours if start <= hour.start < end]
    taken = math.fsum((hour.value or 0.0) * hour.calls for hour in found)
    usual = math.fsum(usual_average(averages, hour) * hour.calls for hour in found)
    return taken, usual


def usual_average(averages: Known, hour: Hour) -> float:
    compared = averages.compared(hour)
    return median(other.value or 0.0 for other in compared) if compared else hour.value or 0.0


# --- Events ---


def with_other_measures(events: Sequence[Event]) -> list[tuple[Event, tuple[Finding, ...]]]:
    """Joins the events of the same calls and hours: the measure that comes first in MEASURES tells them."""
    ordered = sorted(events, key=lambda event: MEASURES.index(event.cause.measure))
    kept: list[tuple[Event, list[Finding]]] = []
    for event in ordered:
        same = next((also for other, also in kept if are_one(other.cause, event.cause)), None)
        if same is None:
            kept.append((event, []))
        else:
            same.append(event.cause)
    return [(event, tuple(also)) for event, also in kept]


def are_one(one: Finding, other: Finding) -> bool:
    first, second = one.anomaly, other.anomaly
    overlap = first.start < second.end and second.start < first.end
    return overlap and one.scope == other.scope and (first.score > 0) == (second.score > 0)


def dimension_and_value(cause: Finding) -> tuple[str | None, str | None]:
    return next(iter(cause.scope.items()), (None, None))


def share_of(amount: float, whole: float) -> float:
    return abs(amount) / whole if whole > 0 else 0.0


def finding_id(workspace: Workspace, cause: Finding) -> UUID:
    """Returns the id of the unusual hours, which is the same whenever they are looked at."""
    start = cause.anomaly.start.astimezone(UTC).isoformat()
    return uuid5(workspace.pk, f"{cause.measure} {'up' if cause.anomaly.score > 0 else 'down'} {start}")


def hours_of(event: Event) -> dict[str, Any]:
    return {"start": event.cause.anomaly.start.astimezone(UTC), "end": event.cause.anomaly.end.astimezone(UTC)}


def scope_values(event: Event) -> dict[str, FilterValues]:
    return {name: FilterValues((value,)) for name, value in event.cause.scope.items() if value is not None}


USERS = "SELECT {place} AS place, coalesce(sum(users), 0)::bigint AS users FROM {users} AS counts"


def users_sql(place: int, window: Filters) -> str:
    return USERS.format(place=place, users=sums.distinct_users_sql(replace(window, zone=UTC_ZONE)))
