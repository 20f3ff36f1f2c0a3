"""Renders the page that says why something changed. Its URL holds the query of `/api/v1/insights/changes`."""

from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from analytics.explore import COMPARE_WORDS
from analytics.pages import bad_query, controls, custom_window, local_minute, parse_wall_clock, reader_zone, uncached
from analytics.query_measures import COLUMNS
from analytics.templatetags.links import CHANGES, PAGE_ONLY, WINDOW, iso
from insights import change_parameters
from insights.change_parameters import MEASURES, Parameters
from traces.filters import LABEL_PREFIX, RANGES, Filters
from web.problems import Problem
from workspaces.access import WorkspaceRequest, page_access
from workspaces.models import Workspace

EARLIER = {"before_from": "before_start", "before_to": "before_end"}
"""The fields of the form that are wall-clock times, and the parameters that they become."""


@require_safe
@page_access
def why_page(request: WorkspaceRequest) -> HttpResponse:
    query = request.GET.copy()
    for name in {*PAGE_ONLY} - {*CHANGES}:
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
        if query.keys() & EARLIER.keys():
            return redirect(f"{request.path}?{picked(request.GET, request.workspace).urlencode()}")
        parameters, filters = change_parameters.parse(query, request.workspace.id, zone=request.workspace.zone)
    except Problem as problem:
        return bad_query(request, context, problem)
    context |= controls(filters, query, request.workspace) | pickers(parameters, filters, query)
    return uncached(render(request, "insights/why.html", context))


def picked(form: QueryDict, workspace: Workspace) -> QueryDict:
    """Returns the query string that the form stands for: an earlier window without times is the usual one."""
    query = form.copy()
    for field, name in EARLIER.items():
        query.pop(name, None)
        if text := query.pop(field, [""])[-1]:
            query[name] = iso(parse_wall_clock(field, text, reader_zone(form, workspace)))
    return query


def pickers(parameters: Parameters, filters: Filters, query: QueryDict) -> dict[str, Any]:
    """Returns the variables of the form."""
    times = zip(EARLIER, (parameters.before_start, parameters.before_end), strict=True)
    return {
        "parameters": parameters,
        "measures": MEASURES,
        "dimensions": [*COLUMNS, f"{LABEL_PREFIX}customer"],
        "compares": COMPARE_WORDS.items(),
        "earlier": {field: local_minute(moment, filters.zone) if moment else "" for field, moment in times},
        "granularities": [],  # it has no series
        "kept_fields": [(name, value) for name, values in query.lists() if name not in CHANGES for value in values],
    }
