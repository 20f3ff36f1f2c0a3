"""Says what a rule that is not made yet would have told in the past: when, how often, and in which words.

It moves through the same states as a real round does, over the same sums. Where sums by minute have what the rule
looks at, it is evaluated at each minute; else each 10 minutes, or each hour for windows of more than 6 hours. A past
that cannot be read in time is cut short, and the answer says so.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from math import gcd
from typing import Literal, NamedTuple

from django.db import DatabaseError, connections, transaction
from typing_extensions import TypedDict

from alerts.comparisons import BELOW, OK, UNUSUAL, Limits, Place, Reading, limit_of, measured, step, verdict
from alerts.evaluation import ARRIVALS, limits_of
from alerts.metrics import SUMMED, metric_of
from alerts.models import AlertEvent, Rule
from alerts.readings import whole_minute
from alerts.rule_bodies import NewRule, fill
from alerts.series import Moment, courses, stepped
from alerts.unusual import HISTORY, STILL_UNUSUAL, hourly, hours_of, impact, planned_for
from alerts.words import limit_text, sentence
from methods.anomalies import anomalies
from traces import sums
from traces.buckets import HOUR
from traces.rollups.catalogue import MINUTE as MINUTE_WIDTH
from web.number_text import count
from web.problems import transient_cause
from workspaces.annotations import planned_between
from workspaces.models import Workspace

PAST = timedelta(days=30)
SHORTER = ((timedelta(days=7), 0.6), (timedelta(days=1), 0.4), (timedelta(hours=3), 0.3))
"""The next one is tried where reading the one before takes longer than so many seconds: together 3 at most."""
TEN_MINUTES, SHORT_WINDOW = 10, timedelta(hours=6)
MOST_POINTS = 720
"""Of the series in the answer."""
MOST_EVENTS = 500
FEW, MANY = 1, 30
"""So many messages in the past are a rule that says nothing, or too much."""


class PreviewEvent(TypedDict):
    at: datetime
    state: Literal["ok", "warning", "critical", "no_data"]
    group: str | None
    value: float | None
    message: str


class PreviewPoint(TypedDict):
    timestamp: datetime
    """The end of the window."""
    value: float | None
    """What the limits are about: the value, or the change in percent. Of several groups the one that was worst."""


class Preview(TypedDict):
    fired: int
    """How often it would have left ok, or become critical."""
    events: list[PreviewEvent]
    """The oldest first; of more than 500 the newest."""
    series: list[PreviewPoint]
    start: datetime
    end: datetime
    every_minutes: int
    """How often it was evaluated. A real rule is at each minute."""
    evaluations: int
    is_shortened: bool
    """The past is shorter than 30 days, since reading it took too long."""
    advice: str | None
    """What to change, where it would have told nothing or very much."""


def preview(workspace: Workspace, body: NewRule, now: datetime) -> Preview:
    rule = Rule(workspace=workspace)
    fill(rule, body)
    return backtest(rule, now)


def backtest(rule: Rule, now: datetime) -> Preview:
    past = read_past(rule, whole_minute(now - ARRIVALS), step_of(rule, now))
    found, courses_found = past.courses, list(past.courses.values())
    events = sorted((event for group, moments in found.items() for event in events_of(rule, group, moments)), key=at)
    fired = sum(event.state != OK for event in events)
    return {
        "fired": fired,
        "events": [as_event(event, sentence(event, rule.workspace.zone)) for event in events[-MOST_EVENTS:]],
        "series": series_of(rule, courses_found),
        "start": past.end - past.length,
        "end": past.end,
        "every_minutes": int(past.every / timedelta(minutes=1)),
        "evaluations": max(map(len, courses_found), default=int(past.length / past.every)),
        "is_shortened": past.length < PAST,
        "advice": advice(rule, fired, courses_found),
    }


def at(event: AlertEvent) -> tuple[datetime, str]:
    return event.at, event.group


def floor(moment: datetime, every: timedelta) -> datetime:
    seconds = int(every.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, moment.tzinfo)


def step_of(rule: Rule, now: datetime) -> timedelta:
    """Returns how often the past is looked at: as its sums are narrow, and so that steps fill the window."""
    if rule.comparison == UNUSUAL:
        return HOUR
    if has_minutes(rule, now):
        return timedelta(minutes=1)
    widest = TEN_MINUTES if rule.window <= SHORT_WINDOW else 60
    return timedelta(minutes=gcd(rule.window_minutes, widest))


def has_minutes(rule: Rule, now: datetime) -> bool:
    """Returns whether sums by minute know what the rule looks at. Each minute of many groups would take too long."""
    metric = metric_of(rule.metric)
    if metric.source != SUMMED or rule.per:
        return False
    filters = stepped(rule, now - HOUR, now, HOUR)
    narrowest = sums.smallest(sums.CALLS_BY_SIZE, filters, measures={*metric.columns})
    return narrowest is not None and MINUTE_WIDTH in narrowest.widths


# --- Reading ---


class Attempt(NamedTuple):
    length: timedelta
    every: timedelta
    seconds: float


class Past(NamedTuple):
    courses: dict[str, list[Moment]]
    end: datetime
    length: timedelta
    every: timedelta


def attempts(rule: Rule, every: timedelta) -> Iterator[Attempt]:
    """Yields what is read, the best first: each hour of 30 days is better than each minute of a few."""
    yield Attempt(PAST, every, 1.0)
    if every < HOUR and rule.window % HOUR == timedelta(0):
        yield Attempt(PAST, HOUR, 0.7)
    for length, seconds in SHORTER:
        yield Attempt(length, every, seconds)


def read_past(rule: Rule, end: datetime, every: timedelta) -> Past:
    """Returns what each moment of the past says, as far back as there is time for."""
    failed: DatabaseError | None = None
    for attempt in attempts(rule, every):
        last = floor(end, attempt.every)
        try:
            found = within(attempt.seconds / statements_of(rule), past_reader(rule, last, attempt))
            return Past(found, last, attempt.length, attempt.every)
        except DatabaseError as error:
            if transient_cause(error) is None:
                raise
            failed = error
    raise failed or AssertionError


def statements_of(rule: Rule) -> int:
    """Returns how many questions share the time: what is no sum has one more."""
    return 1 if metric_of(rule.metric).source == SUMMED else 2


def past_reader(rule: Rule, end: datetime, attempt: Attempt) -> Callable[[], dict[str, list[Moment]]]:
    if rule.comparison == UNUSUAL:
        return lambda: unusual_courses(rule, end, attempt.length)
    return lambda: courses(rule, end - attempt.length, end, attempt.every)


def within(seconds: float, read: Callable[[], dict[str, list[Moment]]]) -> dict[str, list[Moment]]:
    """Runs the queries so that each ends when the time is over."""
    with transaction.atomic(using="analytics"):
        with connections["analytics"].cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(int(seconds * 1000))])
        return read()


def unusual_courses(rule: Rule, end: datetime, past: timedelta) -> dict[str, list[Moment]]:
    """Returns for each hour how much it is off, 0 where it is as usual."""
    metric, start = metric_of(rule.metric), end - past - HISTORY
    found = courses(hourly(rule), start, end, HOUR)
    planned = planned_between(rule.workspace_id, start, end)
    result = {}
    for group, moments in found.items():
        late = [moment for moment in moments if moment.at > end - past]
        hours = hours_of(rule, moments, planned_for(rule, group, planned))
        unusual = anomalies(metric.anomaly, hours, end - past)  # type: ignore[arg-type]
        impacts = {
            moment.at: Reading(impact(metric, one, moments), moment.reading.calls, one.expected)
            for one in unusual
            for moment in late
            if one.start + HOUR <= moment.at < one.end + STILL_UNUSUAL
        }
        result[group] = [Moment(m.at, impacts.get(m.at, Reading(0.0, m.reading.calls))) for m in late]
    return result


# --- Moving through the states ---


class Stay(NamedTuple):
    place: Place
    since: datetime | None
    """When it left ok."""


def events_of(rule: Rule, group: str, moments: Sequence[Moment]) -> Iterator[AlertEvent]:
    """Yields the changes of state of one group."""
    limits, stay = limits_of(rule), Stay(Place(), None)
    for moment in moments:
        found = OK if group and not moment.reading.calls else verdict(limits, moment.reading)
        place = step(limits, stay.place, found)
        if place.state != stay.place.state:
            since = stay.since or moment.at
            yield event_of(rule, limits, group, moment, stay.place.state, place.state, since)
            stay = Stay(place, None if place.state == OK else since)
        else:
            stay = stay._replace(place=place)


def event_of(
    rule: Rule, limits: Limits, group: str, moment: Moment, before: str, state: str, since: datetime
) -> AlertEvent:
    reading = moment.reading
    return AlertEvent(
        name=rule.name,
        group=group,
        before=before,
        state=state,
        value=reading.value,
        limit=limit_of(limits, state),
        at=moment.at,
        since=since,
        details={
            "calls": reading.calls,
            "reference": reading.reference,
            "measured": measured(limits._replace(minimum_calls=0), reading),
            "metric": rule.metric,
            "comparison": rule.comparison,
            "window_minutes": rule.window_minutes,
            "filters": rule.filters,
            "per": rule.per,
        },
    )


def as_event(event: AlertEvent, message: str) -> PreviewEvent:
    state: Literal["ok", "warning", "critical", "no_data"] = event.state  # type: ignore[assignment]
    return {"at": event.at, "state": state, "group": event.group or None, "value": event.value, "message": message}


def series_of(rule: Rule, found: Sequence[Sequence[Moment]]) -> list[PreviewPoint]:
    """Returns the worst value of each moment. Where moments are too many, of several together the worst one."""
    limits = limits_of(rule)
    worst = min if rule.comparison == BELOW else max
    number = max((len(moments) for moments in found), default=0)
    together = -(-number // MOST_POINTS) or 1
    points: list[PreviewPoint] = []
    for first in range(0, number, together):
        parts = [moments[first : first + together] for moments in found]
        values = [value for part in parts for one in part if (value := measured(limits, one.reading)) is not None]
        last = next(part for part in parts if part)[-1]
        points.append({"timestamp": last.at, "value": worst(values) if values else None})
    return points


def advice(rule: Rule, fired: int, found: Sequence[Sequence[Moment]]) -> str | None:
    """Says what to change where a rule would have told nothing, or very much."""
    limits = limits_of(rule)
    values = [v for moments in found for one in moments if (v := measured(limits, one.reading)) is not None]
    if not values:
        return "There was nothing to measure in this time: look at the filters."
    if fired < FEW:
        extreme = min(values) if rule.comparison == BELOW else max(values)
        word = "lowest" if rule.comparison == BELOW else "highest"
        return f"The {word} was {text_of(rule, extreme)}: a limit before it would tell something."
    if fired > MANY:
        return many(rule, fired, sorted(values, reverse=rule.comparison == BELOW))
    return None


def many(rule: Rule, fired: int, ordered: Sequence[float]) -> str:
    rare = text_of(rule, ordered[int(len(ordered) * 0.99)])
    longer = "" if rule.for_evaluations > 1 else ", let it last for 10 evaluations"
    often = f"{count(fired)} times is too often to be read: 1 % of the time is beyond {rare}."
    return f"{often} Move the limit there{longer}, or widen the window."


def text_of(rule: Rule, value: float) -> str:
    return limit_text({"metric": rule.metric, "comparison": rule.comparison}, value)
