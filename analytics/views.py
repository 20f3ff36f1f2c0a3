"""The one view behind every metric."""

from functools import wraps

import orjson
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from analytics import query_string
from analytics.answers import answer
from analytics.catalogue import Metric
from web.declared_access import View
from web.problems import Problem
from workspaces.access import WorkspaceRequest, workspace_access


def metric_view(metric: Metric) -> View:
    """Makes the view of a metric.

    It checks credentials and workspace, then the filters, and answers from the cache: htmx with the panel, others
    with JSON.
    """

    @require_safe
    @workspace_access("read")
    def view(request: WorkspaceRequest) -> HttpResponse:
        filters = query_string.parse(request.GET, request.workspace.id)
        found = answer(metric.question, filters, request.workspace, metric.tier)
        if request.htmx:
            context = {
                "data": orjson.loads(found.body),
                "filters": filters,
                "workspace": request.workspace,
            }
            response = render(request, metric.template, context | metric.panel_extras(filters, request.workspace))
        else:
            response = HttpResponse(found.body, content_type="application/json")
        response["X-Cache"] = "hit" if found.hit else "miss"
        response["Cache-Control"] = "private"
        patch_vary_headers(response, ["HX-Request", "X-Workspace-ID", "Authorization", "Cookie"])
        return response

    return with_query_errors(view)


def with_query_errors(view: View) -> View:
    """Adds the errors of the query string to a 422 for a wrong header, so that a client learns all at once."""

    @wraps(view)
    def checked(request: WorkspaceRequest) -> HttpResponseBase:
        try:
            return view(request)
        except Problem as problem:
            if problem.status == 422 and problem.errors[0]["loc"][0] == "header":
                problem.errors += query_string.errors(request.GET)
            raise

    return checked
