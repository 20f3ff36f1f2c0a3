"""Judges the last hours of what a rule measures by the method of anomalies: how much they are off."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from alerts.comparisons import Reading
from alerts.metrics import Metric, metric_of
from alerts.models import Rule
from alerts.series import Moment, courses
from methods.anomalies import Anomaly, Hour, anomalies
from traces.buckets import HOUR

HISTORY = timedelta(days=30)
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
    if not is_due(rule, end):
        return {}
    last = whole_hour(end)
    found = courses(hourly(rule), last - HISTORY - HOUR, last, HOUR)
    return {group: reading_at(rule, moments, last) for group, moments in found.items()}


def hourly(rule: Rule) -> Rule:
    """Returns the rule with windows of an hour. Of a rate the anomalies of its counts are looked for."""
    metric = OF_ERRORS if metric_of(rule.metric).anomaly == OF_ERRORS else rule.metric
    hour = Rule(workspace=rule.workspace, metric=metric, window_minutes=60, filters=rule.filters, per=rule.per)
    hour.comparison = "above"
    return hour


def reading_at(rule: Rule, moments: Sequence[Moment], last: datetime) -> Reading:
    """Returns the reading of the anomaly that goes on at `last`."""
    metric, zone = metric_of(rule.metric), rule.workspace.zone
    known = [moment for moment in moments if moment.at <= last]
    calls = known[-1].reading.calls if known else 0
    found = anomalies(metric.anomaly, hours_of(known, zone), last - timedelta(days=1))  # type: ignore[arg-type]
    now = next((one for one in reversed(found) if one.end > last - STILL_UNUSUAL), None)
    if now is None:
        return Reading(0.0, calls, actual=known[-1].reading.value if known else None)
    return Reading(impact(metric, now, known), calls, now.expected, calls, now.value)


def hours_of(moments: Sequence[Moment], zone: ZoneInfo) -> list[Hour]:
    return [Hour((moment.at - HOUR).astimezone(zone), moment.reading.value, moment.reading.calls) for moment in moments]


def impact(metric: Metric, found: Anomaly, moments: Sequence[Moment]) -> float:
    """Returns how much the anomaly is worth: dollars, calls or failed calls; of latency the calls that it concerns."""
    if metric.anomaly != "latency":
        return abs(found.impact)
    return float(sum(moment.reading.calls for moment in moments if found.start < moment.at <= found.end))
