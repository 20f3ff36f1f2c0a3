"""Makes the endpoints below `/api/v1/budgets`."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from django.core.cache import cache
from django.db import DatabaseError
from django.http import HttpResponse, QueryDict
from django.views.decorators.http import require_http_methods, require_safe
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, create_model

from analytics.answers import as_json, json_response
from analytics.endpoints import ListQuery, NoParameters, body_of, cursor_of, methods, parameters_of
from analytics.query_string import LABELS, MAX_LABEL_FILTERS, LabelParameter, LabelText, Text, validate
from budgets import changes, items
from budgets.bodies import SCOPE_DIMENSIONS, BudgetChanges, NewBudget, NewRaise
from budgets.check import check
from budgets.items import MAX_VALUES_SHOWN, VALUES_SHOWN
from budgets.models import Budget
from budgets.preview import preview
from budgets.states import page_of
from prices.providers import provider_name
from traces.filters import LABEL_PREFIX
from web.problems import FieldError, Problem, transient_cause
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.label_limits import LABEL_LENGTH
from workspaces.models import Workspace
from workspaces.request_slots import request_slot

CHECK_SECONDS = 30
"""How old the answer to a check may be. A client may be told 60 at most."""


class DetailQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    search: Annotated[str, Field(max_length=256, description="Only values of a template that contain this.")] = ""
    limit: Annotated[
        int, Field(ge=1, le=MAX_VALUES_SHOWN, description="The largest number of values of a template.")
    ] = VALUES_SHOWN


DESCRIPTIONS = {
    "agent_id": "The agent that is about to call.",
    "model": "The model that it would call.",
    "provider": "The provider of the model, in any spelling.",
    "user_id": "The user it would call for.",
    "environment": "The environment, like production.",
    "release": "The release of the service or agent.",
}
LABELS_SCHEMA = {
    "type": "object",
    "patternProperties": {rf"^label\.[^\u0000]{{1,{LABEL_LENGTH}}}$": {"type": "string", "minLength": 1}},
    "additionalProperties": False,
}
CHECK_FIELDS: dict[str, Any] = {
    name: (Annotated[Text | None, Field(description=DESCRIPTIONS[name])], None) for name in SCOPE_DIMENSIONS
} | {
    "labels": (
        Annotated[
            dict[LabelParameter, Annotated[list[LabelText], Field(min_length=1)]],
            Field(description="A label of the call, like label.customer=acme.", max_length=MAX_LABEL_FILTERS),
            WithJsonSchema(LABELS_SCHEMA),
        ],
        Field(default_factory=dict, alias=LABELS),
    ),
}
CheckQuery: type[BaseModel] = create_model(
    "CheckQuery",
    __config__=ConfigDict(extra="forbid", validate_by_name=True),
    **CHECK_FIELDS,
)


# --- All budgets ---


@workspace_access("read")
def listing(request: WorkspaceRequest) -> HttpResponse:
    query, now = parameters_of(request.GET, ListQuery), datetime.now(UTC)
    budgets, following = page_of(request.workspace, now, query.cursor)
    with request_slot(request.workspace.id):
        found = items.items(budgets, now)
    return json_response({"data": found, "next_cursor": cursor_of(following)})


@workspace_access("write")
def create(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body = body_of(request, NewBudget, "budget")
    budget, is_new = changes.create(request.workspace, body, request.access.credential)
    return answer(budget, 201 if is_new else 200)


def answer(budget: Budget, status: int = 200) -> HttpResponse:
    """Returns the budget that is stored by now, also while the database of traces does not answer.

    An error would have a client send the change again: a raise would then be added twice.
    """
    now = datetime.now(UTC)
    try:
        [found] = items.items([budget], now, with_error=True)
    except DatabaseError as error:
        if transient_cause(error) is None:
            raise
        found = items.item(budget, None, now)
    return json_response(found, status)


@require_http_methods(["POST"])
@workspace_access("read")
def preview_view(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body = body_of(request, NewBudget, "budget")
    with request_slot(request.workspace.id):
        return json_response(preview(request.workspace, body, datetime.now(UTC)))


# --- One budget ---


@workspace_access("read")
def one(request: WorkspaceRequest, budget_id: UUID) -> HttpResponse:
    query = parameters_of(request.GET, DetailQuery)
    budget = changes.find(request.workspace, budget_id)
    with request_slot(request.workspace.id):
        found = items.detail(budget, datetime.now(UTC), query.search.replace("\0", ""), query.limit)
    return json_response(found)


@workspace_access("write")
def change(request: WorkspaceRequest, budget_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body = body_of(request, BudgetChanges, "budget")
    return answer(changes.change(request.workspace, budget_id, body, request.access.credential))


@workspace_access("write")
def delete(request: WorkspaceRequest, budget_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    changes.delete(request.workspace, budget_id, request.access.credential)
    return HttpResponse(status=204)


@workspace_access("write")
def raise_limit(request: WorkspaceRequest, budget_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body = body_of(request, NewRaise, "raise")
    now = datetime.now(UTC)
    return answer(changes.raise_limit(request.workspace, budget_id, body, request.access.credential, now))


@workspace_access("write")
def end_raises(request: WorkspaceRequest, budget_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    now = datetime.now(UTC)
    return answer(changes.end_raises(request.workspace, budget_id, request.access.credential, now))


# --- The check ---


def query_errors(query: QueryDict) -> list[FieldError]:
    return validate(query, CheckQuery)[1]


@require_safe
@workspace_access("read", or_ingest=True)
def check_view(request: WorkspaceRequest) -> HttpResponse:
    body, is_hit = cached_check(request.workspace, call_in(request.GET))
    response = HttpResponse(body, content_type="application/json")
    response["X-Cache"] = "hit" if is_hit else "miss"
    response["Cache-Control"] = "private, no-store"
    return response


def call_in(query: QueryDict) -> dict[str, str]:
    """Returns the values of the call that somebody is about to make, by the names of their filters."""
    found = parameters_of(query, CheckQuery)
    call = {name: value for name in SCOPE_DIMENSIONS if (value := getattr(found, name)) is not None}
    if "provider" in call:
        call["provider"] = provider_name(call["provider"]) or call["provider"]
    errors: list[FieldError] = [
        {"loc": ["query", name], "msg": "must be one value"}
        for name, values in found.labels.items()
        if len(values) > 1 or not name.startswith(LABEL_PREFIX)
    ]
    if errors:
        raise Problem(422, "The query string is not valid.", errors)
    return call | {name: values[0] for name, values in found.labels.items()}


def cached_check(workspace: Workspace, call: dict[str, str]) -> tuple[bytes, bool]:
    """Returns the answer, and whether it is from the cache. A change of a budget makes all older answers stale."""
    key = f"check:{workspace.id}:{workspace.epoch}:{sha256(repr(sorted(call.items())).encode()).hexdigest()}"
    if (cached := cache.get(key)) is not None:
        return cached, True
    now = datetime.now(UTC)
    with request_slot(workspace.id):
        found = check(workspace, call, now)
    body = as_json(found)
    left = found["resets_at"] - now if found["resets_at"] else timedelta(seconds=CHECK_SECONDS)
    cache.set(key, body, max(min(CHECK_SECONDS, int(left.total_seconds())), 1))
    return body, False


budgets_view = methods(GET=listing, POST=create)
budget_view = methods(GET=one, PATCH=change, DELETE=delete)
raise_view = methods(POST=raise_limit, DELETE=end_raises)
