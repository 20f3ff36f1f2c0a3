"""Turns the form of a channel into the body that the API takes, and back."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.http import QueryDict

from alerts.kind import Kind
from alerts.models import Channel
from web.problems import Problem
from workspaces.models import Workspace


class FormField(NamedTuple):
    name: str
    title: str
    form: str
    """text, secret, choice, lines or members."""
    value: Any
    choices: Sequence[str]
    max_length: int
    example: str
    description: str
    is_kept: bool
    """A secret that is stored: an empty field leaves it as it is."""
    error: str


def fields(
    kind: Kind, workspace: Workspace, channel: Channel | None, form: QueryDict | None, errors: Mapping[str, str]
) -> list[FormField]:
    """Returns the fields of the form: with what somebody has just sent, else with what the channel has."""
    stored = channel.options if channel else {}
    return [
        form_field(name, schema, workspace, value_of(name, schema, form, stored), channel is not None)._replace(
            error=errors.get(name, "")
        )
        for name, schema in kind.properties.items()
    ]


def value_of(name: str, schema: Mapping[str, Any], form: QueryDict | None, stored: Mapping[str, Any]) -> Any:
    if form is not None:
        return sent_value(form_of(name, schema), form, name)
    return stored.get(name, schema.get("default", ""))


def form_field(name: str, schema: Mapping[str, Any], workspace: Workspace, value: Any, is_stored: bool) -> FormField:
    shape = form_of(name, schema)
    return FormField(
        name=name,
        title=schema["title"],
        form=shape,
        value="" if shape == "secret" else "\n".join(value) if shape == "lines" else value,
        choices=names_of_members(workspace, value) if shape == "members" else schema.get("enum", ()),
        max_length=schema.get("maxLength", 200),
        example=schema.get("examples", [""])[0],
        description=schema.get("description", ""),
        is_kept=shape == "secret" and is_stored,
        error="",
    )


def form_of(name: str, schema: Mapping[str, Any]) -> str:
    if name == "members":
        return "members"
    if schema.get("type") == "array":
        return "lines"
    return "secret" if schema.get("writeOnly") else "choice" if "enum" in schema else "text"


def names_of_members(workspace: Workspace, chosen: Sequence[str]) -> list[str]:
    """Returns the members who have an address, and those who are chosen already."""
    members = workspace.memberships.exclude(user__email="").filter(user__is_active=True)
    return sorted({*members.values_list("user__username", flat=True), *chosen})


def sent_value(shape: str, form: QueryDict, name: str) -> Any:
    if shape == "members":
        return form.getlist(name)
    text = form.get(name, "").strip()
    return [line.strip() for line in text.splitlines() if line.strip()] if shape == "lines" else text


def body_of_form(kind: Kind, channel: Channel | None, form: QueryDict) -> dict[str, Any]:
    """Returns the body of the form. A secret that nobody has typed stays as it is."""
    settings = {
        name: value
        for name, schema in kind.properties.items()
        if (value := sent_value(form_of(name, schema), form, name)) or not schema.get("writeOnly") or channel is None
    }
    body = {"name": form.get("name", ""), "settings": settings, "is_active": "is_off" not in form}
    return body if channel else body | {"kind": kind.name}


def errors_by_field(problem: Problem) -> dict[str, str]:
    found: dict[str, str] = {}
    for error in problem.errors:
        # A place inside a list is shown at its field.
        where = [str(part) for part in error["loc"][1:] if part != "settings"]
        found.setdefault(where[0] if where else "form", error["msg"])
    return found or {"form": problem.detail}
