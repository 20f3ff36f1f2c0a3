"""Makes the endpoints below `/api/v1/insights/experiments`."""

from datetime import UTC, datetime
from uuid import UUID

from django.http import HttpResponse

from analytics.answers import json_response
from analytics.endpoints import ListQuery, NoParameters, body_of, cursor_of, methods, parameters_of
from insights.experiments import items
from insights.experiments.bodies import ExperimentChanges, NewExperiment
from workspaces.access import WorkspaceRequest, workspace_access


@workspace_access("read")
def listing(request: WorkspaceRequest) -> HttpResponse:
    query, now = parameters_of(request.GET, ListQuery), datetime.now(UTC)
    found, following = items.page_of(request.workspace, query.cursor)
    return json_response({"data": [items.item(one, now) for one in found], "next_cursor": cursor_of(following)})


@workspace_access("write")
def create(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body = body_of(request, NewExperiment, "experiment")
    experiment, is_new = items.create(request.workspace, body, request.access.credential)
    return json_response(items.item(experiment, datetime.now(UTC)), 201 if is_new else 200)


@workspace_access("read")
def one(request: WorkspaceRequest, experiment_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    return json_response(items.detail(items.find(request.workspace, experiment_id), datetime.now(UTC)))


@workspace_access("write")
def change(request: WorkspaceRequest, experiment_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body = body_of(request, ExperimentChanges, "experiment")
    return json_response(items.item(items.change(request.workspace, experiment_id, body), datetime.now(UTC)))


@workspace_access("write")
def delete(request: WorkspaceRequest, experiment_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    items.delete(request.workspace, experiment_id)
    return HttpResponse(status=204)


experiments_view = methods(GET=listing, POST=create)
experiment_view = methods(GET=one, PATCH=change, DELETE=delete)
