"""Says what a budget that is not made yet would have done in the past: which thresholds were reached, and when."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import accumulate

from typing_extensions import TypedDict

from budgets.bodies import NewBudget, OwnBudget, fill
from budgets.counters import Wanted, filters_of, spent_by_day, values_of
from budgets.items import ValueCounts
from budgets.models import FIXED, ROLLING, Budget
from budgets.periods import DAY, Days, rolling_days, today
from budgets.states import near_usd
from budgets.thresholds import ACTUAL, Severity
from workspaces.models import Workspace

PAST_PERIODS, ROLLING_PAST_DAYS = 3, 90


class Crossed(TypedDict):
    threshold: str
    """Like actual:80%."""
    severity: Severity
    on: date
    """The first day on which it was reached."""


class PreviewPeriod(TypedDict):
    first_day: date
    last_day: date
    spent_usd: float
    """At the most, where the period is rolling."""
    crossed: list[Crossed]
    """The lowest first. Empty for a template."""
    values: ValueCounts | None
    """Null for a budget that is no template."""


class Preview(TypedDict):
    limit_usd: float
    periods: list[PreviewPeriod]
    """The newest first; empty where the past has none of them."""


def preview(workspace: Workspace, body: NewBudget | OwnBudget, now: datetime) -> Preview:
    budget = Budget(workspace=workspace)
    fill(budget, body)
    this_day = today(now, workspace.zone)
    periods = past_of(budget, this_day)
    found = [values_in(budget, days) for days in periods] if budget.per else spent_in(budget, periods)
    return {"limit_usd": float(budget.amount_usd or 0), "periods": found[::-1]}


def past_of(budget: Budget, this_day: date) -> list[Days]:
    """Returns the periods to look at, the oldest first."""
    if budget.period == ROLLING:
        return [Days(this_day - ROLLING_PAST_DAYS * DAY, this_day + DAY)]
    if budget.period == FIXED:
        first, until = budget.fixed_from or this_day, min(budget.fixed_to or this_day, this_day + DAY)
        return [Days(first, until)] if first < until else []
    days = budget.days(this_day)
    return budget.past_days(days, PAST_PERIODS) if days else []


def spent_in(budget: Budget, periods: Sequence[Days]) -> list[PreviewPeriod]:
    lead = (budget.rolling_days or 1) - 1 if budget.period == ROLLING else 0
    windows = [filters_of(budget, Days(days.first - lead * DAY, days.until)) for days in periods]
    return [period_of(budget, days, by_day) for days, by_day in zip(periods, spent_by_day(windows), strict=True)]


def period_of(budget: Budget, days: Days, by_day: Mapping[date, Decimal]) -> PreviewPeriod:
    course = rolling_course(budget, days, by_day) if budget.period == ROLLING else running_total(by_day)
    return {
        "first_day": days.first,
        "last_day": days.until - DAY,
        "spent_usd": float(max(course.values(), default=Decimal(0))),
        "crossed": crossed(budget, course),
        "values": None,
    }


def running_total(by_day: Mapping[date, Decimal]) -> dict[date, Decimal]:
    return dict(zip(by_day, accumulate(by_day.values()), strict=True))


def rolling_course(budget: Budget, days: Days, by_day: Mapping[date, Decimal]) -> dict[date, Decimal]:
    """Returns for each day what the days up to it have cost."""

    def total(day: date) -> Decimal:
        first = rolling_days(budget.rolling_days or 1, day).first
        return sum((by_day[first + i * DAY] for i in range((day - first).days + 1)), Decimal(0))

    return {day: total(day) for day in (days.first + i * DAY for i in range(days.length))}


def crossed(budget: Budget, course: Mapping[date, Decimal]) -> list[Crossed]:
    limit = budget.amount_usd or Decimal(0)
    found: list[Crossed] = []
    for one in (threshold for threshold in budget.threshold_list if threshold.basis == ACTUAL):
        day = next((day for day, spent in course.items() if spent >= max(one.usd(limit), Decimal("1e-12"))), None)
        if day:
            found.append({"threshold": one.key, "severity": one.severity, "on": day})
    return found


def values_in(budget: Budget, days: Days) -> PreviewPeriod:
    limit = budget.amount_usd or Decimal(0)
    values = values_of(budget, days, Wanted(near_usd(budget, limit), limit, most=0))
    return {
        "first_day": days.first,
        "last_day": days.until - DAY,
        "spent_usd": float(values.total_usd),
        "crossed": [],
        "values": {"number": values.number, "near": values.near, "over": values.over},
    }
