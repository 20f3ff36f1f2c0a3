"""A span as OTLP knows it, whatever encoding it came in."""

from dataclasses import dataclass, field
from typing import Any

NO_EVENTS: list["Event"] = []
ERROR = 2


@dataclass(slots=True)
class Event:
    name: str
    time_ns: int
    attributes: dict[str, Any]


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
    resource: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Decoded:
    spans: list[Span]
    refused: list[str]
    """The reason of each span that cannot be stored."""
