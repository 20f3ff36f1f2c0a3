"""When reports are due: over changes of clocks, ends of months, leap days, and zones that skip a day."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from reports.schedules.periods import Due, Timing, due_of, last_ended, next_due, was_due

BERLIN, APIA, HAVANA = ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Apia"), ZoneInfo("America/Havana")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def daily(hour: int = 8) -> Timing:
    return Timing("day", hour, 0, 1)


def monthly(day: int, hour: int = 8) -> Timing:
    return Timing("month", hour, 0, day)


def dues(timing: Timing, zone: ZoneInfo, first: datetime, last: datetime) -> list[Due]:
    """Returns what a worker finds that looks each five minutes, and each only once."""
    found: dict[date, Due] = {}
    moment = first
    while moment <= last:
        for due in was_due(timing, zone, first, moment):
            assert found.setdefault(due.first_day, due) == due
        moment += timedelta(minutes=5)
    return sorted(found.values(), key=lambda due: due.first_day)


@pytest.mark.parametrize("zone", [BERLIN, HAVANA, LORD_HOWE], ids=str)
@pytest.mark.parametrize("hour", [0, 1, 2, 3, 8, 23])
@pytest.mark.parametrize("month", [3, 4, 10, 11])
def test_each_day_is_reported_once_where_clocks_change(zone: ZoneInfo, hour: int, month: int) -> None:
    start = datetime(2026, month, 1, tzinfo=zone).astimezone(UTC)
    found = list(was_due(daily(hour), zone, start, start + 30 * DAY))[::-1]
    days = [due.first_day for due in found]
    assert days == [days[0] + number * DAY for number in range(len(days))]
    assert all(earlier.end == later.start for earlier, later in pairwise(found))
    assert all(due.at >= due.end for due in found)
    assert all(earlier.at < later.at for earlier, later in pairwise(found))


def test_days_of_23_and_25_hours_are_whole() -> None:
    short, long = (due_of(daily(), day, BERLIN) for day in (date(2026, 3, 29), date(2026, 10, 25)))
    assert (short.end - short.start, long.end - long.start) == (23 * HOUR, 25 * HOUR)


def test_an_hour_that_does_not_exist_is_as_much_later_and_of_two_it_is_the_first() -> None:
    assert due_of(daily(2), date(2026, 3, 28), BERLIN).at == datetime(2026, 3, 29, 1, tzinfo=UTC)  # 03:00 of summer
    assert due_of(daily(2), date(2026, 10, 24), BERLIN).at == datetime(2026, 10, 25, 0, tzinfo=UTC)  # 02:00 of summer
    found = dues(daily(2), BERLIN, datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC))
    assert [due.first_day for due in found] == [date(2026, 10, 24)]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (31, ["01-31", "02-28", "03-31", "04-30", "05-31", "06-30"]),
        (30, ["01-30", "02-28", "03-30", "04-30", "05-30", "06-30"]),
        (1, ["01-01", "02-01", "03-01", "04-01", "05-01", "06-01"]),
    ],
)
def test_a_day_that_a_month_does_not_have_is_its_last(day: int, expected: list[str]) -> None:
    start, end = datetime(2025, 12, 31, 12, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
    found = list(was_due(monthly(day), ZoneInfo("UTC"), start, end))[::-1]
    assert [f"{due.at:%m-%d}" for due in found] == expected
    assert [due.first_day.month for due in found] == [12, 1, 2, 3, 4, 5]


def test_the_leap_day_is_a_day_and_the_last_of_its_month() -> None:
    assert due_of(monthly(31), date(2028, 1, 1), BERLIN).at == datetime(2028, 2, 29, 7, tzinfo=UTC)
    february = due_of(monthly(1), date(2028, 2, 1), BERLIN)
    assert february.end - february.start == 29 * DAY
    [leap] = was_due(daily(), BERLIN, datetime(2028, 2, 29, 12, tzinfo=UTC), datetime(2028, 3, 1, 12, tzinfo=UTC))
    assert leap.first_day == date(2028, 2, 29)


def test_a_day_that_a_zone_skips_has_no_report() -> None:
    found = list(was_due(daily(), APIA, datetime(2011, 12, 28, tzinfo=UTC), datetime(2012, 1, 2, tzinfo=UTC)))[::-1]
    assert [due.first_day.day for due in found] == [27, 28, 29, 31, 1]
    assert last_ended(daily(), APIA, datetime(2011, 12, 30, 12, tzinfo=UTC)).first_day == date(2011, 12, 29)


def test_weeks_begin_on_monday_and_are_reported_on_the_chosen_day_after() -> None:
    due = due_of(Timing("week", 8, 4, 1), date(2026, 11, 16), BERLIN)
    assert (due.start, due.end) == (datetime(2026, 11, 15, 23, tzinfo=UTC), datetime(2026, 11, 22, 23, tzinfo=UTC))
    assert due.at == datetime(2026, 11, 27, 7, tzinfo=UTC)


@pytest.mark.parametrize("timing", [daily(), Timing("week", 8, 6, 1), monthly(31, 23)], ids=str)
def test_the_next_one_is_the_one_that_comes(timing: Timing) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    for _ in range(30):
        due = next_due(timing, BERLIN, now)
        assert due.at > now
        [found] = was_due(timing, BERLIN, now, due.at)
        assert found == due
        now = due.at
