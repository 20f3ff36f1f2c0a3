"""Describes the endpoints of schedules, their runs and files for the API document."""

from functools import partial
from typing import Any

from analytics.endpoints import ListQuery
from analytics.openapi import WITH_BODY, WORKSPACE, Schema, problems, success_response
from analytics.operation_parts import also_created, body, describe, in_path, query_of, with_status, without_answer
from reports.making import MEDIA_TYPES
from reports.schedules.api import FileQuery
from reports.schedules.bodies import FORMATS, NewRun, NewSchedule, ScheduleChanges
from reports.schedules.changes import MOST_RUNS, RUN_PERIOD
from reports.schedules.items import RunItem, RunList, ScheduleItem, ScheduleList

REPORTS = "/api/v1/reports"
NEW_SCHEDULE: dict[str, Any] = {
    "id": "5f0c7f0e-3b7e-4d39-8a55-0d3f6f0c1b01",
    "name": "Cost for finance",
    "kind": "cost",
    "period": "month",
    "schedule": {"hour": 8, "day": 2},
    "recipients": {"addresses": ["finance@example.com"]},
    "formats": ["csv"],
}
CHANGES = {"link_days": 30}
EXAMPLE_RUN = "5f0c7f0e-3b7e-4d39-8a55-0d3f6f0c1c01"
EXAMPLE_PATH = {"schedule_id": NEW_SCHEDULE["id"]}


ID, RUN_ID = in_path("schedule_id", "The id of the report."), in_path("run_id", "The id of the run.")


operation = partial(describe, "reports")


def operations() -> dict[str, Schema]:
    """Returns the operations by path. Whatever deletes the example comes last, since a test runs them in this order."""
    return {
        REPORTS: {"get": list_schedules(), "post": create()},
        f"{REPORTS}/{{schedule_id}}/run": {"post": run()},
        f"{REPORTS}/{{schedule_id}}/runs": {"get": list_runs()},
        **{f"{REPORTS}/runs/{{run_id}}.{name}": {"get": run_file(name)} for name in FORMATS},
        f"{REPORTS}/{{schedule_id}}": {"get": one(), "patch": change(), "delete": delete()},
    }


def list_schedules() -> Schema:
    return operation("list-reports", "The reports that go out by themselves, and how the last ones went.", ScheduleList)


def create() -> Schema:
    made = operation(
        "create-report",
        "Makes a report that goes out each day, week or month.",
        ScheduleItem,
        *(*WITH_BODY, 409),
        requestBody=body(NewSchedule, NEW_SCHEDULE),
        **{"x-example": {"body": NEW_SCHEDULE}},
    )
    return also_created(made, "The report, which is new.")


def run() -> Schema:
    asked = operation(
        "run-report",
        "Makes the report of the last period that is over, which a worker does in a moment.",
        RunItem,
        *(*WITH_BODY, 404, 409),
        description=f"At most {MOST_RUNS} in {RUN_PERIOD.seconds // 60} minutes. The runs say how it went.",
        parameters=[ID, WORKSPACE],
        requestBody=body(NewRun, {"send_to": "nobody"}),
        **{"x-example": {"path": EXAMPLE_PATH, "body": {"send_to": "nobody"}}},
    )
    return with_status(asked, 202, "The run, which waits.")


def list_runs() -> Schema:
    return operation(
        "list-report-runs",
        "The runs of a report with their files and who got them, the newest first, 50 at once.",
        RunList,
        404,
        parameters=[ID, WORKSPACE, *query_of(ListQuery)],
        **{"x-example": {"path": EXAMPLE_PATH}},
    )


def run_file(name: str) -> Schema:
    media_type = MEDIA_TYPES[name].partition(";")[0]  # type: ignore[index]
    schema = {"type": "string", **({"format": "binary"} if name in ("pdf", "xlsx") else {})}
    return {
        "operationId": f"report-run-{name}",
        "summary": f"A file of a run, as {name}.",
        "description": "404: the run has no such file, or no longer has it. Files are stored for 90 days.",
        "tags": ["reports"],
        "parameters": [RUN_ID, WORKSPACE, *query_of(FileQuery)],
        "responses": {"200": success_response({media_type: {"schema": schema}}, "Cache-Control"), **problems(404)},
        "x-example": {"path": {"run_id": EXAMPLE_RUN}, "file": f"cost.{name}"},
    }


def one() -> Schema:
    return operation(
        "one-report",
        "One report that goes out.",
        ScheduleItem,
        404,
        parameters=[ID, WORKSPACE],
        **{"x-example": {"path": EXAMPLE_PATH}},
    )


def change() -> Schema:
    return operation(
        "change-report",
        "Changes a report; a field that is left out keeps its value.",
        ScheduleItem,
        *(*WITH_BODY, 404),
        parameters=[ID, WORKSPACE],
        requestBody=body(ScheduleChanges, CHANGES, is_update=True),
        **{"x-example": {"path": EXAMPLE_PATH, "body": CHANGES}},
    )


def delete() -> Schema:
    gone = operation(
        "delete-report",
        "Deletes a report with its runs and files. Links to them lead nowhere then.",
        ScheduleItem,
        404,
        parameters=[ID, WORKSPACE],
        **{"x-example": {"path": EXAMPLE_PATH}},
    )
    return without_answer(gone)
