"""Leaves out the contents of a span where its reader may not see them."""

import re
from collections.abc import Mapping
from typing import Any

from ingest.attribute_names import is_content

LISTS = ("events", "links")
"""Not attributes of the client, although they are stored beside them."""
OF_CONTENT = re.compile(
    r"(^|[._])(prompt|completion|message|input|output|content|question|answer|text|argument|arg|result|query|response)s?"
    r"($|[._])",
    re.IGNORECASE,
)
PLAIN_LENGTH = 256


def own_attributes(attributes: Mapping[str, Any], sees_content: bool) -> dict[str, Any]:
    """Returns the attributes that the client gave the span; to others only those that cannot hold contents."""
    return {
        name: value
        for name, value in attributes.items()
        if name not in LISTS and (sees_content or is_harmless(name, value))
    }


def is_harmless(name: str, value: Any) -> bool:
    """Tells whether the attribute is shown to everyone.

    Clients name attributes as they like, so only numbers and short texts pass, and no text whose name speaks
    of content.
    """
    if isinstance(value, (bool, int, float)) or value is None:
        return True
    is_plain = isinstance(value, str) and len(value) <= PLAIN_LENGTH and value[:1] not in '{["'
    return is_plain and not is_content(name) and not OF_CONTENT.search(name)


def events_of(attributes: Mapping[str, Any], sees_content: bool) -> list[dict[str, Any]]:
    """Returns the events of the span. Their attributes are contents."""
    events = attributes.get("events")
    found = [event for event in events if isinstance(event, dict)] if isinstance(events, list) else []
    return [
        {
            "name": str(event.get("name", "")),
            "offset_ms": event.get("offset_ms") if isinstance(event.get("offset_ms"), (int, float)) else None,
            "attributes": attributes_of(event) if sees_content else {},
        }
        for event in found
    ]


def attributes_of(event: Mapping[str, Any]) -> dict[str, Any]:
    attributes = event.get("attributes")
    return attributes if isinstance(attributes, dict) else {}


def links_of(attributes: Mapping[str, Any]) -> list[dict[str, str]]:
    links = attributes.get("links")
    found = [link for link in links if isinstance(link, dict)] if isinstance(links, list) else []
    return [
        {"trace_id": link["trace_id"], "span_id": link["span_id"]}
        for link in found
        if isinstance(link.get("trace_id"), str) and isinstance(link.get("span_id"), str)
    ]
