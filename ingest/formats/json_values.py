"""Parses JSON bodies of spans after a check of their size, and reads values of the wrong type as empty."""

from typing import Any

from django.conf import settings

from web import json_body
from web.problems import Problem


def parse_spans_json(body: bytes, max_levels: int = json_body.MAX_LEVELS) -> Any:
    """Returns the parsed body. Raises 413 for too many spans or values, 400 if it is not JSON or is nested too deep."""
    if body.count(b'"spanId"') > settings.MAX_SPANS_PER_REQUEST:
        raise too_many_spans()
    return json_body.parse_json(body, max_levels)


def items_of(body: bytes, name: str) -> list[Any]:
    """Returns the items of the batch `{name: [..]}`; an object that is no batch is the only item.

    Raises 400 and 413 Problems.
    """
    request = parse_spans_json(body)
    if not isinstance(request, dict):
        raise Problem(400, f'Send one JSON object or {{"{name}": [..]}}.')
    if name not in request:
        return [request]
    if not isinstance(request[name], list) or len(request) > 1:
        raise Problem(400, f'Send one JSON object or {{"{name}": [..]}}.')
    return checked_count(request[name], name)


def checked_count(items: list[Any], name: str) -> list[Any]:
    if len(items) > settings.MAX_SPANS_PER_REQUEST:
        raise Problem(413, f"More than {settings.MAX_SPANS_PER_REQUEST} {name} in a request; send smaller batches.")
    return items


def too_many_spans() -> Problem:
    return Problem(413, f"More than {settings.MAX_SPANS_PER_REQUEST} spans in a request; send smaller batches.")


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def as_objects(value: Any) -> list[dict[str, Any]]:
    """Returns the objects in the list."""
    return [item for item in as_list(value) if isinstance(item, dict)]


def object_at(value: dict[str, Any], key: str) -> dict[str, Any]:
    inner = value.get(key)
    return inner if isinstance(inner, dict) else {}
