"""Makes the endpoints below `/api/v1/insights/experiments`."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import orjson
from django.http import HttpResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from analytics.answers import json_response
from analytics.endpoints import NoParameters, body_of, methods, parameters_of
from analytics.query_string import within_calendar
from insights.experiments import items
from insights.experiments.bodies import ExperimentChanges, NewExperiment
from insights.experiments.items import Place
from workspaces.access import WorkspaceRequest, workspace_access


def place_of(cursor: str) -> Place:
    try:
        created_at, experiment_id = orjson.loads(urlsafe_b64decode(cursor))
        return Place(within_calendar(datetime.fromisoformat(created_at)), UUID(experiment_id))
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise PydanticCustomError("cursor", "must be the next_cursor of an earlier answer") from error


def cursor_of(place: Place | None) -> str | None:
    return urlsafe_b64encode(orjson.dumps([*place])).decode() if place else None


class ListQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    cursor: Annotated[
        Annotated[str, AfterValidator(place_of)] | None,
        Field(description="The `next_cursor` of the page before."),
    ] = None


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
