"""Renders the page Explore: pickers for a query, and its answer as a table or charts. Its URL holds the query."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from analytics import query_parameters
from analytics.pages import bad_query, controls, custom_window, granularities, uncached
from analytics.query_measures import DIMENSIONS, MEASURES
from analytics.query_parameters import COMPARES, MAX_BY, Parameters
from analytics.templatetags.links import PAGE_ONLY, QUERY, WINDOW
from traces.filters import LABEL_PREFIX, RANGES, Filters
from web.problems import Problem
from workspaces.access import WorkspaceRequest, page_access

MEASURES_PICKED = 3
PICKERS = {"measure": "measures", "dimension": "by"}
"""The fields of the form, which may be given several times, and the parameters that they become."""
COMPARE_WORDS = {"previous": "the window before", "last_week": "a week before"}


@require_safe
@page_access
def explore(request: WorkspaceRequest) -> HttpResponse:
    query = request.GET.copy()
    for name in {*PAGE_ONLY} - {*QUERY}:
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
        if query.keys() & PICKERS.keys():
            return redirect(f"{request.path}?{picked(request.GET).urlencode()}")
        parameters, filters = query_parameters.parse(query, request.workspace.id, zone=request.workspace.zone)
    except Problem as problem:
        return bad_query(request, context, problem)
    context |= controls(filters, query, request.workspace, parameters.tool) | pickers(parameters, filters, query)
    return uncached(render(request, "analytics/explore.html", context))


def picked(form: QueryDict) -> QueryDict:
    """Returns the query string that the form stands for."""
    query = form.copy()
    for field, name in PICKERS.items():
        query[name] = ",".join(escaped(dict.fromkeys(filter(None, query.pop(field, [])))))
    for name in ("by", "granularity", "compare"):
        if not query.get(name):
            query.pop(name, None)
    query.pop("order", None)  # of the measures before
    return query


def escaped(names: Iterable[str]) -> list[str]:
    return [name.replace(",", "\\,") for name in names]


def pickers(parameters: Parameters, filters: Filters, query: QueryDict) -> dict[str, Any]:
    """Returns the variables of the form."""
    measures, by = parameters.measures[:MEASURES_PICKED], parameters.by
    return {
        "picked_measures": [*measures, *[""] * (MEASURES_PICKED - len(measures))],
        "picked_dimensions": [*by, *[""] * (MAX_BY - len(by))],
        "measures": [*MEASURES, *(name for name in measures if name not in MEASURES)],
        "dimensions": [*DIMENSIONS, f"{LABEL_PREFIX}customer"],
        "picked_granularity": filters.granularity if parameters.is_series else "",
        "fitting_granularities": granularities(filters),
        "granularities": [],  # they are in the form: without one the answer is a table
        "compares": [(name, COMPARE_WORDS[name]) for name in COMPARES],
        "picked_compare": parameters.compare,
        "kept_fields": [
            (name, value)
            for name, values in query.lists()
            if name not in {*PICKERS.values(), "granularity", "compare", "order"}
            for value in values
        ],
    }
