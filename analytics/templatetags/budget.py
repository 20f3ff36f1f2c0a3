"""Makes the budget's bar, pace and sentences from the numbers of its endpoint."""

from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any, Literal, TypedDict

from django import template

from analytics.change import percentage
from budgets.models import CRITICAL_PERCENTAGE
from web.number_text import Number, dollars, percent, percent_reached

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


def x_position(percentage: float, scale: float) -> str:
    return f"{percentage * 100 / scale:.4g}%"


@register.filter
def overspent(data: dict[str, Any]) -> float:
    return -(data["remaining_usd"] or 0.0)


@register.filter
def moment_reached(data: dict[str, Any], percentage: float) -> datetime | None:
    """Returns when the spend reaches this share of the limit at this pace.

    Returns None if that is not in this month, or has happened already. The pace is even: the amount that the
    projection adds to the spend, spread over the rest of the month.
    """
    return moment_reached_after(data, percentage, datetime.now(UTC))


def moment_reached_after(data: dict[str, Any], percentage: float, now: datetime) -> datetime | None:
    spend, projected, limit = data["current_spend_usd"], data["projected_monthly_spend_usd"], data["monthly_limit_usd"]
    if not limit or projected is None:
        return None
    amount = limit * percentage / 100
    if not spend < amount <= projected:
        return None
    end = datetime.fromisoformat(data["period_end"])
    share_of_rest: float = (amount - spend) / (projected - spend)
    return now + (end - now) * share_of_rest


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
    share = percentage(projected_usd, limit_usd)
    return "at this pace" if share is None else f"{percent(share)} of the budget"
