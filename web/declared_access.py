"""Makes every view declare who may see it, and refuses a view that does not."""

import logging
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.http.response import HttpResponseBase

logger = logging.getLogger(__name__)

View = Callable[..., HttpResponseBase]


def declare(view: View, access: str, *, is_ingestion: bool = False) -> View:
    """Marks the view with who may see it. `access` is a description for readers and tests.

    `is_ingestion` says that programs send traces or scores to it with POST.
    """
    view.access, view.is_ingestion = access, is_ingestion  # type: ignore[attr-defined]
    return view


def takes_ingestion(view: View) -> bool:
    return getattr(view, "is_ingestion", False)


def public(view: View) -> View:
    """Declares that the view needs no credential."""
    return declare(view, "public")


class DeclaredAccessMiddleware:
    """Refuses a view that does not declare its access. The admin has its own rule: staff only."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        match = request.resolver_match
        if hasattr(view, "access") or (match and match.app_names[:1] == ["admin"]):
            return None
        logger.error("view without declared access: %s", getattr(view, "__qualname__", view))
        return HttpResponseForbidden("This page does not declare who may see it.")
