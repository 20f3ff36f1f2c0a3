"""Makes the JSON of a workspace's budget, for the API and the cost page."""

from datetime import UTC, date, datetime
from decimal import Decimal

from typing_extensions import TypedDict

from budgets.models import CRITICAL_PERCENTAGE, Budget, BudgetStatus, own_budget
from budgets.spending import period, spending
from methods.forecast import Forecast, NoForecast, Reason
from workspaces.models import Workspace


class ReachedOn(TypedDict):
    """When the month's spend is expected to reach a share of the limit. Null: not in this month."""

    percentage: float
    """Of the limit."""
    expected: date | None
    earliest: date | None
    """In one of ten cases it is reached on this day or before."""
    latest: date | None
    """In nine of ten cases it is reached on this day or before."""


class BudgetAnswer(TypedDict):
    monthly_limit_usd: float | None
    """Null: no limit."""
    raised_usd: float
    """What is added to the limit for some time; `remaining_usd` and the percentages count it."""
    alert_threshold_percentage: float
    """The budget warns when spend reaches this share of the limit."""
    current_spend_usd: float | None
    """Of the period; null where a budget was set while the spend is unknown."""
    remaining_usd: float | None
    """Limit minus spend, below 0 where the limit is exceeded; null without a limit, or with an unknown spend."""
    used_percentage: float | None
    """Of the limit; null without a limit, with one of 0, or with an unknown spend."""
    projected_monthly_spend_usd: float | None
    """Of the whole period, as the forecast expects it; null without a forecast."""
    projected_low_usd: float | None
    """In eight of ten cases the period ends between this and `projected_high_usd`."""
    projected_high_usd: float | None
    no_projection_reason: Reason | None
    """Why there is no forecast; null with one, or with an unknown spend."""
    reached_on: list[ReachedOn]
    """When the alert threshold, 90 percent and the limit are reached; empty without a forecast or a limit."""
    period_start: datetime
    """Start of the month in the workspace's time zone."""
    period_end: datetime
    """Start of the next month."""
    status: BudgetStatus
    """warning: from the alert threshold on; critical: from 90 percent on; unset: without a limit."""
    updated_at: datetime | None
    """Null where the budget was never set."""


def budget_answer(workspace: Workspace) -> BudgetAnswer:
    budget = own_budget(workspace)
    month = spending(workspace)
    limit = limit_now(budget)
    return {
        **answer_with_unknown_spend(workspace, budget),
        **projection(month.forecast),
        "current_spend_usd": float(month.spend_usd),
        "remaining_usd": None if limit is None else float(limit - month.spend_usd),
        "used_percentage": float(month.spend_usd * 100 / limit) if limit else None,
        "reached_on": reached_on(month.forecast, budget, limit),
        "period_start": month.start,
        "period_end": month.end,
        "status": budget.status(month.spend_usd, limit),
    }


class Projection(TypedDict):
    projected_monthly_spend_usd: float | None
    projected_low_usd: float | None
    projected_high_usd: float | None
    no_projection_reason: Reason | None


def projection(found: Forecast | NoForecast | None) -> Projection:
    """Returns the fields of a forecast; all are null without one, but for the reason."""
    known = found if isinstance(found, Forecast) else None
    return {
        "projected_monthly_spend_usd": known.expected if known else None,
        "projected_low_usd": known.low if known else None,
        "projected_high_usd": known.high if known else None,
        "no_projection_reason": found.reason if isinstance(found, NoForecast) else None,
    }


def reached_on(found: Forecast | NoForecast, budget: Budget, limit: Decimal | None) -> list[ReachedOn]:
    if limit is None or not isinstance(found, Forecast):
        return []
    percentages = sorted({float(budget.alert_threshold_percentage), float(CRITICAL_PERCENTAGE), 100.0})
    days = {percentage: found.exhaustion(float(limit) * percentage / 100) for percentage in percentages}
    return [
        {"percentage": percentage, "expected": day.expected, "earliest": day.earliest, "latest": day.latest}
        for percentage, day in days.items()
    ]


def answer_with_unknown_spend(workspace: Workspace, budget: Budget) -> BudgetAnswer:
    """Returns the budget without its spend, for when the analytics database is unreachable."""
    start, end = period(workspace, datetime.now(UTC))
    return {
        **projection(None),
        "monthly_limit_usd": as_float(budget.amount_usd),
        "raised_usd": float((limit_now(budget) or 0) - (budget.amount_usd or 0)),
        "alert_threshold_percentage": float(budget.alert_threshold_percentage),
        "current_spend_usd": None,
        "remaining_usd": None,
        "used_percentage": None,
        "reached_on": [],
        "period_start": start,
        "period_end": end,
        "status": "unknown",
        "updated_at": budget.updated_at,
    }


def limit_now(budget: Budget) -> Decimal | None:
    # A budget that nobody has stored has no raises to look up.
    return budget.amount_usd if budget._state.adding else budget.limit_at(datetime.now(UTC))


def as_float(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
