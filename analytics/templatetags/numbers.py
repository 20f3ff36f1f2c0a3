"""Formats numbers for reading. Templates put the exact value into the title of the element."""

import math

from django import template

register = template.Library()

NOTHING = "\u2013"
Number = float | None


@register.filter
def count(value: Number) -> str:
    """Formats a count, like 9,812 or 1.2 M."""
    if value is None:
        return NOTHING
    if abs(value) >= 1_000_000:
        return f"{value / 1_000_000:.1f} M" if abs(value) < 1e9 else f"{value / 1_000_000_000:.1f} B"
    return f"{value:,.0f}"


@register.filter
def exact(value: Number) -> str:
    if value is None:
        return "unknown"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6f}".rstrip("0").rstrip(".")


@register.filter
def unlocalized(value: Number) -> str:
    """Formats a number for form fields and attributes: without separators; None as an empty text."""
    return "" if value is None else f"{value:.2f}"


@register.filter
def decimal(value: Number) -> str:
    """Formats a number with one decimal if it is below a thousand, like 12.4."""
    if value is None:
        return NOTHING
    return f"{value:,.1f}" if abs(value) < 1000 else count(value)


@register.filter
def rate(value: Number) -> str:
    """Formats a rate, like 12.4, or with two significant digits below 1, like 0.031."""
    if not value:
        return "0"
    return count(value) if value >= 100 else f"{value:.2g}" if value < 1 else f"{value:.1f}"


@register.filter
def percent(value: Number) -> str:
    if value is None:
        return NOTHING
    return f"{value:.1f} %" if 0 < abs(value) < 9.95 else f"{value:.0f} %"


@register.filter
def percent_exact(value: Number) -> str:
    return "unknown" if value is None else f"{exact(value)} %"


@register.filter
def percent_reached(value: Number) -> str:
    """Formats a share of a budget, never rounded up: 79.99 % has not reached 80 %."""
    if value is None:
        return NOTHING
    return f"{math.floor(value * 10) / 10:,.1f}".removesuffix(".0") + " %"


@register.filter(is_safe=True)
def unbroken(text: str) -> str:
    """Prevents a line break between a number and its percent sign."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


@register.filter
def usd(value: Number) -> str:
    """Formats an amount, like $0.0042, $12.40 or $1.2k; a dash for None."""
    if value is None:
        return NOTHING
    if value == 0:
        return "$0.00"
    sign = "-" if value < 0 else ""
    if abs(value) < 0.1:
        return f"{sign}${abs(value):.4f}" if abs(value) >= 0.0001 else "<$0.0001"
    for limit, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{sign}${abs(float(value)) / limit:.1f}{unit}"
    return f"{sign}${abs(value):,.2f}"


@register.filter
def dollars(value: Number) -> str:
    """Formats an amount for sentences, like $412, $1,730 or, below $100, $12.40."""
    if value is None or abs(value) < 100 or abs(value) >= 1e6:
        return usd(value)
    return f"{'-' if value < 0 else ''}${abs(value):,.0f}"


@register.filter
def usd_exact(value: Number) -> str:
    return "unknown" if value is None else f"${exact(value)}"


@register.filter
def ms(value: Number) -> str:
    """Formats a duration, like 840 ms, 3.4 s or 2 min."""
    if value is None:
        return NOTHING
    if value < 1000:
        return f"{value:.0f} ms"
    return f"{value / 1000:.1f} s" if value < 120_000 else f"{value / 60_000:.0f} min"


@register.filter
def ms_exact(value: Number) -> str:
    return "unknown" if value is None else f"{exact(value)} ms"
