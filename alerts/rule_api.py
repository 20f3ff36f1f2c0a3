"""Makes the endpoints below `/api/v1/alerts/rules` and `/api/v1/alerts/events`."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods, require_safe
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from alerts import rule_changes, rule_items
from alerts.backtest import preview
from alerts.rule_bodies import NewRule, RuleChanges, parse
from analytics.answers import json_response
from analytics.endpoints import NoParameters, cursor_of, methods, parameters_of, place_of
from web.body import json_body
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.models import Workspace
from workspaces.request_slots import request_slot


class EventQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rule_id: Annotated[UUID | None, Field(description="Only those of this rule.")] = None
    budget_id: Annotated[UUID | None, Field(description="Only those of this budget.")] = None
    state: Annotated[
        Literal["ok", "info", "warning", "critical", "no_data", "muted"] | None, Field(description="Only this state.")
    ] = None
    open: Annotated[bool | None, Field(description="true: only what is not over yet.")] = None
    cursor: Annotated[
        Annotated[str, AfterValidator(place_of)] | None, Field(description="The `next_cursor` of the page before.")
    ] = None


def body_in(request: WorkspaceRequest, model: type[BaseModel]) -> Any:
    return parse(json_body(request, "rule"), model)


def answer(workspace: Workspace, rule_id: UUID, status: int = 200) -> HttpResponse:
    [found] = rule_items.rule_items([rule_changes.find(workspace, rule_id)])
    return json_response(found, status)


@workspace_access("read")
def listing(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    return json_response({"data": rule_items.rule_items(rule_items.rules_of(request.workspace))})


@workspace_access("write")
def create(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body = body_in(request, NewRule)
    rule, is_new = rule_changes.create(request.workspace, body, request.access.credential, datetime.now(UTC))
    return answer(request.workspace, rule.pk, 201 if is_new else 200)


@workspace_access("read")
def one(request: WorkspaceRequest, rule_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    return answer(request.workspace, rule_id)


@workspace_access("write")
def change(request: WorkspaceRequest, rule_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body = body_in(request, RuleChanges)
    rule_changes.change(request.workspace, rule_id, body, request.access.credential, datetime.now(UTC))
    return answer(request.workspace, rule_id)


@workspace_access("write")
def delete(request: WorkspaceRequest, rule_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    rule_changes.delete(request.workspace, rule_id, request.access.credential)
    return HttpResponse(status=204)


@require_http_methods(["POST"])
@workspace_access("read")
def preview_view(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body = body_in(request, NewRule)
    with request_slot(request.workspace.id):
        return json_response(preview(request.workspace, body, datetime.now(UTC)))


@require_safe
@workspace_access("read")
def events_view(request: WorkspaceRequest) -> HttpResponse:
    return json_response(event_page(request.workspace, parameters_of(request.GET, EventQuery)))


def event_page(workspace: Workspace, query: EventQuery) -> rule_items.EventList:
    conditions: dict[str, Any] = query.model_dump(exclude_none=True, exclude={"cursor", "open"})
    if query.open is not None:
        conditions["ended_at__isnull"] = query.open
    place: Any = query.cursor
    found, following = rule_items.events_of(workspace, place, **conditions)
    return {"data": [rule_items.event_item(event) for event in found], "next_cursor": cursor_of(following)}


@require_safe
@workspace_access("read")
def event_view(request: WorkspaceRequest, event_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    return json_response(rule_items.event_item(rule_changes.find_event(request.workspace, event_id)))


@require_http_methods(["POST"])
@workspace_access("write")
def acknowledge_view(request: WorkspaceRequest, event_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    now = datetime.now(UTC)
    event = rule_changes.acknowledge(request.workspace, event_id, request.access.credential, now)
    return json_response(rule_items.event_item(event))


rules_view = methods(GET=listing, POST=create)
rule_view = methods(GET=one, PATCH=change, DELETE=delete)
