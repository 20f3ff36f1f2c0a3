"""Makes the bars, sentences and links of the pages of budgets from their JSON."""

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import template
from django.urls import reverse

from analytics.templatetags.budget import NO_FORECAST, day_text, days_with_range, past_error_words, x_position
from analytics.templatetags.links import iso
from traces.filters import LABEL_PREFIX
from web.number_text import count, dollars, percent_reached

register = template.Library()

WIDEST_PERCENTAGE = 200
CLOSEST_WORDS = 0.14
"""The share of a bar that the words over a tick need on a phone."""
STATUS_WORDS = {
    "unset": "no limit",
    "ok": "within budget",
    "warning": "warning",
    "critical": "critical",
    "exceeded": "exceeded",
    "unknown": "unknown",
}
DIMENSION_WORDS = {
    "agent_id": "agent",
    "user_id": "user",
    "model": "model",
    "provider": "provider",
    "environment": "environment",
    "release": "release",
}
LONGEST_WINDOW = timedelta(days=399)
"""That the list of traces takes, a little less than its limit."""


@register.filter
def status_of(state: dict[str, Any]) -> str:
    """Returns the status in words; of a template how many values are over or near."""
    values = state["values"]
    if values is None:
        return STATUS_WORDS[state["status"]]
    if values["over"]:
        return f"{count(values['over'])} over"
    return f"{count(values['near'])} near" if values["near"] else "all within"


@register.filter
def state_words(status: str) -> str:
    return STATUS_WORDS[status]


@register.filter
def period_words(period: Any) -> str:
    """Formats a period, like: a month; the last 30 days; from 1 Nov to 30 Nov 2026."""
    if isinstance(period, str):
        return f"a {period}"
    if "rolling_days" in period:
        return f"the last {period['rolling_days']} days"
    first, last = date.fromisoformat(period["from"]), date.fromisoformat(period["to"]) - timedelta(days=1)
    return f"{first:%-d %b %Y} to {last:%-d %b %Y}"


@register.filter
def dimension_words(name: str) -> str:
    return name.removeprefix(LABEL_PREFIX) if name.startswith(LABEL_PREFIX) else DIMENSION_WORDS.get(name, name)


@register.filter
def bar(one: dict[str, Any]) -> dict[str, Any] | None:
    """Returns the positions on a budget's bar as SVG percentages. None: it has no limit, or one for each of many."""
    state, limit = one["state"], one["limit_usd"]
    if state is None or limit is None or one["per"]:
        return None
    used = state["used_percentage"]
    if used is None:  # the limit is 0
        used = 100.0 if state["status"] == "exceeded" else 0.0
    expected = state["expected_usd"] * 100 / limit if state["expected_usd"] is not None and limit else None
    scale = max(100.0, used, min(expected or 0, WIDEST_PERCENTAGE))
    ticks = sorted({tick for one in one["thresholds"] if (tick := tick_of(one, limit)) and tick < 100} | {100.0})
    return {
        "used": used,
        "spent": x_position(used, scale),
        "limit": x_position(100, scale),
        "expected": x_position(min(expected, WIDEST_PERCENTAGE), scale) if expected and expected > used else None,
        "ticks": [
            {"x": x_position(tick, scale), "words": words_at(tick, ticks, scale), "is_limit": tick == 100}
            for tick in ticks
        ],
        "ends": scale < 115,
    }


def words_at(tick: float, ticks: list[float], scale: float) -> str:
    """Returns the words over a tick; none where those of the next tick would cover them."""
    following = next((other for other in ticks if other > tick), None)
    is_free = following is None or (following - tick) / scale >= CLOSEST_WORDS
    return percent_reached(tick) if is_free else ""


def tick_of(threshold: dict[str, Any], limit: float) -> float | None:
    """Returns where a threshold on the spend is, in percent of the limit."""
    if threshold["basis"] != "actual":
        return None
    if threshold["percent"] is not None:
        return float(threshold["percent"])
    return threshold["amount_usd"] * 100 / limit if limit else None


@register.filter
def ends_on(one: dict[str, Any]) -> str:
    """Says when the money ends, like: ends on 26 Nov (24 to 29); empty where it does not."""
    reached = one["state"]["limit_reached"]
    if not reached or one["state"]["status"] == "exceeded":
        return ""
    if reached["expected"]:
        return f"ends on {days_with_range(reached)}"
    earliest = reached["earliest"]
    return f"may end from {day_text(date.fromisoformat(earliest))} on" if earliest else ""


@register.filter
def expected_words(state: dict[str, Any]) -> str:
    """Says what the period is expected to cost, like: $1,730, between $1,610 and $1,870."""
    low, high = dollars(state["low_usd"]), dollars(state["high_usd"])
    between = "" if low == high else f", between {low} and {high}"
    return f"{dollars(state['expected_usd'])}{between}"


@register.filter
def negated(amount: float) -> float:
    return -amount


@register.filter
def no_forecast_of(one: dict[str, Any]) -> str:
    """Says why there is no forecast. A rolling period has none whatever its history."""
    period = one["period"]
    if isinstance(period, dict) and "rolling_days" in period:
        return "Rolling days have no end to forecast."
    return NO_FORECAST[one["state"]["no_forecast_reason"]]


@register.filter
def field_words(name: str) -> str:
    return name.replace("_", " ").removesuffix(" percentage")


@register.filter
def error_words(one: dict[str, Any]) -> str:
    error, period = one["state"]["past_error"], one["period"]
    return past_error_words(error, period) if error and isinstance(period, str) else ""


@register.filter
def days_left(state: dict[str, Any]) -> int:
    left = datetime.fromisoformat(state["period_end"]) - datetime.now(ZoneInfo("UTC"))
    return max(-(-left // timedelta(days=1)), 0)


@register.simple_tag(takes_context=True)
def traces_of(context: template.Context, one: dict[str, Any], dimension: str, value: str) -> str:
    """Returns the link to the traces of a budget's running period with this value."""
    start = datetime.fromisoformat(one["state"]["period_start"])
    end = datetime.fromisoformat(one["state"]["period_end"])
    scope = [(name, each) for name, values in one["scope"].items() if name != dimension for each in values]
    window = [("start", iso(max(start, end - LONGEST_WINDOW))), ("end", iso(end))]
    query = [("workspace", context["workspace"].id), *scope, (dimension, value), *window, ("sort", "costliest")]
    return f"{reverse('traces-page')}?{urlencode(query)}"


@register.simple_tag
def per_filter(per: str) -> str:
    return {"agent": "agent_id", "user": "user_id"}.get(per, per)


@register.filter
def local_period(period: dict[str, Any], zone: ZoneInfo) -> str:
    """Formats a past period, like: Oct 2026; 1 to 7 Nov 2026; 3 Nov 2026."""
    first = datetime.fromisoformat(period["period_start"]).astimezone(zone).date()
    last = datetime.fromisoformat(period["period_end"]).astimezone(zone).date() - timedelta(days=1)
    if first == last:
        return f"{first:%a %-d %b %Y}"
    if first.day == 1 and (last + timedelta(days=1)).day == 1:
        is_month = (first.year, first.month) == (last.year, last.month)
        return f"{first:%B %Y}" if is_month else f"{first:%b} to {last:%b %Y}"
    return f"{day_text(first, without_month_of=last)} to {last:%-d %b %Y}"


@register.filter
def day_of_text(day: str) -> str:
    return day_text(date.fromisoformat(day))


@register.filter
def share_width(percentage: float | None) -> str:
    return x_position(min(percentage or 0.0, 100.0), 100.0)


@register.filter
def threshold_words(key: str) -> str:
    """Formats the key of a threshold, like: 80 % spent; forecast of 100 %; $50.00 spent."""
    basis, _, share = key.partition(":")
    shown = f"{share[:-1]} %" if share.endswith("%") else share
    return f"forecast of {shown}" if basis == "forecast" else f"{shown} spent"


@register.filter
def preview_words(period: dict[str, Any]) -> str:
    """Formats the days of a preview's period."""
    first, last = date.fromisoformat(period["first_day"]), date.fromisoformat(period["last_day"])
    if first == last:
        return f"On {first:%-d %b}"
    if first.day == 1 and (last + timedelta(days=1)).day == 1 and first.month == last.month:
        return f"In {first:%B}"
    return f"From {day_text(first)} to {day_text(last)}"
