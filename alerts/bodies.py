"""Describes and checks what clients and forms send about channels. Behind it there are only valid values."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from alerts.channels import ORDER, kinds
from alerts.kind import Kind
from alerts.models.channel import NAME_LENGTH
from budgets.bodies import filled, not_blank, storable
from web.problems import FieldError, Problem


def known_kind(name: str) -> str:
    if name not in kinds():
        raise PydanticCustomError("kind", "must be one of {known}", {"known": ", ".join(kinds())})
    return name


CONFIG = ConfigDict(extra="forbid", strict=True)
Name = Annotated[str, filled(NAME_LENGTH), AfterValidator(storable), AfterValidator(not_blank)]
KindName = Annotated[str, AfterValidator(known_kind), WithJsonSchema({"type": "string", "enum": [*ORDER]})]
Values = Annotated[
    dict[str, Any],
    Field(description="What the kind needs. Secrets are written, and never read again."),
]
ACTIVE = Field(description="False: nothing is sent to it.")


class NewChannel(BaseModel):
    """A place to which the workspace sends messages, like an email address, a chat room or a webhook."""

    model_config = CONFIG
    id: Annotated[
        Annotated[UUID, Field(strict=False)] | None,
        Field(description="An id of your own: sent again, it makes no second channel."),
    ] = None
    name: Name
    kind: KindName
    settings: Values
    is_active: Annotated[bool, ACTIVE] = True


class ChannelChanges(BaseModel):
    """The fields to change. A field that is left out keeps its value, and so does a setting."""

    model_config = CONFIG
    name: Name = ""
    settings: Values = Field(default_factory=dict)
    is_active: Annotated[bool, ACTIVE] = True


def checked_settings(kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings of a kind, or raises a 422 Problem with every error. No error repeats a value."""
    try:
        return kind.settings.model_validate(dict(values)).model_dump()
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False, include_context=False)
        raise Problem(422, "The channel is not valid.", [field_error(detail) for detail in details]) from None


MESSAGES = {"missing": "required", "extra_forbidden": "unknown setting of this kind"}


def field_error(detail: Any) -> FieldError:
    # An error between settings has the name of one of them as its type.
    where = [detail["loc"][0] if detail["loc"] else detail["type"]]
    return {"loc": ["body", "settings", *where], "msg": MESSAGES.get(detail["type"], detail["msg"])}


def settings_schema() -> dict[str, Any]:
    """Returns the schema of the settings: one for each kind."""
    return {"anyOf": [of_kind(kind) for kind in kinds().values()]}


def of_kind(kind: Kind) -> dict[str, Any]:
    schema = kind.settings.model_json_schema()
    return {name: value for name, value in schema.items() if name != "description"} | {"title": kind.title}
