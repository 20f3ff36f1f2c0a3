"""Finds the dashboards that a request may see and change."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from dashboards.models import Dashboard, Visibility
from web.problems import Problem
from workspaces.access import WorkspaceRequest


def user_of(request: WorkspaceRequest) -> Any:
    """Returns the signed-in user; None for a key, and for somebody who is not signed in."""
    access = getattr(request, "access", None)
    has_key = access is not None and access.key is not None
    return request.user if request.user.is_authenticated and not has_key else None


def seen(request: WorkspaceRequest) -> QuerySet[Dashboard]:
    """Returns the dashboards of the workspace that are for everybody, and the user's own."""
    visible = Q(visibility=Visibility.WORKSPACE)
    if user := user_of(request):
        visible |= Q(owner=user)
    return Dashboard.objects.filter(visible, workspace=request.workspace)


def visible(request: WorkspaceRequest, dashboard_id: UUID) -> Dashboard:
    """Returns the dashboard, or raises the same 404 Problem for one that is hidden, of another workspace or none."""
    found = seen(request).filter(pk=dashboard_id).first()
    if found is None:
        raise Problem(404, "There is no such dashboard in this workspace.")
    return found
