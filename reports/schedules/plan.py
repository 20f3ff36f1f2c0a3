"""Finds the reports that are due, and puts the making of each into the queue once."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from reports.models import ReportRun, Schedule
from reports.models.schedule import MISSED
from reports.schedules.periods import Due, was_due
from reports.schedules.queue import defer_run
from web.queue import for_each

LOOKED_BACK = timedelta(days=90)
MOST_MISSED = 31
MISSED_ERROR = "No worker ran when it was due. The report of a later period was made instead."


def begin_all_due(now: datetime) -> None:
    """Begins the reports of all schedules that are due."""
    ids = Schedule.objects.filter(is_active=True).values_list("pk", flat=True)
    for_each(ids, partial(begin_due, now=now))


@transaction.atomic
def begin_due(schedule_id: UUID, now: datetime) -> None:
    """Begins the newest report that is due. Those before it that were never begun are recorded as missed.

    After a pause of days nobody wants a pile of daily reports: the newest goes out, and the others can be made by hand.
    """
    schedule = Schedule.objects.select_for_update(of=("self",), no_key=True).filter(pk=schedule_id, is_active=True)
    for found in schedule.select_related("workspace"):
        after = max(found.due_after, now - LOOKED_BACK)
        dues = list(islice(was_due(found.timing, found.workspace.zone, after, now), MOST_MISSED))
        begin(found, dues, now)


def begin(schedule: Schedule, dues: Sequence[Due], now: datetime) -> None:
    of_timetable = ReportRun.objects.filter(schedule=schedule, period=schedule.period, asked_by="")
    # Another hour or zone makes an older period due again. Newer ones have gone out by then.
    newest = of_timetable.aggregate(Max("first_day"))["first_day__max"] or date.min
    for due in (due for due in dues if due.first_day > newest):
        if due is dues[0]:
            defer_run(ReportRun.objects.create(next_at=now, **run_values(schedule, due)))
        else:
            missed = {"state": MISSED, "error": MISSED_ERROR, "ended_at": now}
            ReportRun.objects.create(**run_values(schedule, due), **missed)


def run_values(schedule: Schedule, due: Due) -> dict[str, object]:
    return {
        "schedule": schedule,
        "period": schedule.period,
        "first_day": due.first_day,
        "start": due.start,
        "end": due.end,
        "due_at": due.at,
    }
