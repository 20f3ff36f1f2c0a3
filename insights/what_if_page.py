"""Renders the page that prices the calls of a window as something else. Its filters choose the calls."""

from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from analytics.pages import bad_query, controls, custom_window, uncached
from analytics.query_string import is_filter
from analytics.templatetags.links import PAGE_ONLY, WHAT_IF, WINDOW
from insights import what_if_parameters
from insights.what_if_parameters import FROM, MODEL, TARGET, Tier
from traces.filters import RANGES
from web.problems import Problem
from workspaces.access import WorkspaceRequest, page_access

TIERS: dict[Tier, str] = {"standard": "usual", "batch": "batch", "flex": "flex", "priority": "priority"}
DEFAULT_RANGE = "30d"


def api_query(query: QueryDict) -> QueryDict:
    """Returns the query string of the API: on the page the filters have their usual names."""
    asked = QueryDict(mutable=True)
    for name, values in query.lists():
        if name in WHAT_IF and any(values):
            asked.setlist(MODEL if name == TARGET else name, [value for value in values if value])
        elif name not in PAGE_ONLY:
            asked.setlist(f"{FROM}{name}" if is_filter(name) else name, values)
    return asked


def with_own_names(problem: Problem) -> Problem:
    """Names the parameters as the page does."""
    for error in problem.errors:
        place, *names = error["loc"]
        error["loc"] = [place, *(own_name(str(name)) for name in names)]
    return problem


def own_name(name: str) -> str:
    return TARGET if name == MODEL else name.removeprefix(FROM)


@require_safe
@page_access
def what_if_page(request: WorkspaceRequest) -> HttpResponse:
    query = request.GET.copy()
    if not query.keys() & {"range", "start", "end", "from", "to"}:
        query["range"] = DEFAULT_RANGE
    asked = api_query(query)
    context = {
        "workspace": request.workspace,
        "workspaces": request.workspaces,
        "ranges": RANGES,
        "window_parameters": (*WINDOW, "zone"),
        "query": asked.urlencode(),
    }
    try:
        if "from" in query or "to" in query:
            return redirect(f"{request.path}?{custom_window(request.GET, request.workspace).urlencode()}")
        _, filters = what_if_parameters.parse(asked, request.workspace.id, zone=request.workspace.zone)
    except Problem as problem:
        return bad_query(request, context, with_own_names(problem))
    shown = query.copy()
    for name in PAGE_ONLY:
        shown.pop(name, None)
    context |= controls(filters, shown, request.workspace) | form(request.GET)
    return uncached(render(request, "insights/what_if.html", context))


def form(query: QueryDict) -> dict[str, Any]:
    """Returns the variables of the form."""
    return {
        "asked": {name: query.get(name, "") for name in WHAT_IF},
        "tiers": TIERS.items(),
        "kept_fields": [(name, value) for name, values in query.lists() if name not in WHAT_IF for value in values],
    }
