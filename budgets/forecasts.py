"""Forecasts what a period will cost, from the spend of days. `methods/forecast.py` has the method."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from budgets.periods import DAY, Days, share_of_day_left, today
from methods import daily_model
from methods.forecast import Exhaustion, Forecast, History, NoForecast, forecast, usual_amount
from methods.past_error import PastError, past_error

HISTORY_DAYS = daily_model.HISTORY_DAYS
DAYS_BEFORE_END = {"week": 3}
USUAL_DAYS_BEFORE_END = 10
"""How long before the end of a past period its forecast is repeated."""


def forecast_of(
    by_day: Mapping[date, Decimal],
    days: Days,
    spent: Decimal,
    now: datetime,
    zone: ZoneInfo,
    planned: Collection[date] = (),
) -> Forecast | NoForecast:
    """Forecasts the period that runs now. `by_day` has every day from the history's start.

    Nothing is learnt from the days in `planned`: the usual amount of their weekday takes their place.
    """
    this_day = today(now, zone)
    history = without_planned(history_before(by_day, this_day)[-HISTORY_DAYS:], planned)
    return forecast(history, days.first, days.until, float(spent), share_of_day_left(now, zone))


def history_before(by_day: Mapping[date, Decimal], day: date) -> History:
    return [(other, float(amount)) for other, amount in sorted(by_day.items()) if other < day]


def without_planned(history: History, planned: Collection[date]) -> History:
    """Puts the usual amount of their weekday in place of planned days. No day before the first spend is usual."""
    first = next((day for day, amount in history if amount > 0), None)
    learnt = [(day, amount) for day, amount in history if first and day >= first and day not in planned]
    return [(day, usual_amount(learnt, day) if day in planned else amount) for day, amount in history]


def past_error_of(
    by_day: Mapping[date, Decimal],
    periods: Sequence[Days],
    period: str,
    this_day: date,
    planned: Collection[date] = (),
) -> PastError | None:
    """Repeats the forecasts of past periods, each from the days before it only. None: none can be repeated.

    Days in `planned` are left out of what is learnt and of what the period has cost.
    """
    known = without_planned(history_before(by_day, this_day), planned)
    first = next((day for day, amount in known if amount > 0), this_day)
    # A period before the first spend would be a forecast of nothing, which is always right.
    after_beginning = [days for days in periods if days.first >= first]
    return past_error(known, after_beginning, (DAYS_BEFORE_END.get(period, USUAL_DAYS_BEFORE_END),))


def exhaustion_of(found: Forecast | NoForecast, limit: Decimal | None) -> Exhaustion | None:
    """Returns when the limit is reached; None without a limit or a forecast."""
    return found.exhaustion(float(limit)) if isinstance(found, Forecast) and limit is not None else None


def first_history_day(days: Days, this_day: date) -> date:
    return min(days.first, this_day - HISTORY_DAYS * DAY)
