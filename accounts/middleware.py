"""Runs for every request of a browser that is signed in."""

from collections.abc import Callable

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse

from accounts import sessions
from accounts.oidc import renewal


class AccountsMiddleware:
    """Records that a session is used, and ends one whose groups the provider has not confirmed for an hour."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Without a cookie this loads no session: clients with keys cause no query here.
        if SESSION_KEY in request.session:
            renewal.end_if_stale(request)
            sessions.record_use(request)
        return self.get_response(request)
