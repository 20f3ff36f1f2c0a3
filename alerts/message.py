"""Describes a message. Its content is the same on every channel, and each channel formats it in its own way."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

import orjson

State = Literal["info", "warning", "critical", "recovered"]
STATES = get_args(State)
MAX_BYTES = 16 * 1024
"""It stays in the database for weeks, and the smallest channel takes little more."""


@dataclass(frozen=True)
class Message:
    """All texts are plain: each channel escapes them for itself."""

    event_id: UUID
    """The same in every attempt and on every channel, so that receivers drop repetitions."""
    workspace_id: UUID
    state: State
    subject: str
    """One line that says what happened, like "Spend of support-bot is 140 % above the hour before"."""
    moment: datetime
    """When it happened, with a time zone."""
    incident: str = ""
    """The same in the message of a breach and in that of its recovery, so that services for people on call close what
    they opened. Empty: the message is about nothing that recovers."""
    sentences: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    """Names with their values, like ("Limit", "$50.00")."""
    links: tuple[tuple[str, str], ...] = ()
    """Texts with their whole URLs. The first one is the most useful."""

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(f"The state of a message is {', '.join(STATES)}.")
        if self.moment.tzinfo is None:
            raise ValueError("The moment of a message needs a time zone.")
        if not self.subject.strip():
            raise ValueError("A message needs a subject.")

    def as_json(self) -> dict[str, Any]:
        """Returns it as small JSON values, from which `from_json` makes it again."""
        encoded = orjson.dumps(self)
        if len(encoded) > MAX_BYTES:
            raise ValueError(f"A message has at most {MAX_BYTES} bytes. Name fewer things, and link to the rest.")
        values: dict[str, Any] = orjson.loads(encoded)
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Message":
        return cls(
            event_id=UUID(values["event_id"]),
            workspace_id=UUID(values["workspace_id"]),
            state=values["state"],
            subject=values["subject"],
            moment=datetime.fromisoformat(values["moment"]),
            incident=values["incident"],
            sentences=tuple(values["sentences"]),
            facts=tuple((name, text) for name, text in values["facts"]),
            links=tuple((text, url) for text, url in values["links"]),
        )
