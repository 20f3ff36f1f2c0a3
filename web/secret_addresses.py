"""Protects pages whose address alone is the right to see them: public links, and links of messages."""

from typing import TypeVar

from django.http.response import HttpResponseBase

Response = TypeVar("Response", bound=HttpResponseBase)


def unlisted(response: Response) -> Response:
    """Stops caches, search engines and other sites from learning the address.

    A page with a form that checks the CSRF token must not use it: without a referrer browsers send no origin either.
    """
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response["Referrer-Policy"] = "no-referrer"
    return response
