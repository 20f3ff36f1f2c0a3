"""The one view behind every read."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from analytics import cache, filters
from workspaces.access import View, WorkspaceRequest, workspace_access

Question = Callable[[filters.Filters], Mapping[str, Any]]


def metric(query: Question, tier: int) -> View:
    """Credentials and workspace, valid filters, cached data, then the panel for htmx or else JSON.

    `tier` is how many seconds an answer may be old.
    """
    domain = query.__module__.rpartition(".")[2]
    template = f"analytics/{domain}/{query.__name__}.html"

    @require_safe
    @workspace_access("read")
    def view(request: WorkspaceRequest) -> HttpResponse:
        asked = filters.parse(request.GET, request.workspace.id)
        answer = cache.cached(
            asked.workspace_id,
            f"{domain}.{query.__name__}:{asked.cache_key}",
            tier,
            lambda: as_json(query(asked)),
        )
        if request.htmx:
            context = {
                "data": orjson.loads(answer.body),
                "filters": asked,
                "workspace": request.workspace,
            }
            response = render(request, template, context)
        else:
            response = HttpResponse(answer.body, content_type="application/json")
        response["X-Cache"] = "hit" if answer.hit else "miss"
        response["Cache-Control"] = "private"
        patch_vary_headers(response, ["HX-Request", "X-Workspace-ID", "Authorization", "Cookie"])
        return response

    return view


def as_json(data: Mapping[str, Any]) -> bytes:
    return orjson.dumps(data, default=float, option=orjson.OPT_UTC_Z)
