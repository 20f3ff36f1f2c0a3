"""Returns the course of what a rule measures around an event: the moments that its chart shows."""

from datetime import UTC, datetime, timedelta
from math import gcd

from typing_extensions import TypedDict

from alerts.comparisons import measured
from alerts.evaluation import limits_of
from alerts.models import AlertEvent, Rule
from alerts.series import courses
from traces.buckets import HOUR

WINDOWS_BEFORE, WINDOWS_AFTER = 6, 3
LONGEST = timedelta(days=40)
"""Before and after the event."""


class Course(TypedDict):
    start: datetime
    end: datetime
    values: list[float | None]
    place: float
    """That of the event, from 0 to 1."""


def moment_of(event: AlertEvent) -> Course:
    """Returns the windows before and after the event, as many as have passed."""
    rule = rule_of(event)
    step = step_of(rule)
    at = floor(event.at, step)
    length = max(rule.window, step * 4)
    start = at - min(WINDOWS_BEFORE * length, LONGEST)
    end = min(at + min(WINDOWS_AFTER * length, LONGEST), floor(datetime.now(UTC), step))
    found = courses(rule, start, max(end, at), step).get("", [])
    values = [measured(limits_of(rule), moment.reading) for moment in found]
    return {"start": start, "end": max(end, at), "values": values, "place": (at - start) / (max(end, at) - start)}


def rule_of(event: AlertEvent) -> Rule:
    """Returns the rule as it was then, about the group alone."""
    details = event.details
    filters = dict(details["filters"]) | ({group_dimension(event): [event.group]} if event.group else {})
    rule = Rule(workspace=event.workspace, metric=details["metric"], window_minutes=details["window_minutes"])
    rule.comparison = details["comparison"] if details["comparison"] != "unusual" else "above"
    rule.filters, rule.warning = filters, event.limit
    return rule


def group_dimension(event: AlertEvent) -> str:
    return Rule(per=event.details["per"]).per_dimension


def step_of(rule: Rule) -> timedelta:
    """Returns a step that fills the window, so that the chart has at most about a hundred."""
    if rule.window > 6 * HOUR:
        return HOUR * max(1, gcd(rule.window_minutes // 60, 24) // 2) if rule.window_minutes % 60 == 0 else HOUR
    return timedelta(minutes=gcd(rule.window_minutes, 10))


def floor(moment: datetime, step: timedelta) -> datetime:
    seconds = int(step.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)
