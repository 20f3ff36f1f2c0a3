"""Answers `/api/v1/insights/forecast`: what a period will cost, its range, and how far forecasts were off before."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

from typing_extensions import TypedDict

from budgets.answer import limit_now
from budgets.forecasts import HISTORY_DAYS, exhaustion_of, forecast_of, past_error_of
from budgets.models import own_budget
from budgets.periods import DAY, Days, calendar_days, earlier_periods, today
from budgets.planned import planned_days, planned_loads
from budgets.spending import spend_by_day
from methods.forecast import Exhaustion, Forecast, Reason
from methods.past_error import PastError
from traces.filters import FilterValues
from workspaces.models import Workspace

ForecastPeriod = Literal["week", "month", "quarter", "year"]
PAST_PERIODS: dict[str, int] = {"week": 12, "month": 6, "quarter": 3, "year": 0}
"""So many past periods are forecast again, to say how far forecasts were off."""


class ForecastDay(TypedDict):
    day: date
    expected_usd: float
    """What the period will have cost by the end of this day."""
    low_usd: float
    high_usd: float


class SpentDay(TypedDict):
    day: date
    spend_usd: float


class LimitReached(TypedDict):
    limit_usd: float
    expected: date | None
    """Null: not in this period."""
    earliest: date | None
    """In one of ten cases the limit is reached on this day or before."""
    latest: date | None
    """In nine of ten cases the limit is reached on this day or before."""
    probability: float
    """That the limit is reached within the period, from 0 to 1."""


class ForecastError(TypedDict):
    """How far the forecasts of past periods were off, each made so many days before its end."""

    periods: int
    days_before_end: int
    median_error_percentage: float
    """Of the period's spend."""
    within_range: int
    """The number of periods that ended inside their range; eight of ten should."""


class ForecastAnswer(TypedDict):
    period: ForecastPeriod
    period_start: datetime
    """In the workspace's time zone."""
    period_end: datetime
    spent_usd: float
    expected_usd: float | None
    """Of the whole period; null without a forecast."""
    low_usd: float | None
    """In eight of ten cases the period ends between this and `high_usd`."""
    high_usd: float | None
    reason: Reason | None
    """Why there is no forecast."""
    spent: list[SpentDay]
    """The days of the period until today."""
    days: list[ForecastDay]
    """Today and the days that are left."""
    limit: LimitReached | None
    """Of `limit_usd`, else of the workspace's budget where the question is about its month without filters."""
    past_error: ForecastError | None
    """Null where no past period can be forecast again."""
    as_of: datetime


def forecast_answer(
    workspace: Workspace,
    values: dict[str, FilterValues],
    period: ForecastPeriod,
    limit_usd: Decimal | None,
    now: datetime | None = None,
) -> ForecastAnswer:
    now = now or datetime.now(UTC)
    this_day = today(now, workspace.zone)
    days = calendar_days(period, this_day)
    past = earlier_periods(period, days, PAST_PERIODS[period])
    first = min(days.first, *(earlier.first for earlier in past[:1]), this_day) - HISTORY_DAYS * DAY
    by_day = spend_by_day(workspace, Days(first, days.until), values)
    loads = planned_loads([workspace], Days(first, days.until)).get(workspace.pk, ())
    planned = planned_days(loads, workspace, values)
    spent = sum((amount for day, amount in by_day.items() if day >= days.first), Decimal(0))
    found = forecast_of(by_day, days, spent, now, workspace.zone, planned)
    known = found if isinstance(found, Forecast) else None
    limit = limit_usd if limit_usd is not None else own_limit(workspace, values, period)
    start, end = days.moments(workspace.zone)
    return {
        "period": period,
        "period_start": start,
        "period_end": end,
        "spent_usd": float(spent),
        "expected_usd": known.expected if known else None,
        "low_usd": known.low if known else None,
        "high_usd": known.high if known else None,
        "reason": None if isinstance(found, Forecast) else found.reason,
        "spent": spent_days(by_day, days, this_day),
        "days": forecast_days(known) if known else [],
        "limit": limit_reached(limit, exhaustion_of(found, limit)),
        "past_error": error_of(past_error_of(by_day, past, period, this_day, planned)),
        "as_of": now,
    }


def own_limit(workspace: Workspace, values: Mapping[str, FilterValues], period: str) -> Decimal | None:
    """Returns the limit of the workspace's own budget, if the question is about what that limits."""
    if values or period != "month":
        return None
    return limit_now(own_budget(workspace))


def spent_days(by_day: Mapping[date, Decimal], days: Days, this_day: date) -> list[SpentDay]:
    return [{"day": day, "spend_usd": float(amount)} for day, amount in by_day.items() if days.first <= day <= this_day]


def forecast_days(found: Forecast) -> list[ForecastDay]:
    return [
        {"day": day.day, "expected_usd": day.expected, "low_usd": day.low, "high_usd": day.high} for day in found.days()
    ]


def limit_reached(limit: Decimal | None, found: Exhaustion | None) -> LimitReached | None:
    if limit is None or found is None:
        return None
    return {
        "limit_usd": float(limit),
        "expected": found.expected,
        "earliest": found.earliest,
        "latest": found.latest,
        "probability": found.probability,
    }


def error_of(found: PastError | None) -> ForecastError | None:
    if found is None:
        return None
    first = found.forecasts[0]
    return {
        "periods": len(found.forecasts),
        "days_before_end": (first.period_end - first.forecast_on).days,
        "median_error_percentage": found.median_error * 100,
        "within_range": found.within_range,
    }
