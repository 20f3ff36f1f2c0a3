"""Answers the panels of a page within the page, so that the browser need not ask for them.

The page is sent in parts: its frame up to the first panel at once, then panel after panel. Each is answered by the view
of its own address, which later polls ask too. A panel that takes too long, or fails, is sent as its skeleton, and asks
for itself as soon as the page is there.
"""

import logging
import secrets
import time
from collections.abc import Callable, Iterator
from copy import copy
from typing import Any, NamedTuple

from django.http import QueryDict
from django.urls import get_script_prefix, resolve
from django.utils.safestring import SafeString
from django_htmx.middleware import HtmxDetails

from web import deadline, prometheus
from web.page_in_parts import PageInParts
from workspaces.access import WorkspaceRequest

logger = logging.getLogger(__name__)

SECONDS = 1.0
"""How long a page waits for its panels in total. A question that has begun gets `deadline.GRACE_SECONDS`, if more."""
IN_PLACE = "X-In-Place"
"""Sent by the script that exchanges a page in place. It waits for the whole page, so no panel is answered there."""


class Answer(NamedTuple):
    html: SafeString
    """Of the body of the panel."""
    age_seconds: int


class FirstView:
    """The panels of one page, each in its place."""

    def __init__(self, request: WorkspaceRequest) -> None:
        self.request = request
        self.mark = f"<!-- {secrets.token_hex(16)} -->"
        self.panels: list[Callable[[], str]] = []
        self.ends: float | None = None

    def place(self, render: Callable[[], str]) -> SafeString:
        """Returns what stands in the page where `render` will write a panel."""
        self.panels.append(render)
        return SafeString(self.mark)

    def response(self, page: str) -> PageInParts:
        """Returns the response with the page, whose panels have been placed in their order."""
        return PageInParts(self.request, self.parts(page))

    def parts(self, page: str) -> Iterator[str]:
        self.ends = time.monotonic() + (0 if IN_PLACE in self.request.headers else SECONDS)
        before, *others = page.split(self.mark)
        yield before
        for render, after in zip(self.panels, others, strict=True):
            yield render() + after

    def answer(self, address: str, element: str) -> Answer | None:
        """Asks for a panel; `element` is the id that htmx would send. Returns None if the panel shall ask itself."""
        if self.ends is None or time.monotonic() > self.ends:
            return None
        try:
            with deadline.at_most(self.ends - time.monotonic()):
                response = asked(self.request, address, element)
        except Exception as fault:
            logger.info("panel not in its page", extra={"panel": element, "fault": type(fault).__name__})
            self.ends = 0
            return None
        if response.status_code != 200:
            return None
        if "X-Cache" in response:
            prometheus.CACHE.labels(response["X-Cache"]).inc()
        return Answer(SafeString(response.content.decode()), int(response.get("Age", 0)))


def asked(page: WorkspaceRequest, address: str, element: str) -> Any:
    """Calls the view of a panel's address, as if htmx had asked for it from this page."""
    path, _, query = address.partition("?")
    match = resolve(f"/{path.removeprefix(get_script_prefix())}")
    request = copy(page)
    request.__dict__.pop("headers", None)  # made from META when it is first read
    request.path = request.path_info = path
    request.resolver_match = match
    request.GET = QueryDict(query)
    request.META = page.META | {
        "QUERY_STRING": query,
        "HTTP_HX_REQUEST": "true",
        "HTTP_HX_TRIGGER": element,
        "HTTP_HX_CURRENT_URL": page.build_absolute_uri(),
        "HTTP_X_WORKSPACE_ID": str(page.workspace.id),
    }
    request.htmx = HtmxDetails(request)
    return match.func(request, *match.args, **match.kwargs)
