"""Renders the page Insights: a sentence for each measure that says how it changed, and its largest cause."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from analytics import query_string
from analytics.catalogue import PAGES
from analytics.pages import controls, custom_window, uncached
from analytics.templatetags.links import PAGE_ONLY, WINDOW
from traces.filters import RANGES
from web.problems import Problem
from workspaces.access import WorkspaceRequest, page_access

SENTENCES = ("cost_usd", "calls", "error_rate", "avg_latency_ms")
"""The measures, in the order of the page."""
DEFAULT_RANGE = "7d"


@require_safe
@page_access
def insights_page(request: WorkspaceRequest) -> HttpResponse:
    query = request.GET.copy()
    for name in (*PAGE_ONLY, "granularity"):
        query.pop(name, None)
    if not query.keys() & {"range", "start", "end", "from", "to"}:
        query["range"] = DEFAULT_RANGE
    context = {
        "pages": PAGES,
        "is_insights": True,
        "workspace": request.workspace,
        "workspaces": request.workspaces,
        "ranges": RANGES,
        "window_parameters": (*WINDOW, "zone"),
        "query": query.urlencode(),
        "sentences": SENTENCES,
    }
    try:
        if "from" in query or "to" in query:
            return redirect(f"{request.path}?{custom_window(request.GET, request.workspace).urlencode()}")
        filters = query_string.parse_filters(query, request.workspace.id, zone=request.workspace.zone)
    except Problem as problem:
        return render(request, "analytics/bad_query.html", context | {"problem": problem}, status=422)
    context |= controls(filters, query, request.workspace) | {"granularities": []}  # it has no series
    return uncached(render(request, "insights/first.html", context))
