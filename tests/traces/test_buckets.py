"""A series has the minutes, hours, days, weeks and months of a time zone, over every change of its clocks."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traces.buckets import BUCKETS, Granularity, bucket_starts, have_equal_length, next_start

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONES = [
    *("UTC", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Chatham", "America/New_York", "Australia/Lord_Howe"),
    *("Africa/Casablanca", "America/Havana", "America/Santiago", "America/St_Johns", "Pacific/Apia"),
]


def lengths(zone: str, day: str, granularity: Granularity, days: int = 1) -> list[float]:
    """Returns the hours of each bucket of the local days from `day` on."""
    first = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    last = (first + days * DAY).astimezone(UTC)
    starts = bucket_starts(first.astimezone(UTC), last, granularity, ZoneInfo(zone))
    return [(until - start) / HOUR for start, until in pairwise((*starts, last))]


def test_a_day_is_as_long_as_its_zone_makes_it() -> None:
    assert lengths("America/New_York", "2026-03-07", "daily", 3) == [24, 23, 24]
    assert lengths("America/New_York", "2026-10-31", "daily", 3) == [24, 25, 24]
    assert lengths("Australia/Lord_Howe", "2026-04-05", "daily") == [24.5]
    assert lengths("Australia/Lord_Howe", "2026-10-04", "daily") == [23.5]


def test_the_hours_of_a_day_are_as_many_as_it_has() -> None:
    assert lengths("America/New_York", "2026-03-08", "hourly") == [1] * 23
    assert lengths("America/New_York", "2026-11-01", "hourly") == [1] * 25
    # Clocks go back by half an hour: 1:30 to 2:00 comes twice, and is a bucket of its own the second time.
    assert lengths("Australia/Lord_Howe", "2026-04-05", "hourly") == [1, 1, 0.5, *[1] * 22]
    assert lengths("Australia/Lord_Howe", "2026-10-04", "hourly") == [1, 1, 0.5, *[1] * 21]


def test_a_day_begins_where_the_clock_first_shows_it() -> None:
    # In Havana midnight comes twice, in Santiago never, and Samoa had no 30 December.
    assert lengths("America/Havana", "2026-11-01", "daily") == [25]
    assert lengths("America/Santiago", "2026-09-06", "daily") == [23]
    assert lengths("Pacific/Apia", "2011-12-29", "daily", 3) == [24, 24]


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    kolkata = ZoneInfo("Asia/Kolkata")
    start, end = datetime(2026, 11, 4, tzinfo=UTC), datetime(2026, 12, 2, tzinfo=UTC)
    weeks = bucket_starts(start, end, "weekly", kolkata)
    assert [f"{week.astimezone(kolkata):%a %-d %b %H:%M}" for week in weeks] == [
        *("Mon 2 Nov 00:00", "Mon 9 Nov 00:00", "Mon 16 Nov 00:00", "Mon 23 Nov 00:00", "Mon 30 Nov 00:00"),
    ]
    months = bucket_starts(start, end, "monthly", kolkata)
    assert [f"{month.astimezone(kolkata):%-d %b %H:%M}" for month in months] == ["1 Nov 00:00", "1 Dec 00:00"]
    assert next_start(months[0], "monthly", kolkata) == months[1]


def label(moment: datetime, granularity: Granularity, zone: ZoneInfo) -> tuple[object, ...]:
    """Returns the same value for all moments of a bucket, but for the days that a clock shows twice."""
    local = moment.astimezone(zone)
    return {
        "minute": (local.date(), local.hour, local.minute, local.utcoffset()),
        "hourly": (local.date(), local.hour, local.utcoffset()),
        "daily": (local.date(),),
        "weekly": local.isocalendar()[:2],
        "monthly": (local.year, local.month),
    }[granularity]


@given(
    minute=st.integers(0, 18 * 365 * 1440),
    steps=st.integers(1, 60),
    granularity=st.sampled_from(list(BUCKETS)),
    zone=st.sampled_from([ZoneInfo(zone) for zone in ZONES]),
)
def test_buckets_make_up_the_window(minute: int, steps: int, granularity: Granularity, zone: ZoneInfo) -> None:
    start = datetime(2012, 1, 1, tzinfo=UTC) + minute * timedelta(minutes=1, microseconds=7)
    end = start + steps * BUCKETS[granularity] * 0.7
    starts = bucket_starts(start, end, granularity, zone)
    assert starts[0] <= start
    assert starts[-1] < end <= next_start(starts[-1], granularity, zone)
    assert list(starts) == sorted(set(starts))
    before = timedelta(microseconds=1)
    for first, following in pairwise((*starts, next_start(starts[-1], granularity, zone))):
        assert label(first, granularity, zone) == label(following - before, granularity, zone)
        assert label(first - before, granularity, zone) != label(first, granularity, zone)
        assert following - first <= BUCKETS[granularity] + HOUR


@pytest.mark.parametrize(("hours", "is_equal"), [(24, True), (24.5, False)])
def test_a_longer_last_bucket_is_not_of_equal_length(hours: float, is_equal: bool) -> None:
    first = datetime(2026, 11, 1, 4, tzinfo=UTC)
    assert have_equal_length((first,), first + hours * HOUR, DAY) == is_equal
