"""Makes the endpoints below `/api/v1/reports`: schedules, their runs, and the files of runs."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_safe
from pydantic import BaseModel, ConfigDict, Field

from analytics.answers import json_response
from analytics.endpoints import ListQuery, NoParameters, body_of, cursor_of, methods, parameters_of
from reports.models import ReportFile, ReportRun, Schedule
from reports.schedules import changes, items
from reports.schedules.bodies import WHAT, NewRun, NewSchedule, ScheduleChanges
from web.declared_access import View
from web.problems import Problem
from web.row_places import RowPlace
from workspaces.access import WorkspaceRequest, user_of, workspace_access
from workspaces.models import Workspace


class FileQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    value: Annotated[
        str, Field(max_length=1024, description="Of `per`, for a run with a report for each. The largest by default.")
    ] = ""


def answer(schedule: Schedule, status: int = 200) -> HttpResponse:
    [found] = items.schedule_items([schedule], datetime.now(UTC))
    return json_response(found, status)


@workspace_access("read")
def listing(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    found = items.schedule_items(list(items.schedules_of(request.workspace)), datetime.now(UTC))
    return json_response({"data": found})


@workspace_access("write")
def create(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body, author = body_of(request, NewSchedule, WHAT), request.access.credential
    made, is_new = changes.create(request.workspace, body, author, user_of(request), datetime.now(UTC))
    return answer(made, 201 if is_new else 200)


@workspace_access("read")
def one(request: WorkspaceRequest, schedule_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    return answer(changes.find(request.workspace, schedule_id))


@workspace_access("write")
def change(request: WorkspaceRequest, schedule_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body, author = body_of(request, ScheduleChanges, WHAT), request.access.credential
    return answer(changes.change(request.workspace, schedule_id, body, author, datetime.now(UTC)))


@workspace_access("write")
def delete(request: WorkspaceRequest, schedule_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    changes.delete(request.workspace, schedule_id, request.access.credential)
    return HttpResponse(status=204)


@require_http_methods(["POST"])
@workspace_access("write")
def run_view(request: WorkspaceRequest, schedule_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body = body_of(request, NewRun, WHAT)
    owner, author = user_of(request), request.access.credential
    run = changes.run_now(
        request.workspace, schedule_id, body.send_to, author, owner.email if owner else "", datetime.now(UTC)
    )
    return json_response(items.run_items([run])[0], 202)


@require_safe
@workspace_access("read")
def runs_view(request: WorkspaceRequest, schedule_id: UUID) -> HttpResponse:
    query = parameters_of(request.GET, ListQuery)
    changes.find(request.workspace, schedule_id)
    return json_response(run_page(request.workspace, schedule_id, query.cursor))


def run_page(workspace: Workspace, schedule_id: UUID, cursor: Any) -> items.RunList:
    found = items.runs_of(workspace, schedule_id, cursor)
    shown, more = found[: items.RUNS_AT_ONCE], found[items.RUNS_AT_ONCE :]
    place = RowPlace(shown[-1].created_at, shown[-1].pk) if more else None
    return {"data": items.run_items(shown), "next_cursor": cursor_of(place)}


# --- Files ---


def run_file_view(file_format: str) -> View:
    """Makes the view of the files of runs in one format."""

    @require_safe
    @workspace_access("read")
    def view(request: WorkspaceRequest, run_id: UUID) -> HttpResponse:
        query = parameters_of(request.GET, FileQuery)
        return file_response(file_of_run(changes.find_run(request.workspace, run_id), file_format, query.value))

    return view


def file_of_run(run: ReportRun, file_format: str, value: str) -> ReportFile:
    """Returns a file of the run, or raises a 404 Problem that says which there are."""
    places = [place for place, part in enumerate(run.parts or ()) if value in ("", part["value"])]
    files = run.files.filter(place__in=places[:1])
    file = files.filter(file_format=file_format).first()
    if file is None:
        known = ", ".join(files.values_list("file_format", flat=True)) or "none, or none any more"
        raise Problem(404, f"This run has no such file. It has: {known}.")
    return file


def file_response(file: ReportFile) -> HttpResponse:
    """Returns the file as a download that no cache stores and no page shows as a part of the product."""
    response = HttpResponse(bytes(file.body), content_type=file.media_type)
    response["Content-Disposition"] = content_disposition_header(True, file.name)
    response["Cache-Control"] = "private, no-store"
    return response


schedules_view = methods(GET=listing, POST=create)
schedule_view = methods(GET=one, PATCH=change, DELETE=delete)
