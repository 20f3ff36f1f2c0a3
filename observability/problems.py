"""Errors in one shape: RFC 9457 problem details for API clients, the error panel for the dashboard."""

import logging
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import TypedDict

import orjson
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from psycopg_pool import PoolTimeout

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 2


class FieldError(TypedDict):
    loc: list[str | int]
    msg: str


class Problem(Exception):
    """Raised anywhere below a view, answered by ProblemMiddleware."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})


def unavailable(detail: str) -> Problem:
    return Problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def response(request: HttpRequest, problem: Problem) -> HttpResponse:
    title = HTTPStatus(problem.status).phrase
    if request.headers.get("HX-Request") == "true":
        context = {"title": title, "problem": problem}
        answer = render(request, "_problem.html", context, status=problem.status)
    else:
        body: dict[str, object] = {
            "type": "about:blank",
            "title": title,
            "status": problem.status,
            "detail": problem.detail,
        }
        if problem.errors:
            body["errors"] = problem.errors
        answer = HttpResponse(orjson.dumps(body), status=problem.status, content_type="application/problem+json")
    for name, value in problem.headers.items():
        answer[name] = value
    answer["Cache-Control"] = "private, no-store"
    return answer


class ProblemMiddleware:
    """Faults that pass become 503 with Retry-After: clients retry that and give up on any other 5xx."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Problem):
            return response(request, exception)
        if isinstance(exception, (OperationalError, InterfaceError, PoolTimeout)):
            logger.warning("database unavailable: %s", exception)
            return response(request, unavailable("The database does not answer right now. Try again shortly."))
        return None
