"""The one view behind every read."""

from functools import wraps

import orjson
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from analytics import panels, query_string
from analytics.answers import Question as Question
from analytics.answers import answer
from analytics.answers import as_json as as_json
from web.declared_access import View
from web.problems import Problem
from workspaces.access import WorkspaceRequest, workspace_access


def metric(query: Question, tier: int) -> View:
    """Credentials and workspace, valid filters, cached data, then the panel for htmx or else JSON.

    `tier` is how many seconds an answer may be old.
    """
    domain = query.__module__.rpartition(".")[2]
    template = f"analytics/{domain}/{query.__name__}.html"

    @require_safe
    @workspace_access("read")
    def view(request: WorkspaceRequest) -> HttpResponse:
        filters = query_string.parse(request.GET, request.workspace.id)
        found = answer(query, filters, request.workspace, tier)
        if request.htmx:
            context = {
                "data": orjson.loads(found.body),
                "filters": filters,
                "workspace": request.workspace,
            }
            response = render(request, template, context | panels.beside(query, filters, request.workspace))
        else:
            response = HttpResponse(found.body, content_type="application/json")
        response["X-Cache"] = "hit" if found.hit else "miss"
        response["Cache-Control"] = "private"
        patch_vary_headers(response, ["HX-Request", "X-Workspace-ID", "Authorization", "Cookie"])
        return response

    return telling_all(view)


def telling_all(view: View) -> View:
    """A fault of the header does not hide those of the query string."""

    @wraps(view)
    def told(request: WorkspaceRequest) -> HttpResponseBase:
        try:
            return view(request)
        except Problem as problem:
            if problem.status == 422 and problem.errors[0]["loc"][0] == "header":
                problem.errors += query_string.faults(request.GET)
            raise

    return told
