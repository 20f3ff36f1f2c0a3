"""Computes the periods of budgets: days, weeks, months, quarters and years of the workspace's zone, and others."""

from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

from traces.buckets import midnight

CalendarPeriod = Literal["day", "week", "month", "quarter", "year"]
CALENDAR_PERIODS: tuple[str, ...] = get_args(CalendarPeriod)
DAY = timedelta(days=1)
MONTHS = {"month": 1, "quarter": 3, "year": 12}


class Days(NamedTuple):
    """The days of a period, half-open."""

    first: date
    until: date

    def moments(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Returns the start and the end in UTC."""
        return midnight(self.first, zone), midnight(self.until, zone)

    @property
    def length(self) -> int:
        return (self.until - self.first).days


def today(now: datetime, zone: ZoneInfo) -> date:
    return now.astimezone(zone).date()


def calendar_days(period: str, day: date) -> Days:
    """Returns the calendar period in which the day lies. A week begins on Monday."""
    if period == "day":
        return Days(day, day + DAY)
    if period == "week":
        monday = day - day.weekday() * DAY
        return Days(monday, monday + 7 * DAY)
    length = MONTHS[period]
    first = day.replace(month=(day.month - 1) // length * length + 1, day=1)
    return Days(first, month_later(first, length))


def rolling_days(length: int, day: date) -> Days:
    """Returns the last days up to this one, which is among them."""
    return Days(day - (length - 1) * DAY, day + DAY)


def month_later(first: date, months: int) -> date:
    """Returns the first day of the month that is so many months later, or earlier where the number is negative."""
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def earlier_periods(period: str, days: Days, count: int) -> list[Days]:
    """Returns the calendar periods before this one, the oldest first."""
    found: list[Days] = []
    for _ in range(count):
        days = calendar_days(period, days.first - DAY)
        found.append(days)
    return found[::-1]


def share_of_day_left(now: datetime, zone: ZoneInfo) -> float:
    """Returns the share of the running day that is still to come, also of a day in which clocks change."""
    start, end = Days(today(now, zone), today(now, zone) + DAY).moments(zone)
    return min(max((end - now.astimezone(UTC)) / (end - start), 0.0), 1.0) if end > start else 0.0
