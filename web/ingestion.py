"""Hands what programs send with a key straight to its view.

The middleware behind this one is for people: sessions, forms, messages, the sign-in. Programs that send traces have
none of these, and walking through it took them as long as the check of their key. What holds for every response stands
before this one.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, resolve

from web.declared_access import takes_ingestion
from web.plain_http import KEY_HEADERS
from web.problems import response_to_exception


class IngestionMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.matches: dict[str, ResolverMatch] = {}
        """The views that take traces or scores, by their few addresses."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        match = self.match_of(request)
        if match is None:
            return self.get_response(request)
        request.get_host()  # as CommonMiddleware: another host is refused
        request.resolver_match = match
        try:
            response: HttpResponse = match.func(request)
        except Exception as error:
            answer = response_to_exception(request, error)
            if answer is None:
                raise
            response = answer
        response.headers["Content-Length"] = str(len(response.content))
        return response

    def match_of(self, request: HttpRequest) -> ResolverMatch | None:
        """Returns the view of a request that a program sends with a key; None for all others."""
        if request.method != "POST" or not any(name in request.headers for name in KEY_HEADERS):
            return None
        path = request.path_info
        if path not in self.matches:
            try:
                match = resolve(path)
            except Resolver404:
                return None
            if match.kwargs or not takes_ingestion(match.func):
                return None
            self.matches[path] = match
        return self.matches[path]
