"""The clock: defers what the timetable says, and takes up again what a killed worker has left.

Every worker runs it. The time is that of the database, so that all workers agree about it.
"""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from procrastinate.contrib.django.models import ProcrastinateJob

from jobs.models import Clock, DuePeriod
from jobs.queue_table import give_back_abandoned, wake_resumed
from jobs.timetable import Entry, due_moments
from web.queue import defer_one

TICK_SECONDS = 5
# Less often than it ticks: on an idle machine the clock alone writes.
STAMP_EVERY = timedelta(seconds=30)
# A due moment further in the future was recorded while the database's clock was wrong.
LARGEST_STEP_BACK = timedelta(days=1)


def tick() -> None:
    now = database_time()
    stamp(now)
    defer_due(now)
    give_back_abandoned()
    wake_resumed()


def database_time() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        [(now,)] = cursor.fetchall()
    return now  # type: ignore[no-any-return]


def stamp(now: datetime) -> None:
    """Records that the clock runs. A stamp in the future is one of a clock that was wrong."""
    last = Clock.objects.first()
    if last is None:
        Clock.objects.bulk_create([Clock(id=Clock.ONLY, ticked_at=now)], ignore_conflicts=True)
    elif not last.ticked_at <= now < last.ticked_at + STAMP_EVERY:
        Clock.objects.filter(ticked_at=last.ticked_at).update(ticked_at=now)


def defer_due(now: datetime) -> None:
    """Puts a job into the queue for each period that is due and has none. A clock that was set back repeats none."""
    periods = {(period.task, period.subject): period.due_at for period in DuePeriod.objects.all()}
    for entry, subject, due_at in due_moments(now):
        last = periods.get((entry.task.name, subject))
        if last is None:
            # A new entry waits for its next due moment.
            new = DuePeriod(task=entry.task.name, subject=subject, due_at=due_at)
            DuePeriod.objects.bulk_create([new], ignore_conflicts=True)
        elif last > now + LARGEST_STEP_BACK:
            advance(entry, subject, last, due_at)
        elif last < due_at and not (subject and is_taken(entry)):
            defer(entry, subject, last, due_at)


def is_taken(entry: Entry) -> bool:
    """Returns whether a job of the task runs or is about to, for whatever subject.

    The nights of many zones begin at once. Their jobs come one after the other: together they would take all threads.
    """
    is_due = Q(scheduled_at=None) | Q(scheduled_at__lte=Now())
    jobs = ProcrastinateJob.objects.filter(task_name=entry.task.name)
    return jobs.filter(Q(status="doing") | Q(status="todo") & is_due).exists()


def defer(entry: Entry, subject: str, last: datetime, due_at: datetime) -> None:
    """Defers the job of a period, in one transaction with the record of it. Another worker may have been faster."""
    with transaction.atomic():
        if advance(entry, subject, last, due_at):
            put_into_queue(entry, subject, due_at)


def advance(entry: Entry, subject: str, last: datetime, due_at: datetime) -> bool:
    """Records the period. Returns whether it was this worker that did."""
    recorded = DuePeriod.objects.filter(task=entry.task.name, subject=subject, due_at=last).update(due_at=due_at)
    return bool(recorded)


def put_into_queue(entry: Entry, subject: str, due_at: datetime) -> None:
    arguments = {"subject": subject} if subject else {}
    defer_one(entry.task, f"{entry.task.name} {subject}".strip(), due_at=due_at.isoformat(), **arguments)
