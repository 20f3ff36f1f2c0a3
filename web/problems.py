"""Shows errors in one shape: RFC 9457 problem details to API clients, an error panel or page to people."""

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypedDict

import orjson
from django.conf import settings
from django.contrib.admin.utils import unquote
from django.core.exceptions import TooManyFieldsSent, ValidationError
from django.db import DatabaseError, DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from prometheus_client import Counter
from psycopg_pool import PoolTimeout

from web import deadline, prometheus
from web.postgres.base import DeadlinePassed

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 2
TRANSIENT_FAULTS = (OperationalError, InterfaceError, PoolTimeout, DeadlinePassed)
# The cause of a 503 by SQLSTATE, or by its first two characters.
CAUSES = {
    "57014": "statement_timeout",
    "55P03": "lock",
    "40": "conflict",
    "25006": "read_only",
    "25P02": "connection",
    "25P03": "idle_timeout",
    "25P04": "idle_timeout",
    "53": "resources",
    "58": "resources",
    # A table or a column is missing: a new version waits for its migrations.
    "42P01": "migrations",
    "42703": "migrations",
}

NO_ANSWER = "The database does not answer right now. Try again shortly."
# Texts that replace Django's, for errors to which Django responds itself.
DETAILS = {
    400: "The request cannot be read.",
    404: "There is nothing at this address.",
    405: "This address takes other methods; Allow names them.",
}

# Django's admin does not catch these for malformed ids and filters in addresses, like `/admin/r/<type>/<no UUID>/`.
MALFORMED_URL_FAULTS = (ValidationError, ValueError, DataError, OverflowError)


class FieldError(TypedDict):
    loc: list[str | int]
    msg: str


class Problem(Exception):
    """An error for the client. Code that a view calls raises it, and ProblemMiddleware makes the response."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        counter: Counter | None = None,
    ) -> None:
        super().__init__(detail)
        self.counter = counter
        """It counts the responses that this becomes. Code that recovers from the error answers with something else."""
        self.status = status
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})


def unavailable(detail: str, cause: str = "other") -> Problem:
    """Returns a 503, which is counted by its cause when it is answered."""
    counter = prometheus.UNAVAILABLE.labels(cause)
    return Problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)}, counter=counter)


def check_deadline() -> None:
    """Raises a 503 Problem after the request's deadline. Long work outside the databases calls it again and again."""
    if deadline.has_passed():
        raise unavailable("The answer takes longer than a request may. Ask for less at once.", "deadline")


def problem_response(request: HttpRequest, problem: Problem) -> HttpResponse:
    with deadline.suspended():
        response = response_to(request, problem)
    if problem.counter:
        problem.counter.inc()
    for name, value in problem.headers.items():
        response[name] = value
    response["Cache-Control"] = "private, no-store"
    return response


def response_to(request: HttpRequest, problem: Problem) -> HttpResponse:
    title = HTTPStatus(problem.status).phrase
    context = {"title": title, "problem": problem}
    if request.headers.get("HX-Request") == "true":
        return render(request, "_problem.html", context, status=problem.status)
    if is_for_people(request):
        # Rendered without the request: its user comes from a database, which may be the unreachable one.
        return HttpResponse(render_to_string("problem.html", context), status=problem.status)
    body: dict[str, object] = {
        "type": "about:blank",
        "title": title,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        body["errors"] = problem.errors
    return HttpResponse(orjson.dumps(body), status=problem.status, content_type="application/problem+json")


def is_for_people(request: HttpRequest) -> bool:
    return is_a_page(request) and "text/html" in request.headers.get("Accept", "")


def is_a_page(request: HttpRequest) -> bool:
    return not request.path.startswith(("/api/", "/v1/"))


def transient_cause(exception: BaseException) -> str | None:
    """Returns the cause of a transient error; None for any other."""
    origin = exception.__cause__ if isinstance(exception, DatabaseError | InterfaceError) else exception
    sqlstate = getattr(origin, "sqlstate", None) or ""
    if isinstance(origin, PoolTimeout):
        return "pool"
    if isinstance(origin, DeadlinePassed):
        return "deadline"
    if sqlstate in CAUSES or sqlstate[:2] in CAUSES:
        return CAUSES.get(sqlstate) or CAUSES[sqlstate[:2]]
    return "connection" if isinstance(exception, TRANSIENT_FAULTS) else None


def problem_of(exception: BaseException, detail: str = NO_ANSWER) -> Problem | None:
    """Returns a 503 for a transient error, else None. Clients retry a 503, and drop their data on any other 5xx."""
    cause = transient_cause(exception)
    if cause is None:
        return None
    logger.warning("database unavailable (%s): %s", cause, exception)
    return unavailable(detail, cause)


class ProblemMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code not in DETAILS or is_a_page(request) or "problem+json" in response["Content-Type"]:
            return response
        headers = {"Allow": response["Allow"]} if "Allow" in response else {}
        return problem_response(request, Problem(response.status_code, DETAILS[response.status_code], headers=headers))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return response_to_exception(request, exception)


def response_to_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
    """Returns the response to what a view has raised; None for a fault of the product."""
    problem = exception if isinstance(exception, Problem) else problem_of(exception)
    if isinstance(exception, TooManyFieldsSent):
        problem = Problem(400, f"More than {settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:,} parameters in a request.")
    if problem is None and isinstance(exception, MALFORMED_URL_FAULTS) and is_malformed_admin_url(request):
        logger.warning("malformed address %s", request.path, exc_info=exception)
        problem = Problem(404, DETAILS[404])
    return problem_response(request, problem) if problem else None


def is_malformed_admin_url(request: HttpRequest) -> bool:
    """Returns whether the request names something in the admin that cannot exist.

    Any other failure in the admin is a bug of the product and must stay visible.
    """
    match = request.resolver_match
    if match is None or match.app_names[:1] != ["admin"]:
        return False
    if match.url_name == "view_on_site":  # a view that only reads
        return True
    if request.method in ("GET", "HEAD") and request.GET:  # filters, and first values of a form
        return True
    if any("\0" in value for _, values in (*request.GET.lists(), *request.POST.lists()) for value in values):
        return True
    ids = [unquote(match.kwargs["object_id"])] if "object_id" in match.kwargs else []
    model_admin = getattr(match.func, "model_admin", None)
    return model_admin is not None and not all(
        is_id(model_admin.opts.pk, value) for value in (*ids, *request.POST.getlist("_selected_action"))
    )


def is_id(field: Any, value: str) -> bool:
    try:
        field.run_validators(field.to_python(value))
    except (ValidationError, ValueError, OverflowError):
        return False
    return "\0" not in value


def server_error(request: HttpRequest) -> HttpResponse:
    """Makes the response to an unexpected error. Django also calls it for errors outside views, as in a session."""
    exception = sys.exc_info()[1]
    problem = (problem_of(exception) if exception else None) or Problem(
        500, "This is a fault of the server; its log has the details under the X-Request-ID of this response."
    )
    return problem_response(request, problem)
