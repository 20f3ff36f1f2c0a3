"""Makes the JSON of a workspace's budget, for the API and the cost page."""

from datetime import UTC, datetime
from decimal import Decimal

from typing_extensions import TypedDict

from budgets.models import Budget, BudgetStatus
from budgets.spending import period, spending
from workspaces.models import Workspace


class BudgetAnswer(TypedDict):
    monthly_limit_usd: float | None
    """Null: no limit."""
    alert_threshold_percentage: float
    """The budget warns when spend reaches this share of the limit."""
    current_spend_usd: float | None
    """Of the period; null where a budget was set while the spend is unknown."""
    remaining_usd: float | None
    """Limit minus spend, below 0 where the limit is exceeded; null without a limit, or with an unknown spend."""
    used_percentage: float | None
    """Of the limit; null without a limit, with one of 0, or with an unknown spend."""
    projected_monthly_spend_usd: float | None
    """Of the whole period, at the pace of the last weeks; null with an unknown spend."""
    period_start: datetime
    """Start of the month in the workspace's time zone."""
    period_end: datetime
    """Start of the next month."""
    status: BudgetStatus
    """warning: from the alert threshold on; critical: from 90 percent on; unset: without a limit."""
    updated_at: datetime | None
    """Null where the budget was never set."""


def budget_answer(workspace: Workspace) -> BudgetAnswer:
    budget = Budget.objects.filter(workspace=workspace).first() or Budget(workspace=workspace)
    month = spending(workspace)
    limit = budget.monthly_limit_usd
    return {
        **answer_with_unknown_spend(workspace, budget),
        "current_spend_usd": float(month.spend_usd),
        "remaining_usd": None if limit is None else float(limit - month.spend_usd),
        "used_percentage": float(month.spend_usd * 100 / limit) if limit else None,
        "projected_monthly_spend_usd": float(month.projected_usd),
        "period_start": month.start,
        "period_end": month.end,
        "status": budget.status(month.spend_usd),
    }


def answer_with_unknown_spend(workspace: Workspace, budget: Budget) -> BudgetAnswer:
    """Returns the budget without its spend, for when the analytics database is unreachable."""
    start, end = period(workspace, datetime.now(UTC))
    return {
        "monthly_limit_usd": as_float(budget.monthly_limit_usd),
        "alert_threshold_percentage": float(budget.alert_threshold_percentage),
        "current_spend_usd": None,
        "remaining_usd": None,
        "used_percentage": None,
        "projected_monthly_spend_usd": None,
        "period_start": start,
        "period_end": end,
        "status": "unknown",
        "updated_at": budget.updated_at,
    }


def as_float(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
