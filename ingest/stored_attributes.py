"""Makes the attributes of a span that are stored in the row's `attributes`."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from ingest import client_rules, fields
from ingest.attributes import Attributes
from ingest.messages import safe_attribute, safe_value
from ingest.spans import NS_PER_MS, Event, Span
from traces.text import ATTRIBUTE_LENGTH, ID_LENGTH, clean, clean_json
from web.json_body import MAX_DEPTH

MAX_ATTRIBUTES = 128
UNCHECKED_LENGTH = 4 * 1024
"""A shorter text of ASCII characters is stored unchecked. Most texts are like this."""
MAX_INT = 2**63 - 1


def stored_attributes(span: Span, attributes: Attributes, store_content: bool) -> dict[str, Any]:
    """Returns at most 128 of the span's attributes, with long texts cut, and facts that have no column."""
    stored: dict[str, Any] = {}
    for name, value in span.attributes.items():
        if len(stored) == MAX_ATTRIBUTES:
            stored["dropped_attributes_count"] = len(span.attributes) - MAX_ATTRIBUTES
            break
        if store_content or not is_content(name):
            if not (type(value) is str and len(value) < UNCHECKED_LENGTH and value.isascii() and "\0" not in value):
                value = storable(value)
            stored[clean_name(name)] = value
    for name in attributes.shape.messages:
        if (stored_name := clean_name(name)) in stored:
            stored[stored_name] = storable(safe_value(span.attributes[name]))
    add_derived(stored, span, attributes)
    if span.events:
        stored["events"] = [stored_event(event, store_content) for event in span.events]
    return stored


@lru_cache(maxsize=4096)
def is_content(name: str) -> bool:
    """Returns whether the attribute holds a prompt, a completion or other contents."""
    return client_rules.CONTENT.match(name) is not None


@lru_cache(maxsize=4096)
def clean_name(name: str) -> str:
    return clean(name, ID_LENGTH)


def storable(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value, ATTRIBUTE_LENGTH)
    if type(value) is int and -MAX_INT <= value <= MAX_INT:
        return value
    if not isinstance(value, (list, dict, float, int)):
        return value
    try:
        return clean_json(value, MAX_DEPTH - 1)
    except ValueError:  # NaN, infinity, beyond 64 bits, too deep
        return None


def add_derived(stored: dict[str, Any], span: Span, attributes: Attributes) -> None:
    resource = span.resource
    if span.scope:
        stored["otel.scope.name"] = clean_name(span.scope)
    if resource.service:
        stored["service.name"] = resource.service
    if resource.version:
        stored["service.version"] = resource.version
    if environment := resource.environment or attributes.text(fields.ENVIRONMENT):
        stored["environment"] = environment
    if first_token_ms := time_to_first_token_ms(span, attributes):
        stored["time_to_first_token_ms"] = first_token_ms


def stored_event(event: Event, store_content: bool) -> dict[str, Any]:
    stored: dict[str, Any] = {"name": clean(event.name, ID_LENGTH)}
    if store_content and event.attributes:
        stored["attributes"] = {
            clean(name, ID_LENGTH): storable(safe_attribute(name, value))
            for name, value in event.attributes.items()
            if name != "exception.stacktrace"
        }
    return stored


def time_to_first_token_ms(span: Span, attributes: Attributes) -> float | None:
    if (seconds := attributes.number(fields.FIRST_TOKEN_SECONDS)) is not None:
        return seconds * 1000
    if (ms := attributes.number(fields.FIRST_TOKEN_MS)) is not None:
        return ms
    if (by_server := attributes.number(fields.FIRST_TOKEN_BY_SERVER)) is not None:
        is_ms = any(in_ms(span) for in_ms in client_rules.SERVER_TIMES_IN_MS)
        return by_server if is_ms else by_server * 1000
    for event in span.events:
        if event.name in client_rules.FIRST_TOKEN_EVENTS and event.time_ns >= span.start_ns:
            return (event.time_ns - span.start_ns) / NS_PER_MS
    return first_token_at_ms(span, attributes)


def first_token_at_ms(span: Span, attributes: Attributes) -> float | None:
    """Returns the milliseconds from the span's start to the time that the client states for the first token."""
    text = attributes.text(fields.FIRST_TOKEN_AT)
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text.strip('"'))
        elapsed_ms = at.timestamp() * 1000 - span.start_ns / NS_PER_MS
    except (ValueError, OverflowError):
        return None
    return elapsed_ms if 0 <= elapsed_ms < 1e9 else None
