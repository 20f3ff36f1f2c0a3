"""Formats anomalies: their impact in words, and links to the page of their hours."""

from datetime import datetime
from typing import Any

from django import template
from django.http import QueryDict
from django.urls import reverse

from analytics.splits import in_sentence
from analytics.templatetags.links import iso
from insights.anomalies import words as anomaly_words
from web.number_text import column_unit, count, dollars, in_column, percent

register = template.Library()

PAGE_OF = {"spend": "cost-page", "calls": "usage-page", "latency": "performance-page", "errors": "performance-page"}
WHY_OF = {"spend": "cost_usd", "calls": "calls", "latency": "avg_latency_ms", "errors": "error_rate"}
MEASURE_NAMES = {"spend": "Spend", "calls": "Calls", "latency": "Latency", "errors": "Errors"}


@register.filter
def measure_name(measure: str) -> str:
    return MEASURE_NAMES[measure]


@register.filter
def impact_words(one: dict[str, Any]) -> str:
    """Formats the impact, like: $48 more · 312 calls more · 14 users."""
    impact, words = one["impact"], []
    if impact["usd"] is not None and round(abs(impact["usd"]), 2):
        words.append(f"{dollars(abs(impact['usd']))} {'more' if impact['usd'] > 0 else 'less'}")
    if impact["calls"] is not None and round(abs(impact["calls"])):
        words.append(calls_words(one["measure"], impact["calls"]))
    if impact["users"]:
        words.append(f"{count(impact['users'])} user{'' if impact['users'] == 1 else 's'}")
    return " · ".join(words)


def calls_words(measure: str, calls: float) -> str:
    whole = round(abs(calls))
    number = f"{count(whole)} {'failed ' if measure == 'errors' else ''}call{'' if whole == 1 else 's'}"
    if measure == "latency":
        return number
    return f"{number} {'more' if calls > 0 else 'fewer'}"


@register.filter
def contributor_words(one: dict[str, Any], measure: str) -> str:
    """Formats a contributor, like: model gpt-4o, $40 instead of $4; of latency the time of all calls together."""
    values = (one["amount"], one["usual"])
    if measure == "latency":
        amount, usual = (in_column(value, column_unit("latency_ms", values)) for value in values)
    else:
        amount, usual = (anomaly_words.amount(measure, value) for value in values)  # type: ignore[arg-type]
    return f"{in_sentence(one['dimension'])} {one['value']}, {amount} instead of {usual}"


@register.filter
def day_share(one: dict[str, Any]) -> str:
    return percent(one["impact"]["percent_of_day"])


def hours_query(workspace: Any, one: dict[str, Any], **more: str) -> str:
    query = QueryDict(mutable=True)
    query["workspace"] = str(workspace.id)
    query["start"], query["end"] = (iso(datetime.fromisoformat(one[name])) for name in ("start", "end"))
    for name, value in (one["scope"] | more).items():
        query[name] = value
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def hours_link(context: template.Context, one: dict[str, Any]) -> str:
    """Returns the address of the page that shows the measure in exactly these hours, of these calls."""
    return reverse(PAGE_OF[one["measure"]]) + hours_query(context["workspace"], one)


@register.simple_tag(takes_context=True)
def hours_why_link(context: template.Context, one: dict[str, Any]) -> str:
    """Returns the address of the page that compares these hours with the same hours a week before."""
    by = "model" if "agent_id" in one["scope"] else "agent_id"
    more = {"measure": WHY_OF[one["measure"]], "by": by, "compare": "last_week"}
    return reverse("why-page") + hours_query(context["workspace"], one, **more)


@register.simple_tag(takes_context=True)
def hours_traces_link(context: template.Context, one: dict[str, Any]) -> str:
    """Returns the address of the traces of these hours: the dearest, slowest or failed ones first."""
    more = {"spend": {"sort": "costliest"}, "latency": {"sort": "slowest"}, "errors": {"has_error": "true"}}
    return reverse("traces-page") + hours_query(context["workspace"], one, **more.get(one["measure"], {}))
