"""Computes the buckets of a series: minutes, and the hours, days, weeks and months of a time zone.

A bucket ends where the next one begins. So a day has 23 or 25 hours where clocks change, and the days of a month add up
to the month. An hour in which clocks change by half an hour is two buckets: none is longer than an hour.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

Granularity = Literal["minute", "hourly", "daily", "weekly", "monthly"]

BUCKETS: dict[Granularity, timedelta] = {
    "minute": timedelta(minutes=1),
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=31),
}
"""The length of a bucket. Clock changes make some longer or shorter, and some months are shorter."""
UTC_ZONE = ZoneInfo("UTC")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@lru_cache(maxsize=32)
def bucket_starts(start: datetime, end: datetime, granularity: Granularity, zone: ZoneInfo) -> tuple[datetime, ...]:
    """Returns the moments, in UTC, at which the buckets begin that the window touches."""
    starts: list[datetime] = []
    for moment in BOUNDARIES[granularity](start.astimezone(UTC), end, zone):
        # A zone may skip a whole day: then two midnights are one moment.
        if not starts or moment > starts[-1]:
            starts.append(moment)
    return tuple(starts[bisect_right(starts, start) - 1 : bisect_left(starts, end)])


def next_start(start: datetime, granularity: Granularity, zone: ZoneInfo) -> datetime:
    """Returns where the bucket ends that begins at `start`."""
    return bucket_starts(start, start + 2 * BUCKETS[granularity], granularity, zone)[1]


def have_equal_length(starts: tuple[datetime, ...], end: datetime, length: timedelta) -> bool:
    """Returns whether the buckets are `length` long, the last one as far as the window goes."""
    return end <= starts[-1] + length and all(later - earlier == length for earlier, later in pairwise(starts))


# Each function returns ascending moments: the first is not later than `start`, and those up to `end` are among them.


def minutes(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    first = start.replace(second=0, microsecond=0)
    return (first + number * MINUTE for number in range(-((first - end) // MINUTE)))


def hours(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    for day in days_of(start, end, zone):
        yield from hours_of_day(midnight(day, zone), midnight(day + DAY, zone), zone)


def hours_of_day(first: datetime, last: datetime, zone: ZoneInfo) -> list[datetime]:
    if last - first == DAY and offset(first, zone) == offset(last, zone):
        return [first + number * HOUR for number in range(24)]
    moments = [first + number * MINUTE for number in range((last - first) // MINUTE)]
    return [moment for moment in moments if begins_hour(moment, zone)]


def begins_hour(moment: datetime, zone: ZoneInfo) -> bool:
    return moment.astimezone(zone).minute == 0 or offset(moment, zone) != offset(moment - MINUTE, zone)


def offset(moment: datetime, zone: ZoneInfo) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()


def days(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    return (midnight(day, zone) for day in days_of(start, end, zone))


def weeks(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    return first_moments(start, end, zone, lambda day: day - day.weekday() * DAY)


def months(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    return first_moments(start, end, zone, lambda day: day.replace(day=1))


def first_moments(
    start: datetime, end: datetime, zone: ZoneInfo, first_day: Callable[[date], date]
) -> Iterator[datetime]:
    return (midnight(day, zone) for day in dict.fromkeys(map(first_day, days_of(start, end, zone))))


def days_of(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[date]:
    first, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    return (first + number * DAY for number in range((last - first).days + 1))


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Returns the first moment of the day: the first of two midnights, and the change of the clocks if it skips one."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


BOUNDARIES: dict[Granularity, Callable[[datetime, datetime, ZoneInfo], Iterator[datetime]]] = {
    "minute": minutes,
    "hourly": hours,
    "daily": days,
    "weekly": weeks,
    "monthly": months,
}
