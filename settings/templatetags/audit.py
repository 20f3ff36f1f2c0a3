"""Writes entries of the audit in words."""

import re
from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()

MOST_CHARACTERS = 400
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)[\d:.]*(Z|\+00:00)")


@register.filter
def action_words(action: str) -> str:
    """Writes key.revoke as "key: revoke"."""
    return action.replace(".", ": ", 1).replace("_", " ")


@register.filter
def values_words(values: Mapping[str, Any] | None) -> str:
    """Writes values as "role: viewer, expires at: …", shortened: the API has all of it."""
    text = ", ".join(f"{name.replace('_', ' ')}: {plain(value)}" for name, value in (values or {}).items())
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"


def plain(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {plain(one)}" for name, one in value.items())
    if isinstance(value, list):
        return "; ".join(plain(one) for one in value)
    return MOMENT.sub(r"\1 \2 UTC", str(value))
