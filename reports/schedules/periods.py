"""Says which day, week or month a report is about, and when it is due: by the calendar of the workspace's zone.

A period is named by its first day. So each date is reported once, also where clocks change or the workspace gets
another zone.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from traces.buckets import midnight

DAY, WEEK, MONTH = "day", "week", "month"
PERIODS = (DAY, WEEK, MONTH)
A_DAY = timedelta(days=1)


class Timing(NamedTuple):
    """How often a report is made, and when after the end of its period."""

    period: str
    hour: int
    weekday: int
    day: int


class Due(NamedTuple):
    first_day: date
    start: datetime
    end: datetime
    at: datetime
    """When its report is due."""


def first_day_of(period: str, day: date) -> date:
    """Returns the first day of the period in which the day lies."""
    if period == WEEK:
        return day - day.weekday() * A_DAY
    return day.replace(day=1) if period == MONTH else day


def following(period: str, first_day: date) -> date:
    if period == MONTH:
        return (first_day.replace(day=28) + 4 * A_DAY).replace(day=1)
    return first_day + (7 * A_DAY if period == WEEK else A_DAY)


def before(period: str, first_day: date) -> date:
    return first_day_of(period, first_day - A_DAY)


def due_day(timing: Timing, first_day: date) -> date:
    """Returns the day, after the end of the period, on which its report is due."""
    next_first = following(timing.period, first_day)
    if timing.period == WEEK:
        return next_first + timing.weekday * A_DAY
    if timing.period == MONTH:
        return next_first.replace(day=min(timing.day, monthrange(next_first.year, next_first.month)[1]))
    return next_first


def due_of(timing: Timing, first_day: date, zone: ZoneInfo) -> Due:
    """Returns when the report is due. At an hour that clocks skip it is as much later; of two, it is the first."""
    at = datetime.combine(due_day(timing, first_day), time(timing.hour), zone).astimezone(UTC)
    return Due(first_day, midnight(first_day, zone), midnight(following(timing.period, first_day), zone), at)


def was_due(timing: Timing, zone: ZoneInfo, after: datetime, now: datetime) -> Iterator[Due]:
    """Yields the periods whose reports were due after one moment and until another, the newest first."""
    first_day = first_day_of(timing.period, now.astimezone(zone).date())
    while (due := due_of(timing, first_day := before(timing.period, first_day), zone)).at > after:
        # A zone may skip a whole day: there is no report of it.
        if due.at <= now and due.start < due.end:
            yield due


def next_due(timing: Timing, zone: ZoneInfo, now: datetime) -> Due:
    """Returns the period whose report is due next."""
    first_day = first_day_of(timing.period, now.astimezone(zone).date())
    first_day = before(timing.period, before(timing.period, first_day))
    while (due := due_of(timing, first_day, zone)).at <= now or due.start >= due.end:
        first_day = following(timing.period, first_day)
    return due


def last_ended(timing: Timing, zone: ZoneInfo, now: datetime) -> Due:
    """Returns the last period that is over."""
    first_day = first_day_of(timing.period, now.astimezone(zone).date())
    while (due := due_of(timing, first_day := before(timing.period, first_day), zone)).start >= due.end:
        pass
    return due
