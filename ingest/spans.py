"""A span as OTLP knows it, whatever encoding it came in."""

from dataclasses import dataclass, field
from typing import Any

ERROR = 2


@dataclass(slots=True)
class Event:
    name: str
    time_ns: int
    attributes: dict[str, Any]


@dataclass(slots=True, frozen=True)
class Resource:
    """What the rows need to know of the process that sent the span."""

    service: str | None = None
    version: str | None = None
    environment: str | None = None


NO_RESOURCE = Resource()


@dataclass(slots=True)
class Span:
    trace_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    start_ns: int
    end_ns: int
    status: int
    status_message: str
    attributes: dict[str, Any]
    events: list[Event] = field(default_factory=list)
    scope: str = ""
    resource: Resource = NO_RESOURCE
    timeless: bool = False
    """Has no start of its own; start_ns is when it arrived."""


@dataclass(slots=True)
class Decoded:
    spans: list[Span]
    refused: list[str]
    """The reason of each span that cannot be stored."""
