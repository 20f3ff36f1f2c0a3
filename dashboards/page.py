"""Shows one dashboard, and answers its panels."""

from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from dashboards import rights
from workspaces.access import WorkspaceRequest, page_access, workspace_access


@require_safe
@page_access
def dashboard_page(request: WorkspaceRequest, dashboard_id: UUID) -> HttpResponse:
    return HttpResponse(rights.visible(request, dashboard_id).name, content_type="text/plain")


@workspace_access("read")
def panel(request: WorkspaceRequest, dashboard_id: UUID, panel_id: str) -> HttpResponse:
    """Answers a panel."""
    return HttpResponse(status=501)
