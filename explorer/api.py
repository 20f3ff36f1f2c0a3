"""Answers `/api/v1/traces/<trace_id>` and `/api/v1/traces/<trace_id>/spans/<span_id>`."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import orjson
from django.http import HttpResponse, QueryDict
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from analytics.query_string import within_calendar
from explorer import trace
from explorer.answers import span_answer, trace_answer
from explorer.trace import MAX_SPANS, START, Place
from web.problems import FieldError, Problem
from workspaces.access import workspace_access
from workspaces.content import ContentRequest, content_aware
from workspaces.request_slots import request_slot

NO_TRACE = "This workspace has no such trace."
NO_SPAN = "This workspace has no such span in this trace."


def place_of(cursor: str) -> Place:
    try:
        timestamp, span_id = orjson.loads(urlsafe_b64decode(cursor))
        place = Place(within_calendar(datetime.fromisoformat(timestamp)), span_id)
        if isinstance(span_id, str) and "\0" not in span_id:
            return place
    except (ValueError, TypeError, OverflowError):  # of base64, of JSON, and of times
        pass
    raise PydanticCustomError("cursor", "must be the next_cursor of an earlier answer")


class SpanPage(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MAX_SPANS, description="The largest number of spans.")] = MAX_SPANS
    cursor: Annotated[str | None, AfterValidator(place_of), Field(description="Where the spans begin.")] = None


class NoParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")


def parsed_query(query: QueryDict, model: type[BaseModel]) -> Any:
    """Returns the valid parameters, or raises a 422 Problem that names every error."""
    errors: list[FieldError] = [
        {"loc": ["query", name], "msg": "given more than once"} for name, values in query.lists() if len(values) > 1
    ]
    try:
        valid = model.model_validate(query.dict())
    except ValidationError as error:
        for details in error.errors(include_url=False, include_input=False):
            message = "unknown parameter" if details["type"] == "extra_forbidden" else details["msg"]
            errors.append({"loc": ["query", *details["loc"]], "msg": message})
    if errors:
        raise Problem(422, "The query string is not valid.", errors)
    return valid


@require_safe
@workspace_access("read")
@content_aware
def one_trace(request: ContentRequest, trace_id: str) -> HttpResponse:
    page = parsed_query(request.GET, SpanPage)
    workspace_id = request.workspace.id
    with request_slot(workspace_id):
        summary = trace.summary(workspace_id, trace_id)
        if summary is None:
            raise Problem(404, NO_TRACE)
        spans = trace.spans(workspace_id, trace_id, page.cursor or START, page.limit + 1)
        shown = spans[: page.limit]
        cursor = cursor_of(shown[-1]) if len(spans) > page.limit else None
        return json_answer(trace_answer(workspace_id, summary, shown, request.content, cursor))


def cursor_of(span: Mapping[str, Any]) -> str:
    return urlsafe_b64encode(orjson.dumps([span["timestamp"], span["span_id"]])).decode()


@require_safe
@workspace_access("read")
@content_aware
def one_span(request: ContentRequest, trace_id: str, span_id: str) -> HttpResponse:
    parsed_query(request.GET, NoParameters)
    with request_slot(request.workspace.id):
        span = trace.span(request.workspace.id, trace_id, span_id)
        if span is None:
            raise Problem(404, NO_SPAN)
        return json_answer(span_answer(request.workspace.id, trace_id, span, request.content))


def json_answer(answer: Mapping[str, Any]) -> HttpResponse:
    """Returns the answer, which may be larger than those of metrics: a trace has up to 10,000 spans."""
    response = HttpResponse(as_json(answer), content_type="application/json")
    response["Cache-Control"] = "private, no-store"
    patch_vary_headers(response, ["X-Workspace-ID", "Authorization", "Cookie"])
    return response


def as_json(answer: Mapping[str, Any]) -> bytes:
    return orjson.dumps(answer, default=float, option=orjson.OPT_UTC_Z)
