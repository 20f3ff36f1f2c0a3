"""Finds hours that are unusual for their hour of the week: of spend, calls, latency and errors.

Finding and importance are two stages. `anomalies` finds them in one series. `narrowest_causes` groups those of many
series that happen at the same time, and says how much each is worth, so that people choose from which impact on they
hear of it. docs/methods.md explains the method and its figures.
"""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import fmean, median
from typing import Literal, NamedTuple

from methods.robust import quantile, spread

Measure = Literal["calls", "spend", "latency", "errors"]

HOUR = timedelta(hours=1)
REFERENCE_DAYS, FEWEST_REFERENCES = 28, 15
LATENCY_FEWEST_CALLS = 20
# What chance alone does to a series, whatever its history says. Spend differs more where there are few calls.
CALLS_FLOOR, LATENCY_FLOOR, SPEND_FLOOR, SPEND_CALL_FLOOR = 1.0, 0.08, 0.15, 1.2
SPEND_OFFSET = 0.1
"""This share of the usual spend, or else a call's, is added before the logarithm: hours without spend have one too."""

SMALLEST_CHANGE, FEWEST_CALLS_CHANGED, FEWEST_ERRORS_CHANGED, SMALLEST_SHARE_OF_DAY = 0.3, 10, 3, 0.05
TAIL, TAIL_SIGMAS = 0.95, 1.645
"""Of a normal distribution, so many values lie within so many standard deviations above the median."""
HIGH_SCORE, EXTREME_SCORE = 3.5, 6.0
HIGH_HOURS, RECENT_HOURS = 2, 3
"""So many of the last hours have a high score in an anomaly; a single hour is enough if its score is extreme."""
QUIET_HOURS = 24
"""An alarm that follows another one by less belongs to the same anomaly."""
CAUSE_SHARE = 0.8
"""A narrower series is the cause of a wider one's anomaly if it explains this share of its impact."""


class Hour(NamedTuple):
    start: datetime
    """In the workspace's zone: its hour and weekday there are compared."""
    value: float | None
    """Calls, dollars, the latency's percentile in ms, or errors. None: unknown, or left out as planned."""
    calls: int
    """Calls of the hour."""


class Score(NamedTuple):
    start: datetime
    value: float
    expected: float
    """The usual value of the hour. For errors, the usual rate times the hour's calls."""
    score: float
    """How unusual the value is, in standard deviations; below 0 where it is lower than usual."""
    is_relevant: bool
    """The difference is large enough to matter."""


class Anomaly(NamedTuple):
    start: datetime
    end: datetime
    """The end of the last unusual hour."""
    value: float
    """Of all its unusual hours; for latency their mean."""
    expected: float
    score: float
    """Of the most unusual hour."""

    @property
    def impact(self) -> float:
        """What there was more than usual, or less if below 0: calls, dollars, ms or errors."""
        return self.value - self.expected


def anomalies(measure: Measure, hours: Sequence[Hour], since: datetime) -> list[Anomaly]:
    """Returns the anomalies that begin at `since` or later. `hours` are consecutive, oldest first.

    The first of `hours` should lie 30 days before `since`. An hour with fewer than 15 comparable hours before it is
    never unusual. An anomaly has the same start whatever `since` is, so the start can be its key.
    """
    return anomalies_of(Known(measure, hours), since)


def anomalies_of(known: "Known", since: datetime) -> list[Anomaly]:
    """Does the same as `anomalies`, for a series whose compared hours are found already."""
    scores = known.scores(since - (QUIET_HOURS + RECENT_HOURS) * HOUR, only_relevant=True)
    unusual = {score.start: score for score in scores if score.is_relevant and abs(score.score) > HIGH_SCORE}
    alarms = [alike for score in unusual.values() if (alike := alarm(score, unusual))]
    runs: list[list[Sequence[Score]]] = []
    for alike in alarms:
        if runs and alike[-1].start - runs[-1][-1][-1].start < QUIET_HOURS * HOUR:
            runs[-1].append(alike)
        else:
            runs.append([alike])
    return [joined(known.measure, run, unusual.values()) for run in runs if run[0][-1].start >= since]


def alarm(score: Score, unusual: Mapping[datetime, Score]) -> list[Score]:
    """Returns the unusual hours, up to that of the score, that are enough for an alarm; nothing if they are not."""
    recent = (unusual.get(score.start - age * HOUR) for age in reversed(range(RECENT_HOURS)))
    alike = [other for other in recent if other and (other.score > 0) == (score.score > 0)]
    return alike if len(alike) >= HIGH_HOURS or abs(score.score) > EXTREME_SCORE else []


def joined(measure: Measure, run: Sequence[Sequence[Score]], unusual: Iterable[Score]) -> Anomaly:
    """Returns one anomaly of all unusual hours of the run that differ in the direction of its first."""
    start, last, is_rise = run[0][0].start, run[-1][-1].start, run[0][0].score > 0
    alike = [score for score in unusual if start <= score.start <= last and (score.score > 0) == is_rise]
    total = fmean if measure == "latency" else sum
    value, expected = total(score.value for score in alike), total(score.expected for score in alike)
    return Anomaly(start, alike[-1].start + HOUR, value, expected, max((s.score for s in alike), key=abs))


class References(NamedTuple):
    """The known hours at one time of day, of one kind of day: oldest first."""

    starts: list[datetime]
    hours: list[Hour]

    def between(self, first: datetime, last: datetime) -> list[Hour]:
        return self.hours[bisect_left(self.starts, first) : bisect_right(self.starts, last)]


class Known:
    """The known hours of one series, and those that each of them is compared with. `hours` are oldest first."""

    def __init__(self, measure: Measure, hours: Sequence[Hour]) -> None:
        self.measure = measure
        self.hours = [hour for hour in hours if is_known(measure, hour)]
        self.by_kind = references(self.hours)
        self.smallest = smallest_change(measure, self.hours)

    def compared(self, hour: Hour) -> list[Hour]:
        """Returns the known hours of 28 days before at the same time of day, an hour more or less, and kind of day.

        They do not begin with the hours just before, which may belong to the same anomaly. None if they are too few.
        """
        is_weekend, time = kind(hour.start)
        first, last = hour.start - timedelta(days=REFERENCE_DAYS), hour.start - timedelta(hours=RECENT_HOURS)
        near = (self.by_kind.get((is_weekend, other % 24)) for other in (time - 1, time, time + 1))
        found = [other for references in near if references for other in references.between(first, last)]
        return found if len(found) >= FEWEST_REFERENCES else []

    def scores(self, since: datetime, only_relevant: bool = False) -> list[Score]:
        """Returns the score of each hour from `since` on that has enough comparable hours before it.

        With `only_relevant` it leaves out the hours that differ too little to matter: most take no time then.
        """
        scored = (hour for hour in self.hours if hour.start >= since and not (only_relevant and self.is_calm(hour)))
        found = ((hour, self.compared(hour)) for hour in scored)
        return [
            score
            for hour, compared in found
            if compared
            for score in scored_hour(self.measure, hour, compared, self.smallest, only_relevant)
        ]

    def is_calm(self, hour: Hour) -> bool:
        return self.measure == "errors" and (hour.value or 0.0) < FEWEST_ERRORS_CHANGED

    def totals(self, start: datetime, end: datetime) -> tuple[float, float]:
        """Returns what the hours from `start` to before `end` had, and what is usual: 0 with too little history."""
        found = self.between(start, end)
        usual = (usual_value(self.measure, hour, compared) for hour in found if (compared := self.compared(hour)))
        return math.fsum(hour.value or 0.0 for hour in found), math.fsum(usual)

    def between(self, start: datetime, end: datetime) -> list[Hour]:
        first, last = (bisect_left(self.hours, moment, key=lambda hour: hour.start) for moment in (start, end))
        return self.hours[first:last]

    def is_new(self, start: datetime) -> bool:
        """Returns whether the series has no comparable hours for the first of its hours from `start` on."""
        found = self.between(start, start + RECENT_HOURS * HOUR)
        return bool(found) and not self.compared(found[0])


def usual_value(measure: Measure, hour: Hour, compared: Sequence[Hour]) -> float:
    """Returns the median of the compared hours; for errors their rate times the hour's calls."""
    if measure == "errors":
        return error_rate(compared) * hour.calls
    return median(other.value or 0.0 for other in compared)


def error_rate(compared: Sequence[Hour]) -> float:
    errors, calls = math.fsum(other.value or 0.0 for other in compared), sum(other.calls for other in compared)
    return (errors + 0.5) / (calls + 1)


def hourly_scores(measure: Measure, hours: Sequence[Hour], since: datetime) -> list[Score]:
    """Returns the score of each hour from `since` on that has a value and enough comparable hours before it."""
    return Known(measure, hours).scores(since)


def kind(start: datetime) -> tuple[bool, int]:
    return start.weekday() > 4, start.hour


def is_known(measure: Measure, hour: Hour) -> bool:
    return hour.value is not None and (measure != "latency" or hour.calls >= LATENCY_FEWEST_CALLS)


def references(known: Sequence[Hour]) -> Mapping[tuple[bool, int], References]:
    """Returns the hours of each kind. `known` are oldest first."""
    by_kind: dict[tuple[bool, int], References] = {}
    for hour in known:
        found = by_kind.setdefault(kind(hour.start), References([], []))
        found.starts.append(hour.start)
        found.hours.append(hour)
    return by_kind


def scored_hour(
    measure: Measure, hour: Hour, compared: Sequence[Hour], smallest: float, only_relevant: bool
) -> list[Score]:
    if measure == "errors":
        return errors_score(hour, compared, only_relevant)
    values = [other.value or 0.0 for other in compared]
    value, usual = hour.value or 0.0, median(values)
    relevant = is_relevant(measure, value, usual, smallest)
    if only_relevant and not relevant:
        return []
    score = level_score(measure, hour, compared, values, usual)
    return [Score(hour.start, value, usual, score, relevant)]


def level_score(measure: Measure, hour: Hour, compared: Sequence[Hour], values: Sequence[float], usual: float) -> float:
    offset = max(SPEND_OFFSET * usual, spend_per_call([*compared, hour])) if measure == "spend" else 0.0
    scaled = [scale(measure, other, offset) for other in values]
    center = median(scaled)
    difference = scale(measure, hour.value or 0.0, offset) - center
    sigma = math.hypot(spread(scaled, center), noise_floor(measure, hour.calls))
    edge = quantile(sorted(scaled), TAIL if difference > 0 else 1 - TAIL)
    # In a series that is silent in most hours, those say nothing about how large a burst usually is.
    beyond_tail = TAIL_SIGMAS + (abs(difference) - abs(edge - center)) / sigma
    return math.copysign(max(min(abs(difference) / sigma, beyond_tail), 0.0), difference)


def spend_per_call(hours: Sequence[Hour]) -> float:
    """Returns the median of the hours' cost per call, 0 without any call."""
    costs = [(hour.value or 0.0) / hour.calls for hour in hours if hour.calls]
    return median(costs) if costs else 0.0


def scale(measure: Measure, value: float, offset: float) -> float:
    """Returns the value on a scale on which chance differs equally at every height."""
    return 2 * math.sqrt(value + 3 / 8) if measure == "calls" else math.log(max(value + offset, 1e-9))


def noise_floor(measure: Measure, calls: int) -> float:
    if measure == "spend":
        return math.hypot(SPEND_FLOOR, SPEND_CALL_FLOOR / math.sqrt(max(calls, 1)))
    return CALLS_FLOOR if measure == "calls" else LATENCY_FLOOR


def errors_score(hour: Hour, compared: Sequence[Hour], only_relevant: bool) -> list[Score]:
    """Scores by the signed root of the binomial deviance, divided by how much more than chance the rate varies."""
    value = hour.value or 0.0
    if not hour.calls or not any(other.calls for other in compared):
        return []
    rate = error_rate(compared)
    expected = rate * hour.calls
    relevant = is_relevant("errors", value, expected)
    if only_relevant and not relevant:
        return []
    score = signed_root_deviance(value, hour.calls, rate) / math.sqrt(overdispersion(compared, rate))
    return [Score(hour.start, value, expected, max(score, 0.0), relevant)]


def signed_root_deviance(errors: float, calls: int, rate: float) -> float:
    successes = calls - errors
    deviance = 2 * (x_log_ratio(errors, calls * rate) + x_log_ratio(successes, calls * (1 - rate)))
    return math.copysign(math.sqrt(max(deviance, 0.0)), errors - calls * rate)


def x_log_ratio(count: float, expected: float) -> float:
    return count * math.log(count / expected) if count > 0 else 0.0


def overdispersion(compared: Sequence[Hour], rate: float) -> float:
    ratios = [
        ((hour.value or 0.0) - hour.calls * rate) ** 2 / (hour.calls * rate * (1 - rate))
        for hour in compared
        if hour.calls
    ]
    return max(fmean(ratios), 1.0)


def is_relevant(measure: Measure, value: float, expected: float, smallest: float = 0.0) -> bool:
    change = abs(value - expected)
    if measure == "calls" and change < FEWEST_CALLS_CHANGED:
        return False
    if measure == "errors" and change < FEWEST_ERRORS_CHANGED:
        return False
    return change >= max(SMALLEST_CHANGE * expected, smallest)


def smallest_change(measure: Measure, hours: Sequence[Hour]) -> float:
    """Returns the difference in dollars below which an hour of spend does not matter: a twentieth of a usual day."""
    if measure != "spend":
        return 0.0
    by_day: dict[object, float] = defaultdict(float)
    for hour in hours:
        by_day[hour.start.date()] += hour.value or 0.0
    return SMALLEST_SHARE_OF_DAY * median([spend for spend in by_day.values() if spend > 0] or [0.0])


class Finding(NamedTuple):
    """An anomaly and the series that it was found in."""

    measure: Measure
    scope: Mapping[str, str | None]
    """The filters of the series: none for the workspace, else such as {"agent_id": "support"}."""
    anomaly: Anomaly
    amounts: tuple[float, float] | None = None
    """Value and usual value of an amount that adds up over series, where the anomaly's own do not: for latency, the
    time that all calls took."""

    @property
    def impact(self) -> float:
        return self.amounts[0] - self.amounts[1] if self.amounts else self.anomaly.impact

    @property
    def usual(self) -> float:
        return self.amounts[1] if self.amounts else self.anomaly.expected


class Event(NamedTuple):
    cause: Finding
    """The narrowest series that explains the event."""
    findings: tuple[Finding, ...]
    """All series that were unusual with it, the one with the largest impact first."""


def narrowest_causes(findings: Sequence[Finding]) -> list[Event]:
    """Makes one event of the findings of a measure that overlap in time and differ in the same direction.

    Of the series that explain at least 80 % of the largest impact, the one with the smallest usual amount is the cause:
    an agent rather than the workspace. A series that has all usual calls of the workspace is no narrower.
    The event with the largest impact comes first.
    """
    groups: list[list[Finding]] = []
    for finding in sorted(findings, key=lambda finding: finding.anomaly.start):
        group = next((group for group in groups if any(belong_together(finding, other) for other in group)), None)
        if group is None:
            groups.append([finding])
        else:
            group.append(finding)
    return sorted(map(event, groups), key=lambda event: (event.cause.measure, -abs(event.cause.impact)))


def belong_together(one: Finding, other: Finding) -> bool:
    first, second = one.anomaly, other.anomaly
    overlap = first.start < second.end and second.start < first.end
    return one.measure == other.measure and overlap and (first.score > 0) == (second.score > 0)


def event(group: Sequence[Finding]) -> Event:
    ordered = sorted(group, key=lambda finding: -abs(finding.impact))
    largest = abs(ordered[0].impact)
    explaining = [finding for finding in ordered if abs(finding.impact) >= CAUSE_SHARE * largest]
    cause = min(explaining, key=lambda finding: (finding.usual, len(finding.scope)))
    return Event(cause, tuple(ordered))
