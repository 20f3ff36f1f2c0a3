"""Answers an agent that asks before it spends: is every budget that the call would count in below its limit?"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from typing_extensions import TypedDict

from budgets.counters import filters_of, spent
from budgets.models import Budget
from budgets.states import Running, budgets_of, running
from workspaces.models import Workspace


class CheckedBudget(TypedDict):
    id: UUID
    name: str
    value: str | None
    """The user, agent, model or label whose counter of a template it is."""


class Check(TypedDict):
    allowed: bool
    """True where all budgets that count such a call are below their limits. It is advice: nothing is blocked."""
    budget: CheckedBudget | None
    """The first that is exhausted, else the one with the least left; null where no budget counts such a call."""
    spent_usd: float | None
    """Of that budget, like the fields below."""
    limit_usd: float | None
    remaining_usd: float | None
    resets_at: datetime | None
    """When its period ends. A rolling period moves on then."""
    as_of: datetime
    """When the spend was summed: at most 60 seconds ago."""


class Counted(NamedTuple):
    """A budget that would count the call, and the value of its template."""

    running: Running
    value: str | None

    @property
    def limit(self) -> Decimal:
        return self.running.limit or Decimal(0)


def check(workspace: Workspace, call: Mapping[str, str], now: datetime) -> Check:
    """Looks at all budgets that count a call with these values, by the names of their filters."""
    counted = list(counting(list(budgets_of(workspace, now)), call, now))
    amounts = spent([filters_of(one.running.budget, one.running.days, one.value) for one in counted])
    found = list(zip(counted, amounts, strict=True))
    exhausted = [pair for pair in found if pair[1] >= pair[0].limit]
    named = exhausted[0] if exhausted else min(found, key=lambda pair: pair[0].limit - pair[1], default=None)
    return answer(named, not exhausted, now)


def counting(budgets: Sequence[Budget], call: Mapping[str, str], now: datetime) -> list[Counted]:
    """Returns the active budgets that would count the call, in their order."""
    found = []
    for budget in budgets:
        if not budget.is_active or budget.amount_usd is None or not is_in_scope(budget, call):
            continue
        value = call.get(budget.per_dimension) if budget.per else None
        if (one := running(budget, now)) and (value is not None or not budget.per):
            found.append(Counted(one, value))
    return found


def is_in_scope(budget: Budget, call: Mapping[str, str]) -> bool:
    """Returns whether the scope has the call. What the call does not say is in no scope."""
    return all(call.get(name) in values for name, values in budget.scope.items())


def answer(named: tuple[Counted, Decimal] | None, allowed: bool, now: datetime) -> Check:
    if named is None:
        return {
            "allowed": True,
            "budget": None,
            "spent_usd": None,
            "limit_usd": None,
            "remaining_usd": None,
            "resets_at": None,
            "as_of": now,
        }
    counted, amount = named
    budget = counted.running.budget
    return {
        "allowed": allowed,
        "budget": {"id": budget.pk, "name": budget.name, "value": counted.value},
        "spent_usd": float(amount),
        "limit_usd": float(counted.limit),
        "remaining_usd": float(counted.limit - amount),
        "resets_at": counted.running.end,
        "as_of": now,
    }
