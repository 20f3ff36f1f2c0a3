"""Makes the endpoint of content and privacy."""

from django.http import HttpResponse

from analytics.answers import json_response
from analytics.endpoints import NoParameters, body_of, methods, parameters_of
from settings.content.items import ContentChanges, change_content, content_settings
from workspaces.access import WorkspaceRequest, workspace_access


@workspace_access("read")
def read(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    return json_response(content_settings(request.workspace))


@workspace_access("manage")
def change(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    changes = body_of(request, ContentChanges, "change")
    return json_response(content_settings(change_content(request.workspace, changes, request.access.credential)))


content_view = methods(GET=read, PATCH=change)
