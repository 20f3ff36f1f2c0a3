"""Computes the windows of reports: this and the last day, week and month of a zone."""

from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from budgets.periods import calendar_days, earlier_periods, today
from traces.buckets import Granularity
from traces.filters import SHORTEST

PeriodName = Literal["day", "week", "month"]
Period = Literal["this_day", "last_day", "this_week", "last_week", "this_month", "last_month"]
PERIODS: dict[Period, str] = {
    "last_month": "Last month",
    "this_month": "This month so far",
    "last_week": "Last week",
    "this_week": "This week so far",
    "last_day": "Yesterday",
    "this_day": "Today so far",
}
"""In words, in the order in which people choose."""
HOURLY_UNTIL, DAILY_UNTIL = timedelta(days=2, hours=1), timedelta(days=92, hours=1)
"""The longest windows whose series have a value for each hour, and for each day."""


def last_window(period: PeriodName, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Returns the last whole period before now."""
    running = calendar_days(period, today(now, zone))
    return earlier_periods(period, running, 1)[0].moments(zone)


def window_of(period: Period, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Returns the window. A period that runs ends now."""
    which, _, name = period.partition("_")
    if which == "last":
        return last_window(name, now, zone)  # type: ignore[arg-type]
    start, _ = calendar_days(name, today(now, zone)).moments(zone)
    return start, max(now, start + SHORTEST)


def granularity_of(start: datetime, end: datetime) -> Granularity:
    """Returns the buckets in which a report shows what happened over time."""
    length = end - start
    if length <= HOURLY_UNTIL:
        return "hourly"
    return "daily" if length <= DAILY_UNTIL else "monthly"
