"""Makes schedules for tests, a kind of report without a database, and the rounds of a worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

from django.urls import get_resolver

from reports.document import Column, Document, Section, Table
from reports.kinds import KINDS, Kind, ReportRequest
from reports.making import MEDIA_TYPES, File, FileFormat
from reports.models import ReportFile, ReportRun, Schedule
from reports.schedules import making, plan, sending
from reports.schedules.bodies import FORMATS
from tests.jobs_helper import run_waiting_jobs, waiting_jobs
from workspaces.models import Workspace

NOW = datetime(2026, 11, 16, 8, 0, 40, tzinfo=UTC)
"""A Monday, shortly after reports are due."""
DAY = timedelta(days=1)
TO = "finance@example.com"


def build(request: ReportRequest) -> Document:
    filters = request.filters
    named = [(name, ", ".join(values.included)) for name, values in filters.values.items()]
    table = Table("Rows", [Column("Name", "text", "name")], [[f"{name} {value}"] for name, value in named])
    return Document(
        request.kind,
        "A test",
        " ".join(f"{name} {value}" for name, value in named),
        request.workspace.name,
        filters.start,
        filters.end,
        filters.zone,
        named,
        NOW,
        f"It is about {request.workspace.name}.",
        [Section("All", tables=[table])],
    )


@contextmanager
def a_kind(builder: Any = build) -> Iterator[None]:
    """Registers the kind `test`, whose reports need neither a database nor a renderer."""
    get_resolver().url_patterns  # noqa: B018  # routes are made once: they must not have this kind, whatever test is first
    kind = Kind("test", "Test", "For tests.", builder)
    with patch.dict(KINDS, {"test": kind}), patch("reports.making.file", a_file):
        yield


def a_file(document: Document, file_format: FileFormat, paper: str = "a4") -> File:
    name = f"{document.kind}_{document.start:%Y-%m-%d}.{file_format}"
    return File(name, MEDIA_TYPES[file_format], f"{file_format}: {document.subject}".encode())


def a_schedule(workspace: Workspace, **values: Any) -> Schedule:
    usual = {"name": "Costs", "kind": "test", "period": "day", "addresses": [TO], "formats": ["csv"]}
    channels = values.pop("channels", [])
    schedule = Schedule.objects.create(workspace=workspace, **(usual | {"due_after": NOW - DAY} | values))
    schedule.channels.set(channels)
    return schedule


def a_run(workspace: Workspace, run_id: UUID) -> ReportRun:
    """Makes a run with a file of each format."""
    values = {"period": "day", "first_day": (NOW - DAY).date(), "start": NOW - DAY, "end": NOW, "due_at": NOW}
    schedule = a_schedule(workspace, formats=[*FORMATS])
    run = ReportRun.objects.create(
        id=run_id, schedule=schedule, state="made", parts=[{"dimension": "", "value": ""}], **values
    )
    for name in FORMATS:
        ReportFile.objects.create(
            run=run, place=0, file_format=name, name=f"costs.{name}", media_type=MEDIA_TYPES[name], size=4, body=b"file"
        )
    return run


def look(now: datetime = NOW) -> None:
    """Does what the worker does each five minutes."""
    plan.begin_all_due(now)
    making.take_up_forgotten(now)
    sending.take_up_forgotten(now)


def work() -> None:
    """Runs all jobs of reports, and those that they defer."""
    while waiting := [job for job in waiting_jobs() if job.scheduled_at is None]:
        for name in {job.task_name for job in waiting}:
            run_waiting_jobs(name)


def states(schedule: Schedule) -> dict[str, str]:
    """Returns the state of each run of the timetable, by its first day."""
    return {str(run.first_day): run.state for run in schedule.runs.filter(asked_by="").order_by("first_day")}


def only_run(schedule: Schedule) -> ReportRun:
    [run] = schedule.runs.all()
    return run
