"""The budget's bar and its pace, from the endpoint's own numbers."""

from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any, Literal, TypedDict

from django import template

from budgets.models import CRITICAL_PERCENTAGE

register = template.Library()

WIDEST_PERCENTAGE = 200
"""A projection beyond is drawn as if it were here; its label says what it is."""


class Tick(TypedDict):
    percentage: float
    x: str
    name: str


class Bar(TypedDict):
    """Places on the track as SVG percentages."""

    spent: str
    limit: str
    projected: str | None
    anchor: Literal["start", "end"]
    """So that the projection's label stays on the track."""
    ticks: list[Tick]
    scale: float
    """How many percent of the limit the whole track is."""


@register.filter
def budget_bar(data: dict[str, Any]) -> Bar:
    used = data["used_percentage"]
    if used is None:  # of a limit of 0 nothing is a share
        used = 100.0 if data["status"] == "exceeded" else 0.0
    projected = share(data["projected_monthly_spend_usd"], data["monthly_limit_usd"])
    scale = max(100.0, used, min(projected or 0, WIDEST_PERCENTAGE))
    ticks = {data["alert_threshold_percentage"]: "alert", float(CRITICAL_PERCENTAGE): "critical", 100.0: "limit"}
    return {
        "spent": place(used, scale),
        "limit": place(100, scale),
        "projected": place(min(projected, WIDEST_PERCENTAGE), scale) if projected and projected > used else None,
        "anchor": "end" if (projected or 0) * 2 > scale else "start",
        "ticks": [
            {"percentage": percentage, "x": place(percentage, scale), "name": name}
            for percentage, name in sorted(ticks.items())
        ],
        "scale": scale,
    }


def place(percentage: float, scale: float) -> str:
    return f"{percentage * 100 / scale:.4g}%"


@register.filter
def share(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part * 100 / whole


@register.filter
def times(percentage: float, whole: float) -> float:
    """That share of the limit in USD."""
    return percentage * whole / 100


@register.filter
def overspent(data: dict[str, Any]) -> float:
    return -(data["remaining_usd"] or 0.0)


@register.filter
def reached(data: dict[str, Any], percentage: float) -> datetime | None:
    """When at this pace so much of the limit is spent; None where that is not this month, or was already.

    The rest of the month is taken to cost evenly what the projection says it costs.
    """
    return moment_reached(data, percentage, datetime.now(UTC))


def moment_reached(data: dict[str, Any], percentage: float, now: datetime) -> datetime | None:
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
    left = datetime.fromisoformat(data["period_end"]) - datetime.now(UTC)
    return max(ceil(left / timedelta(days=1)), 0)
