"""Finds the thresholds that budgets have reached, and stores an event for each, once.

An event stays open until its period is over. While it is open the same threshold makes no other event: the database
has at most one open event of a threshold and a value, however many processes look. What a change of the budget puts out
of reach again is ended, and so is what a rolling period has left behind: it can be reached once more.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from budgets.counters import Values
from budgets.models import ROLLING, Budget, BudgetEvent
from budgets.states import Running, may_judge, running, spends, states, value_states
from budgets.thresholds import ACTUAL, FORECAST, Threshold
from methods.forecast import Forecast
from web.queue import for_each

FORECAST_EVERY = timedelta(hours=1)
FORECASTS_OF_A_ROUND = 200
"""Of all workspaces; the others wait for the next minute."""
MOST_VALUES = 20_000
"""Of a template in one round: those with the most spend."""


class Reached(NamedTuple):
    """A threshold that is reached now."""

    running: Running
    threshold: Threshold
    spent: Decimal
    value: str = ""
    forecast: Forecast | None = None

    @property
    def key(self) -> tuple[UUID, str, str]:
        return self.running.budget.pk, self.threshold.key, self.value


def evaluate(now: datetime) -> None:
    """Looks at all active budgets, workspace by workspace: a fault of one does not stop the others."""
    BudgetEvent.objects.filter(~Q(budget__period=ROLLING), ended_at=None, period_end__lte=now).update(ended_at=now)
    # Before the budgets are read: what somebody changes after that is due again.
    due = claim_forecasts(now)
    budgets = Budget.objects.filter(is_active=True).exclude(amount_usd=None).order_by("workspace_id")
    budgets = budgets.select_related("workspace").prefetch_related("raises")
    groups = [list(group) for _, group in groupby(budgets, lambda budget: budget.workspace_id)]
    for_each(groups, lambda group: evaluate_budgets(group, due, now))


def claim_forecasts(now: datetime) -> frozenset[UUID]:
    """Returns the budgets whose thresholds on the forecast are looked at in this round, those that waited longest.

    They wait again from now on, also if the round fails: faulty budgets must not be the first of each round.
    """
    waiting = Budget.objects.filter(Q(forecast_at=None) | Q(forecast_at__lte=now - FORECAST_EVERY), is_active=True)
    ordered = waiting.exclude(amount_usd=None).order_by("forecast_at").values_list("pk", flat=True)
    due = frozenset(ordered[:FORECASTS_OF_A_ROUND])
    Budget.objects.filter(pk__in=due).update(forecast_at=now)
    return due


def evaluate_budgets(budgets: Sequence[Budget], due: frozenset[UUID], now: datetime) -> None:
    found = [one for budget in budgets if (one := running(budget, now))]
    reached = [*reached_actual(found), *reached_forecast(found, due, now)]
    end_unreached([one.budget for one in found if is_fresh(one.budget) or one.budget.period == ROLLING], reached, now)
    store(reached, now)
    for budget in filter(is_fresh, budgets):
        # Somebody may have changed it again meanwhile.
        Budget.objects.filter(pk=budget.pk, updated_at=budget.updated_at).update(evaluated_at=now)


def is_fresh(budget: Budget) -> bool:
    """Returns whether the thresholds were made or changed since the last round."""
    return budget.evaluated_at is None


def reached_actual(found: Sequence[Running]) -> Iterator[Reached]:
    plain = [one for one in found if not one.budget.per]
    amounts = spends(plain)
    for one in plain:
        for threshold in thresholds_of(one, ACTUAL):
            if is_reached(amounts[one.budget.pk], threshold, one):
                yield Reached(one, threshold, amounts[one.budget.pk])
    for one in found:
        if one.budget.per:
            yield from reached_by_values(one)


def reached_by_values(one: Running) -> Iterator[Reached]:
    thresholds = thresholds_of(one, ACTUAL)
    if not thresholds:
        return
    least = min(threshold.usd(one.limit or Decimal(0)) for threshold in thresholds)
    for value, spent in value_states(one, MOST_VALUES, least).listed:
        for threshold in thresholds:
            if is_reached(spent, threshold, one):
                yield Reached(one, threshold, spent, value)


def thresholds_of(one: Running, basis: str) -> list[Threshold]:
    return [threshold for threshold in one.budget.threshold_list if threshold.basis == basis]


def is_reached(spent: Decimal, threshold: Threshold, one: Running) -> bool:
    """Returns whether the spend is at the threshold or above. Without spend nothing is reached, not even $0."""
    return spent > 0 and one.limit is not None and spent >= threshold.usd(one.limit)


def reached_forecast(found: Sequence[Running], due: frozenset[UUID], now: datetime) -> Iterator[Reached]:
    asked = [one for one in found if one.budget.pk in due and thresholds_of(one, FORECAST) and may_judge(one, now)]
    for state in states([one for one in asked if one.has_forecast], now):
        if isinstance(state.forecast, Forecast):
            yield from expected_to_reach(state.running, state.spent, state.forecast)
    for one in asked:
        if one.budget.per:
            yield from values_expected_to_reach(one, now)


def expected_to_reach(one: Running, spent: Decimal, forecast: Forecast, value: str = "") -> Iterator[Reached]:
    for threshold in thresholds_of(one, FORECAST):
        if one.limit is not None and forecast.expected >= float(threshold.usd(one.limit)):
            yield Reached(one, threshold, spent, value, forecast)


def values_expected_to_reach(one: Running, now: datetime) -> Iterator[Reached]:
    """Forecasts the values of a template that are past half of their amount, as if each were a budget."""
    values: Values = value_states(one, FORECASTS_OF_A_ROUND, (one.limit or Decimal(0)) / 2)
    parts = [one._replace(budget=part_of(one.budget, value)) for value, spent in values.listed if spent > 0]
    for (value, _), state in zip(values.listed, states(parts, now), strict=False):
        if isinstance(state.forecast, Forecast):
            yield from expected_to_reach(one, state.spent, state.forecast, value)


def part_of(template: Budget, value: str) -> Budget:
    """Returns the budget that the template is for one value. It is not stored."""
    scope = template.scope | {template.per_dimension: [value]}
    part = Budget(workspace=template.workspace, amount_usd=template.amount_usd, scope=scope, period=template.period)
    part.rolling_days, part.fixed_from, part.fixed_to = template.rolling_days, template.fixed_from, template.fixed_to
    return part


@transaction.atomic
def store(reached: Iterable[Reached], now: datetime) -> None:
    """Stores an event for each threshold that has no open one. A budget may have been deleted meanwhile."""
    found = {one.key: one for one in reached}
    ids = lock_existing({budget_id for budget_id, *_ in found})
    new = {key: one for key, one in found.items() if key[0] in ids}
    for key in BudgetEvent.objects.filter(budget__in=ids, ended_at=None).values_list("budget", "threshold", "value"):
        new.pop(key, None)
    # Another process may have stored the same meanwhile.
    BudgetEvent.objects.bulk_create((event_of(one, now) for one in new.values()), ignore_conflicts=True)


def lock_existing(ids: Iterable[UUID]) -> set[UUID]:
    """Returns which of the budgets exist. Nobody deletes them until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM budgets_budget WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE", [[*ids]])
        return {budget_id for (budget_id,) in cursor.fetchall()}


def event_of(one: Reached, now: datetime) -> BudgetEvent:
    budget, limit = one.running.budget, one.running.limit or Decimal(0)
    return BudgetEvent(
        budget=budget,
        at=now,
        period_start=one.running.start,
        period_end=one.running.end,
        threshold=one.threshold.key,
        basis=one.threshold.basis,
        severity=one.threshold.severity,
        channels=list(one.threshold.channels),
        value=one.value,
        spent_usd=one.spent,
        limit_usd=limit,
        threshold_usd=one.threshold.usd(limit),
        expected_usd=one.forecast.expected if one.forecast else None,
        low_usd=one.forecast.low if one.forecast else None,
        high_usd=one.forecast.high if one.forecast else None,
        passed_before=is_fresh(budget),
    )


def end_unreached(budgets: Sequence[Budget], reached: Iterable[Reached], now: datetime) -> None:
    """Ends the open events of these budgets whose thresholds are not reached any more."""
    still = {one.key for one in reached}
    found = BudgetEvent.objects.filter(budget__in=budgets, ended_at=None, basis=ACTUAL)
    ended = [pk for pk, *key in found.values_list("pk", "budget", "threshold", "value") if tuple(key) not in still]
    BudgetEvent.objects.filter(pk__in=ended).update(ended_at=now)
