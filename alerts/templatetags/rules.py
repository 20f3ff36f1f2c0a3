"""Formats rules and events, and draws the course of what a rule measures as SVG attributes."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse

from alerts.comparisons import NO_DATA, OK, WARNING
from alerts.metrics import metric_of
from alerts.models import AlertEvent, Rule
from alerts.rule_bodies import NewRule
from alerts.words import duration_words, filter_words, limit_text, rule_words, sentence
from alerts.words import value_text as words_of_value
from analytics.query_string import is_filter
from analytics.splits import in_sentence
from analytics.templatetags.links import page_query
from analytics.templatetags.sparks import HEIGHT, WIDTH, connected_runs
from budgets.models import PER_DIMENSIONS

register = template.Library()

BADGES = {OK: "ok", NO_DATA: "warning", WARNING: "warning", "critical": "error", "info": "", "muted": ""}


WATCHED = {
    "usage-overview": "calls",
    "usage-calls-over-time": "calls",
    "usage-tokens": "tokens",
    "cost-overview": "cost_usd",
    "cost-trend": "cost_usd",
    "cost-by-model": "cost_usd",
    "performance-overview": "p95_latency_ms",
    "performance-latency": "p95_latency_ms",
    "performance-throughput": "error_rate",
    "performance-errors": "error_rate",
    "performance-first-token": "p95_first_token_ms",
}
"""What a rule that is made from a panel watches."""


@register.simple_tag(takes_context=True)
def alert_link(context: template.Context, name: str) -> str:
    """Returns the address of the form of a rule about what a panel shows, with the filters of the page.

    Empty: no rule can be about it.
    """
    if name not in WATCHED:
        return ""
    query = page_query(context)
    kept = {name: values for name, values in query.lists() if is_filter(name) or name == "workspace"}
    return f"{reverse('new-rule')}?{urlencode({'metric': WATCHED[name], **kept}, doseq=True)}"


@register.filter
def badge(state: str) -> str:
    """Returns the class of a state's badge."""
    return BADGES[state]


@register.filter
def state_words(state: str) -> str:
    return state.replace("_", " ")


@register.filter
def what(rule: Rule) -> str:
    """Says what a rule looks at: Error rate of agent support, each user."""
    words = metric_of(rule.metric).words
    narrowed = f" of {filter_words(rule.filters)}" if rule.filters else ""
    per = f", each {in_sentence(PER_DIMENSIONS.get(rule.per, rule.per))}" if rule.per else ""
    return f"{words}{narrowed}{per}"


@register.filter
def waits_for(rule: Rule) -> str:
    return rule_words(rule.metric, rule.comparison, rule.warning, rule.critical, rule.window_minutes)


@register.filter
def value_text(value: float | None, rule: Rule) -> str:
    is_ok = all(state.state == OK for state in rule.states.all())
    return words_of_value({"metric": rule.metric, "comparison": rule.comparison}, value, is_ok)


@register.filter
def in_limits(value: float | None, body: NewRule) -> str:
    return limit_text({"metric": body.metric, "comparison": body.comparison}, value)


@register.filter
def happened(event: AlertEvent) -> str:
    return sentence(event, event.workspace.zone)


@register.filter
def lasted(event: AlertEvent) -> str:
    return duration_words((event.ended_at or event.at) - event.since)


@register.filter
def minutes_words(minutes: int) -> str:
    return duration_words(timedelta(minutes=minutes))


@register.filter
def values_of(points: Sequence[dict[str, Any]]) -> list[float | None]:
    return [point["value"] for point in points]


@register.simple_tag
def course(values: Sequence[float | None], *limits: float | None) -> dict[str, Any] | None:
    """Returns the path of a line with the heights of its limits, in a box of 100 by 28. None: there is nothing."""
    known = [value for value in values if value is not None]
    if len(values) < 2 or not known:
        return None
    shown = [limit for limit in limits if limit is not None]
    top = max(*known, *shown, 0) or 1
    runs = [run for run in connected_runs(list(values), top) if len(run) > 1]
    line = "".join("M" + "L".join(run) for run in runs)
    heights = [f"{HEIGHT - 3 - limit / top * (HEIGHT - 5):.4g}" for limit in shown]
    return {"line": line, "limits": heights, "highest": max(known)}


@register.simple_tag
def marks(events: Sequence[dict[str, Any]], start: Any, end: Any) -> list[str]:
    """Returns the places of the moments at which it would have told something."""
    breaches = [event for event in events if event["state"] != OK]
    return [f"{(event['at'] - start) / (end - start) * WIDTH:.4g}" for event in breaches]
