"""Makes, changes and deletes budgets and their raises. Each change is in the history, with who made it and why."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from budgets.bodies import BudgetChanges, NewBudget, NewRaise, changed_body, check_until, fill
from budgets.models import AUTHOR_LENGTH, Budget, BudgetRaise, values_of
from budgets.update import check_limit
from web.problems import Problem
from workspaces.audit import record
from workspaces.models import Workspace

MAX_BUDGETS = 1000
"""Of a workspace."""
MAX_RAISES = 20
"""In force, of a budget."""


def lock(workspace: Workspace) -> None:
    """Makes other changes of the workspace's budgets wait until the transaction ends."""
    Workspace.objects.select_for_update().get(pk=workspace.pk)


def find(workspace: Workspace, budget_id: UUID) -> Budget:
    """Returns the budget, or raises the same 404 Problem whether another workspace has it or none."""
    found = Budget.objects.filter(workspace=workspace, pk=budget_id).select_related("workspace")
    budget = found.prefetch_related("raises").first()
    if budget is None:
        raise Problem(404, "There is no such budget in this workspace.")
    return budget


@transaction.atomic
def create(workspace: Workspace, body: NewBudget, changed_by: str) -> tuple[Budget, bool]:
    """Returns the budget, and whether it is new: an id of the client's own that exists already changes nothing."""
    lock(workspace)
    if body.id and (existing := Budget.objects.filter(pk=body.id).first()):
        if existing.workspace_id == workspace.pk:
            return find(workspace, body.id), False
        raise Problem(409, "This id is taken. Choose another, or none.")
    if Budget.objects.filter(workspace=workspace).count() >= MAX_BUDGETS:
        raise Problem(422, f"A workspace has at most {MAX_BUDGETS} budgets.", [])
    budget = Budget(workspace=workspace, **({"id": body.id} if body.id else {}))
    fill(budget, body)
    budget.save()
    budget.record_change(None, changed_by, body.reason)
    return find(workspace, budget.pk), True


@transaction.atomic
def change(workspace: Workspace, budget_id: UUID, changes: BudgetChanges, changed_by: str) -> Budget:
    """Gives the budget those values that the client has sent."""
    lock(workspace)
    budget, before = find(workspace, budget_id), find(workspace, budget_id)
    sent = changes.model_dump(exclude_unset=True, by_alias=True, exclude={"reason"})
    fill(budget, changed_body(budget, sent))
    check_limit(budget, datetime.now(UTC))
    budget.rearm_if_changed(before)
    budget.save()
    budget.record_change(before, changed_by, changes.reason)
    return find(workspace, budget_id)


@transaction.atomic
def delete(workspace: Workspace, budget_id: UUID, changed_by: str) -> None:
    lock(workspace)
    budget = find(workspace, budget_id)
    if budget.is_workspace_budget:
        raise Problem(409, "The workspace's own budget stays. Set its amount to null to remove the limit.")
    record(workspace, changed_by, "budget.delete", budget.name, before=values_of(budget))
    budget.delete()


@transaction.atomic
def raise_limit(workspace: Workspace, budget_id: UUID, body: NewRaise, changed_by: str, now: datetime) -> Budget:
    """Adds an amount to the limit until a moment. An id of the client's own that exists already changes nothing."""
    lock(workspace)
    budget = find(workspace, budget_id)
    if body.id and (existing := BudgetRaise.objects.filter(pk=body.id).first()):
        if existing.budget_id == budget.pk:
            return budget
        raise Problem(409, "This id is taken. Choose another, or none.")
    if budget.amount_usd is None:
        raise Problem(409, "The budget has no limit to raise.")
    check_until(body.until, now)
    if sum(one.is_in_force(now) for one in budget.raises.all()) >= MAX_RAISES:
        raise Problem(422, f"A budget has at most {MAX_RAISES} raises in force. End those first.", [])
    raised = BudgetRaise.objects.create(
        budget=budget,
        amount_usd=body.amount_usd,
        until=body.until,
        reason=body.reason,
        **({"id": body.id} if body.id else {}),
        created_by=changed_by[:AUTHOR_LENGTH],
    )
    budget = find(workspace, budget_id)
    check_limit(budget, max(now, raised.created_at))
    record_raise(budget, changed_by, body.reason, [None, raise_words(body.amount_usd, body.until)])
    return find(workspace, budget_id)


@transaction.atomic
def end_raises(workspace: Workspace, budget_id: UUID, changed_by: str, now: datetime) -> Budget:
    """Ends all raises that are in force."""
    lock(workspace)
    budget = find(workspace, budget_id)
    for one in [one for one in budget.raises.all() if one.is_in_force(now)]:
        record_raise(budget, changed_by, "", [raise_words(one.amount_usd, one.until), None])
        one.until = now
        one.save()
    return find(workspace, budget_id)


def raise_words(amount: Decimal, until: datetime) -> str:
    return f"{amount} USD until {until.isoformat(timespec='minutes')}"


def record_raise(budget: Budget, changed_by: str, reason: str, words: list[str | None]) -> None:
    anew = {"evaluated_at": None, "forecast_at": None}
    # A round that runs now has seen the older limit: it leaves a budget alone that was updated meanwhile.
    Budget.objects.filter(pk=budget.pk).update(**anew, updated_at=timezone.now())
    budget.record_change(budget, changed_by, reason, {"raise": words})
