"""Each period is due once, whatever clocks do."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from jobs.periods import Daily, Every

ZONE_UTC = ZoneInfo("UTC")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def moments_due(period: Daily | Every, start: datetime, length: timedelta, zone: ZoneInfo) -> list[datetime]:
    """Returns what is due while the clock runs from `start` on, each moment once."""
    looks = (start + step * MINUTE for step in range(int(length / MINUTE)))
    return sorted({period.last_due(now, zone) for now in looks} - {period.last_due(start, zone)})


def test_an_hourly_entry_is_due_at_its_minute() -> None:
    period = Every(HOUR, offset=7 * MINUTE)
    assert period.last_due(datetime(2026, 3, 1, 10, 6, 59, tzinfo=UTC), ZONE_UTC) == datetime(
        2026, 3, 1, 9, 7, tzinfo=UTC
    )
    assert period.last_due(datetime(2026, 3, 1, 10, 7, tzinfo=UTC), ZONE_UTC) == datetime(2026, 3, 1, 10, 7, tzinfo=UTC)


CHANGES = [
    # Clocks go from 02:00 to 03:00 on 29 March, and from 03:00 to 02:00 on 25 October.
    ("Europe/Berlin", datetime(2026, 3, 27, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 23, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 6, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 10, 30, tzinfo=UTC)),
    # By half an hour.
    ("Australia/Lord_Howe", datetime(2026, 4, 3, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 2, tzinfo=UTC)),
    # At midnight, to 01:00: the day has no beginning.
    ("Africa/Cairo", datetime(2026, 4, 22, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 4, 22, tzinfo=UTC)),
]


@pytest.mark.parametrize(("name", "start"), CHANGES)
@pytest.mark.parametrize("at", [time(0, 0), time(0, 30), time(1, 59), time(2, 30), time(3, 0), time(23, 59)])
def test_a_daily_entry_is_due_once_a_date_over_every_change_of_clocks(name: str, start: datetime, at: time) -> None:
    zone = ZoneInfo(name)
    due = moments_due(Daily(at), start, timedelta(days=6), zone)
    dates = [moment.astimezone(zone).date() for moment in due]
    assert 5 <= len(dates) <= 7  # the changed hour may move one more into these six days
    assert dates == [dates[0] + timedelta(days=day) for day in range(len(dates))]


@pytest.mark.parametrize(("name", "start"), CHANGES)
def test_an_hourly_entry_is_due_every_hour_over_every_change_of_clocks(name: str, start: datetime) -> None:
    due = moments_due(Every(HOUR), start, timedelta(days=4), ZoneInfo(name))
    assert len(due) == 95
    assert {later - earlier for earlier, later in pairwise(due)} == {HOUR}


def test_the_time_that_clocks_skip_is_as_much_later() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    due = Daily(time(2, 30)).last_due(datetime(2026, 3, 29, 12, tzinfo=UTC), berlin)
    assert due.astimezone(berlin).isoformat() == "2026-03-29T03:30:00+02:00"


def test_entries_say_in_words_when_they_are_due() -> None:
    periods = [Every(MINUTE), Every(10 * MINUTE), Every(HOUR), Daily(time(3, 10))]
    assert [str(period) for period in periods] == ["every minute", "every 10 minutes", "every hour", "daily at 03:10"]
