"""Makes the endpoints below `/api/v1/settings/keys`. A secret is only in the answer of its creation."""

from datetime import timedelta
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods

from analytics.answers import json_response
from analytics.endpoints import NoParameters, body_of, methods, parameters_of
from settings.keys.items import KeyBody, KeyChanges, Rotation, changes_of, item, made, moment
from workspaces import keys
from workspaces.access import WorkspaceRequest, workspace_access


@workspace_access("read")
def listing(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    return json_response({"data": [item(key) for key in keys.listed_keys(request.workspace)]})


@workspace_access("manage")
def create(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body: KeyBody = body_of(request, KeyBody, "key")
    expires_at = moment(body.expires_in_days)
    new = keys.create_key(request.workspace, body.name, [*body.scopes], expires_at, request.access.credential)
    return json_response(made(new), 201)


@workspace_access("read")
def one(request: WorkspaceRequest, key_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    return json_response(item(keys.find_key(request.workspace, key_id)))


@workspace_access("manage")
def change(request: WorkspaceRequest, key_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    changes = changes_of(body_of(request, KeyChanges, "key"))
    return json_response(item(keys.change_key(request.workspace, key_id, changes, request.access.credential)))


@workspace_access("manage")
def revoke(request: WorkspaceRequest, key_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    keys.revoke_key(request.workspace, key_id, request.access.credential)
    return HttpResponse(status=204)


@require_http_methods(["POST"])
@workspace_access("manage")
def rotate_view(request: WorkspaceRequest, key_id: UUID) -> HttpResponseBase:
    parameters_of(request.GET, NoParameters)
    body: Rotation = body_of(request, Rotation, "rotation")
    overlap = timedelta(hours=body.overlap_hours)
    new = keys.rotate_key(request.workspace, key_id, overlap, request.access.credential)
    return json_response(made(new), 201)


keys_view = methods(GET=listing, POST=create)
key_view = methods(GET=one, PATCH=change, DELETE=revoke)
