"""Answers `/api/v1/traces`: the list of traces, as JSON, as a file and as the panel of its page."""

from datetime import datetime
from typing import Annotated

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from pydantic import Field
from typing_extensions import TypedDict

from analytics.score_views import with_post_allowed
from analytics.views import with_query_errors
from explorer import list_parameters
from explorer.api import as_json
from explorer.list_parameters import cursor_of
from explorer.trace_csv import ListedTrace, csv_response, private, with_scores
from explorer.trace_pages import panel
from explorer.traces import found_traces
from ingest import views as ingestion
from web import long_responses
from web.declared_access import declare
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.content import ContentRequest, content_aware
from workspaces.request_slots import request_slot


class TraceList(TypedDict):
    data: list[ListedTrace]
    next_cursor: Annotated[str | None, Field(description="Give it as `cursor` for the next page; null on the last.")]
    searched_until: Annotated[
        datetime | None,
        Field(
            description="Not null: the search took long and came to this time, from the end of the window. With "
            "`next_cursor` it goes on from there."
        ),
    ]


@require_safe
@workspace_access("read")
@content_aware
def listing(request: ContentRequest) -> HttpResponseBase:
    workspace = request.workspace
    parameters = list_parameters.parse(request.GET, workspace.id, request.content.is_granted, zone=workspace.zone)
    if parameters.is_csv:
        long_responses.allow(request)
        return csv_response(workspace.id, parameters.question)
    with request_slot(workspace.id):
        found = found_traces(parameters.question, parameters.limit)
        data = with_scores(workspace.id, found.traces)
    if request.htmx:
        return private(panel(request, parameters, found, data))
    answer: TraceList = {
        "data": data,
        "next_cursor": cursor_of(found.next),
        "searched_until": found.searched_until,
    }
    return private(HttpResponse(as_json(answer), content_type="application/json"))


read = with_query_errors(listing, list_parameters.query_errors)


@csrf_exempt
def view(request: WorkspaceRequest) -> HttpResponseBase:
    return ingestion.json_traces(request) if request.method == "POST" else with_post_allowed(read(request))


traces_view = declare(view, "read, or ingest to POST", is_ingestion=True)
