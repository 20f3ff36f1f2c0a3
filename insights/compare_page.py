"""Renders the page that lays slices side by side. Its URL holds the query of `/api/v1/insights/compare`."""

from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from analytics.budget_pages import choices
from analytics.pages import bad_query, controls, custom_window, local_minute, parse_wall_clock, reader_zone, uncached
from analytics.splits import is_dimension
from analytics.templatetags.links import COMPARED, PAGE_ONLY, WINDOW, iso
from insights import compare_parameters
from insights.compare_parameters import DIMENSIONS, NAMES, Parameters, Slice, slice_text
from traces.filters import LABEL_PREFIX, RANGES, Filters
from web.problems import Problem
from workspaces.access import WorkspaceRequest, page_access, workspace_access
from workspaces.models import Workspace

CHOSEN = "{}_by", "{}_value"
"""The fields of the form that are one slice, and become its parameter."""
EARLIER = {f"{name}_from": f"{name}_start" for name in NAMES} | {f"{name}_to": f"{name}_end" for name in NAMES}
"""The fields of the form that are wall-clock times, and the parameters that they become."""
FEWEST_ROWS = 2


@require_safe
@page_access
def compare_page(request: WorkspaceRequest) -> HttpResponse:
    query = request.GET.copy()
    for name in {*PAGE_ONLY, "granularity"} - {"by", *COMPARED}:
        query.pop(name, None)
    context = {
        "workspace": request.workspace,
        "workspaces": request.workspaces,
        "ranges": RANGES,
        "window_parameters": (*WINDOW, "zone"),
        "query": query.urlencode(),
    }
    try:
        if "from" in query or "to" in query:
            return redirect(f"{request.path}?{custom_window(request.GET, request.workspace).urlencode()}")
        if query.keys() & {*EARLIER, *(field.format(name) for name in NAMES for field in CHOSEN)}:
            return redirect(f"{request.path}?{picked(request.GET, request.workspace).urlencode()}")
        parameters, filters = compare_parameters.parse(query, request.workspace.id, zone=request.workspace.zone)
    except Problem as problem:
        return bad_query(request, context, problem)
    context |= controls(filters, query, request.workspace) | pickers(parameters, filters, query)
    return uncached(render(request, "insights/compare.html", context))


def picked(form: QueryDict, workspace: Workspace) -> QueryDict:
    """Returns the query string that the form stands for: fields that are empty choose nothing."""
    query = form.copy()
    for name in NAMES:
        dimension, value = (query.pop(field.format(name), [""])[-1].strip() for field in CHOSEN)
        if dimension and value:
            query[name] = slice_text(dimension, value)
    for field, name in EARLIER.items():
        query.pop(name, None)
        if text := query.pop(field, [""])[-1]:
            query[name] = iso(parse_wall_clock(field, text, reader_zone(form, workspace)))
    if any(query.get(name) or query.get(f"{name}_start") for name in NAMES) or not query.get("by"):
        query.pop("by", None)
    return query


def pickers(parameters: Parameters, filters: Filters, query: QueryDict) -> dict[str, Any]:
    """Returns the variables of the form: a row for each slice that is chosen, and the empty ones that may follow."""
    chosen = {one.name: one for one in parameters.slices}
    own = {*COMPARED, "by"}
    return {
        "parameters": parameters,
        "picked": [picker(chosen.get(name, Slice(name)), filters) for name in NAMES],
        "shown_rows": max(len(chosen), FEWEST_ROWS),
        "dimensions": [*DIMENSIONS, f"{LABEL_PREFIX}customer"],
        "granularities": [],  # it has no series
        "kept_fields": [(name, value) for name, values in query.lists() if name not in own for value in values],
    }


@require_safe
@workspace_access("read")
def slice_values(request: WorkspaceRequest) -> HttpResponse:
    """Renders the values that the form offers for the dimension of a slice, those with the most calls first."""
    named = (request.GET.get(CHOSEN[0].format(name), "") for name in NAMES)
    dimension = next(filter(None, named), "")
    found = choices(request.workspace, dimension) if is_dimension(dimension) else []
    return uncached(render(request, "budgets/_values.html", {"choices": found}))


def picker(one: Slice, filters: Filters) -> dict[str, Any]:
    return {
        "name": one.name,
        "dimension": one.dimension or "",
        "value": one.value or "",
        "from": local_minute(one.start, filters.zone) if one.start else "",
        "to": local_minute(one.end, filters.zone) if one.end else "",
    }
