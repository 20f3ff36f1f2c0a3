"""Runs before every view that is not for everybody, for a browser that is signed in."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse

from accounts import sessions
from accounts.oidc import renewal
from web.declared_access import View
from web.problems import problem_of, problem_response


class AccountsMiddleware:
    """Records that a session is used, and ends one whose groups the provider has not confirmed for an hour."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        # What is public, like /livez, must answer without a database.
        if getattr(view, "access", None) == "public":
            return None
        try:
            use_session(request)
        except Exception as error:
            # Django hands errors of views to ProblemMiddleware, but not those of a middleware.
            problem = problem_of(error)
            if problem is None:
                raise
            return problem_response(request, problem)
        return None


def use_session(request: HttpRequest) -> None:
    """Ends or records the session. Without a cookie none is loaded, so clients with keys cause no query here."""
    if SESSION_KEY in request.session:
        renewal.end_if_stale(request)
        sessions.record_use(request)
