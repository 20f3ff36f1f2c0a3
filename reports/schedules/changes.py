"""Makes, changes, deletes and runs schedules."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from reports.models import ReportRun, Schedule
from reports.models.schedule import AUTHOR_LENGTH, FAILED, ME, MISSED, RUNNING, WAITING
from reports.schedules.bodies import NewSchedule, ScheduleChanges, body_of, changed_body, channels_of, fill
from reports.schedules.periods import last_ended
from reports.schedules.plan import run_values
from reports.schedules.queue import defer_delivery, defer_run
from web.problems import Problem
from workspaces.audit import record
from workspaces.models import Workspace

MAX_SCHEDULES = 100
"""Of a workspace."""
MOST_RUNS, RUN_PERIOD = 10, timedelta(minutes=10)
"""People may ask for this number of runs of a workspace in this time."""
NO_ADDRESS = "Only somebody who is signed in, with an address, can send it to themselves."


def lock(workspace: Workspace) -> None:
    """Makes other changes of the workspace's schedules wait until the transaction ends."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)


def find(workspace: Workspace, schedule_id: UUID) -> Schedule:
    """Returns the schedule, or raises the same 404 Problem whether another workspace has it or none."""
    found = Schedule.objects.filter(workspace=workspace, pk=schedule_id).select_related("workspace")
    schedule = found.prefetch_related("channels", "unsubscribed").first()
    if schedule is None:
        raise Problem(404, "There is no such report in this workspace.")
    return schedule


@transaction.atomic
def create(workspace: Workspace, body: NewSchedule, author: str, owner: Any, now: datetime) -> tuple[Schedule, bool]:
    """Returns the schedule, and whether it is new: an id of the client's own that exists already changes nothing."""
    lock(workspace)
    if body.id and (existing := Schedule.objects.filter(pk=body.id).first()):
        if existing.workspace_id == workspace.pk:
            return find(workspace, body.id), False
        raise Problem(409, "This id is taken. Choose another, or none.")
    if Schedule.objects.filter(workspace=workspace).count() >= MAX_SCHEDULES:
        raise Problem(422, f"A workspace has at most {MAX_SCHEDULES} reports that go out.")
    schedule = Schedule(workspace=workspace, owner=owner, created_by=author[:AUTHOR_LENGTH], due_after=now)
    if body.id:
        schedule.pk = body.id
    fill(schedule, body)
    schedule.save(force_insert=True)
    schedule.channels.set(channels_of(schedule, body.recipients.channels))
    made = find(workspace, schedule.pk)
    record(workspace, author, "report.create", made.name, after=body_of(made))
    return made, True


@transaction.atomic
def change(workspace: Workspace, schedule_id: UUID, changes: ScheduleChanges, author: str, now: datetime) -> Schedule:
    """Gives the schedule those values that the client has sent.

    One that is switched on, or changes its period, begins with the next report that is due. Another hour or day makes
    none twice and leaves none out: what is due by it and has not been made is made now.
    """
    lock(workspace)
    Schedule.objects.select_for_update().filter(workspace=workspace, pk=schedule_id).first()
    schedule = find(workspace, schedule_id)
    before = body_of(schedule)
    body = changed_body(schedule, changes.model_dump(exclude_unset=True))
    if body.period != schedule.period or (body.is_active and not schedule.is_active):
        schedule.due_after = now
    fill(schedule, body)
    schedule.save()
    schedule.channels.set(channels_of(schedule, body.recipients.channels))
    changed = find(workspace, schedule_id)
    record(workspace, author, "report.change", changed.name, before, body_of(changed))
    return changed


@transaction.atomic
def delete(workspace: Workspace, schedule_id: UUID, author: str) -> None:
    """Deletes the schedule with its runs and files. Links to them lead nowhere from now on."""
    lock(workspace)
    schedule = find(workspace, schedule_id)
    record(workspace, author, "report.delete", schedule.name, before=body_of(schedule))
    schedule.delete()


@transaction.atomic
def run_now(
    workspace: Workspace, schedule_id: UUID, send_to: str, asked_by: str, own_address: str, now: datetime
) -> ReportRun:
    """Makes the report of the last period that is over, beside those of the timetable."""
    lock(workspace)
    schedule = find(workspace, schedule_id)
    if send_to == ME and not own_address:
        raise Problem(409, NO_ADDRESS)
    check_rate(workspace, now)
    due = last_ended(schedule.timing, workspace.zone, now)
    values = run_values(schedule, due) | {"due_at": now, "next_at": now}
    asked = {"asked_by": asked_by[:AUTHOR_LENGTH], "receivers": send_to}
    run = ReportRun.objects.create(**values, **asked, own_address=own_address if send_to == ME else "")
    defer_run(run)
    return run


@transaction.atomic
def try_again(workspace: Workspace, run_id: UUID, now: datetime) -> ReportRun:
    """Makes a report that was missed or has failed, and sends it to those who did not get it."""
    lock(workspace)
    run = find_run(workspace, run_id)
    if run.state not in (FAILED, MISSED):
        raise Problem(409, "Only what has failed or was missed can be tried again.")
    failed = run.deliveries.filter(state=FAILED)
    if failed:
        run.state = RUNNING
        for delivery in failed:
            delivery.state, delivery.attempts, delivery.next_at, delivery.ended_at = WAITING, 0, now, None
            delivery.save()
            defer_delivery(delivery)
    else:
        run.state, run.attempts, run.made_at, run.next_at = WAITING, 0, None, now
        defer_run(run)
    run.ended_at = None
    run.save()
    return run


def check_rate(workspace: Workspace, now: datetime) -> None:
    """Raises a 429 Problem where people have asked for many runs in the last minutes."""
    runs = ReportRun.objects.filter(schedule__workspace=workspace, created_at__gt=now - RUN_PERIOD)
    times = list(runs.exclude(asked_by="").order_by("-created_at").values_list("created_at", flat=True)[:MOST_RUNS])
    if len(times) == MOST_RUNS:
        seconds = int((times[-1] + RUN_PERIOD - now).total_seconds()) + 1
        detail = f"There were {MOST_RUNS} reports in the last {RUN_PERIOD.seconds // 60} minutes. Wait {seconds} s."
        raise Problem(429, detail, headers={"Retry-After": str(seconds)})


def find_run(workspace: Workspace, run_id: UUID) -> ReportRun:
    found = ReportRun.objects.filter(schedule__workspace=workspace, pk=run_id)
    run = found.select_related("schedule__workspace").first()
    if run is None:
        raise Problem(404, "There is no such report in this workspace.")
    return run
