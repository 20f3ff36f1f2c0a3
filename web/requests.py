"""Gives every request its id and deadline, logs it in one line and counts it for Prometheus."""

import logging
import re
import time
from collections.abc import Callable, Iterator
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from web import deadline, logs, prometheus
from web.page_in_parts import PageInParts

logger = logging.getLogger(__name__)

SAFE_ID = re.compile(r"[\w.:+/=-]{1,128}", re.ASCII)


class RequestMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = safe_id(request)
        request.request_id = request_id  # type: ignore[attr-defined]
        token = logs.request_id.set(request_id)
        began = time.monotonic()
        try:
            with deadline.at_most(settings.REQUEST_SECONDS):
                response = self.get_response(request)
            response["X-Request-ID"] = request_id
            seconds = time.monotonic() - began
            if isinstance(response, PageInParts) and request.method != "HEAD":
                response.streaming_content = followed(request, response, iter(response.streaming_content), seconds)
            else:
                log_and_count(request, response, seconds)
        finally:
            logs.request_id.reset(token)
        return response


def followed(request: HttpRequest, response: PageInParts, parts: Iterator[bytes], seconds: float) -> Iterator[bytes]:
    """Yields the parts of the page, which are made when they are sent, and then logs and counts the request.

    What is logged meanwhile has the request's id. The time is that of the making alone: a slow reader is not counted. A
    page that fails in the middle counts as a 500, though its status has been sent.
    """
    try:
        while True:
            token, began = logs.request_id.set(response["X-Request-ID"]), time.monotonic()
            try:
                part = next(parts, None)
            except Exception:
                response.status_code = 500
                raise
            finally:
                seconds += time.monotonic() - began
                logs.request_id.reset(token)
            if part is None:
                return
            yield part
    finally:
        log_and_count(request, response, seconds)


def safe_id(request: HttpRequest) -> str:
    """Returns the id that the client or a proxy sent if it is safe to log, else a new one."""
    sent_id = request.headers.get("X-Request-ID", "")
    return sent_id if SAFE_ID.fullmatch(sent_id) else uuid4().hex


def log_and_count(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    # The route, not the path: paths contain ids, and a scan for missing pages would make one series for each.
    route = request.resolver_match.route if request.resolver_match else "unknown"
    # Clients may send any method.
    method = request.method if request.method in ("GET", "HEAD", "POST", "PUT") else "other"
    prometheus.REQUESTS.labels(route, method, response.status_code).inc()
    prometheus.REQUEST_SECONDS.labels(route).observe(seconds)
    if "X-Cache" in response:
        prometheus.CACHE.labels("hit" if response["X-Cache"] == "hit" else "miss").inc()
    workspace = getattr(request, "workspace", None)
    logger.info(
        "answered",
        extra={
            "method": method,
            "path": request.path[:200],
            "status": response.status_code,
            "duration_ms": round(seconds * 1000, 1),
            "workspace_id": str(workspace.pk) if workspace else None,
        },
    )
