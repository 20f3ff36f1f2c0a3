"""Lets pages of listed origins send to the ingestion endpoints, and to nothing else.

A page of another site can then send traces with an API key, but it has no cookie's rights (no credentials are allowed)
and cannot select a workspace (`X-Workspace-ID` is never allowed). While any workspace is open nothing is permitted at
all: an open workspace takes requests without a key, and relies on browsers asking here in vain.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from web.declared_access import View, takes_ingestion

PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Authorization, x-api-key, Content-Type",
    "Access-Control-Max-Age": "7200",
}
EXPOSED_HEADERS = "Retry-After, X-Request-ID"


class CorsMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if is_enabled() and sends_to_ingestion(request):
            add_permission(request, response)
        return response

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Answers what a browser asks before it sends. The question carries no credentials, so no view may see it."""
        is_question = is_preflight(request) and is_enabled() and takes_ingestion(view)
        return HttpResponse(status=204) if is_question and is_listed(request) else None


def is_enabled() -> bool:
    return bool(settings.INGEST_ALLOWED_ORIGINS) and not settings.OPEN_WORKSPACE_IDS


def is_listed(request: HttpRequest) -> bool:
    return request.headers.get("Origin") in settings.INGEST_ALLOWED_ORIGINS


def is_preflight(request: HttpRequest) -> bool:
    return request.method == "OPTIONS" and request.headers.get("Access-Control-Request-Method") == "POST"


def sends_to_ingestion(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and takes_ingestion(match.func) and (request.method == "POST" or is_preflight(request))


def add_permission(request: HttpRequest, response: HttpResponse) -> None:
    patch_vary_headers(response, ["Origin"])
    if not is_listed(request):
        return
    response["Access-Control-Allow-Origin"] = request.headers["Origin"]
    response["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
    if is_preflight(request):
        for name, value in PREFLIGHT_HEADERS.items():
            response[name] = value
