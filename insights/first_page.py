"""Renders the page Insights: a sentence for each measure that says how it changed, and its largest cause."""

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from analytics import query_string
from analytics.forecast_view import WITHOUT_FORECAST
from analytics.pages import bad_query, controls, custom_window, uncached
from analytics.query_string import NOT, is_filter
from analytics.templatetags.links import PAGE_ONLY, WINDOW
from insights.anomalies.pages import own_query
from traces.filters import RANGES
from web.problems import Problem
from workspaces.access import WorkspaceRequest, page_access

SENTENCES = ("cost_usd", "calls", "error_rate", "avg_latency_ms")
"""The measures, in the order of the page."""
DEFAULT_RANGE = "7d"


MOST_ANOMALIES, LEAST_PERCENT_OF_DAY = 5, 10


def forecast_query(query: QueryDict) -> QueryDict:
    """Returns the filters that a forecast takes: it has no window."""
    asked = QueryDict(mutable=True)
    for name, values in query.lists():
        if is_filter(name) and name.removeprefix(NOT) not in WITHOUT_FORECAST:
            asked.setlist(name, values)
    return asked


def anomalies_query(query: QueryDict) -> QueryDict:
    """Returns the window and the filters of the anomalies: the first page shows a few of weight."""
    asked = own_query(query)
    asked["limit"], asked["min_percent_of_day"] = str(MOST_ANOMALIES), str(LEAST_PERCENT_OF_DAY)
    return asked


@require_safe
@page_access
def insights_page(request: WorkspaceRequest) -> HttpResponse:
    query = request.GET.copy()
    for name in (*PAGE_ONLY, "granularity"):
        query.pop(name, None)
    if not query.keys() & {"range", "start", "end", "from", "to"}:
        query["range"] = DEFAULT_RANGE
    context = {
        "workspace": request.workspace,
        "workspaces": request.workspaces,
        "ranges": RANGES,
        "window_parameters": (*WINDOW, "zone"),
        "query": query.urlencode(),
        "sentences": SENTENCES,
        "forecast_query": forecast_query(query).urlencode(),
        "anomalies_query": anomalies_query(query).urlencode(),
    }
    try:
        if "from" in query or "to" in query:
            return redirect(f"{request.path}?{custom_window(request.GET, request.workspace).urlencode()}")
        filters = query_string.parse_filters(query, request.workspace.id, zone=request.workspace.zone)
    except Problem as problem:
        return bad_query(request, context, problem)
    context |= controls(filters, query, request.workspace) | {"granularities": []}  # it has no series
    return uncached(render(request, "insights/first.html", context))
