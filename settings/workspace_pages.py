"""Renders the form that makes a workspace, and the list in which people with many find one."""

from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from analytics.leads import exists
from analytics.templatetags.links import WINDOW
from budgets.bodies import validated
from settings.bodies import NewWorkspace
from settings.page import messages_by_field, page
from web.problems import Problem
from workspaces.access import WorkspaceRequest, account_access, may_create, page_access
from workspaces.general import create
from workspaces.models import Workspace
from workspaces.time_zones import time_zones

MOST_SHOWN = 20


@require_http_methods(["GET", "HEAD", "POST"])
@account_access
def new_workspace(request: WorkspaceRequest) -> HttpResponseBase:
    problem: Problem | None = None
    if request.method == "POST":
        try:
            return made(request)
        except Problem as error:
            if error.status != 422:
                raise
            problem = error
    context = {
        "workspace": request.workspace,
        "workspaces": request.workspaces,
        "may_create": may_create(request.user),
        "form": request.POST if problem else {"time_zone": "UTC"},
        "errors": messages_by_field(problem),
        "zones": sorted(time_zones()),
    }
    return page(request, "new_workspace", context, status=422 if problem else 200)


def made(request: WorkspaceRequest) -> HttpResponseBase:
    form = {name: request.POST.get(name, "").strip() for name in ("name", "time_zone")}
    body = validated(form, NewWorkspace, "workspace")
    workspace = create(request.user, body.name, body.time_zone)
    # Without traces this page says how to send the first one.
    return redirect(f"{reverse('first-page')}?workspace={workspace.pk}")


# --- Finding one ---


@require_safe
@page_access
def workspaces_page(request: WorkspaceRequest) -> HttpResponseBase:
    """Lists the visitor's workspaces whose name contains a text, or whose id begins with it.

    It is a page, and the list in the navigation.
    """
    search = request.GET.get("q", "").replace("\0", "").strip()[:100]
    text = search.lower()
    found = [one for one in request.workspaces if text in one.name.lower() or str(one.pk).startswith(text)]
    context: dict[str, Any] = {
        "workspace": request.workspace,
        "workspaces": request.workspaces,
        "search": search,
        "found": [{"workspace": one, "address": address(request, one)} for one in found[:MOST_SHOWN]],
        "more": len(found) - MOST_SHOWN,
        "may_create": may_create(request.user),
    }
    return page(request, "_found_workspaces" if request.htmx else "workspaces", context)


def address(request: WorkspaceRequest, workspace: Workspace) -> str:
    """Returns the address of the page on which the visitor is, of another workspace and with the same window."""
    current = current_address(request)
    kept = [(name, value) for name, value in parse_qsl(current.query) if name in (*WINDOW, "zone")]
    path = current.path if exists(current.path) else reverse("first-page")
    return f"{path}?{urlencode([('workspace', str(workspace.pk)), *kept])}"


def current_address(request: WorkspaceRequest) -> SplitResult:
    """Returns the address of the page that asks; an empty one where it is none."""
    try:
        return urlsplit(request.headers.get("HX-Current-URL", "") if request.htmx else "")
    except ValueError:
        return urlsplit("")
