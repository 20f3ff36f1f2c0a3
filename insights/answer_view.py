"""Makes the response of an answer of Insights: the panel to htmx, JSON to others."""

from functools import partial

import orjson
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from analytics.cache import Answer
from analytics.page_questions import newest_span
from traces.filters import Filters
from workspaces.access import WorkspaceRequest


def answer_response(request: WorkspaceRequest, filters: Filters, found: Answer, template: str) -> HttpResponse:
    if request.htmx:
        response = panel(request, filters, found.body, template)
    else:
        response = HttpResponse(found.body, content_type="application/json")
    response["X-Cache"] = "hit" if found.is_hit else "miss"
    response["Cache-Control"] = "private"
    patch_vary_headers(response, ["HX-Request", "X-Workspace-ID", "Authorization", "Cookie"])
    return response


def panel(request: WorkspaceRequest, filters: Filters, body: bytes, template: str) -> HttpResponse:
    context = {
        "data": orjson.loads(body),
        "filters": filters,
        "workspace": request.workspace,
        "newest_span": partial(newest_span, request.workspace.id),
    }
    return render(request, template, context)
