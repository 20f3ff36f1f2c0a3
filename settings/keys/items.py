"""Makes the answers about keys, and describes the bodies that make and change them."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from django.utils import timezone
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from alerts.rule_bodies import plain_number
from budgets.bodies import Name
from workspaces.keys import DEFAULT_OVERLAP_HOURS, MOST_OVERLAP_HOURS, NewKey
from workspaces.models import ApiKey

KeyScope = Literal["ingest", "read", "write", "content"]
SCOPES: tuple[KeyScope, ...] = ("ingest", "read", "write", "content")
MOST_DAYS = 3650
CONFIG = ConfigDict(extra="forbid", strict=True)


class KeyItem(TypedDict):
    id: UUID
    name: str
    prefix: str
    """The first characters of the secret, by which its owner finds it again."""
    scopes: list[KeyScope]
    state: Literal["valid", "expired", "revoked"]
    created_at: datetime
    created_by: str | None
    """Null for keys that the admin or a command made."""
    last_used_at: datetime | None
    """Exact to a minute; null if nobody has used it yet."""
    last_used_by: str | None
    """The program that used it last, as its `User-Agent` names it."""
    expires_at: datetime | None
    revoked_at: datetime | None
    replaced_by: UUID | None
    """The key that takes its place since a rotation."""


class KeyList(TypedDict):
    data: list[KeyItem]
    """Keys that work, then the newest 200 that do not; the newest first."""


class MadeKey(KeyItem):
    secret: str
    """Only this answer shows it."""


def combine(scopes: list[KeyScope]) -> list[KeyScope]:
    if "content" in scopes and "read" not in scopes:
        raise PydanticCustomError("scopes", "a key that reads content also needs read")
    return scopes


Days = Annotated[
    Annotated[int, Field(ge=1, le=MOST_DAYS, strict=False), BeforeValidator(plain_number)] | None,
    Field(description="Counted from now. Null: it never expires."),
]


class KeyBody(BaseModel):
    """A key to make."""

    model_config = CONFIG
    name: Annotated[Name, Field(description="What uses it.")]
    scopes: Annotated[
        list[KeyScope],
        Field(min_length=1, max_length=len(SCOPES), description="`content` needs `read` too."),
        AfterValidator(combine),
    ]
    expires_in_days: Days = None


class KeyChanges(BaseModel):
    """The fields to change. A field that is left out keeps its value."""

    model_config = CONFIG
    name: Name = ""
    expires_in_days: Days = None


class Rotation(BaseModel):
    """How long the key still works after the rotation."""

    model_config = CONFIG
    overlap_hours: Annotated[
        int,
        Field(ge=0, le=MOST_OVERLAP_HOURS, strict=False, description="0: it is refused from the next request on."),
        BeforeValidator(plain_number),
    ] = DEFAULT_OVERLAP_HOURS


def moment(days: int | None) -> datetime | None:
    return timezone.now() + timedelta(days=days) if days else None


def changes_of(body: KeyChanges) -> dict[str, Any]:
    """Returns the fields of the model that the body changes."""
    sent = body.model_dump(exclude_unset=True)
    return {
        ("expires_at" if name == "expires_in_days" else name): moment(value) if name == "expires_in_days" else value
        for name, value in sent.items()
    }


def item(key: ApiKey) -> KeyItem:
    return {
        "id": key.pk,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": [scope for scope in SCOPES if scope in key.scopes],
        "state": key.state,  # type: ignore[typeddict-item]
        "created_at": key.created_at,
        "created_by": key.created_by or None,
        "last_used_at": key.last_used_at,
        "last_used_by": key.last_used_by or None,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "replaced_by": key.replaced_by_id,
    }


def made(new: NewKey) -> MadeKey:
    return {**item(new.key), "secret": new.secret}
