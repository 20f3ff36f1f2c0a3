"""Makes the view of `/api/v1/insights/compare`."""

from functools import partial

import orjson
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from analytics.answers import SERIES_TTL_SECONDS, answer
from analytics.cache import Answer
from analytics.page_questions import newest_span
from analytics.views import with_query_errors
from insights import compare, compare_parameters
from insights.compare import CompareAnswer
from insights.compare_parameters import Parameters
from traces.filters import Filters
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.models import Workspace


@require_safe
@workspace_access("read")
def read(request: WorkspaceRequest) -> HttpResponse:
    parameters, filters = compare_parameters.parse(request.GET, request.workspace.id, zone=request.workspace.zone)
    result = cached_answer(parameters, filters, request.workspace)
    if request.htmx:
        response = panel(request, filters, result.body)
    else:
        response = HttpResponse(result.body, content_type="application/json")
    response["X-Cache"] = "hit" if result.is_hit else "miss"
    response["Cache-Control"] = "private"
    patch_vary_headers(response, ["HX-Request", "X-Workspace-ID", "Authorization", "Cookie"])
    return response


def panel(request: WorkspaceRequest, filters: Filters, body: bytes) -> HttpResponse:
    context = {
        "data": orjson.loads(body),
        "filters": filters,
        "workspace": request.workspace,
        "newest_span": partial(newest_span, request.workspace.id),
    }
    return render(request, "insights/_compare.html", context)


def cached_answer(parameters: Parameters, filters: Filters, workspace: Workspace) -> Answer:
    def question(filters: Filters) -> CompareAnswer:
        return compare.compare(parameters, filters)

    return answer(question, filters, workspace, SERIES_TTL_SECONDS, key_prefix=f"compare:{parameters!r}:")


compare_view = with_query_errors(read, compare_parameters.errors)
