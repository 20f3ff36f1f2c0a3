"""Makes the view of `/api/v1/cost/ledger`, and renders its page."""

from functools import partial
from typing import Any

import orjson
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from analytics.answers import SERIES_TTL_SECONDS, answer
from analytics.csv_answer import data_response
from analytics.large_answers import large_slot
from analytics.page_questions import newest_span
from analytics.pages import bad_query, controls, custom_window, uncached
from analytics.query_string import bucket_count
from analytics.templatetags.links import PAGE_ONLY, WINDOW
from analytics.views import with_query_errors
from insights import ledger_parameters
from insights.ledger import Ledger, ledger
from traces.filters import RANGES, Filters
from web.problems import Problem
from workspaces.access import WorkspaceRequest, page_access, workspace_access

LINES_SHOWN = 300
"""The page shows so many; the file has all."""
DEFAULT_RANGE = "7d"
GRANULARITIES = ["daily", "weekly", "monthly"]


@require_safe
@workspace_access("read")
def read(request: WorkspaceRequest) -> HttpResponse:
    filters = ledger_parameters.parse(request.GET, request.workspace.id, zone=request.workspace.zone)
    with large_slot(bucket_count(filters, filters.granularity) * filters.limit, request.workspace.id):
        result = answer(ledger, filters, request.workspace, SERIES_TTL_SECONDS)
        response = (
            panel(request, filters, result.body)
            if request.htmx
            else data_response(request.GET, result.body, "cost-ledger", filters, Ledger)
        )
    response["X-Cache"] = "hit" if result.is_hit else "miss"
    response["Cache-Control"] = "private"
    patch_vary_headers(response, ["HX-Request", "X-Workspace-ID", "Authorization", "Cookie"])
    return response


def panel(request: WorkspaceRequest, filters: Filters, body: bytes) -> HttpResponse:
    data = orjson.loads(body)
    context = {
        "data": data,
        "lines": data["data"][:LINES_SHOWN],
        "not_shown": len(data["data"]) - LINES_SHOWN,
        "filters": filters,
        "workspace": request.workspace,
        "newest_span": partial(newest_span, request.workspace.id),
    }
    return render(request, "insights/_ledger.html", context)


ledger_view = with_query_errors(read, ledger_parameters.errors)


@require_safe
@page_access
def ledger_page(request: WorkspaceRequest) -> HttpResponse:
    query = request.GET.copy()
    for name in PAGE_ONLY:
        query.pop(name, None)
    if query.get("granularity") not in GRANULARITIES:
        query.pop("granularity", None)  # the one of another page's charts
    if not query.keys() & {"range", "start", "end", "from", "to"}:
        query["range"] = DEFAULT_RANGE
    context: dict[str, Any] = {
        "workspace": request.workspace,
        "workspaces": request.workspaces,
        "ranges": RANGES,
        "window_parameters": (*WINDOW, "zone"),
        "query": query.urlencode(),
    }
    try:
        if "from" in query or "to" in query:
            return redirect(f"{request.path}?{custom_window(request.GET, request.workspace).urlencode()}")
        filters = ledger_parameters.parse(query, request.workspace.id, zone=request.workspace.zone)
    except Problem as problem:
        return bad_query(request, context, problem)
    context |= controls(filters, query, request.workspace) | {"granularities": GRANULARITIES}
    return uncached(render(request, "insights/ledger.html", context))
