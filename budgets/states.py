"""Says where budgets stand: spent, limit, status, forecast and its dates."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from budgets.counters import Values, Wanted, filters_of, spent, spent_by_day, values_of
from budgets.forecasts import first_history_day, forecast_of, past_error_of
from budgets.models import ROLLING, Budget, BudgetRaise, BudgetStatus
from budgets.periods import CALENDAR_PERIODS, DAY, Days, today
from budgets.planned import Planned, planned_days, planned_loads
from budgets.thresholds import ACTUAL, INFO
from methods.forecast import Forecast, NoForecast
from methods.past_error import PastError
from web.row_places import RowPlace
from workspaces.models import Workspace

PAGE = 50
"""Budgets at once."""
SHARE_FOR_A_VERDICT = 0.1
"""Before this share of the period has passed, a forecast is no verdict."""
NEAR_PERCENT = 80
"""From here on a value of a template is near its limit, where no warning says otherwise."""
PAST_PERIODS = {"week": 12, "month": 6, "quarter": 3}


class Running(NamedTuple):
    """A budget whose period runs now."""

    budget: Budget
    days: Days
    start: datetime
    end: datetime
    limit: Decimal | None

    @property
    def has_forecast(self) -> bool:
        """Returns whether the period has an end to forecast. A rolling one moves on each day."""
        return self.budget.period != ROLLING and not self.budget.per


class State(NamedTuple):
    """Where a budget stands that is no template."""

    running: Running
    spent: Decimal
    forecast: Forecast | NoForecast
    past_error: PastError | None

    @property
    def status(self) -> BudgetStatus:
        return self.running.budget.status(self.spent, self.running.limit)


def raises_in_force(now: datetime) -> "Prefetch[Any]":
    """Reads with budgets only those raises that a limit of now or later can have."""
    return Prefetch("raises", BudgetRaise.objects.filter(until__gt=now))


def page_of(workspace: Workspace, now: datetime, after: RowPlace | None) -> tuple[list[Budget], RowPlace | None]:
    """Returns a page of budgets, and the place after which the next one begins; None: there is none."""
    found = budgets_of(workspace, now)
    if after:
        is_later = Q(created_at__gt=after.moment) | Q(created_at=after.moment, pk__gt=after.pk)
        found = found.filter(is_later, is_workspace_budget=False)
    budgets = list(found[: PAGE + 1])
    last = budgets[:PAGE][-1] if len(budgets) > PAGE else None
    return budgets[:PAGE], RowPlace(last.created_at, last.pk) if last else None


def budgets_of(workspace: Workspace, now: datetime) -> "QuerySet[Budget]":
    """Returns all budgets of a workspace with what their limits need now, its own first."""
    found = Budget.objects.filter(workspace=workspace).select_related("workspace")
    found = found.prefetch_related(raises_in_force(now))
    return found.order_by("-is_workspace_budget", "created_at", "pk")


def running(budget: Budget, now: datetime) -> Running | None:
    """Returns the period that runs now. None: a fixed period has not begun, or is over."""
    days = budget.days(today(now, budget.workspace.zone))
    if days is None:
        return None
    return Running(budget, days, *days.moments(budget.workspace.zone), budget.limit_at(now))


def spends(found: Sequence[Running]) -> dict[UUID, Decimal]:
    """Returns what each budget has spent in its period, by the budget's id."""
    amounts = spent([filters_of(one.budget, one.days) for one in found])
    return {one.budget.pk: amount for one, amount in zip(found, amounts, strict=True)}


def states(found: Sequence[Running], now: datetime, with_error: bool = False) -> list[State]:
    """Returns where budgets stand that are no templates. With `with_error` they say how far past forecasts were off."""
    needed = [days_needed(one, now, with_error) for one in found]
    windows = [filters_of(one.budget, days) for one, days in zip(found, needed, strict=True)]
    loads = loads_of(found, needed)
    return [
        state(one, by_day, now, with_error, planned_days_of(one, loads))
        for one, by_day in zip(found, spent_by_day(windows), strict=True)
    ]


def loads_of(found: Sequence[Running], needed: Sequence[Days]) -> Planned:
    """Returns the planned loads that matter for the forecasts of these budgets."""
    with_forecast = [(one, days) for one, days in zip(found, needed, strict=True) if one.has_forecast]
    if not with_forecast:
        return {}
    days = Days(min(days.first for _, days in with_forecast), max(days.until for _, days in with_forecast))
    return planned_loads([one.budget.workspace for one, _ in with_forecast], days)


def planned_days_of(one: Running, loads: Planned) -> set[date]:
    budget = one.budget
    return planned_days(loads.get(budget.workspace_id, ()), budget.workspace, budget.filter_values)


def days_needed(one: Running, now: datetime, with_error: bool) -> Days:
    """Returns the days of the period, and those before it from which its forecast and its error are made."""
    if not one.has_forecast:
        return one.days
    past = one.budget.past_days(one.days, PAST_PERIODS.get(one.budget.period, 0)) if with_error else []
    earliest = Days(past[0].first, one.days.until) if past else one.days
    return Days(first_history_day(earliest, earliest.first if past else today_of(one, now)), one.days.until)


def today_of(one: Running, now: datetime) -> date:
    return today(now, one.budget.workspace.zone)


def state(
    one: Running, by_day: Mapping[date, Decimal], now: datetime, with_error: bool, planned: Collection[date]
) -> State:
    amount = sum((spend for day, spend in by_day.items() if day >= one.days.first), Decimal(0))
    if not one.has_forecast:
        return State(one, amount, NoForecast("period_too_short"), None)
    forecast = forecast_of(by_day, one.days, amount, now, one.budget.workspace.zone, planned)
    past = one.budget.past_days(one.days, PAST_PERIODS.get(one.budget.period, 0)) if with_error else []
    error = past_error_of(by_day, past, one.budget.period, today_of(one, now), planned) if past else None
    return State(one, amount, forecast, error)


def may_judge(one: Running, now: datetime) -> bool:
    """Returns whether enough of the period has passed for a forecast to be a verdict: a tenth of it, and a day."""
    passed = now - one.start
    return passed >= max((one.end - one.start) * SHARE_FOR_A_VERDICT, DAY)


# --- Templates ---


def near_usd(budget: Budget, limit: Decimal) -> Decimal:
    """Returns from which spend on a value is near its limit: at the lowest warning below it."""
    warnings = [one.usd(limit) for one in budget.threshold_list if one.basis == ACTUAL and one.severity != INFO]
    return min((amount for amount in warnings if amount < limit), default=limit * NEAR_PERCENT / 100)


def value_states(one: Running, most: int, least: Decimal = Decimal(0), search: str = "") -> Values:
    limit = one.limit or Decimal(0)
    return values_of(one.budget, one.days, Wanted(near_usd(one.budget, limit), limit, least, most, search))


# --- Past periods ---


class PastPeriod(NamedTuple):
    days: Days
    start: datetime
    end: datetime
    spent: Decimal
    limit: Decimal | None
    """In force when the period ended."""


def past_periods(budget: Budget, now: datetime, count: int) -> list[PastPeriod]:
    """Returns the periods before the running one, the oldest first, each with the limit in force at its end."""
    zone = budget.workspace.zone
    this_day = today(now, zone)
    days = budget.days(this_day)
    found = budget.past_days(days, count) if days and budget.period in CALENDAR_PERIODS else []
    if budget.fixed_to and budget.fixed_from and budget.fixed_to <= this_day:
        found = [Days(budget.fixed_from, budget.fixed_to)]
    amounts = spent([filters_of(budget, one) for one in found])
    changes = list(budget.changes.order_by("changed_at", "id").values_list("changed_at", "limit_to_usd"))
    return [
        PastPeriod(one, *one.moments(zone), amount, limit_then(budget, changes, one.moments(zone)[1]))
        for one, amount in zip(found, amounts, strict=True)
    ]


def limit_then(budget: Budget, changes: Sequence[tuple[datetime, Decimal | None]], end: datetime) -> Decimal | None:
    """Returns the limit just before `end`: the amount that the history has, with the raises that ran then.

    A period that ended before the budget was made is compared with the first amount it had.
    """
    amounts = [amount for at, amount in changes if at < end] or [amount for _, amount in changes[:1]]
    amount = amounts[-1] if amounts else budget.amount_usd
    if amount is None:
        return None
    raised = (one.amount_usd for one in budget.raises.all() if one.created_at < end <= one.until)
    return amount + sum(raised, Decimal(0))
