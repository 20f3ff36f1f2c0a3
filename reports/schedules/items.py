"""Makes the answers about schedules and their runs."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet
from typing_extensions import TypedDict

from alerts.models import Delivery
from reports.models import ReportFile, ReportRun, Schedule
from reports.models.schedule import FAILED, MISSED
from reports.schedules.bodies import body_of
from reports.schedules.periods import next_due
from workspaces.models import Workspace

RUNS_AT_ONCE = 50
RunState = Literal["waiting", "running", "made", "sent", "failed", "missed"]


class RunSummary(TypedDict):
    id: UUID
    state: RunState
    """made: nothing was sent, as asked. missed: no worker ran when it was due."""
    first_day: date
    error: str
    """Why it failed, in a sentence."""


class FileItem(TypedDict):
    value: str
    """Of `per`; empty where the run is one report."""
    format: str
    name: str
    size: int
    """In bytes."""


class DeliveryItem(TypedDict):
    to: str
    """An address, or the name of a channel."""
    is_channel: bool
    state: Literal["waiting", "sending", "sent", "failed", "left out"]
    attempts: int
    fault: str
    """Why the last attempt failed, in a sentence."""


class RunItem(RunSummary):
    schedule_id: UUID
    start: datetime
    end: datetime
    due_at: datetime
    asked_by: str
    """The person or key that asked for it; empty where the timetable did."""
    note: str
    """What is not in it, like the values past the largest ones."""
    created_at: datetime
    ended_at: datetime | None
    files: list[FileItem]
    """They are deleted after 90 days."""
    deliveries: list[DeliveryItem]


class RunList(TypedDict):
    data: list[RunItem]
    """The newest first."""
    next_cursor: str | None


class When(TypedDict):
    hour: int
    weekday: str
    day: int


class Recipients(TypedDict):
    members: list[str]
    addresses: list[str]
    channels: list[UUID]


class ScheduleItem(TypedDict):
    id: UUID
    name: str
    kind: str
    period: Literal["day", "week", "month"]
    filters: dict[str, list[str]]
    per: str | None
    schedule: When
    """In the workspace's zone."""
    recipients: Recipients
    formats: list[str]
    paper: str
    link_days: int
    options: dict[str, str]
    is_active: bool
    next_due_at: datetime | None
    """Null while it is off."""
    last_run: RunSummary | None
    """Of the timetable."""
    unsubscribed: list[str]
    """The addresses that have unsubscribed."""
    created_at: datetime
    created_by: str
    updated_at: datetime


class ScheduleList(TypedDict):
    data: list[ScheduleItem]


def schedules_of(workspace: Workspace) -> QuerySet[Schedule]:
    found = Schedule.objects.filter(workspace=workspace).select_related("workspace")
    return found.prefetch_related("channels", "unsubscribed")


def schedule_items(schedules: Sequence[Schedule], now: datetime) -> list[ScheduleItem]:
    newest = ReportRun.objects.filter(schedule__in=schedules, asked_by="").order_by("schedule_id", "-due_at")
    last_runs = {run.schedule_id: run for run in newest.distinct("schedule_id")}
    return [schedule_item(schedule, last_runs.get(schedule.pk), now) for schedule in schedules]


def schedule_item(schedule: Schedule, last_run: ReportRun | None, now: datetime) -> ScheduleItem:
    body: Any = body_of(schedule)
    return {  # type: ignore[typeddict-item]
        "id": schedule.pk,
        **body,
        "next_due_at": next_due(schedule.timing, schedule.workspace.zone, now).at if schedule.is_active else None,
        "last_run": run_summary(last_run) if last_run else None,
        "unsubscribed": [one.address for one in schedule.unsubscribed.all()],
        "created_at": schedule.created_at,
        "created_by": schedule.created_by,
        "updated_at": schedule.updated_at,
    }


def run_summary(run: ReportRun) -> RunSummary:
    return {"id": run.pk, "state": run.state, "first_day": run.first_day, "error": run.error}  # type: ignore[typeddict-item]


def runs_of(workspace: Workspace, schedule_id: UUID, place: tuple[datetime, UUID] | None) -> list[ReportRun]:
    """Returns one more than are shown at once, the newest first, after the place where the page before ended."""
    found = ReportRun.objects.filter(schedule__workspace=workspace, schedule=schedule_id)
    if place:
        created_at, last_id = place
        found = found.filter(Q(created_at__lt=created_at) | Q(created_at=created_at, pk__lt=last_id))
    with_parts = found.select_related("schedule__workspace").prefetch_related(
        "deliveries", Prefetch("files", ReportFile.objects.defer("body"))
    )
    return list(with_parts.order_by("-created_at", "-pk")[: RUNS_AT_ONCE + 1])


def run_items(runs: Sequence[ReportRun]) -> list[RunItem]:
    of_channels = Delivery.objects.filter(event_id__in=[run.pk for run in runs]).select_related("channel")
    by_run: dict[UUID, list[Delivery]] = {}
    for delivery in of_channels.order_by("channel__name"):
        by_run.setdefault(delivery.event_id, []).append(delivery)
    return [run_item(run, by_run.get(run.pk, [])) for run in runs]


def run_item(run: ReportRun, of_channels: Sequence[Delivery]) -> RunItem:
    return {
        **run_summary(run),
        "schedule_id": run.schedule_id,
        "start": run.start,
        "end": run.end,
        "due_at": run.due_at,
        "asked_by": run.asked_by,
        "note": run.note,
        "created_at": run.created_at,
        "ended_at": run.ended_at,
        "files": [file_item(run, file) for file in run.files.all()],
        "deliveries": [
            *(delivery_item(one.address, one, is_channel=False) for one in run.deliveries.all()),
            *(delivery_item(one.channel.name, one, is_channel=True) for one in of_channels),
        ],
    }


def file_item(run: ReportRun, file: ReportFile) -> FileItem:
    value = (run.parts or [])[file.place]["value"]
    return {"value": value, "format": file.file_format, "name": file.name, "size": file.size}


def delivery_item(to: str, delivery: Any, is_channel: bool) -> DeliveryItem:
    return {
        "to": to,
        "is_channel": is_channel,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "fault": delivery.fault,
    }


def failed_schedules(items: Sequence[ScheduleItem]) -> list[ScheduleItem]:
    """Returns those whose last report did not go out, for the banner of the page."""
    return [one for one in items if one["last_run"] and one["last_run"]["state"] in (FAILED, MISSED)]
