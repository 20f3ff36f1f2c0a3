"""A budget: how much of it is spent, and when it ends."""

from datetime import datetime
from typing import Any
from uuid import UUID

from analytics.answers import LIVE_TTL_SECONDS
from budgets import items
from budgets.changes import find
from budgets.models import Budget
from dashboards.asking import Asked, PanelAnswer, PanelKind, own_answer
from web.problems import Problem
from workspaces.models import Workspace


def answer(asked: Asked) -> PanelAnswer:
    budget = budget_of(asked.workspace, asked.panel.budget_id)
    return own_answer(asked, f"budget:{budget.pk}", LIVE_TTL_SECONDS, lambda: card_of(budget, asked.now))


def budget_of(workspace: Workspace, budget_id: str | None) -> Budget:
    """Returns the budget with this id, or without one that of the whole workspace."""
    if budget_id:
        return find(workspace, uuid_of(budget_id))
    own = Budget.objects.filter(workspace=workspace, is_workspace_budget=True).first()
    if own is None:
        raise Problem(404, "This panel shows the budget of the workspace, which has none yet.")
    return find(workspace, own.pk)


def uuid_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Problem(404, "There is no such budget or rule in this workspace.") from error


def card_of(budget: Budget, now: datetime) -> Any:
    [found] = items.items([budget], now)
    return found


KIND = PanelKind(
    "budget",
    "Budget",
    "How much of a budget is spent, and when it ends.",
    answer,
    fields=("budget_id",),
    has_filters=False,
    poll_seconds=60,
    height=5,
)
