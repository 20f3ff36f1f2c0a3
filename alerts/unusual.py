"""Judges the last hours of what a rule measures by the method of anomalies: how much they are off.

Hours that an annotation calls planned are left out, as insights/anomalies.py does.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from alerts.comparisons import Reading
from alerts.metrics import Metric, metric_of
from alerts.models import Rule
from alerts.series import Moment, courses
from alerts.words import LATENCY
from methods.anomalies import Anomaly, Hour, anomalies
from traces.buckets import DAY, HOUR
from workspaces.annotations import about, overlap, planned_between
from workspaces.models import Annotation

HISTORY = timedelta(days=30)
"""What lies before the first hour in which an anomaly may begin: see `methods/anomalies.py`."""
STILL_UNUSUAL = timedelta(hours=2)
"""An anomaly goes on while one of the last hours belongs to it."""
OF_ERRORS = "errors"


def whole_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def is_due(rule: Rule, end: datetime) -> bool:
    """Returns whether an hour has ended since the rule was last looked at."""
    return rule.evaluated_at is None or whole_hour(rule.evaluated_at) < whole_hour(end)


def unusual_readings(rule: Rule, end: datetime) -> dict[str, Reading]:
    """Returns for each group how much its last hours are off, 0 where they are as usual."""
    last = whole_hour(end)
    since = last - DAY
    found = courses(hourly(rule), since - HISTORY, last, HOUR)
    planned = planned_between(rule.workspace_id, since - HISTORY, last)
    return {
        group: reading_at(rule, moments, planned_for(rule, group, planned), since) for group, moments in found.items()
    }


def planned_for(rule: Rule, group: str, planned: Sequence[Annotation]) -> list[Annotation]:
    """Returns the planned loads that the calls of a group may be part of."""
    included = {name: filtered.included for name, filtered in rule.filter_values.items()}
    return about(planned, included | ({rule.per_dimension: (group,)} if group else {}))


def hourly(rule: Rule) -> Rule:
    """Returns the rule with windows of an hour. Of a rate the anomalies of its counts are looked for."""
    metric = OF_ERRORS if metric_of(rule.metric).anomaly == OF_ERRORS else rule.metric
    hour = Rule(workspace=rule.workspace, metric=metric, window_minutes=60, filters=rule.filters, per=rule.per)
    hour.comparison = "above"
    return hour


def reading_at(rule: Rule, moments: Sequence[Moment], planned: Collection[Annotation], since: datetime) -> Reading:
    """Returns the reading of the anomaly that began at `since` or later and goes on at the last of the moments."""
    metric, (last, reading) = metric_of(rule.metric), moments[-1]
    found = anomalies(metric.anomaly, hours_of(rule, moments, planned), since)  # type: ignore[arg-type]
    now = next((one for one in reversed(found) if one.end > last - STILL_UNUSUAL), None)
    if now is None:
        return Reading(0.0, reading.calls, actual=reading.value)
    return Reading(impact(metric, now, moments), reading.calls, now.expected, reading.calls, now.value)


def hours_of(rule: Rule, moments: Sequence[Moment], planned: Collection[Annotation]) -> list[Hour]:
    """Returns the hours that end at the moments. Those that are planned have no value."""
    starts = [(moment.at - HOUR).astimezone(rule.workspace.zone) for moment in moments]
    return [
        Hour(
            start,
            None if any(overlap(one, start, moment.at) for one in planned) else moment.reading.value,
            moment.reading.calls,
        )
        for start, moment in zip(starts, moments, strict=True)
    ]


def impact(metric: Metric, found: Anomaly, moments: Sequence[Moment]) -> float:
    """Returns how much the anomaly is worth: dollars, calls or failed calls; of latency the calls that it concerns."""
    if metric.anomaly != LATENCY:
        return abs(found.impact)
    return float(sum(moment.reading.calls for moment in moments if found.start < moment.at <= found.end))
