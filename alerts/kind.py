"""The form of a file in `alerts/channels/`: everything that one kind of channel does in its own way."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from alerts.message import Message
from alerts.models import Delivery

Settings = Mapping[str, Any]
HINT_CHARACTERS = 4
"""So many of the last ones of a secret are shown: enough to tell two channels apart."""


class ChannelSettings(BaseModel):
    """What somebody fills in for a channel of a kind."""

    model_config = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True)
class Outgoing:
    """A message on its way to a channel."""

    message: Message
    settings: Settings
    """With their secrets."""
    delivery: Delivery


@dataclass(frozen=True)
class Kind:
    name: str
    title: str
    needs: str
    """What somebody has to do at the service, in a sentence or two."""
    settings: type[ChannelSettings]
    send: Callable[[Outgoing], int | None]
    """Returns the status of the answer, None where there is none, or raises a DeliveryFault. Only workers call it."""
    hint: Callable[[Settings], str]
    """Returns what may be shown of the settings."""

    @property
    def secret_names(self) -> frozenset[str]:
        return frozenset(name for name, schema in self.properties.items() if schema.get("writeOnly"))

    @property
    def properties(self) -> dict[str, Any]:
        found: dict[str, Any] = self.settings.model_json_schema()["properties"]
        return found


def field(title: str, most: int, pattern: str, example: str = "", is_secret: bool = False) -> Any:
    extra: dict[str, Any] = {"pattern": f"^{pattern}$", **({"writeOnly": True} if is_secret else {})}
    return Field(title=title, max_length=most, examples=[example] if example else None, json_schema_extra=extra)


def shaped(pattern: str, words: str) -> AfterValidator:
    """Refuses a text of another shape, with words that do not repeat it: it may be a secret."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise PydanticCustomError("shape", "{words}", {"words": words})
        return text

    return AfterValidator(check)


def end_of(secret: str) -> str:
    return f"…{secret[-HINT_CHARACTERS:]}"
