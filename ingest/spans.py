"""A span as OpenTelemetry defines it. All formats are decoded into it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from traces.scores import Score

STATUS_ERROR = 2
NS_PER_MS = 1e6


RejectionReason = Literal["id", "time", "nesting", "format", "value"]
"""A label of a counter: it has few values, whatever clients send."""


class Rejection(NamedTuple):
    """Why a span is not stored."""

    reason: RejectionReason
    text: str
    """For the client."""


class RejectedSpan(ValueError):
    """A span that cannot be stored."""

    def __init__(self, reason: RejectionReason, text: str) -> None:
        super().__init__(text)
        self.rejection = Rejection(reason, text)


@dataclass(slots=True)
class Event:
    name: str
    time_ns: int
    attributes: dict[str, Any]


class SpanLink(NamedTuple):
    """Another span, in any trace, that the span is related to without being below it."""

    trace_id: str
    span_id: str


@dataclass(slots=True, frozen=True)
class Resource:
    """The process that sent the span, as far as the rows need it."""

    service: str | None = None
    version: str | None = None
    """The version of the service, or of an SDK that writes its own here."""
    release: str | None = None
    environment: str | None = None
    user: str | None = None
    session: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    """What the application itself says of the process, like its team: values that can be labels."""


NO_RESOURCE = Resource()


class Scope(NamedTuple):
    """The library that made a span."""

    name: str = ""
    version: str = ""


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
    links: list[SpanLink] = field(default_factory=list)
    scope: str = ""
    """The name of the instrumentation scope: the library that made the span."""
    scope_version: str = ""
    resource: Resource = NO_RESOURCE
    is_timeless: bool = False
    """The span does not say when it began: `start_ns` is the time of its arrival. `end_ns` is its end, or 0."""


@dataclass(slots=True)
class Decoded:
    """The spans of one request."""

    spans: list[Span]
    rejections: list[Rejection]
    """One for each span that cannot be stored."""
    scores: list[Score] = field(default_factory=list)
