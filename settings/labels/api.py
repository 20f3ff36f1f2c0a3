"""Makes the endpoints of labels: which attributes become labels, and the job that labels stored spans again."""

from datetime import UTC, datetime
from typing import Annotated

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from analytics.answers import json_response
from analytics.endpoints import NoParameters, body_of, methods, parameters_of
from budgets.bodies import storable
from ingest.label_candidates import Candidates, label_candidates
from ingest.label_sources import add_label_source, change_label_source, remove_label_source
from settings.faults import invalid_form
from settings.models import RowsUpdate, UpdateKind
from settings.rows_updates import UpdateItem, newest_update, order_update, update_item
from traces.stored import oldest_start
from web.problems import Problem
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.content import ContentRequest, content_aware
from workspaces.label_limits import LABEL_LENGTH
from workspaces.models import Workspace


class ChosenLabel(TypedDict):
    attribute: str
    label: str


class ChosenLabels(TypedDict):
    data: list[ChosenLabel]
    """The oldest first: of several attributes with the same label the first that a span has wins."""


class LabelSettings(ChosenLabels, Candidates):
    refill: UpdateItem | None
    """The newest job that labels stored spans again."""


class NewLabel(BaseModel):
    """An attribute, and the label that its values become."""

    model_config = ConfigDict(extra="forbid", strict=True)

    attribute: Annotated[str, Field(max_length=LABEL_LENGTH, description="Like metadata.customer.")]
    label: Annotated[str, Field(max_length=LABEL_LENGTH, description="Like customer.")]


class ChosenAttribute(BaseModel):
    model_config = ConfigDict(extra="forbid")

    attribute: Annotated[str, AfterValidator(storable), Field(description="The attribute to remove.")]


def chosen_labels(workspace: Workspace) -> ChosenLabels:
    chosen = workspace.label_sources.values_list("attribute", "label")
    return {"data": [{"attribute": attribute, "label": label} for attribute, label in chosen]}


@workspace_access("read")
@content_aware
def listing(request: ContentRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    candidates = label_candidates(request.workspace.id, with_examples=request.content.is_granted)
    refill = newest_update(request.workspace, UpdateKind.LABELS)
    return json_response({**chosen_labels(request.workspace), **candidates, "refill": refill})


@workspace_access("write")
def add(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    new: NewLabel = body_of(request, NewLabel, "label")
    try:
        add_label_source(request.workspace, new.attribute, new.label, request.access.credential)
    except ValidationError as error:
        raise invalid_form(error, "label") from error
    return json_response(chosen_labels(request.workspace))


@workspace_access("write")
def change(request: WorkspaceRequest) -> HttpResponse:
    """Gives the label of a chosen attribute another name."""
    parameters_of(request.GET, NoParameters)
    new: NewLabel = body_of(request, NewLabel, "label")
    if not request.workspace.label_sources.filter(attribute=new.attribute.replace("\0", "")).exists():
        raise Problem(404, "This attribute is not chosen.")
    try:
        change_label_source(request.workspace, new.attribute, new.label, request.access.credential)
    except ValidationError as error:
        raise invalid_form(error, "label") from error
    return json_response(chosen_labels(request.workspace))


@workspace_access("write")
def remove(request: WorkspaceRequest) -> HttpResponse:
    query: ChosenAttribute = parameters_of(request.GET, ChosenAttribute)
    try:
        remove_label_source(request.workspace, query.attribute, request.access.credential)
    except ValidationError as error:
        raise Problem(404, " ".join(error.messages)) from error
    return json_response(chosen_labels(request.workspace))


@require_http_methods(["POST"])
@workspace_access("write")
def refill_view(request: WorkspaceRequest) -> HttpResponseBase:
    """Orders a job that labels all stored spans again. The list of labels says how far it is."""
    parameters_of(request.GET, NoParameters)
    return json_response(update_item(order_refill(request.workspace, request.access.credential)), 202)


def order_refill(workspace: Workspace, actor: str) -> RowsUpdate:
    now = datetime.now(UTC)
    oldest = oldest_start(workspace.id) or now
    return order_update(workspace, UpdateKind.LABELS, min(oldest, now), now, actor)


labels_view = methods(GET=listing, POST=add, PATCH=change, DELETE=remove)
