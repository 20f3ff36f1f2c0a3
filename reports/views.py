"""Answers `/api/v1/reports/{kind}.{json,html,csv,xlsx,pdf}`, and the same files for the page."""

from functools import partial
from typing import Any

from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from analytics.answers import as_json
from analytics.views import with_query_errors
from explorer.trace_csv import private
from reports import making, parameters
from reports.answer import answer_of
from reports.exports.slots import report_slot
from reports.html import policy_of
from reports.kinds import KINDS, ReportRequest
from reports.making import MEDIA_TYPES, FileFormat
from web.declared_access import View
from web.problems import FieldError, Problem
from workspaces.access import WorkspaceRequest, page_access, workspace_access

FORMATS = {"json": "application/json"} | {str(name): media_type for name, media_type in MEDIA_TYPES.items()}
"""The type of each answer."""
OF_FORM = ("kind", "file", "workspace", "was")
"""Parameters of the page that are none of the report's."""


def report_view(kind: str, file_format: str) -> View:
    """Makes the view of one kind of report in one format."""

    @require_safe
    @workspace_access("read")
    def view(request: WorkspaceRequest) -> HttpResponseBase:
        return report_response(request, kind, file_format, request.GET)

    return with_query_errors(view, partial(parameters.query_errors, kind))


@require_safe
@page_access
def report_download(request: WorkspaceRequest) -> HttpResponseBase:
    """Returns the file that a button of the page asks for."""
    query = request.GET.copy()
    kind, file_format = query.get("kind", ""), query.get("file", "")
    errors: list[FieldError] = [
        {"loc": ["query", name], "msg": f"must be one of {', '.join(known)}"}
        for name, value, known in (("kind", kind, listed_kinds()), ("file", file_format, FORMATS))
        if value not in known
    ]
    if errors:
        raise Problem(422, "The query string is not valid.", errors)
    for name in OF_FORM:
        query.pop(name, None)
    return report_response(request, kind, file_format, query)


def listed_kinds() -> list[str]:
    return [name for name, kind in KINDS.items() if kind.is_listed]


def report_response(request: WorkspaceRequest, kind: str, file_format: Any, query: QueryDict) -> HttpResponseBase:
    workspace = request.workspace
    filters, paper, subject = parameters.parse(kind, query, workspace.id, zone=workspace.zone)
    with report_slot(workspace.id):
        document = making.document(ReportRequest(workspace, kind, filters, subject=subject))
        if file_format == "json":
            return private(HttpResponse(as_json(answer_of(document)), content_type="application/json"))
        return private(file_response(making.file(document, file_format, paper), file_format))


def file_response(file: making.File, file_format: FileFormat) -> HttpResponse:
    """Returns the file: a page to look at, and the others to store."""
    response = HttpResponse(file.body, content_type=file.media_type)
    is_shown = file_format == "html"
    response["Content-Disposition"] = content_disposition_header(not is_shown, file.name) or "inline"
    if is_shown:
        response["Content-Security-Policy"] = policy_of(file.body)
    return response
