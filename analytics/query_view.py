"""Makes the view of `/api/v1/query`."""

from functools import partial

import orjson
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from analytics import query, query_parameters
from analytics.answers import SERIES_TTL_SECONDS, answer
from analytics.cache import Answer
from analytics.catalogue import METRICS
from analytics.csv_answer import data_response
from analytics.large_answers import large_slot
from analytics.page_questions import newest_span
from analytics.panel_extras import slots_of
from analytics.query import QueryAnswer
from analytics.query_parameters import Parameters
from analytics.query_string import bucket_count
from analytics.splits import split_title
from analytics.views import with_query_errors
from traces.filters import Filters
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.models import Workspace

PANELS = {f"panel-{metric.name}": metric for metric in METRICS.values()}
"""By the id of their element, which htmx sends."""


@require_safe
@workspace_access("read")
def read(request: WorkspaceRequest) -> HttpResponse:
    parameters, filters = query_parameters.parse(request.GET, request.workspace.id, zone=request.workspace.zone)
    with large_slot(size(parameters, filters), request.workspace.id):
        result = cached_answer(parameters, filters, request.workspace)
        response = (
            panel(request, parameters, filters, result.body) if request.htmx else data(request, filters, result.body)
        )
    response["X-Cache"] = "hit" if result.is_hit else "miss"
    response["Age"] = str(result.age_seconds)
    response["Cache-Control"] = "private"
    patch_vary_headers(response, ["HX-Request", "HX-Trigger", "X-Workspace-ID", "Authorization", "Cookie"])
    return response


def panel(request: WorkspaceRequest, parameters: Parameters, filters: Filters, body: bytes) -> HttpResponse:
    """Renders the answer as the page Explore shows it, or as the panel of a metric does that asks for it."""
    context = {
        "data": orjson.loads(body),
        "filters": filters,
        "workspace": request.workspace,
        "newest_span": partial(newest_span, request.workspace.id),
        "slots": slots_of(parameters.by[0], filters, request.workspace) if parameters.by else {},
        "name": "query",
    }
    metric = PANELS.get(request.htmx.trigger or "")
    split = metric.panel.split if metric else None
    if metric is None or split is None or split.asked_measures != parameters.measures or len(parameters.by) != 1:
        return render(request, "analytics/_query.html", context)
    names = {"name": metric.name, "title": split_title(split.title, parameters.by[0]), "measures": split.measures}
    extras = metric.panel_extras(filters, request.workspace) if split.is_series else {}
    return render(request, split.template, extras | context | names)


def data(request: WorkspaceRequest, filters: Filters, body: bytes) -> HttpResponse:
    return data_response(request.GET, body, "query", filters, QueryAnswer)


def size(parameters: Parameters, filters: Filters) -> int:
    """Returns how many points the answer has at most, of as many measures as other answers have."""
    groups = filters.limit + 1 if parameters.by else 1
    buckets = bucket_count(filters, filters.granularity) if parameters.is_series else 1
    return groups * buckets * (2 if parameters.compare else 1) * len(parameters.measures) // 2


def cached_answer(parameters: Parameters, filters: Filters, workspace: Workspace) -> Answer:
    def question(filters: Filters) -> QueryAnswer:
        return query.answer(parameters, filters)

    return answer(question, filters, workspace, SERIES_TTL_SECONDS, key_prefix=f"{parameters!r}:")


query_view = with_query_errors(read, query_parameters.errors)
