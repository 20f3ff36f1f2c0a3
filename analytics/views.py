"""Makes the view of every metric."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, get_type_hints

import orjson
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from analytics import query_string
from analytics.answers import answer
from analytics.catalogue import Metric
from analytics.csv_answer import data_response
from analytics.large_answers import large_slot
from analytics.page_questions import newest_span
from analytics.panel_extras import SERIES_SHOWN
from traces.filters import Filters
from web.declared_access import View, declare
from web.problems import FieldError, Problem
from workspaces.access import WorkspaceRequest, workspace_access


def metric_view(metric: Metric) -> View:
    """Makes the view of a metric.

    The view checks credentials and workspace, then the filters, and answers from the cache: with the panel to htmx,
    with JSON to others.
    """

    @require_safe
    @workspace_access("read")
    def view(request: WorkspaceRequest) -> HttpResponse:
        filters = query_string.parse_filters(
            request.GET, request.workspace.id, limits_series=metric.limits_series, zone=request.workspace.zone
        )
        with large_slot(points_of(metric, filters, is_panel=bool(request.htmx)), request.workspace.id):
            result = answer(metric.question, filters, request.workspace, metric.ttl_seconds)
            response = (
                panel(request, metric, filters, result.body)
                if request.htmx
                else data(request, metric, filters, result.body)
            )
        response["X-Cache"] = "hit" if result.is_hit else "miss"
        response["Age"] = str(result.age_seconds)
        response["Cache-Control"] = "private"
        patch_vary_headers(response, ["HX-Request", "X-Workspace-ID", "Authorization", "Cookie"])
        return response

    return with_query_errors(view, partial(query_string.query_errors, limits_series=metric.limits_series))


def data(request: WorkspaceRequest, metric: Metric, filters: Filters, body: bytes) -> HttpResponse:
    answer_type = get_type_hints(metric.question)["return"]
    return data_response(request.GET, body, metric.name, filters, answer_type)


def points_of(metric: Metric, filters: Filters, is_panel: bool) -> int:
    """Returns how many points the answer has at most, or the longest of the answers that its panel shows."""
    series = max(filters.limit if metric.limits_series else 0, SERIES_SHOWN if is_panel else 0) + 1
    return series * query_string.bucket_count(filters, filters.granularity)


def panel(request: WorkspaceRequest, metric: Metric, filters: Filters, body: bytes) -> HttpResponse:
    context = {
        "data": orjson.loads(body),
        "filters": filters,
        "workspace": request.workspace,
        # Templates call it only if there is nothing else to show.
        "newest_span": partial(newest_span, request.workspace.id),
    }
    return render(request, metric.template, context | metric.panel_extras(filters, request.workspace))


def with_query_errors(view: View, query_errors: Callable[[QueryDict], list[FieldError]]) -> View:
    """Adds the errors of the query string to a 422 for a wrong header, so that a client sees all errors at once."""

    @wraps(view)
    def checked(request: WorkspaceRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except Problem as problem:
            if problem.status == 422 and problem.errors[0]["loc"][0] == "header":
                problem.errors += query_errors(request.GET)
            raise

    return checked


# --- PUT ---


def with_update(read_view: View, update: View, template: str) -> View:
    """Gives PUT to `update`. The metric view `read_view` handles all other methods."""

    @csrf_exempt
    def view(request: WorkspaceRequest) -> HttpResponseBase:
        return update(request, template) if request.method == "PUT" else with_put_allowed(read_view(request))

    return declare(view, "read, or write to PUT")


def with_put_allowed(response: HttpResponseBase) -> HttpResponseBase:
    """Adds PUT to the methods that a 405 response names."""
    if response.status_code == 405:
        response["Allow"] = "GET, HEAD, PUT"
    return response
