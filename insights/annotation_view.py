"""Makes the views of `/api/v1/insights/annotations`."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Annotated
from uuid import UUID

import orjson
from django.http import HttpResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from analytics.answers import json_response
from analytics.endpoints import NoParameters, body_of, methods, parameters_of
from analytics.query_string import within_calendar
from insights import annotations
from insights.annotations import AnnotationChanges, NewAnnotation, Place
from workspaces.access import WorkspaceRequest, workspace_access


def place_of(cursor: str) -> Place:
    try:
        starts_at, pk = orjson.loads(urlsafe_b64decode(cursor))
        return Place(within_calendar(datetime.fromisoformat(starts_at)), UUID(pk))
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
    query = parameters_of(request.GET, ListQuery)
    found, following = annotations.page_of(request.workspace, query.cursor)
    return json_response({"data": [annotations.item(one) for one in found], "next_cursor": cursor_of(following)})


@workspace_access("write")
def create(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body = body_of(request, NewAnnotation, "annotation")
    made, is_new = annotations.create(request.workspace, body, request.access.credential)
    return json_response(annotations.item(made), 201 if is_new else 200)


@workspace_access("read")
def one(request: WorkspaceRequest, annotation_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    return json_response(annotations.item(annotations.find(request.workspace, annotation_id)))


@workspace_access("write")
def change(request: WorkspaceRequest, annotation_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body = body_of(request, AnnotationChanges, "annotation")
    return json_response(annotations.item(annotations.change(request.workspace, annotation_id, body)))


@workspace_access("write")
def delete(request: WorkspaceRequest, annotation_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    annotations.delete(request.workspace, annotation_id)
    return HttpResponse(status=204)


annotations_view = methods(GET=listing, POST=create)
annotation_view = methods(GET=one, PATCH=change, DELETE=delete)
