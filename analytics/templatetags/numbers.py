"""Makes filters of the formats of numbers, so that templates only display."""

from typing import Any

from django import template

from web import number_text

register = template.Library()

for number_filter in (
    *(number_text.count, number_text.decimal, number_text.rate, number_text.usd, number_text.dollars, number_text.ms),
    *(number_text.pace, number_text.in_column),
    *(number_text.average, number_text.percent, number_text.percent_reached, number_text.unlocalized),
    *(number_text.exact, number_text.usd_exact, number_text.percent_exact, number_text.ms_exact),
):
    register.filter(number_filter.__name__, number_filter)


@register.simple_tag
def column_unit(rows: list[dict[str, Any]], *fields: str) -> number_text.ColumnUnit:
    """Returns the unit of the columns with these fields, for the filter `in_column`."""
    return number_text.column_unit(fields[0], (row[field] for row in rows for field in fields))


@register.filter(is_safe=True)
def unbroken(text: str) -> str:
    """Prevents a line break between a number and its percent sign."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")
