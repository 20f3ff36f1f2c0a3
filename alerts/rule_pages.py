from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from workspaces.access import WorkspaceRequest, page_access


@require_safe
@page_access
def alerts_page(request: WorkspaceRequest) -> HttpResponse:
    return HttpResponse()


@require_safe
@page_access
def event_page(request: WorkspaceRequest, event_id: UUID) -> HttpResponse:
    return HttpResponse()
