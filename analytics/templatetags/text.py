"""Formats ids and parts of sentences for reading."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from traces.filters import DIMENSION_BY_NAME, LABEL_PREFIX, Filters, FilterValues
from traces.row import CALL_OPERATIONS

register = template.Library()


@register.filter
def shorten_middle(text: str) -> str:
    """Cuts a long id in its middle."""
    return text if len(text) <= 36 else f"{text[:20]}…{text[-12:]}"


@register.filter
def is_shortened(text: str) -> bool:
    return shorten_middle(text) != text


@register.filter
def code_words(text: str) -> SafeString:
    """Shows what stands between backticks as code."""
    parts = (format_html("<code>{}</code>" if place % 2 else "{}", part) for place, part in enumerate(text.split("`")))
    return format_html_join("", "{}", ((part,) for part in parts))


@register.filter
def last_part(name: str) -> str:
    """Returns `customer` for `metadata.customer`."""
    return name.rpartition(".")[2]


@register.filter
def has_filters(filters: Filters) -> bool:
    return bool(filters.values)


@register.filter
def with_filters(filters: Filters) -> str:
    """Returns words for a sentence about filtered data, so that nobody reads its numbers as totals."""
    if len(filters.values) != 1:
        return " with these filters" if filters.values else ""
    [(name, values)] = filters.values.items()
    label = DIMENSION_BY_NAME[name].label.lower() if name in DIMENSION_BY_NAME else name.removeprefix(LABEL_PREFIX)
    return f" with {label} {filter_words(values)}"


@register.filter
def whole_workspace(filters: Filters) -> str:
    """Returns words for a figure of the whole workspace that stands beside filtered ones."""
    return ", whole workspace" if has_filters(filters) else ""


@register.filter
def counts_model_calls(filters: Filters) -> bool:
    """Returns whether the filters let model calls pass: tool calls and agent runs have no cost of their own."""
    included = filters.values["operation"].included if "operation" in filters.values else ()
    return not included or not {*CALL_OPERATIONS}.isdisjoint(included)


NAMED = 2
"""A filter names so many of its values, and counts the others."""


@register.filter
def filter_words(values: FilterValues) -> str:
    """Returns the values of a filter in few words: acme, globex and 3 more; not initech."""
    return both_sides(few_words(values.included), few_words(values.excluded))


@register.filter
def all_filter_words(values: FilterValues) -> str:
    """Returns all values of a filter."""
    return both_sides(", ".join(values.included), ", ".join(values.excluded))


def both_sides(included: str, excluded: str) -> str:
    return "; ".join([*filter(None, [included]), *(f"not {words}" for words in filter(None, [excluded]))])


def few_words(values: tuple[str, ...]) -> str:
    words = ", ".join(map(shorten_middle, values[:NAMED]))
    return f"{words} and {len(values) - NAMED} more" if len(values) > NAMED else words
