from django import template

from web import number_text

register = template.Library()


@register.filter
def seconds(value: float) -> str:
    """Returns a time in seconds in words, like `840 ms` or `2 min`."""
    return number_text.ms(value * 1000)
