"""What is kept of a span as the client sent it."""

from datetime import datetime
from functools import lru_cache
from typing import Any, TypeGuard

from ingest import conventions as c
from ingest.mapping import Attributes
from ingest.spans import Event, Span
from ingest.text import ATTRIBUTE_LENGTH, DEEPEST, ID_LENGTH, clean, clean_json

MOST_ATTRIBUTES = 128
NANOSECONDS_PER_MS = 1e6


def attributes_of(span: Span, store_content: bool) -> dict[str, Any]:
    """At most 128 of the span's attributes, long texts cut and marked, and what the columns have no place for."""
    kept: dict[str, Any] = {}
    for name, value in span.attributes.items():
        if len(kept) == MOST_ATTRIBUTES:
            kept["dropped_attributes_count"] = len(span.attributes) - MOST_ATTRIBUTES
            break
        if store_content or not c.CONTENT.match(name):
            kept[clean_name(name)] = storable(value)
    return kept | derived(span) | events(span, store_content)


@lru_cache(maxsize=4096)
def clean_name(name: str) -> str:
    return clean(name, ID_LENGTH)


def storable(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value, ATTRIBUTE_LENGTH)
    if not isinstance(value, (list, dict, float, int)):
        return value
    try:
        return clean_json(value, DEEPEST - 1)
    except ValueError:  # NaN, infinity, beyond 64 bits, too deep
        return None


def derived(span: Span) -> dict[str, Any]:
    resource = Attributes(span.resource)
    found = {
        "otel.scope.name": clean(span.scope, ID_LENGTH),
        "service.name": resource.text(c.SERVICE),
        "service.version": resource.text(c.SERVICE_VERSION),
        "environment": resource.text(c.ENVIRONMENT) or Attributes(span.attributes).text(c.ENVIRONMENT),
        "time_to_first_token_ms": time_to_first_token_ms(span),
    }
    return {name: value for name, value in found.items() if value}


def events(span: Span, store_content: bool) -> dict[str, Any]:
    if not span.events:
        return {}
    return {"events": [event_of(event, store_content) for event in span.events]}


def event_of(event: Event, store_content: bool) -> dict[str, Any]:
    kept: dict[str, Any] = {"name": clean(event.name, ID_LENGTH)}
    if store_content and event.attributes:
        kept["attributes"] = {
            clean(name, ID_LENGTH): storable(value)
            for name, value in event.attributes.items()
            if name != "exception.stacktrace"
        }
    return kept


def time_to_first_token_ms(span: Span) -> float | None:
    attributes = span.attributes
    for names, factor in ((c.FIRST_TOKEN_SECONDS, 1000.0), (c.FIRST_TOKEN_MS, 1.0)):
        for name in names:
            if is_number(value := attributes.get(name)):
                return value * factor
    for name in c.FIRST_TOKEN_BY_SERVER:
        if is_number(value := attributes.get(name)):
            in_ms = attributes.get("gen_ai.system") == "strands-agents" or "strands" in span.scope
            return value * (1.0 if in_ms else 1000.0)
    for event in span.events:
        if event.name in c.FIRST_TOKEN_EVENTS and event.time_ns >= span.start_ns:
            return (event.time_ns - span.start_ns) / NANOSECONDS_PER_MS
    return started_at_ms(span)


def is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e9


def started_at_ms(span: Span) -> float | None:
    text = Attributes(span.attributes).text(c.FIRST_TOKEN_AT)
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text.strip('"'))
        elapsed_ms = at.timestamp() * 1000 - span.start_ns / NANOSECONDS_PER_MS
    except (ValueError, OverflowError):
        return None
    return elapsed_ms if 0 <= elapsed_ms < 1e9 else None
