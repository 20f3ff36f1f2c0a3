"""Says how far forecasts would have been off in past periods: the error that a page shows beside a forecast."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from statistics import median
from typing import NamedTuple

from methods.forecast import Forecast, History, forecast


class PastForecast(NamedTuple):
    period_start: date
    period_end: date
    forecast_on: date
    expected: float
    low: float
    high: float
    actual: float

    @property
    def error(self) -> float:
        """The share of the actual amount by which the forecast was off; 0.06 is 6 percent."""
        return abs(self.expected - self.actual) / self.actual if self.actual else float(self.expected > 0)

    @property
    def is_within_range(self) -> bool:
        return self.low <= self.actual <= self.high


class PastError(NamedTuple):
    forecasts: tuple[PastForecast, ...]

    @property
    def median_error(self) -> float:
        return median(past.error for past in self.forecasts)

    @property
    def within_range(self) -> int:
        """The number of periods that ended inside their range; eight of ten should."""
        return sum(past.is_within_range for past in self.forecasts)


def past_error(
    history: History, periods: Iterable[tuple[date, date]], days_before_end: Sequence[int] = (10,)
) -> PastError | None:
    """Repeats the forecast of each past period, so many days before its end, from the days before that day only.

    `periods` are `[start, end)`. Those that the history does not hold whole are left out, and those that had no
    forecast at that time. Returns None when none is left. Each repetition takes about 4 ms.
    """
    amounts = dict(history)
    found = [
        past
        for start, end in periods
        for days in days_before_end
        if (past := repeated(history, amounts, start, end, end - timedelta(days=days)))
    ]
    return PastError(tuple(found)) if found else None


def repeated(history: History, amounts: dict[date, float], start: date, end: date, today: date) -> PastForecast | None:
    days = [start + timedelta(days=i) for i in range((end - start).days)]
    if today < start or not all(day in amounts for day in days):
        return None
    known = [(day, amount) for day, amount in history if day < today]
    spent = sum(amounts[day] for day in days if day < today)
    result = forecast(known, start, end, spent)
    if not isinstance(result, Forecast):
        return None
    actual = sum(amounts[day] for day in days)
    return PastForecast(start, end, today, result.expected, result.low, result.high, actual)
