"""The budget as an answer: of the API, of the cost page and of whoever asks for a workspace's month."""

from datetime import UTC, datetime
from typing import Any, TypedDict

from budgets.models import Budget, Status
from budgets.spending import period, spending
from workspaces.models import Workspace


class BudgetAnswer(TypedDict):
    monthly_limit_usd: float | None
    alert_threshold_percentage: float
    current_spend_usd: float | None
    """None where a budget was set while the analytics database is away: unknown, which is not 0."""
    remaining_usd: float | None
    used_percentage: float | None
    projected_monthly_spend_usd: float | None
    period_start: datetime
    period_end: datetime
    status: Status
    updated_at: datetime | None


def budget_answer(workspace: Workspace) -> BudgetAnswer:
    budget = Budget.objects.filter(workspace=workspace).first() or Budget(workspace=workspace)
    month = spending(workspace)
    limit: Any = budget.monthly_limit_usd
    spend: Any = month.spend_usd
    projected: Any = month.projected_usd
    return {
        **answer_with_unknown_spend(workspace, budget),
        "current_spend_usd": spend,
        "remaining_usd": None if limit is None else limit - spend,
        "used_percentage": spend * 100 / limit if limit else None,
        "projected_monthly_spend_usd": projected,
        "period_start": month.start,
        "period_end": month.end,
        "status": budget.status(spend),
    }


def answer_with_unknown_spend(workspace: Workspace, budget: Budget) -> BudgetAnswer:
    """The answer while the analytics database is away."""
    start, end = period(workspace, datetime.now(UTC))
    limit: Any = budget.monthly_limit_usd
    threshold: Any = budget.alert_threshold_percentage
    return {
        "monthly_limit_usd": limit,
        "alert_threshold_percentage": threshold,
        "current_spend_usd": None,
        "remaining_usd": None,
        "used_percentage": None,
        "projected_monthly_spend_usd": None,
        "period_start": start,
        "period_end": end,
        "status": "unknown",
        "updated_at": budget.updated_at,
    }
