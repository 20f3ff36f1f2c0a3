"""What is kept of a span as the client sent it."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from ingest import conventions as c
from ingest.attributes import Attributes
from ingest.spans import Event, Span
from traces.text import ATTRIBUTE_LENGTH, ID_LENGTH, clean, clean_json
from web.json_body import DEEPEST

MOST_ATTRIBUTES = 128
SHORT = 4 * 1024
"""Below it a text of plain characters, as most are, is stored without looking closer."""
MOST_INT = 2**63 - 1
NANOSECONDS_PER_MS = 1e6


def kept_of(span: Span, attributes: Attributes, store_content: bool) -> dict[str, Any]:
    """At most 128 of the span's attributes, long texts cut and marked, and what the columns have no place for."""
    kept: dict[str, Any] = {}
    for name, value in span.attributes.items():
        if len(kept) == MOST_ATTRIBUTES:
            kept["dropped_attributes_count"] = len(span.attributes) - MOST_ATTRIBUTES
            break
        if store_content or not is_content(name):
            if not (type(value) is str and len(value) < SHORT and value.isascii() and "\0" not in value):
                value = storable(value)
            kept[clean_name(name)] = value
    derive(kept, span, attributes)
    if span.events:
        kept["events"] = [event_of(event, store_content) for event in span.events]
    return kept


@lru_cache(maxsize=4096)
def is_content(name: str) -> bool:
    return c.CONTENT.match(name) is not None


@lru_cache(maxsize=4096)
def clean_name(name: str) -> str:
    return clean(name, ID_LENGTH)


def storable(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value, ATTRIBUTE_LENGTH)
    if type(value) is int and -MOST_INT <= value <= MOST_INT:
        return value
    if not isinstance(value, (list, dict, float, int)):
        return value
    try:
        return clean_json(value, DEEPEST - 1)
    except ValueError:  # NaN, infinity, beyond 64 bits, too deep
        return None


def derive(kept: dict[str, Any], span: Span, attributes: Attributes) -> None:
    resource = span.resource
    if span.scope:
        kept["otel.scope.name"] = clean_name(span.scope)
    if resource.service:
        kept["service.name"] = resource.service
    if resource.version:
        kept["service.version"] = resource.version
    if environment := resource.environment or attributes.text(c.ENVIRONMENT):
        kept["environment"] = environment
    if first_token_ms := time_to_first_token_ms(span, attributes):
        kept["time_to_first_token_ms"] = first_token_ms


def event_of(event: Event, store_content: bool) -> dict[str, Any]:
    kept: dict[str, Any] = {"name": clean(event.name, ID_LENGTH)}
    if store_content and event.attributes:
        kept["attributes"] = {
            clean(name, ID_LENGTH): storable(value)
            for name, value in event.attributes.items()
            if name != "exception.stacktrace"
        }
    return kept


def time_to_first_token_ms(span: Span, attributes: Attributes) -> float | None:
    if (seconds := attributes.number(c.FIRST_TOKEN_SECONDS)) is not None:
        return seconds * 1000
    if (ms := attributes.number(c.FIRST_TOKEN_MS)) is not None:
        return ms
    if (by_server := attributes.number(c.FIRST_TOKEN_BY_SERVER)) is not None:
        in_ms = span.attributes.get("gen_ai.system") == "strands-agents" or "strands" in span.scope
        return by_server if in_ms else by_server * 1000
    for event in span.events:
        if event.name in c.FIRST_TOKEN_EVENTS and event.time_ns >= span.start_ns:
            return (event.time_ns - span.start_ns) / NANOSECONDS_PER_MS
    return started_at_ms(span, attributes)


def started_at_ms(span: Span, attributes: Attributes) -> float | None:
    text = attributes.text(c.FIRST_TOKEN_AT)
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text.strip('"'))
        elapsed_ms = at.timestamp() * 1000 - span.start_ns / NANOSECONDS_PER_MS
    except (ValueError, OverflowError):
        return None
    return elapsed_ms if 0 <= elapsed_ms < 1e9 else None
