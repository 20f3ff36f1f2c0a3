"""Ids and sentences for reading."""

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
def has_filters(filters: Filters) -> bool:
    return bool(filters.values)


@register.filter
def with_filters(filters: Filters) -> str:
    """For sentences, before the window or the verb, so that nobody takes a part for the whole."""
    return " with these filters" if has_filters(filters) else ""
