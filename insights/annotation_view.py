"""Makes the views of `/api/v1/insights/annotations`."""

from uuid import UUID

from django.http import HttpResponse

from analytics.answers import json_response
from analytics.endpoints import ListQuery, NoParameters, body_of, cursor_of, methods, parameters_of
from insights import annotations
from insights.annotations import AnnotationChanges, NewAnnotation
from workspaces.access import WorkspaceRequest, workspace_access


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
