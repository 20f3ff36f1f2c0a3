"""What the pages of the settings share: their variables, their addresses, and who may change something.

Rights are checked in one place, `workspaces/access.py`: `may_manage` and `check_may_manage` for what owners do,
`may_write` and `check_may_write` for what editors do too, and `workspace_access("manage")` for the API.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from analytics.pages import uncached
from web.problems import Problem
from workspaces.access import WorkspaceRequest, may_manage, may_write
from workspaces.models import Membership, Role, Workspace

MOST_OWNERS_NAMED = 5


def page_context(request: WorkspaceRequest) -> dict[str, Any]:
    return {
        "workspace": request.workspace,
        "workspaces": request.workspaces,
        "is_owner": may_manage(request),
        "is_writer": may_write(request),
        "owners": owner_names(request.workspace),
    }


def owner_names(workspace: Workspace) -> list[str]:
    """Returns the names of those who may change the settings, for readers who may not."""
    owners = Membership.objects.filter(workspace=workspace, role=Role.OWNER, user__is_active=True)
    return list(owners.order_by("created_at").values_list("user__username", flat=True)[:MOST_OWNERS_NAMED])


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Renders a page, which no cache stores: it depends on who looks at it."""
    return uncached(render(request, f"settings/{template}.html", context, status=status))


def page_url(request: WorkspaceRequest, route: str, *args: Any) -> str:
    return f"{reverse(route, args=args)}?workspace={request.workspace.id}"


def back_to(request: WorkspaceRequest, route: str, *args: Any) -> HttpResponseBase:
    return redirect(page_url(request, route, *args))


def messages_by_field(problem: Problem | None) -> dict[str, str]:
    """Returns the errors of a form by the names of its fields; an error of no field under `form`."""
    if problem is None:
        return {}
    errors = {str(error["loc"][-1]): error["msg"] for error in problem.errors}
    return errors or {"form": problem.detail}
