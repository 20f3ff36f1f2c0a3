"""Makes the budget's bar, pace and sentences from the numbers of its endpoint."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import Any, Literal, TypedDict

from django import template

from analytics.change import percentage
from analytics.templatetags.charts import per_bucket
from budgets.models import CRITICAL_PERCENTAGE
from methods.forecast import Reason
from web.number_text import Number, dollars, percent, percent_reached, usd_exact

register = template.Library()
register.filter(percentage)

WIDEST_PERCENTAGE = 200
"""The bar draws a higher projection at this percentage. Its label has the true one."""
STATUS_WORDS = {
    "unset": "no limit",
    "ok": "within budget",
    "warning": "past the alert threshold",
    "critical": "past 90 %",
    "exceeded": "exceeded",
}

NO_FORECAST = {
    "no_traffic": "There is no forecast: nothing was spent in the last twelve weeks.",
    "too_little_history": "There is no forecast yet: it needs three days of spend.",
    "period_too_short": "A period of less than a week has no forecast.",
}

PERIOD_WORDS = {
    "week": ("week", "weeks"),
    "month": ("month", "months"),
    "quarter": ("quarter", "quarters"),
    "year": ("year", "years"),
}


class Tick(TypedDict):
    percentage: float
    x: str
    name: str


class BudgetBar(TypedDict):
    """Positions on the track as SVG percentages."""

    spent: str
    limit: str
    projected: str | None
    anchor: Literal["start", "end"]
    """The end of the projection's label that is at its position, so that the label stays on the track."""
    ticks: list[Tick]
    scale: float
    """How many percent of the limit the whole track is."""


@register.filter
def budget_bar(data: dict[str, Any]) -> BudgetBar:
    used = data["used_percentage"]
    if used is None:  # the limit is 0
        used = 100.0 if data["status"] == "exceeded" else 0.0
    projected = percentage(data["projected_monthly_spend_usd"], data["monthly_limit_usd"])
    scale = max(100.0, used, min(projected or 0, WIDEST_PERCENTAGE))
    return {
        "spent": x_position(used, scale),
        "limit": x_position(100, scale),
        "projected": x_position(min(projected, WIDEST_PERCENTAGE), scale) if projected and projected > used else None,
        "anchor": "end" if (projected or 0) * 2 > scale else "start",
        "ticks": ticks(data["alert_threshold_percentage"], scale),
        "scale": scale,
    }


def ticks(alert_percentage: float, scale: float) -> list[Tick]:
    names = {alert_percentage: "alert", float(CRITICAL_PERCENTAGE): "critical", 100.0: "limit"}
    return [
        {"percentage": percentage, "x": x_position(percentage, scale), "name": name}
        for percentage, name in sorted(names.items())
    ]


class DayBar(TypedDict):
    x: str
    y: str
    height: str
    width: str
    words: str


class Days(TypedDict):
    """The spend of each day of the month, in a box of 100 by 100."""

    bars: list[DayBar]
    pace_usd: float | None
    """A day's even share of the limit."""
    pace_y: str


@register.simple_tag(takes_context=True)
def days_of_month(context: template.Context) -> Days:
    days, limit, zone = per_bucket(context["month"]), context["data"]["monthly_limit_usd"], context["workspace"].zone
    starts = [datetime.fromisoformat(day["timestamp"]).astimezone(zone) for day in days]
    count = monthrange(starts[0].year, starts[0].month)[1]
    pace = limit / count if limit else None
    top = max([pace or 0, *(day["cost_usd"] for day in days)]) or 1
    bars: list[DayBar] = [
        {
            "x": f"{(start.day - 1) * 100 / count + 0.3:.4g}",
            "width": f"{100 / count - 0.6:.4g}",
            "height": f"{day['cost_usd'] * 96 / top:.4g}",
            "y": f"{100 - day['cost_usd'] * 96 / top:.4g}",
            "words": f"{start:%a %-d %b}: {usd_exact(day['cost_usd'])}",
        }
        for start, day in zip(starts, days, strict=True)
    ]
    return {"bars": bars, "pace_usd": pace, "pace_y": f"{100 - (pace or 0) * 96 / top:.4g}"}


def x_position(percentage: float, scale: float) -> str:
    return f"{percentage * 100 / scale:.4g}%"


@register.filter
def overspent(data: dict[str, Any]) -> float:
    return -(data["remaining_usd"] or 0.0)


@register.filter
def reached(data: dict[str, Any], percentage: float) -> dict[str, Any] | None:
    """Returns the days on which this share of the limit is reached; None where it is reached already, or not at all."""
    used = data["used_percentage"]
    if used is None or used >= percentage:
        return None
    return next((days for days in data["reached_on"] if days["percentage"] == percentage and days["expected"]), None)


@register.filter
def days_with_range(days: dict[str, Any]) -> str:
    """Formats a day with its range, like 26 Nov (24 to 29), or 26 Nov (24 or later)."""
    expected, earliest, latest = (as_date(days[name]) for name in ("expected", "earliest", "latest"))
    if expected is None:
        return ""
    if earliest == expected == latest:
        return day_text(expected)
    first = day_text(earliest, without_month_of=expected) if earliest else day_text(expected)
    last = f"to {day_text(latest, without_month_of=earliest or expected)}" if latest else "or later"
    return f"{day_text(expected)} ({first} {last})"


def as_date(day: str | date | None) -> date | None:
    return date.fromisoformat(day) if isinstance(day, str) else day


def day_text(day: date, without_month_of: date | None = None) -> str:
    is_same_month = without_month_of and (day.year, day.month) == (without_month_of.year, without_month_of.month)
    return f"{day:%-d}" if is_same_month else f"{day:%-d %b}"


@register.filter
def projected_range(data: dict[str, Any]) -> str:
    """Formats the range of a forecast, like: between $1,610 and $1,870."""
    low, high = data["projected_low_usd"], data["projected_high_usd"]
    shown = (dollars(low), dollars(high))
    return f"between {shown[0]} and {shown[1]}" if shown[0] != shown[1] else ""


@register.filter
def past_error_words(error: dict[str, Any], period: str = "month") -> str:
    """Says how far past forecasts were off."""
    one, many = PERIOD_WORDS[period]
    periods, within = error["periods"], error["within_range"]
    if periods == 1:
        when, ended = f"In the last {one}", "it ended inside its range" if within else "it ended outside its range"
    else:
        when, ended = f"In the last {periods} {many}", f"{within} of {periods} ended inside their range"
    off = f"the forecast was {percent(error['median_error_percentage'])} off"
    at = "" if periods == 1 else " at the median"
    return f"{when}, {error['days_before_end']} days before the end, {off}{at}; {ended}."


@register.filter
def no_forecast_words(reason: Reason | None) -> str:
    return NO_FORECAST.get(reason or "", "")


@register.filter
def days_left(data: dict[str, Any]) -> int:
    time_left = datetime.fromisoformat(data["period_end"]) - datetime.now(UTC)
    return max(ceil(time_left / timedelta(days=1)), 0)


@register.filter
def status_words(status: str) -> str:
    return STATUS_WORDS[status]


@register.filter
def used_of_limit(used_percentage: Number, limit_usd: float) -> str:
    used = "" if used_percentage is None else f", {percent_reached(used_percentage)} spent"
    return f"of {dollars(limit_usd)}{used}"


@register.filter
def projection_note(projected_usd: Number, limit_usd: Number) -> str:
    if projected_usd is None:
        return "no forecast yet"
    share = percentage(projected_usd, limit_usd)
    return "forecast" if share is None else f"{percent(share)} of the budget"
