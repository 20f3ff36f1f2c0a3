"""Numbers and times for reading. The exact value belongs into a title beside them."""

from datetime import datetime

from django import template

from analytics.filters import Filters
from workspaces.models import Workspace

register = template.Library()

NOTHING = "\u2013"
Number = float | None


@register.filter
def count(value: Number) -> str:
    """9,812 and 1.2 M."""
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
    """For form fields and attributes: no separators, nothing for None."""
    return "" if value is None else f"{value:.2f}"


@register.filter
def decimal(value: Number) -> str:
    """One decimal below a thousand, like 12.4."""
    if value is None:
        return NOTHING
    return f"{value:,.1f}" if abs(value) < 1000 else count(value)


@register.filter
def percent(value: Number) -> str:
    if value is None:
        return NOTHING
    return f"{value:.1f} %" if 0 < abs(value) < 10 else f"{value:.0f} %"


@register.filter
def usd(value: Number) -> str:
    """$0.0042, $12.40 and $1.2k; a dash where nothing has a price."""
    if value is None:
        return NOTHING
    if value == 0:
        return "$0.00"
    if abs(value) < 0.01:
        return f"${value:.2g}" if abs(value) >= 0.0001 else "<$0.0001"
    for limit, unit in ((1e9, "B"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            return f"${float(value) / (1000 if unit == 'k' else limit):.1f}{unit}"
    return f"${value:,.2f}"


@register.filter
def ms(value: Number) -> str:
    """840 ms, 3.4 s and 2 min."""
    if value is None:
        return NOTHING
    if value < 1000:
        return f"{value:.0f} ms"
    return f"{value / 1000:.1f} s" if value < 120_000 else f"{value / 60_000:.0f} min"


@register.filter
def change_words(value: Number) -> str:
    """12 % more, 3 % less."""
    if value is None:
        return ""
    if abs(value) < 0.05:
        return "the same"
    return f"{percent(abs(value))} {'more' if value > 0 else 'less'}"


@register.filter
def change_arrow(value: Number) -> str:
    if value is None or abs(value) < 0.05:
        return ""
    return "▲" if value > 0 else "▼"


RANGE_WORDS = {"1h": "hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days"}


@register.filter
def window(filters: Filters, workspace: Workspace) -> str:
    """in the last 24 hours; from 1 Nov 2026, 10:00 to 2 Nov 2026, 10:00 (Europe/Berlin)."""
    if filters.range:
        return f"in the last {RANGE_WORDS[filters.range]}"
    start, end = (local(moment, workspace) for moment in (filters.start, filters.end))
    return f"from {start} to {end} ({workspace.time_zone})"


@register.filter
def window_before(filters: Filters) -> str:
    return f"the {RANGE_WORDS[filters.range]} before" if filters.range else "the window before"


@register.filter
def local(moment: datetime | str, workspace: Workspace) -> str:
    """In the workspace's zone; the page names the zone."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return f"{moment.astimezone(workspace.zone):%-d %b %Y, %H:%M}"


@register.filter
def short(text: str) -> str:
    """Long ids cut in the middle."""
    return text if len(text) <= 36 else f"{text[:20]}…{text[-12:]}"
