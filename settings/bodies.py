"""Describes and checks what clients and forms send about settings. Behind it there are only valid values."""

from typing import Annotated, Literal

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from alerts.rule_bodies import plain_number
from budgets.bodies import filled, not_blank, storable
from workspaces.invitations import DEFAULT_DAYS, MOST_DAYS

CONFIG = ConfigDict(extra="forbid", strict=True)
NAME_LENGTH, ZONE_LENGTH, EMAIL_LENGTH = 100, 64, 254

RoleName = Literal["viewer", "editor", "owner"]


def an_address(text: str) -> str:
    """Checks a mail address; an empty text is none."""
    text = storable(text).strip()
    try:
        if text:
            validate_email(text)
    except ValidationError as error:
        raise PydanticCustomError("email", "must be an email address, or empty") from error
    return text


Name = Annotated[str, filled(NAME_LENGTH), AfterValidator(storable), AfterValidator(not_blank)]
Zone = Annotated[
    str,
    filled(ZONE_LENGTH),
    AfterValidator(storable),
    AfterValidator(not_blank),
    Field(description="An IANA name, like Europe/Berlin."),
]


class GeneralChanges(BaseModel):
    """The fields to change. A field that is left out keeps its value."""

    model_config = CONFIG
    name: Name = ""
    time_zone: Zone = ""


class NewWorkspace(BaseModel):
    model_config = CONFIG
    name: Name
    time_zone: Zone = "UTC"


class MemberChanges(BaseModel):
    model_config = CONFIG
    role: RoleName


class NewInvitation(BaseModel):
    """An offer to become a member. The role is never above that of the inviter."""

    model_config = CONFIG
    email: Annotated[
        str,
        Field(max_length=EMAIL_LENGTH, description="Where the link is sent. Empty: the answer has the link."),
        AfterValidator(an_address),
    ] = ""
    role: RoleName
    expires_in_days: Annotated[int, Field(ge=1, le=MOST_DAYS, strict=False), BeforeValidator(plain_number)] = (
        DEFAULT_DAYS
    )
