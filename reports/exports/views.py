"""Answers `/api/v1/exports/{calls,traces,scores}.{csv,jsonl,xlsx}`, and the same as a download of the page."""

from functools import partial

from django.http import QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from analytics.csv_answer import file_name
from analytics.views import with_query_errors
from explorer.trace_csv import private
from reports.exports import parameters
from reports.exports.files import FORMATS
from reports.exports.parameters import KEYS
from reports.exports.running import Running
from reports.models import Export
from web import long_responses
from web.declared_access import View
from web.problems import FieldError, Problem
from workspaces.access import access_of_visitor, page_access, workspace_access
from workspaces.content import ContentRequest, content_aware

WITH_CONTENT = "calls-with-content"
"""What the form calls calls with `content=true`."""
OF_FORM = ("kind", "file", "workspace", "was")
"""Parameters of the page's form that are none of the export's."""


def export_view(kind: str, file_format: str) -> View:
    """Makes the view of one kind of rows in one format."""

    @require_safe
    @workspace_access("read")
    @content_aware
    def view(request: ContentRequest) -> HttpResponseBase:
        return exported(request, kind, file_format, request.GET, request.access.credential)

    return with_query_errors(view, partial(parameters.query_errors, kind))


@require_safe
@page_access
@content_aware
def export_download(request: ContentRequest) -> HttpResponseBase:
    """Returns the file that the form of the page asks for."""
    query = request.GET.copy()
    kind, file_format = query.get("kind", ""), query.get("file", "")
    if kind == WITH_CONTENT:
        kind, query["content"] = "calls", "true"
    errors: list[FieldError] = [
        {"loc": ["query", name], "msg": f"must be one of {', '.join(known)}"}
        for name, value, known in (("kind", kind, KEYS), ("file", file_format, FORMATS))
        if value not in known
    ]
    if errors:
        raise Problem(422, "The query string is not valid.", errors)
    for name in OF_FORM:
        query.pop(name, None)
    return exported(request, kind, file_format, query, access_of_visitor(request).credential)


def exported(request: ContentRequest, kind: str, file_format: str, query: QueryDict, by: str) -> HttpResponseBase:
    workspace = request.workspace
    asked = parameters.parse(kind, query, workspace.id, zone=workspace.zone)
    if asked.with_content and not request.content.is_granted:
        raise Problem(403, request.content.reason)
    name = f"{file_name(kind, asked.filters).removesuffix('.csv')}.{file_format}"
    export = Export(
        workspace=workspace, kind=kind, file_format=file_format, file_name=name, has_content=asked.with_content, by=by
    )
    long_responses.allow(request)
    response = StreamingHttpResponse(Running(export, asked), content_type=FORMATS[file_format])
    response["Content-Disposition"] = content_disposition_header(True, name)
    return private(response)
