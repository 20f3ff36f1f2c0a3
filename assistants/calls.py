"""Calls a tool: the same view answers as for a request to the API, with the same key, parameters and limits."""

from io import BytesIO
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django_htmx.middleware import HtmxDetails

from assistants.tools import Tool
from web.problems import Problem, ProblemMiddleware
from workspaces.access import Access

MOST_BYTES = 400_000
"""Of an answer. Assistants read no more at once, and the API has larger ones."""
TOO_LARGE = "The answer has {size:,} bytes, and {most:,} are the most for a tool. Ask with a smaller limit or window."
problems = ProblemMiddleware(lambda _: HttpResponse())
"""Makes the same answer of a fault as for a request to the API."""
FORWARDED = (
    *("SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST"),
    *("HTTP_AUTHORIZATION", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_USER_AGENT"),
)


def answer(request: HttpRequest, access: Access, tool: Tool, arguments: dict[str, Any]) -> tuple[str, bool]:
    """Returns the answer's text, and whether it is an error: then it is the problem of the API."""
    try:
        inner = inner_request(request, access, path_of(tool, arguments), query_of(tool, arguments))
        response = view_response(inner, tool)
    except Exception as exception:
        found = problems.process_exception(new_request(request, "/api/v1/", ""), exception)
        if found is None:
            raise
        response = found
    body = b"" if response.streaming else response.content  # type: ignore[attr-defined]
    if len(body) > MOST_BYTES:
        return TOO_LARGE.format(size=len(body), most=MOST_BYTES), True
    return body.decode(), response.status_code >= 400


def view_response(inner: HttpRequest, tool: Tool) -> HttpResponseBase:
    """Returns the answer of the tool's view. An id that leads to another one, like cost.pdf, is not found."""
    try:
        match = resolve(inner.path_info)
    except Resolver404 as error:
        raise Problem(404, "There is nothing at this address.") from error
    if match.func is not tool.view:
        raise Problem(404, "There is nothing at this address.")
    inner.resolver_match = match
    response: HttpResponseBase = match.func(inner, *match.args, **match.kwargs)
    return response


def inner_request(request: HttpRequest, access: Access, path: str, query: str) -> HttpRequest:
    inner = new_request(request, path, query)
    inner.META["HTTP_X_WORKSPACE_ID"] = str(access.workspace.pk)
    return inner


def new_request(request: HttpRequest, path: str, query: str) -> HttpRequest:
    environ = {name: request.META[name] for name in FORWARDED if name in request.META}
    environ |= {"REQUEST_METHOD": "GET", "PATH_INFO": "", "QUERY_STRING": query, "wsgi.input": BytesIO()}
    inner = WSGIRequest(environ)
    inner.path = inner.path_info = path
    inner.user = AnonymousUser()
    inner.htmx = HtmxDetails(inner)  # type: ignore[attr-defined]
    inner.request_id = getattr(request, "request_id", "")  # type: ignore[attr-defined]
    return inner


def path_of(tool: Tool, arguments: dict[str, Any]) -> str:
    """Returns the path of the tool with the ids among the arguments. Raises a 422 Problem where one is missing."""
    path = tool.path
    for name in tool.in_path:
        value = arguments.get(name)
        if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
            raise bad_argument(name, "required: a text")
        path = path.replace(f"{{{name}}}", str(value))
    return path


def query_of(tool: Tool, arguments: dict[str, Any]) -> str:
    """Returns the query string. Names that the API does not know stay in it: the API refuses them."""
    pairs: list[tuple[str, str]] = []
    for name, value in arguments.items():
        if name in tool.in_path:
            continue
        if name == "format":
            raise bad_argument(name, "unknown parameter")
        if name in ("labels", "not_labels") and tool.takes_labels:
            pairs += label_pairs(name, value)
        else:
            pairs += [(name, text_of(name, one)) for one in (value if isinstance(value, list) else [value])]
    return urlencode(pairs, errors="surrogatepass")


def label_pairs(name: str, labels: Any) -> list[tuple[str, str]]:
    if not isinstance(labels, dict):
        raise bad_argument(name, "must be an object, like {customer: [acme]}")
    prefix = name.replace("labels", "label.")
    return [
        (f"{prefix}{label}", text_of(name, one))
        for label, values in labels.items()
        for one in (values if isinstance(values, list) else [values])
    ]


def text_of(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | str):
        return str(value)
    raise bad_argument(name, "must be a text, a number or a list of them")


def bad_argument(name: str, message: str) -> Problem:
    return Problem(422, "The arguments are not valid.", [{"loc": ["arguments", name], "msg": message}])
