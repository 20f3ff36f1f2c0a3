"""Makes the view of `/api/v1/scores`: GET lists scores, POST stores them."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from pydantic import AfterValidator, Field, create_model
from pydantic_core import PydanticCustomError

from analytics import query_string, scores
from analytics.answers import as_json
from analytics.csv_answer import data_response
from analytics.query_string import FILTER_FIELDS, Text, WindowQuery, filter_fields
from analytics.views import with_query_errors
from ingest import views as ingestion
from web.declared_access import declare
from web.problems import FieldError, Problem
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.request_slots import request_slot

DESCRIPTIONS = {
    "name": "Only scores with this name.",
    "trace_id": "Only scores of this trace and its spans.",
    "span_id": "Only scores of this span.",
    "source": "Only scores of this source.",
}


def place_of(cursor: str) -> scores.Place:
    try:
        timestamp, score_id = orjson.loads(urlsafe_b64decode(cursor))
        place = scores.Place(query_string.within_calendar(datetime.fromisoformat(timestamp)), score_id)
        if isinstance(score_id, str) and "\0" not in score_id:
            return place
    except (ValueError, TypeError, OverflowError):  # of base64, of JSON, and of times
        pass
    raise PydanticCustomError("cursor", "must be the next_cursor of an earlier answer")


def cursor_of(place: scores.Place | None) -> str | None:
    return urlsafe_b64encode(orjson.dumps([*place])).decode() if place else None


# mypy cannot know these fields: their names come from tables.
FIELDS: dict[str, Any] = {
    **FILTER_FIELDS,
    **filter_fields("operation", "Only scores of spans with this operation."),
    **filter_fields("session_id", "Only scores that were given to this session."),
    **filter_fields("user_id", "Only scores of traces of this user."),
    **{name: (Annotated[Text | None, Field(description=words)], None) for name, words in DESCRIPTIONS.items()},
    "cursor": (
        Annotated[str | None, AfterValidator(place_of), Field(description="Where the page begins.")],
        None,
    ),
}
ScoreQuery: type[WindowQuery] = create_model("ScoreQuery", __base__=WindowQuery, **FIELDS)


def query_errors(query: QueryDict) -> list[FieldError]:
    try:
        query_string.parse_query(query, UUID(int=0), ScoreQuery)
    except Problem as problem:
        return problem.errors
    return []


@require_safe
@workspace_access("read")
def listing(request: WorkspaceRequest) -> HttpResponse:
    query, filters = query_string.parse_query(
        request.GET, request.workspace.id, ScoreQuery, zone=request.workspace.zone
    )
    narrowed = scores.ScoreFilters(**{name: getattr(query, name) for name in scores.ScoreFilters._fields})
    with request_slot(request.workspace.id):
        page, end = scores.score_list(filters, narrowed, query.cursor)  # type: ignore[attr-defined]
    body = as_json({"data": page, "next_cursor": cursor_of(end)})
    response = data_response(request.GET, body, "scores", filters, scores.ScoreList)
    response["Cache-Control"] = "private, no-store"
    patch_vary_headers(response, ["X-Workspace-ID", "Authorization", "Cookie"])
    return response


read = with_query_errors(listing, query_errors)


@csrf_exempt
def view(request: WorkspaceRequest) -> HttpResponseBase:
    return ingestion.scores(request) if request.method == "POST" else with_post_allowed(read(request))


def with_post_allowed(response: HttpResponseBase) -> HttpResponseBase:
    """Adds POST to the methods that a 405 response names."""
    if response.status_code == 405:
        response["Allow"] = "GET, HEAD, POST"
    return response


scores_view = declare(view, "read, or ingest to POST", is_ingestion=True)
