"""Makes the endpoint that says how much the workspace stores."""

from datetime import UTC, datetime

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from analytics.answers import json_response
from analytics.endpoints import NoParameters, parameters_of
from settings.usage.items import usage
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.request_slots import request_slot


@require_safe
@workspace_access("read")
def usage_view(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    with request_slot(request.workspace.id):
        return json_response(usage(request.workspace, datetime.now(UTC)))
