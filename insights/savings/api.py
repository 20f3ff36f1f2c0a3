"""Makes the endpoints of savings: the list, a computation now, and what people decide."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from analytics.answers import json_response
from analytics.endpoints import NoParameters, body_of, methods, parameters_of
from insights import tasks
from insights.savings import items
from insights.savings.items import Kind
from insights.savings.models import REASON_LENGTH, Saving, SavingRun, SavingState
from traces.text import NAME_LENGTH
from web.problems import Problem
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.models import Workspace

MOST_STORED = 5000
"""In a workspace, so that no program fills the table with decisions about what was never found."""
NOT_FOUND_YET = "This saving was not found yet, so nothing can be measured."


class ListQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    state: Annotated[
        Literal["open", "dismissed", "done", "all"],
        Field(description="open: those found by the last computation that nobody has decided about."),
    ] = "open"


def plain(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("nul", "must not contain a NUL character")
    return text


Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH, pattern=r"^[^\u0000]*$"), AfterValidator(plain)]


class Decision(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Annotated[Kind, Field(description="Of the saving, as the list gives it.")]
    filters: Annotated[
        dict[Literal["agent_id", "provider", "model", "status", "error_type"], Name],
        Field(min_length=1, description="Of the saving, as the list gives them. They name it."),
    ]
    state: Annotated[
        SavingState,
        Field(description="done: from now on it is measured what was saved. open: takes a decision back."),
    ]
    reason: Annotated[
        Annotated[str, Field(max_length=REASON_LENGTH, pattern=r"^[^\u0000]*$"), AfterValidator(plain)],
        Field(description="Required to dismiss."),
    ] = ""


@workspace_access("read")
def listing(request: WorkspaceRequest) -> HttpResponse:
    query = parameters_of(request.GET, ListQuery)
    return json_response(items.savings(request.workspace, query.state, datetime.now(UTC)))


@workspace_access("write")
def compute_now(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    ask(request.workspace, datetime.now(UTC))
    return json_response(items.savings(request.workspace, "open", datetime.now(UTC)), 202)


def ask(workspace: Workspace, now: datetime) -> None:
    """Puts a computation into the queue, unless one was asked for a moment ago."""
    with transaction.atomic():
        SavingRun.objects.get_or_create(workspace=workspace)
        run = SavingRun.objects.select_for_update().get(workspace=workspace)
        if run.asked_at is None or run.asked_at < now - items.ASKED_FOR:
            run.asked_at = now
            run.save(update_fields=["asked_at"])
            tasks.compute_savings_now.defer(workspace_id=str(workspace.pk))


@require_http_methods(["POST"])
@workspace_access("write")
def decide(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body = body_of(request, Decision, "decision")
    filters: dict[str, Any] = {str(name): value for name, value in body.filters.items()}
    saving = items.saving_of(request.workspace, body.kind, filters)
    return json_response(items.item(decided(saving, body.state, body.reason, request.access.credential)))


def decided(saving: Saving, state: SavingState, reason: str, author: str) -> Saving:
    """Records a decision, or raises a Problem."""
    if state == "dismissed" and not reason.strip():
        message = "say why it is dismissed"
        raise Problem(422, "The decision is not valid.", [{"loc": ["body", "reason"], "msg": message}])
    if saving._state.adding and Saving.objects.filter(workspace=saving.workspace).count() >= MOST_STORED:
        raise Problem(409, f"A workspace has at most {MOST_STORED:,} savings. Take decisions back first.")
    if state == "done" and saving.found_at is None:
        raise Problem(409, NOT_FOUND_YET)
    return items.decide(saving, state, reason.strip(), author, datetime.now(UTC))


def find(workspace: Workspace, text: str) -> Saving:
    try:
        return Saving.objects.get(workspace=workspace, id=UUID(text))
    except (ValueError, Saving.DoesNotExist) as error:
        raise Problem(404, "There is no such saving in this workspace.") from error


savings_view = methods(GET=listing, POST=compute_now)
decide_view = decide
