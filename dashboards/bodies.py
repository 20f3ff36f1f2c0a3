"""Describes what clients send about dashboards, and reads it."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, ValidationError

from dashboards.checking import field_errors
from dashboards.document import CONFIG, PLAIN, DashboardDocument, Panel, Place
from web.body import json_body
from web.json_body import parse_json
from web.problems import FieldError, Problem
from workspaces.access import WorkspaceRequest

VisibilityWord = Literal["me", "workspace"]
LONGEST_DAYS = 90


class Envelope(BaseModel):
    """What a body has beside the document."""

    model_config = CONFIG
    visibility: Annotated[
        VisibilityWord | None, Field(description="Null: as before, and for everybody in the workspace if it is new.")
    ] = None
    id: Annotated[
        Annotated[UUID, Field(strict=False)] | None,
        Field(description="An id of your own: sent again, it makes no second dashboard."),
    ] = None


class NewDashboard(DashboardDocument):
    """A document as `export` returns it, and who sees the dashboard."""

    visibility: Annotated[VisibilityWord, Field(description="Who sees it.")] = "workspace"
    id: Annotated[UUID | None, Field(description="An id of your own: sent again, it makes no second dashboard.")] = None


class DashboardBody(DashboardDocument):
    """A whole document, and who sees the dashboard."""

    visibility: Annotated[VisibilityWord | None, Field(description="Null: as before.")] = None


class NewPanel(Panel):
    """A panel. Without an id it gets one, and without a place it comes beside the last one or below."""

    id: Annotated[str | None, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")] = None  # type: ignore[assignment]
    place: Place | None = None  # type: ignore[assignment]


class NewLink(BaseModel):
    """A public link."""

    model_config = CONFIG
    days: Annotated[int, Field(ge=1, le=LONGEST_DAYS, strict=False, description="How long it works."), PLAIN] = 30
    may_choose: Annotated[
        bool, Field(description="Whether readers choose the window and the values of the dashboard's variables.")
    ] = False


class Sharing(BaseModel):
    """Whether owners of the workspace may make public links. Where they may not, no link works."""

    model_config = CONFIG
    allows_public_links: bool


def json_in(request: WorkspaceRequest, what: str) -> dict[str, Any]:
    """Returns the JSON object of the body."""
    return as_object(parse_json(json_body(request, what)), what)


def as_object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid(what, [{"loc": ["body"], "msg": "must be an object"}])
    return value


def split(body: dict[str, Any], *names: str) -> tuple[Envelope, dict[str, Any]]:
    """Returns the fields with these names, and the document."""
    outer = {name: body[name] for name in names if name in body}
    return validated(outer, Envelope, "dashboard"), {name: part for name, part in body.items() if name not in names}


def validated(values: Any, model: type[Any], what: str) -> Any:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise invalid(what, field_errors(error)) from error


def invalid(what: str, errors: list[FieldError]) -> Problem:
    return Problem(422, f"The {what} is not valid.", errors)
