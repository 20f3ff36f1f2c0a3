"""Makes the attributes of a span that are stored in the row's `attributes`."""

from typing import Any

from ingest.attribute_names import clean_name
from ingest.attributes import Attributes
from ingest.messages import safe_attribute, safe_value
from ingest.spans import NS_PER_MS, Event, Span
from traces.text import ATTRIBUTE_LENGTH, ID_LENGTH, clean, clean_json
from web.json_body import MAX_DEPTH

MAX_ATTRIBUTES = 128
UNCHECKED_LENGTH = 4 * 1024
"""A shorter text of ASCII characters is stored unchecked. Most texts are like this."""
MAX_INT = 2**63 - 1
RESOURCE = "otel.resource"
"""The stored attribute that holds those of the process."""


def stored_attributes(span: Span, attributes: Attributes, store_content: bool) -> dict[str, Any]:
    """Returns at most 128 of the span's attributes, with long texts cut, and from which library and service it came."""
    stored: dict[str, Any] = {}
    for (stored_name, holds_content), value in zip(
        attributes.shape.stored_names, span.attributes.values(), strict=True
    ):
        if len(stored) == MAX_ATTRIBUTES:
            stored["dropped_attributes_count"] = len(span.attributes) - MAX_ATTRIBUTES
            break
        if store_content or not holds_content:
            is_plain = type(value) is str and len(value) < UNCHECKED_LENGTH and value.isascii() and "\0" not in value
            stored[stored_name] = value if is_plain else storable(value)
    for name in attributes.shape.messages:
        if (stored_name := clean_name(name)) in stored:
            stored[stored_name] = storable(safe_value(span.attributes[name]))
    add_origin(stored, span)
    if span.events:
        stored["events"] = [stored_event(event, span, store_content) for event in span.events]
    if span.links:
        stored["links"] = [link._asdict() for link in span.links]
    return stored


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


def add_origin(stored: dict[str, Any], span: Span) -> None:
    resource = span.resource
    if span.scope:
        stored["otel.scope.name"] = clean_name(span.scope)
    if resource.service:
        stored["service.name"] = resource.service
    if resource.version:
        stored["service.version"] = resource.version
    if resource.attributes:
        stored[RESOURCE] = dict(resource.attributes)


def stored_event(event: Event, span: Span, store_content: bool) -> dict[str, Any]:
    """Returns the event. Its time is stored as milliseconds after the start of its span, if it is later."""
    stored: dict[str, Any] = {"name": clean(event.name, ID_LENGTH)}
    if event.time_ns >= span.start_ns:
        stored["offset_ms"] = round((event.time_ns - span.start_ns) / NS_PER_MS, 3)
    if store_content and event.attributes:
        stored["attributes"] = {
            clean(name, ID_LENGTH): storable(safe_attribute(name, value))
            for name, value in event.attributes.items()
            if name != "exception.stacktrace"
        }
    return stored
