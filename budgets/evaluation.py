"""Finds the thresholds that budgets have reached, and stores an event for each, once.

An event stays open until its period is over. While it is open the same threshold makes no other event: the database
has at most one open event of a period, a threshold and a value, however many processes look. What a change of the
budget puts out of reach again is ended, and so is what a rolling period has left behind: it can be reached once more.
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q

from budgets.counters import Values
from budgets.models import ROLLING, Budget, BudgetEvent
from budgets.periods import DAY
from budgets.states import Running, may_judge, raises_in_force, running, spends, states, value_states
from budgets.thresholds import ACTUAL, FORECAST, Threshold
from methods.forecast import Forecast
from web.queue import for_each

FORECAST_EVERY = timedelta(hours=1)
FORECASTS_OF_A_ROUND = 200
"""Of all workspaces; the others wait for the next minute."""
HAS_FORECAST_THRESHOLDS = Q(thresholds__contains=[{"basis": FORECAST}]) | Q(is_workspace_budget=True, thresholds=[])
"""The usual thresholds of a workspace's own budget are not stored."""
MOST_VALUES = 20_000
"""Of a template in one round: those with the most spend."""


class Due(NamedTuple):
    """The budgets whose thresholds on the forecast are looked at in this round."""

    all: frozenset[UUID]
    anew: frozenset[UUID]
    """Those that were made or changed since the last look."""


class Key(NamedTuple):
    """What has at most one open event."""

    budget: UUID
    period_start: datetime | None
    threshold: str
    value: str


class OpenEvent(NamedTuple):
    pk: UUID
    budget: UUID
    period_start: datetime
    period_end: datetime
    basis: str
    threshold: str
    value: str

    def key(self, budget: Budget) -> Key:
        return Key(self.budget, period_key(budget, self.period_start), self.threshold, self.value)


def period_key(budget: Budget, start: datetime) -> datetime | None:
    """Returns the start of the period. None: a rolling one starts each day, and its events stay open meanwhile."""
    return None if budget.period == ROLLING else start


class Reached(NamedTuple):
    """A threshold that is reached now."""

    running: Running
    threshold: Threshold
    spent: Decimal
    value: str = ""
    forecast: Forecast | None = None

    @property
    def key(self) -> "Key":
        one = self.running
        return Key(one.budget.pk, period_key(one.budget, one.start), self.threshold.key, self.value)


def evaluate(now: datetime) -> None:
    """Looks at all active budgets, workspace by workspace: a fault of one does not stop the others."""
    BudgetEvent.objects.filter(~Q(budget__period=ROLLING), ended_at=None, period_end__lte=now).update(ended_at=now)
    # Before the budgets are read: what somebody changes after that is due again.
    due = claim_forecasts(now)
    budgets = Budget.objects.filter(is_active=True).exclude(amount_usd=None).order_by("workspace_id")
    budgets = budgets.select_related("workspace").prefetch_related(raises_in_force(now))
    groups = [list(group) for _, group in groupby(budgets, lambda budget: budget.workspace_id)]
    for_each(groups, lambda group: evaluate_budgets(group, due, now))


def claim_forecasts(now: datetime) -> Due:
    """Returns the budgets whose thresholds on the forecast are looked at in this round, those that waited longest.

    They wait again from now on, also if the round fails: faulty budgets must not be the first of each round.
    """
    waiting = Budget.objects.filter(Q(forecast_at=None) | Q(forecast_at__lte=now - FORECAST_EVERY), is_active=True)
    waiting = waiting.filter(HAS_FORECAST_THRESHOLDS).exclude(amount_usd=None).exclude(period=ROLLING)
    ordered = waiting.order_by(F("forecast_at").asc(nulls_first=True), "pk").values_list("pk", "forecast_at")
    found = dict(ordered[:FORECASTS_OF_A_ROUND])
    Budget.objects.filter(pk__in=found).update(forecast_at=now)
    return Due(frozenset(found), frozenset(pk for pk, last in found.items() if last is None))


def evaluate_budgets(budgets: Sequence[Budget], due: Due, now: datetime) -> None:
    found = [one for budget in budgets if (one := running(budget, now))]
    reached = [*reached_actual(found), *reached_forecast(found, due, now)]
    end_unreached(budgets, found, reached, due, now)
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


def reached_forecast(found: Sequence[Running], due: Due, now: datetime) -> Iterator[Reached]:
    judged = [one for one in found if one.budget.pk in due.all and thresholds_of(one, FORECAST) and may_judge(one, now)]
    for state in states([one for one in judged if one.has_forecast], now):
        if isinstance(state.forecast, Forecast):
            yield from expected_to_reach(state.running, state.spent, state.forecast)
    for one in judged:
        if one.budget.per:
            yield from values_expected_to_reach(one, now)


def expected_to_reach(one: Running, spent: Decimal, forecast: Forecast, value: str = "") -> Iterator[Reached]:
    for threshold in thresholds_of(one, FORECAST):
        if one.limit is not None and forecast.expected >= float(threshold.usd(one.limit)):
            yield Reached(one, threshold, spent, value, forecast)


def values_expected_to_reach(one: Running, now: datetime) -> Iterator[Reached]:
    """Forecasts the values of a template that are past half of their amount, as if each were a budget."""
    values: Values = value_states(one, FORECASTS_OF_A_ROUND, (one.limit or Decimal(0)) / 2)
    listed = [value for value, spent in values.listed if spent > 0]
    parts = [one._replace(budget=part_of(one.budget, value)) for value in listed]
    for value, state in zip(listed, states(parts, now), strict=True):
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
    budgets = {one.running.budget.pk: one.running.budget for one in found.values()}
    ids = lock_existing(budgets)
    new = {key: one for key, one in found.items() if key.budget in ids}
    for event in open_events(ids):
        new.pop(event.key(budgets[event.budget]), None)
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


def open_events(ids: Iterable[UUID]) -> list[OpenEvent]:
    found = BudgetEvent.objects.filter(budget__in=ids, ended_at=None).order_by()
    return [OpenEvent(*values) for values in found.values_list(*OpenEvent._fields)]


def end_unreached(
    budgets: Sequence[Budget], found: Sequence[Running], reached: Iterable[Reached], due: Due, now: datetime
) -> None:
    """Ends the open events of other periods than those that run, and of thresholds that are not reached any more."""
    by_id = {one.budget.pk: one for one in found}
    still = {one.key for one in reached}
    events = open_events(budget.pk for budget in budgets)
    ended = [event.pk for event in events if is_over(event, by_id.get(event.budget), still, due)]
    BudgetEvent.objects.filter(pk__in=ended).update(ended_at=now)


def is_over(event: OpenEvent, one: Running | None, still: Set[Key], due: Due) -> bool:
    if one is None or not is_of_period(event, one):
        return True
    if event.key(one.budget) in still:
        return False
    if event.basis == ACTUAL:
        return is_fresh(one.budget) or one.budget.period == ROLLING
    # Forecasts move a little each hour: only a change of the budget ends what one of them has reached.
    has_threshold = event.threshold in {threshold.key for threshold in one.budget.threshold_list}
    return one.budget.pk in due.anew or not has_threshold


def is_of_period(event: OpenEvent, one: Running) -> bool:
    if one.budget.period != ROLLING:
        return event.period_start == one.start
    # Days have 23 to 25 hours.
    return round((event.period_end - event.period_start) / DAY) == one.days.length
