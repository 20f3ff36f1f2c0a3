"""Says who may do what with a dashboard. Everybody who reads the workspace sees it, if its owner lets them."""

from uuid import UUID

from django.db.models import Q, QuerySet

from dashboards.models import Dashboard, Visibility
from web.problems import Problem
from workspaces.access import WorkspaceRequest, may_manage, may_write, user_of, visitor_name

HIDDEN = "There is no such dashboard in this workspace."


def author_of(request: WorkspaceRequest) -> str:
    """Returns the name of whoever asks: a user's, that of a key, or anyone."""
    access = getattr(request, "access", None)
    return access.credential if access is not None else visitor_name(request)


def manages(request: WorkspaceRequest) -> bool:
    """Returns whether a person asks who is an owner of the workspace. A key never is."""
    access = getattr(request, "access", None)
    return "manage" in access.scopes if access is not None else may_manage(request)


def seen(request: WorkspaceRequest) -> QuerySet[Dashboard]:
    """Returns the dashboards of the workspace that are for everybody, and the user's own."""
    shown = Q(visibility=Visibility.WORKSPACE)
    if user := user_of(request):
        shown |= Q(owner=user)
    return Dashboard.objects.filter(shown, workspace=request.workspace).select_related("owner")


def visible(request: WorkspaceRequest, dashboard_id: UUID) -> Dashboard:
    """Returns the dashboard, or raises the same 404 Problem for one that is hidden, of another workspace or none."""
    found = seen(request).filter(pk=dashboard_id).first()
    if found is None:
        raise Problem(404, HIDDEN)
    return found


def is_writer(request: WorkspaceRequest) -> bool:
    """Returns whether the page's visitor or the credential may write to the workspace."""
    access = getattr(request, "access", None)
    return "write" in access.scopes if access is not None else may_write(request)


def may_edit(request: WorkspaceRequest, dashboard: Dashboard) -> bool:
    return is_writer(request) and not dashboard.is_from_file


def may_delete(request: WorkspaceRequest, dashboard: Dashboard) -> bool:
    """Returns whether it is the user's own, nobody's, or the user is an owner of the workspace."""
    if not may_edit(request, dashboard):
        return False
    return dashboard.owner is None or dashboard.owner == user_of(request) or manages(request)


def check_may_edit(dashboard: Dashboard) -> None:
    """Raises 403 for a dashboard from a file. Who may write at all is checked before."""
    if dashboard.is_from_file:
        raise Problem(403, f"This dashboard is from the file {dashboard.source_file}. Duplicate it to change it.")


def check_may_delete(request: WorkspaceRequest, dashboard: Dashboard) -> None:
    check_may_edit(dashboard)
    if not may_delete(request, dashboard):
        raise Problem(403, "Only its owner and the owners of the workspace may delete a dashboard.")
