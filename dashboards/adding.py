"""Renders the page that adds a panel of a built-in page to a dashboard."""

from typing import Any
from uuid import UUID

from django.http import Http404, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from analytics.pages import uncached
from analytics.templatetags.links import WINDOW
from dashboards import changes, checking, from_metrics, panel_changes, rights
from dashboards.panel_form import with_place
from dashboards.panels import kind_words
from web.problems import Problem
from workspaces.access import WorkspaceRequest, page_access

KEPT = (*WINDOW, "zone")
NEW = "new"


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def add_page(request: WorkspaceRequest) -> HttpResponseBase:
    metric = request.GET.get("panel", "")
    if metric not in from_metrics.PANELS:
        raise Http404
    if not rights.is_writer(request):
        raise Problem(403, "Your role in this workspace lacks the right to change dashboards.")
    panel = from_metrics.panel_of(metric, request.GET)
    problem = None
    if request.method == "POST":
        try:
            return redirect(address(request, added(request, panel)))
        except Problem as error:
            if error.status not in (404, 422):
                raise
            problem = error
    context = {
        "workspace": request.workspace,
        "workspaces": request.workspaces,
        "panel": panel,
        "kind_words": kind_words(panel["kind"]),
        "filters_kept": sorted(panel.get("filters", {}).items()),
        "dashboards": [one for one in rights.seen(request) if not one.is_from_file],
        "problem": problem,
    }
    return uncached(render(request, "dashboards/add.html", context, status=problem.status if problem else 200))


def added(request: WorkspaceRequest, panel: dict[str, Any]) -> UUID:
    """Adds the panel to the dashboard that the form names, or to a new one. Returns the dashboard's id."""
    chosen = request.POST.get("dashboard", "")
    if chosen == NEW:
        placed = with_place({"panels": []}, {**panel, "id": "p1"})
        document = checking.parse({"name": request.POST.get("name", "").strip(), "panels": [placed]})
        return changes.create(request, document)[0].pk
    try:
        dashboard_id = UUID(chosen)
    except ValueError as error:
        raise Problem(404, rights.HIDDEN) from error
    dashboard = rights.visible(request, dashboard_id)
    placed = with_place(dashboard.document, panel)
    return changes.change(request, dashboard.pk, panel_changes.added(placed)[0], changes.ANY_REVISION).pk


def address(request: WorkspaceRequest, dashboard_id: UUID) -> str:
    """Returns the address of the dashboard in the window of the page that the panel comes from."""
    query = QueryDict(mutable=True)
    query["workspace"] = str(request.workspace.pk)
    for name in KEPT:
        if request.GET.get(name):
            query[name] = request.GET[name]
    return f"{reverse('dashboard-page', args=[dashboard_id])}?{query.urlencode()}"
