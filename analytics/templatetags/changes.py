"""Formats a change in percent as words and CSS classes."""

from django import template

from analytics.change import change
from analytics.templatetags.times import previous_window
from traces.filters import Filters
from web.number_text import Number, ms, percent

register = template.Library()

SAME, ABOUT_THE_SAME = "the same", "about the same"
NOTICED_FROM = 0.5
"""Percent; a smaller change is none that anybody should act on."""
STEADY_BELOW = 5
"""Percent; the trend of a top user uses the same limit."""


@register.filter
def change_words(value: Number) -> str:
    """Formats a change, like 12 % more, 3 % less, over 10 times."""
    if value is None:
        return ""
    if not value:
        return SAME
    if abs(value) < NOTICED_FROM:
        return ABOUT_THE_SAME
    if value >= 1000:
        return "over 10 times"
    return f"{percent(abs(value))} {'more' if value > 0 else 'less'}"


@register.filter
def vs_previous(value: Number, filters: Filters) -> str:
    """Formats a change, like 12 % more than the 7 days before, the same as the 7 days before."""
    return compared(value, previous_window(filters), "")


@register.filter
def vs_previous_in(value: Number, filters: Filters) -> str:
    """Formats a change for sentences, like 12 % more than in the 7 days before."""
    return compared(value, previous_window(filters), "in ")


def compared(value: Number, window: str, link: str) -> str:
    # The exact multiple has no meaning: it shows only that the previous number was almost 0.
    if value is not None and value >= 1000:
        return f"more than 10 times {window}"
    words = change_words(value)
    return f"{words} {'as' if words in (SAME, ABOUT_THE_SAME) else 'than'} {link}{window}"


@register.filter
def change_arrow(value: Number) -> str:
    if value is None or abs(value) < NOTICED_FROM:
        return ""
    return "▲" if value > 0 else "▼"


@register.filter
def change_class(percentage: Number, good: str) -> str:
    """Returns good, bad or neither. `good` names the change of this number that is good: less, more, or neither."""
    if not percentage or abs(percentage) < STEADY_BELOW or good == "neither":
        return "neither"
    return "good" if (percentage > 0) == (good == "more") else "bad"


@register.filter
def latency_vs_previous(value_ms: Number, percentage: Number) -> str:
    """Formats a change before the previous window, like "up from 3.1 s in". Empty without a previous value."""
    previous = previous_value(value_ms, percentage)
    if previous is None:
        return ""
    if ms(previous) == ms(value_ms):
        return "as in"
    return f"{'up' if (percentage or 0) > 0 else 'down'} from {ms(previous)} in"


def previous_value(value: Number, percentage: Number) -> Number:
    """Computes the previous value from the current one and its change in percent."""
    return None if value is None or percentage is None or percentage <= -100 else value / (1 + percentage / 100)


@register.filter
def change_from(now: Number, previous: Number) -> Number:
    return change(now, previous)
