"""Shows one dashboard: a shell without data, whose panels load and poll."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from django.http import Http404, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from analytics import query_string
from analytics.pages import MAX_CHOICES, bad_query, controls, custom_window, matching_choices, uncached
from analytics.query_string import is_filter
from analytics.splits import dimension_label
from analytics.templatetags.links import LIST_ONLY, VARIABLE_PREFIX, WINDOW, is_page_only
from dashboards import builder, checking, panel_view, questions, rights
from dashboards.asking import Asked, PanelKind
from dashboards.checking import Stored
from dashboards.document import DashboardDocument, Panel, Place, Variable
from dashboards.models import Dashboard, Star
from dashboards.panels import kinds
from dashboards.titles import title_of
from traces.filters import RANGES, Filters, FilterValues
from web.problems import Problem
from workspaces.access import WorkspaceRequest, page_access, user_of, workspace_access
from workspaces.models import Workspace

panel = panel_view.panel
FULL_SCREEN = "full"


class Cell(NamedTuple):
    """A panel in its place on the page."""

    id: str
    element: str
    """The id of its element without `panel-`."""
    place: Place
    title: str
    kind: PanelKind | None
    """None: the panel asks for nothing, since it is not valid, or `notice` says what stands here instead."""
    url: str
    errors: list[str]
    notice: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def dashboard_page(request: WorkspaceRequest, dashboard_id: UUID) -> HttpResponseBase:
    dashboard = rights.visible(request, dashboard_id)
    stored = checking.stored(dashboard.document)
    if request.method == "POST":
        builder.check_may_edit(request, dashboard)
    is_editing = (request.method == "POST" or "edit" in request.GET) and rights.may_edit(request, dashboard)
    form = builder.form_of_page(request, dashboard, stored) if is_editing else None
    if isinstance(form, HttpResponseBase):
        return form
    context = shell(request)
    try:
        if "from" in request.GET or "to" in request.GET:
            return redirect(f"{request.path}?{custom_window(request.GET, request.workspace).urlencode()}")
        filters = page_filters(request.GET, stored.document, request.workspace)
    except Problem as problem:
        return bad_query(request, context, problem)
    context |= controls(filters, form_parameters(request.GET), request.workspace)
    context |= page_context(request, dashboard, stored) | {"is_editing": is_editing, "form": form}
    return uncached(render(request, "dashboards/page.html", context, status=form["status"] if form else 200))


def shell(request: WorkspaceRequest) -> dict[str, Any]:
    return {
        "workspace": request.workspace,
        "workspaces": request.workspaces,
        "ranges": RANGES,
        "window_parameters": (*WINDOW, "zone"),
        "query": chosen(request.GET).urlencode(),
    }


def form_parameters(query: QueryDict) -> QueryDict:
    """Returns the parameters that the form of the window keeps."""
    found = query.copy()
    found.pop("workspace", None)
    return found


def chosen(query: QueryDict) -> QueryDict:
    """Returns what the reader chose: window, filters and variables."""
    found = query.copy()
    for name in [name for name in found if is_page_only(name) and not name.startswith(VARIABLE_PREFIX)]:
        found.pop(name)
    return found


def page_filters(query: QueryDict, document: DashboardDocument, workspace: Workspace) -> Filters:
    """Returns the window of the page and the filters of its bar, or raises a 422 Problem."""
    asked = chosen(query)
    for name in [name for name in asked if name.startswith(VARIABLE_PREFIX)]:
        asked.pop(name)
    if not any(asked.get(name) for name in questions.WINDOW):
        asked.update(questions.document_window(document))
    if document.granularity:
        asked.setdefault("granularity", document.granularity)
    for name, values in questions.page_filters(document, asked).items():
        asked.setlist(name, list(values))
    for name in [name for name in asked if is_filter(name) and not any(asked.getlist(name))]:
        asked.pop(name)
    return query_string.parse_filters(asked, workspace.pk, zone=workspace.zone)


def page_context(request: WorkspaceRequest, dashboard: Dashboard, stored: Stored) -> dict[str, Any]:
    user = user_of(request)
    return {
        "dashboard": dashboard,
        "document": stored.document,
        "cells": list(cells(request.workspace, dashboard, stored, chosen(request.GET))),
        "faults": stored.errors,
        "variables": [chosen_variable(one, request.GET) for one in stored.document.variables],
        "is_screen": request.GET.get("screen") == FULL_SCREEN,
        "is_full": request.GET.get("screen") == FULL_SCREEN,
        "may_edit": rights.may_edit(request, dashboard),
        "may_delete": rights.may_delete(request, dashboard),
        "is_writer": rights.is_writer(request),
        "has_user": user is not None,
        "is_starred": user is not None and Star.objects.filter(dashboard=dashboard, user=user).exists(),
        "address": request.build_absolute_uri(),
    }


def cells(workspace: Workspace, dashboard: Dashboard, stored: Stored, query: QueryDict) -> Iterator[Cell]:
    """Yields the panels in the order of reading: from the top, then from the left."""
    query = without_old_variables(query, stored.document)
    found = [cell(workspace, dashboard, stored.document, one, query) for one in stored.document.panels]
    found += [
        Cell(one.id, element_of(dashboard, one.id), one.place, one.title or one.id, None, "", one.errors)
        for one in stored.invalid
    ]
    yield from sorted(found, key=lambda one: (one.place.y, one.place.x))


def without_old_variables(query: QueryDict, document: DashboardDocument) -> QueryDict:
    """Leaves out the variables that the dashboard no longer has: an address may be older than a change."""
    known = {f"{VARIABLE_PREFIX}{one.name}" for one in document.variables}
    found = query.copy()
    for name in [name for name in found if name.startswith(VARIABLE_PREFIX) and name not in known]:
        found.pop(name)
    return found


def cell(workspace: Workspace, dashboard: Dashboard, document: DashboardDocument, one: Panel, query: QueryDict) -> Cell:
    url = reverse("dashboard-panel", args=[dashboard.pk, one.id])
    title = title_of(Asked(workspace, document, one, query))
    address = f"{url}?{query.urlencode()}" if query else url
    return Cell(one.id, element_of(dashboard, one.id), one.place, title, kinds()[one.kind], address, [])


def element_of(dashboard: Dashboard, panel_id: str) -> str:
    return f"{dashboard.pk.hex[:8]}-{panel_id}"


def chosen_variable(variable: Variable, query: QueryDict) -> dict[str, Any]:
    values = questions.variable_values(variable, query)
    return {
        "name": variable.name,
        "parameter": f"{VARIABLE_PREFIX}{variable.name}",
        "title": variable.title or dimension_label(variable.dimension),
        "values": FilterValues(tuple(values)),
    }


@require_safe
@workspace_access("read")
def variable_values(request: WorkspaceRequest, dashboard_id: UUID, name: str) -> HttpResponse:
    """Renders the values that a variable may have, those with the most calls in the window first."""
    document = checking.stored(rights.visible(request, dashboard_id).document).document
    variable = next((one for one in document.variables if one.name == name), None)
    if variable is None:
        raise Http404
    query = request.GET.copy()
    search, *_ = (query.pop(parameter, [""])[-1] for parameter in LIST_ONLY)
    filters = page_filters(query, document, request.workspace)
    found = matching_choices(variable.dimension, search, filters, request.workspace)
    context = {"choices": found[:MAX_CHOICES], "not_shown": len(found) - MAX_CHOICES, "search": search}
    context |= {"variable": chosen_variable(variable, request.GET), "workspace": request.workspace}
    return uncached(render(request, "dashboards/_values.html", context))
