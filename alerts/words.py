"""Says in sentences what a rule looks at, and what has happened to it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from alerts.comparisons import (
    ABOVE_LAST_WEEK,
    ABOVE_PREVIOUS,
    BELOW,
    BELOW_LAST_WEEK,
    BELOW_PREVIOUS,
    MUTED,
    NO_DATA,
    OK,
    UNUSUAL,
)
from alerts.metrics import Metric, metric_of
from alerts.models import AlertEvent
from analytics.splits import in_sentence
from analytics.templatetags.text import shorten_middle
from budgets.models import PER_DIMENSIONS
from web.number_text import Number, count, dollars, ms, percent

EARLIER = {
    ABOVE_PREVIOUS: "the {window} before",
    BELOW_PREVIOUS: "the {window} before",
    ABOVE_LAST_WEEK: "the same {window} last week",
    BELOW_LAST_WEEK: "the same {window} last week",
}
LATENCY = "latency"
"""The measure of anomalies whose impact is not in its own unit."""
NAMES_SHOWN = 3
MINUTE_MS = 60_000


def window_words(minutes: int) -> str:
    """Formats the length of a window: 15 minutes, hour, 6 hours, day, 30 days."""
    for length, word in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes % length == 0:
            number = minutes // length
            return word if number == 1 else f"{number} {word}s"
    return f"{minutes} minutes"


def duration_words(length: timedelta) -> str:
    return ms(max(length / timedelta(milliseconds=1), MINUTE_MS))


def values_words(values: Sequence[str]) -> str:
    shown = [shorten_middle(value) for value in values[:NAMES_SHOWN]]
    more = len(values) - len(shown)
    return " or ".join(shown) + (f" or {more} more" if more else "")


def filter_words(filters: Mapping[str, Sequence[str]]) -> str:
    """Formats filters: agent support, environment prod, not model gpt-4o."""
    return ", ".join(
        f"{'not ' if name.startswith('not_') else ''}{in_sentence(name.removeprefix('not_'))} {values_words(values)}"
        for name, values in filters.items()
    )


def subject_of(details: Mapping[str, Any], group: str) -> str:
    """Formats what is measured: Spend of user ada (environment prod)."""
    metric, filters = metric_of(details["metric"]), dict(details["filters"])
    if group:
        per = in_sentence(PER_DIMENSIONS.get(details["per"], details["per"]))
        narrowed = f" ({filter_words(filters)})" if filters else ""
        return f"{metric.words} of {per} {shorten_middle(group)}{narrowed}"
    return f"{metric.words} of {filter_words(filters)}" if filters else metric.words


def limit_text(details: Mapping[str, Any], limit: Number) -> str:
    """Formats a limit in its unit: $50.00, 5 %, 840 ms; percent of change; dollars or calls of what is unusual."""
    metric = metric_of(details["metric"])
    if details["comparison"] in EARLIER:
        return percent(limit)
    if details["comparison"] == UNUSUAL:
        return impact_text(metric, limit)
    return metric.text(limit)


def impact_text(metric: Metric, impact: Number) -> str:
    return dollars(impact) if metric.impact == "dollars" else f"{count(impact)} {metric.impact}"


def value_text(details: Mapping[str, Any], value: Number, is_ok: bool) -> str:
    """Formats what was measured. Of what is unusual that is how much it is off, in the unit of its limits."""
    metric = metric_of(details["metric"])
    if details["comparison"] != UNUSUAL:
        return metric.text(value)
    if metric.anomaly == LATENCY:
        return metric.text(value) if is_ok else f"unusual in {impact_text(metric, value)}"
    return f"{'' if is_ok else 'off by '}{impact_text(metric, value)}"


def sentence(event: AlertEvent, zone: ZoneInfo) -> str:
    """Says what has happened, in one line."""
    if event.budget_event is not None:
        return str(event.details["sentence"])
    subject = subject_of(event.details, event.group)
    if event.state == MUTED:
        return f"{event.name} is muted{event.details.get('until_words', '')}"
    if event.state == NO_DATA:
        has = "have" if metric_of(event.details["metric"]).verb == "are" else "has"
        return f"{subject} {has} no data: no call in the last {window_words(event.details['window_minutes'])}"
    return recovery(subject, event) if event.state == OK else breach(subject, event, zone)


def breach(subject: str, event: AlertEvent, zone: ZoneInfo) -> str:
    details, metric = event.details, metric_of(event.details["metric"])
    window, limit = window_words(details["window_minutes"]), limit_text(details, event.limit)
    if details["comparison"] == UNUSUAL:
        off = impact_text(metric, event.value)
        how = f" in {off}" if metric.anomaly == LATENCY else f": {off} off"
        return f"{subject} {metric.verb} unusual{how}, the limit is {limit}"
    now = metric.text(event.value)
    if details["comparison"] in EARLIER:
        earlier = EARLIER[details["comparison"]].format(window=window)
        way = "above" if details["comparison"].startswith("above") else "below"
        change = f"{percent(details['measured'])} {way} {earlier}"
        return (
            f"{subject} {metric.verb} {change}: {now} after {metric.text(details['reference'])}, the limit is {limit}"
        )
    reached = "below" if details["comparison"] == BELOW else "at" if event.value == event.limit else "above"
    return f"{subject} {metric.verb} {now} in the last {window}, {reached} the {event.state} limit of {limit}"


def recovery(subject: str, event: AlertEvent) -> str:
    metric, lasted = metric_of(event.details["metric"]), duration_words(event.at - event.since)
    if event.details.get("is_changed"):
        return f"{subject} {metric.verb} ok, because the rule was changed"
    if event.before == NO_DATA:
        return f"{metric.words}: calls arrive again, after {lasted}"
    if event.details["comparison"] == UNUSUAL:
        return f"{subject} {metric.verb} as usual again, after {lasted}"
    cost = event.details.get("cost_usd")
    spent = f"; its calls cost {dollars(cost)} in that time" if cost is not None else ""
    now = "ok again: no call comes any more" if event.value is None else f"{metric.text(event.value)} again"
    return f"{subject} {metric.verb} {now}, after {lasted} in {event.before}{spent}"


def rule_words(metric: str, comparison: str, warning: Number, critical: Number, minutes: int) -> str:
    """Formats what a rule waits for: above 5 %, critical above 10 %, in 15 minutes."""
    details = {"metric": metric, "comparison": comparison}
    way = "off by" if comparison == UNUSUAL else "below" if comparison.startswith("below") else "above"
    texts = [] if warning is None else [f"{way} {limit_text(details, warning)}"]
    texts += [] if critical is None else [f"critical {way} {limit_text(details, critical)}"]
    window = window_words(minutes)
    if comparison in EARLIER:
        way = "more" if comparison.startswith("above") else "less"
        percents = ", ".join(texts).replace("above ", "").replace("below ", "")
        return f"{percents} {way} than {EARLIER[comparison].format(window=window)}"
    return ", ".join([*texts, f"in {window if minutes != 60 else 'an hour'}"])
