"""Shows the HTML part of a message in a frame of a page, where it can neither run scripts nor load anything."""

from collections.abc import Callable
from typing import Any

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp, csp_update
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.clickjacking import xframe_options_sameorigin

PAGE_POLICY = {"frame-src": [SELF]}
FRAME_POLICY = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [SELF],
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
}

View = Callable[..., HttpResponseBase]


def with_frame(view: View) -> View:
    """Lets the page of a view have the frame."""
    page: View = csp_update(PAGE_POLICY)(view)
    return page


def html_part(html: Callable[..., str]) -> View:
    """Makes a view of a function that returns the HTML part of a message."""

    @csp(FRAME_POLICY)
    @xframe_options_sameorigin
    def show(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponse(html(request, *args, **kwargs))

    shown: View = show
    return shown
