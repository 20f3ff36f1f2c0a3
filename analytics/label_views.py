"""Shows and changes which attributes become labels: the page, and `/api/v1/settings/labels`."""

from typing import Annotated, Any

import orjson
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DatabaseError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from typing_extensions import TypedDict

from analytics.answers import as_json
from ingest.label_candidates import Candidates, label_candidates
from ingest.label_sources import add_label_source, remove_label_source
from web.body import read_body
from web.declared_access import declare
from web.json_body import parse_json
from web.problems import FieldError, Problem, transient_cause
from workspaces.access import WorkspaceRequest, access_of_visitor, may_write, page_access, workspace_access
from workspaces.content import ContentRequest, content_aware, content_right
from workspaces.label_limits import LABEL_LENGTH
from workspaces.models import Workspace

METHODS = ("GET", "HEAD", "POST", "DELETE")


class ChosenLabel(TypedDict):
    attribute: str
    label: str


class ChosenLabels(TypedDict):
    data: list[ChosenLabel]
    """The oldest first: of several attributes with the same label the first that a span has wins."""


class LabelSettings(ChosenLabels, Candidates):
    pass


class NewLabel(BaseModel):
    """An attribute, and the label that its values become."""

    model_config = ConfigDict(extra="forbid", strict=True)

    attribute: Annotated[str, Field(max_length=LABEL_LENGTH, description="Like metadata.customer.")]
    label: Annotated[str, Field(max_length=LABEL_LENGTH, description="Like customer.")]


def chosen_labels(workspace: Workspace) -> ChosenLabels:
    chosen = workspace.label_sources.values_list("attribute", "label")
    return {"data": [{"attribute": attribute, "label": label} for attribute, label in chosen]}


# --- The API ---


@csrf_exempt
def view(request: WorkspaceRequest) -> HttpResponseBase:
    if request.method not in METHODS:
        return require_http_methods(METHODS)(lambda _: HttpResponse())(request)
    return {"POST": add, "DELETE": remove}.get(request.method, listing)(request)


@workspace_access("read")
@content_aware
def listing(request: ContentRequest) -> HttpResponse:
    check_query(request)
    candidates = label_candidates(request.workspace.id, with_examples=request.content.is_granted)
    return json_response({**chosen_labels(request.workspace), **candidates})


@workspace_access("write")
def add(request: WorkspaceRequest) -> HttpResponse:
    check_query(request)
    new = parse_label(request)
    try:
        add_label_source(request.workspace, new.attribute, new.label, request.access.credential)
    except DjangoValidationError as error:
        raise invalid_label(error) from error
    return json_response(chosen_labels(request.workspace))


@workspace_access("write")
def remove(request: WorkspaceRequest) -> HttpResponse:
    check_query(request, "attribute")
    try:
        remove_label_source(request.workspace, request.GET.get("attribute", ""), request.access.credential)
    except DjangoValidationError as error:
        raise Problem(404, " ".join(error.messages)) from error
    return json_response(chosen_labels(request.workspace))


def check_query(request: WorkspaceRequest, *names: str) -> None:
    errors: list[FieldError] = [
        {"loc": ["query", name], "msg": "unknown parameter"} for name in request.GET if name not in names
    ]
    errors += [{"loc": ["query", name], "msg": "required"} for name in names if name not in request.GET]
    errors += [
        {"loc": ["query", name], "msg": "must have no NUL"} for name in names if "\0" in request.GET.get(name, "")
    ]
    if errors:
        raise Problem(422, "The query is not valid.", errors)


def parse_label(request: WorkspaceRequest) -> NewLabel:
    if request.content_type != "application/json":
        raise Problem(415, "Send the label as Content-Type: application/json.")
    try:
        return NewLabel.model_validate(parse_json(read_body(request)))
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        errors: list[FieldError] = [{"loc": ["body", *detail["loc"]], "msg": detail["msg"]} for detail in details]
        raise Problem(422, "The label is not valid.", errors) from error


def invalid_label(error: DjangoValidationError) -> Problem:
    return Problem(
        422,
        "The label is not valid.",
        [
            {"loc": ["body", *([] if name == "__all__" else [name])], "msg": " ".join(messages)}
            for name, messages in error.message_dict.items()
        ],
    )


def json_response(data: Any) -> HttpResponse:
    response = HttpResponse(as_json(data), content_type="application/json")
    response["Cache-Control"] = "private, no-store"
    return response


labels_view = declare(view, "read, or write to POST and DELETE")


# --- The page ---


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def labels_page(request: WorkspaceRequest) -> HttpResponse:
    errors: list[str] = []
    if request.method == "POST":
        errors = change(request)
        if not errors:
            return redirect(f"{reverse('labels')}?workspace={request.workspace.id}")
    return render_page(request, errors)


def change(request: WorkspaceRequest) -> list[str]:
    """Adds or removes what the form says. Returns what is wrong with it, in words."""
    if not may_write(request):
        raise Problem(403, "Your role in this workspace lacks the right to write.")
    attribute, label = request.POST.get("attribute", ""), request.POST.get("label", "").strip()
    changed_by = request.user.get_username() or "anyone"
    try:
        if "remove" in request.POST:
            remove_label_source(request.workspace, attribute.replace("\0", ""), changed_by)
        else:
            add_label_source(request.workspace, attribute.strip(), label, changed_by)
    except DjangoValidationError as error:
        return [
            " ".join(messages) if name == "__all__" else f"{name.capitalize()}: {' '.join(messages)}"
            for name, messages in error.message_dict.items()
        ]
    return []


def render_page(request: WorkspaceRequest, errors: list[str]) -> HttpResponse:
    is_writer, content = may_write(request), content_right(access_of_visitor(request))
    context = {
        "workspace": request.workspace,
        "workspaces": request.workspaces,
        "chosen": chosen_labels(request.workspace)["data"],
        "found": candidates_or_none(request.workspace, content.is_granted),
        "content": content,
        "is_writer": is_writer,
        "errors": errors,
        "form": request.POST if errors else {},
    }
    response = render(request, "labels.html", context, status=422 if errors else 200)
    response["Cache-Control"] = "private, no-store"
    return response


def candidates_or_none(workspace: Workspace, with_examples: bool) -> Candidates | None:
    """Returns the candidates as parsed JSON, for the template. None while the database of traces does not answer: the
    choice is in the other database."""
    try:
        found: Candidates = orjson.loads(as_json(label_candidates(workspace.id, with_examples=with_examples)))
        return found
    except DatabaseError as error:
        if transient_cause(error) is None:
            raise
        return None
