"""Formats the parts of a conversation for reading. All of them are texts, whatever markup they hold."""

import orjson
from django import template

from explorer.content import Part
from explorer.trace_filters import TraceFilters
from web.number_text import ms, usd

register = template.Library()

LONG = 1_500
"""Characters from which a text is folded, so that what follows it stays in sight."""
HEAD = 160
ROLE_NAMES = {"system": "System", "user": "User", "assistant": "Model", "tool": "Tool"}


@register.filter
def role_name(role: str) -> str:
    return ROLE_NAMES[role]


@register.filter
def pretty(text: str) -> str:
    """Writes JSON with a field on each line; leaves other texts as they are."""
    if text[:1] not in ("{", "["):
        return text
    try:
        return orjson.dumps(orjson.loads(text), option=orjson.OPT_INDENT_2).decode()
    except (orjson.JSONDecodeError, TypeError):
        return text


@register.filter
def as_shown(value: object) -> str:
    """Returns the value of an attribute as text."""
    if isinstance(value, str):
        return pretty(value)
    return orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2).decode()


@register.filter
def is_folded(part: Part) -> bool:
    return len(part.text) > LONG or part.kind in ("json", "reasoning") or (part.is_json and len(part.text) > HEAD)


@register.filter
def is_long(text: str) -> bool:
    return len(text) > HEAD


@register.filter
def head(text: str) -> str:
    """Returns the first words of a folded text, on one line."""
    line = " ".join(text[: 2 * HEAD].split())
    return line if len(text) <= HEAD else f"{line[:HEAD]}…"


@register.filter
def narrowed_words(question: TraceFilters) -> str:
    """Names what the form of the list of traces asks for."""
    words = {
        "with errors": question.has_error is True,
        "without errors": question.has_error is False,
        f"at least {ms(question.min_latency_ms)}": question.min_latency_ms is not None,
        f"at least {usd(question.min_cost_usd)}": question.min_cost_usd is not None,
        f"{question.sort.replace('_', ' ')} first": True,
    }
    return ", ".join(word for word, is_active in words.items() if is_active)


@register.filter
def score_value(value: float | bool | str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:g}"
