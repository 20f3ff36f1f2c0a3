"""Lets people arrange the panels of a dashboard.

While somebody edits, the page has plain forms, and each form stores one revision. Where JavaScript runs, the same
forms change a draft, which one request stores: `static/dashboards.js`. Only `saved` and `act` store anything.
"""

from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.http import HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST, require_safe

from analytics.budget_pages import MAX_DIMENSION, choices
from analytics.pages import uncached
from analytics.splits import is_dimension
from dashboards import changes, checking, panel_changes, panel_form, panel_view, rights, settings_form
from dashboards.asking import Asked
from dashboards.checking import Stored
from dashboards.models import Dashboard
from dashboards.titles import title_of
from traces.filters import DIMENSION_BY_NAME
from web.problems import Problem
from workspaces.access import WorkspaceRequest, page_access, workspace_access

NOT_YOURS = "Your role in this workspace lacks the right to change dashboards."
SETTINGS = "settings"
FORM_PROBLEMS = (404, 412, 422)
"""That stand in the form."""
Form = dict[str, Any]


def check_may_edit(request: WorkspaceRequest, dashboard: Dashboard) -> None:
    if not rights.may_edit(request, dashboard):
        raise Problem(403, NOT_YOURS)


def form_of_page(request: WorkspaceRequest, dashboard: Dashboard, stored: Stored) -> Form | HttpResponseBase | None:
    """Returns what the page shows beside the panels: the form that its address names, or where a stored one leads."""
    if request.method == "POST":
        return posted(request, dashboard, stored)
    if request.GET.get("panel") == SETTINGS:
        return settings_form.context(dashboard, stored) | {"status": 200, "is_settings": True}
    if panel_id := request.GET.get("panel"):
        raw = next((one for one in dashboard.document["panels"] if one.get("id") == panel_id), None)
        return shown(request, stored, raw) if raw else None
    return shown(request, stored, panel_form.new_panel(request.GET["add"])) if "add" in request.GET else None


def shown(request: WorkspaceRequest, stored: Stored, raw: dict[str, Any], problem: Problem | None = None) -> Form:
    errors = problem.errors if problem else []
    context = panel_form.form_context(request.workspace, stored.document, raw, errors)
    return context | {"problem": problem, "status": problem.status if problem else 200}


# --- Plain forms: each stores a revision ---


def posted(request: WorkspaceRequest, dashboard: Dashboard, stored: Stored) -> Form | HttpResponseBase:
    try:
        saved(request, dashboard)
    except Problem as problem:
        if problem.status not in FORM_PROBLEMS:
            raise
        if request.GET.get("panel") == SETTINGS:
            context = settings_form.context(dashboard, stored, request.POST, problem)
            return context | {"status": problem.status, "is_settings": True, "problem": problem}
        raw = {} if "delete" in request.POST else panel_form.panel_of_form(request.POST)
        return shown(request, stored, raw, problem)
    query = request.GET.copy()
    for name in ("panel", "add", *(["edit"] if request.GET.get("panel") == SETTINGS else [])):
        query.pop(name, None)
    return redirect(f"{request.path}?{query.urlencode()}")


def saved(request: WorkspaceRequest, dashboard: Dashboard) -> None:
    """Stores what the form says as the next revision."""
    form, visibility = request.POST, None
    if "delete" in form:
        change = panel_changes.removed(form["delete"])
    elif request.GET.get("panel") == SETTINGS:
        parts, visibility = settings_form.parts_of(form)

        def change(document: dict[str, Any]) -> dict[str, Any]:
            return document | parts
    else:
        panel = panel_form.with_place(dashboard.document, panel_form.panel_of_form(form))
        change = panel_changes.changed(panel["id"], panel) if panel.get("id") else panel_changes.added(panel)[0]
    changes.change(request, dashboard.pk, change, form.get("seen", ""), visibility)


# --- For the draft of a page with JavaScript ---


@require_POST
@workspace_access("read")
def form(request: WorkspaceRequest, dashboard_id: UUID) -> HttpResponse:
    """Renders the form of a panel of the draft. With `apply` it answers the panel as JSON, if that is valid."""
    dashboard = rights.visible(request, dashboard_id)
    stored, raw = checking.stored(dashboard.document), panel_form.panel_of_form(request.POST)
    is_applied = "apply" in request.POST
    _, errors = panel_form.errors_of(stored.document, raw) if is_applied else (None, [])
    if is_applied and not errors:
        return uncached(JsonResponse({"panel": panel_form.with_place(dashboard.document, raw)}))
    context = panel_form.form_context(request.workspace, stored.document, raw, errors)
    context |= {"dashboard": dashboard, "workspace": request.workspace}
    return uncached(render(request, "dashboards/_panel_form.html", {"form": context, **context}))


@require_POST
@workspace_access("read")
def preview(request: WorkspaceRequest, dashboard_id: UUID) -> HttpResponse:
    """Renders the content of a panel that is not stored, in the window of the page."""
    stored = checking.stored(rights.visible(request, dashboard_id).document)
    raw = panel_form.panel_of_form(request.POST)
    panel, errors = panel_form.errors_of(stored.document, raw)
    if errors or panel is None:
        raise Problem(422, panel_view.NOT_DRAWN, errors)
    asked = Asked(request.workspace, stored.document, panel, page_query(request.GET))
    response = uncached(panel_view.panel_response(request, asked))
    response["X-Panel-Title"] = quote(title_of(asked))
    return response


def page_query(query: QueryDict) -> QueryDict:
    found = query.copy()
    found.pop("workspace", None)
    return found


@require_safe
@workspace_access("read")
def filter_values(request: WorkspaceRequest, dashboard_id: UUID) -> HttpResponse:
    """Renders the values that the form offers for a filter, those with the most calls first."""
    rights.visible(request, dashboard_id)
    dimension = request.GET.get("filter", "")
    is_known = len(dimension) <= MAX_DIMENSION and (dimension in DIMENSION_BY_NAME or is_dimension(dimension))
    found = choices(request.workspace, dimension) if is_known else []
    return uncached(render(request, "budgets/_values.html", {"choices": found}))


# --- The dashboard as a whole ---


@require_POST
@page_access
def act(request: WorkspaceRequest, dashboard_id: UUID) -> HttpResponseBase:
    """Does what a button of the page asks for: stars the dashboard, or copies it."""
    action, shown_id = request.POST.get("act"), dashboard_id
    if action in ("star", "unstar"):
        changes.star(request, dashboard_id, action == "star")
    elif action == "duplicate":
        if not rights.is_writer(request):
            raise Problem(403, NOT_YOURS)
        shown_id = changes.duplicate(request, rights.visible(request, dashboard_id)).pk
    return redirect(f"{reverse('dashboard-page', args=[shown_id])}?{request.GET.urlencode()}")


urlpatterns: list[URLPattern] = [
    path("form", form, name="dashboard-form"),
    path("preview", preview, name="dashboard-preview"),
    path("filter-values", filter_values, name="dashboard-filter-values"),
    path("act", act, name="dashboard-act"),
]
"""Below `dashboard/dashboards/<uuid:dashboard_id>/`."""
