"""The clock defers each period once: late rather than never, and never twice."""

from datetime import UTC, datetime, time, timedelta
from threading import Thread
from typing import LiteralString
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from jobs import clock, timetable
from jobs.models import Clock
from jobs.periods import Daily, Every
from jobs.queue_table import give_back_abandoned
from jobs.timetable import Entry
from web.queue import task

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
MONDAY = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@task("tests.hourly")
def hourly(due_at: str) -> None:
    """Runs every hour."""


@task("tests.nightly")
def nightly(due_at: str, subject: str) -> None:
    """Runs at night."""


@pytest.fixture(autouse=True)
def two_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = (
        Entry(hourly, Every(HOUR)),
        Entry(nightly, Daily(time(2, 30)), lambda: {"Europe/Berlin": BERLIN, "UTC": ZoneInfo("UTC")}),
    )
    monkeypatch.setattr(timetable, "TIMETABLE", entries)


def deferred(task_name: str, subject: str = "") -> list[datetime]:
    """Returns the periods of the jobs that were deferred, and takes these jobs out of the queue."""
    jobs = ProcrastinateJob.objects.filter(task_name=task_name, status="todo").order_by("id")
    found = [job for job in jobs if job.args.get("subject", "") == subject]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = ANY(%s)", [[job.id for job in found]]
        )
    return [datetime.fromisoformat(job.args["due_at"]) for job in found]


def look(*moments: datetime) -> None:
    for moment in moments:
        clock.defer_due(moment)


def test_a_new_entry_waits_for_its_next_due_moment() -> None:
    look(MONDAY, MONDAY + timedelta(minutes=29))
    assert deferred("tests.hourly") == []
    look(MONDAY + timedelta(minutes=30), MONDAY + timedelta(minutes=31))
    assert deferred("tests.hourly") == [datetime(2026, 3, 2, 13, tzinfo=UTC)]


def test_after_a_stopped_night_the_last_period_runs_once() -> None:
    look(MONDAY, MONDAY + 19 * HOUR)
    assert deferred("tests.hourly") == [datetime(2026, 3, 3, 7, tzinfo=UTC)]
    assert deferred("tests.nightly", "Europe/Berlin") == [datetime(2026, 3, 3, 1, 30, tzinfo=UTC)]
    look(MONDAY + 19 * HOUR)
    assert deferred("tests.nightly", "UTC") == [datetime(2026, 3, 3, 2, 30, tzinfo=UTC)]
    look(MONDAY + 19 * HOUR)
    assert deferred("tests.hourly") == []


def set_all(assignment: LiteralString) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE procrastinate_jobs SET {assignment}")


def test_zones_whose_nights_begin_at_once_come_one_after_the_other() -> None:
    look(MONDAY, MONDAY + 19 * HOUR)
    set_all("status = 'doing'")
    look(MONDAY + 19 * HOUR)
    assert deferred("tests.nightly", "UTC") == []
    # Berlin's has failed, and waits for its next attempt.
    set_all("status = 'todo', scheduled_at = now() + interval '5 minutes'")
    look(MONDAY + 19 * HOUR)
    assert deferred("tests.nightly", "UTC") == [datetime(2026, 3, 3, 2, 30, tzinfo=UTC)]


def test_a_clock_that_is_set_back_repeats_no_period_and_goes_on_afterwards() -> None:
    look(MONDAY, MONDAY + HOUR, MONDAY + 2 * HOUR)
    assert len(deferred("tests.hourly")) == 1  # the second waits behind the first
    look(MONDAY + HOUR, MONDAY + 2 * HOUR)
    assert deferred("tests.hourly") == []
    look(MONDAY + 3 * HOUR)
    assert deferred("tests.hourly") == [datetime(2026, 3, 2, 15, tzinfo=UTC)]


def test_after_a_clock_that_was_years_ahead_entries_are_due_again() -> None:
    look(MONDAY, MONDAY + timedelta(days=3000))
    deferred("tests.hourly")
    look(MONDAY + HOUR, MONDAY + 2 * HOUR)
    assert deferred("tests.hourly") == [datetime(2026, 3, 2, 14, tzinfo=UTC)]


@pytest.mark.parametrize("day", [datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)])
def test_a_night_in_which_clocks_change_has_one_job(day: datetime) -> None:
    days = []
    look(day)
    for minutes in range(0, 3 * 24 * 60, 10):
        look(day + timedelta(minutes=minutes))
        days += [due.astimezone(BERLIN).day for due in deferred("tests.nightly", "Europe/Berlin")]
        deferred("tests.nightly", "UTC")
    assert days == [day.day, day.day + 1, day.day + 2]


def test_a_job_that_still_waits_does_for_later_periods_too() -> None:
    look(*(MONDAY + hours * HOUR for hours in range(5)))
    assert deferred("tests.hourly") == [datetime(2026, 3, 2, 13, tzinfo=UTC)]


def test_a_job_whose_worker_was_killed_runs_again_though_the_next_period_waits() -> None:
    look(MONDAY, MONDAY + HOUR)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing'")
    look(MONDAY + 2 * HOUR)
    give_back_abandoned()
    assert deferred("tests.hourly") == [datetime(2026, 3, 2, 13 + hours, tzinfo=UTC) for hours in (0, 1)]


def test_a_period_whose_job_could_not_be_deferred_is_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    look(MONDAY)

    def fail(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(clock, "put_into_queue", fail)
        with pytest.raises(RuntimeError):
            look(MONDAY + HOUR)
    look(MONDAY + HOUR)
    assert deferred("tests.hourly") == [datetime(2026, 3, 2, 13, tzinfo=UTC)]


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_of_many_workers_that_look_at_once_one_defers() -> None:
    look(MONDAY)
    workers = [Thread(target=look_and_close, args=[MONDAY + HOUR]) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert ProcrastinateJob.objects.filter(task_name="tests.hourly").count() == 1


def look_and_close(moment: datetime) -> None:
    try:
        look(moment)
    finally:
        connection.close()


def test_a_stamp_in_the_future_is_replaced() -> None:
    clock.stamp(MONDAY + HOUR)
    clock.stamp(MONDAY)
    assert Clock.objects.get().ticked_at == MONDAY
    clock.stamp(MONDAY + timedelta(seconds=10))
    assert Clock.objects.get().ticked_at == MONDAY  # an idle clock writes every half minute
    clock.stamp(MONDAY + timedelta(seconds=30))
    assert Clock.objects.get().ticked_at == MONDAY + timedelta(seconds=30)
