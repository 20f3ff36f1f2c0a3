"""Formats ids and parts of sentences for reading."""

from django import template

from traces.filters import Filters

register = template.Library()


@register.filter
def shorten_middle(text: str) -> str:
    """Cuts a long id in its middle."""
    return text if len(text) <= 36 else f"{text[:20]}…{text[-12:]}"


@register.filter
def is_shortened(text: str) -> bool:
    return shorten_middle(text) != text


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
    return " with these filters" if has_filters(filters) else ""
