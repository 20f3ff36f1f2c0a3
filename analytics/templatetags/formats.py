"""Numbers and times for reading. The exact value belongs into a title beside them."""

import math
from datetime import UTC, datetime, timedelta

from django import template

from analytics.change import change
from traces.filters import Filters
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
    return f"{value:.1f} %" if 0 < abs(value) < 9.95 else f"{value:.0f} %"


@register.filter(is_safe=True)
def unbroken(text: str) -> str:
    """Lines of a sentence never begin with a percent sign."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


@register.filter
def percent_reached(value: Number) -> str:
    """Cut, never rounded up: 79.99 % of a budget has not reached 80 %."""
    if value is None:
        return NOTHING
    return f"{math.floor(value * 10) / 10:,.1f}".removesuffix(".0") + " %"


@register.filter
def usd(value: Number) -> str:
    """$0.0042, $12.40 and $1.2k; a dash where nothing has a price."""
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
    """For sentences: $412, $1,730 and, below $100, $12.40."""
    if value is None or abs(value) < 100 or abs(value) >= 1e6:
        return usd(value)
    return f"{'-' if value < 0 else ''}${abs(value):,.0f}"


@register.filter
def usd_exact(value: Number) -> str:
    return "unknown" if value is None else f"${exact(value)}"


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
    """12 % more, 3 % less, over 10 times."""
    if value is None:
        return ""
    if abs(value) < 0.05:
        return "the same"
    if value >= 1000:
        return "over 10 times"
    return f"{percent(abs(value))} {'more' if value > 0 else 'less'}"


@register.filter
def than(value: Number, filters: Filters) -> str:
    """12 % more than the 7 days before, the same as the 7 days before, more than 10 times the 7 days before."""
    return compared(value, window_before(filters), "")


@register.filter
def than_in(value: Number, filters: Filters) -> str:
    """For sentences: 12 % more than in the 7 days before."""
    return compared(value, window_before(filters), "in ")


def compared(value: Number, window: str, link: str) -> str:
    if value is not None and value >= 1000:  # how many times says only that there was next to nothing
        return f"more than 10 times {window}"
    words = change_words(value)
    return f"{words} {'as' if words == 'the same' else 'than'} {link}{window}"


@register.filter
def change_arrow(value: Number) -> str:
    if value is None or abs(value) < 0.05:
        return ""
    return "▲" if value > 0 else "▼"


STEADY_BELOW = 5
"""Percent. As the trend of a top user."""


@register.filter
def judged(percentage: Number, good: str) -> str:
    """`good` is what is welcome of this number: less, more, or neither. A steady one is neither good nor bad."""
    if not percentage or abs(percentage) < STEADY_BELOW or good == "neither":
        return "neither"
    return "good" if (percentage > 0) == (good == "more") else "bad"


@register.filter
def value_before(value: Number, percentage: Number) -> Number:
    """What it was, from what it is and by how many percent it changed."""
    return None if value is None or percentage is None or percentage <= -100 else value / (1 + percentage / 100)


RANGE_WORDS = {"1h": "hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days"}


@register.filter
def window(filters: Filters, workspace: Workspace) -> str:
    """in the last 24 hours; from 1 Nov 2026, 10:00 to 2 Nov 2026, 10:00 (Europe/Berlin)."""
    if filters.range:
        return f"in the last {RANGE_WORDS[filters.range]}"
    start, end = (local(moment, workspace) for moment in (filters.start, filters.end))
    return f"from {start} to {end} ({workspace.time_zone})"


@register.filter
def is_narrowed(filters: Filters) -> bool:
    return bool(filters.values)


@register.filter
def with_filters(filters: Filters) -> str:
    """For sentences, before the window or the verb: nobody takes a part for the whole."""
    return " with these filters" if is_narrowed(filters) else ""


@register.filter
def window_before(filters: Filters) -> str:
    return f"the {RANGE_WORDS[filters.range]} before" if filters.range else "the window before"


@register.filter
def local(moment: datetime | str, workspace: Workspace) -> str:
    """In the workspace's zone; the page names the zone."""
    return f"{in_zone(moment, workspace):%-d %b %Y, %H:%M}"


@register.filter
def local_day(moment: datetime | str, workspace: Workspace) -> str:
    return f"{in_zone(moment, workspace):%-d %b}"


@register.filter
def local_month(moment: datetime | str, workspace: Workspace) -> str:
    return f"{in_zone(moment, workspace):%B}"


@register.filter
def local_bucket(moment: datetime, context: tuple[Filters, Workspace]) -> str:
    """As short as the bucket allows: a day has no time, and is one of UTC."""
    filters, workspace = context
    if filters.granularity == "daily":
        return f"{moment.astimezone(UTC):%a %-d %b %Y}"
    return f"{in_zone(moment, workspace):%a %-d %b, %H:%M}"


def in_zone(moment: datetime | str, workspace: Workspace) -> datetime:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return moment.astimezone(workspace.zone)


@register.filter
def with_workspace(filters: Filters, workspace: Workspace) -> tuple[Filters, Workspace]:
    return filters, workspace


@register.filter
def short(text: str) -> str:
    """Long ids cut in the middle."""
    return text if len(text) <= 36 else f"{text[:20]}…{text[-12:]}"


@register.filter
def local_short(moment: datetime | str, workspace: Workspace) -> str:
    """Without a year where it is this one."""
    here = in_zone(moment, workspace)
    return f"{here:%-d %b, %H:%M}" if here.year == datetime.now(workspace.zone).year else f"{here:%-d %b %Y}"


@register.filter
def span(filters: Filters, workspace: Workspace) -> str:
    """A window as short as it can be said: 22 Nov, 13:00 to 14:00; with a year where it is not this one."""
    start, end = in_zone(filters.start, workspace), in_zone(filters.end, workspace)
    day = "%-d %b" if start.year == datetime.now(workspace.zone).year else "%-d %b %Y"
    if start.date() == end.date():
        return f"{start:{day}, %H:%M} to {end:%H:%M}"
    if (start.hour, start.minute, end.hour, end.minute) == (0, 0, 0, 0):
        last = end - timedelta(days=1)
        return f"{start:{day}}" if last.date() == start.date() else f"{start:{day}} to {last:{day}}"
    return f"{start:{day}, %H:%M} to {end:{day}, %H:%M}"


@register.filter
def is_cut(text: str) -> bool:
    return short(text) != text


@register.filter
def ms_exact(value: Number) -> str:
    return "unknown" if value is None else f"{exact(value)} ms"


@register.filter
def percent_exact(value: Number) -> str:
    return "unknown" if value is None else f"{exact(value)} %"


@register.filter
def rate(value: Number) -> str:
    """12.4, 0.031: two figures that count."""
    if not value:
        return "0"
    return count(value) if value >= 100 else f"{value:.2g}" if value < 1 else f"{value:.1f}"


@register.filter
def than_before(value_ms: Number, percentage: Number) -> str:
    """After a latency and before the window it is compared with: "up from 3.1 s in"; empty where there is nothing."""
    earlier = value_before(value_ms, percentage)
    if earlier is None:
        return ""
    if ms(earlier) == ms(value_ms):
        return "as in"
    return f"{'up' if (percentage or 0) > 0 else 'down'} from {ms(earlier)} in"


STATUS_WORDS = {
    "unset": "no limit",
    "ok": "within budget",
    "warning": "past the alert threshold",
    "critical": "past 90 %",
    "exceeded": "exceeded",
}


@register.filter
def status_words(status: str) -> str:
    return STATUS_WORDS[status]


@register.filter
def used_of(used_percentage: Number, limit_usd: float) -> str:
    return f"of {dollars(limit_usd)}" + (
        "" if used_percentage is None else f", {percent_reached(used_percentage)} spent"
    )


@register.filter
def projection_note(projected_usd: Number, limit_usd: Number) -> str:
    if projected_usd is None or not limit_usd:
        return "at this pace"
    return f"{percent(projected_usd * 100 / limit_usd)} of the budget"


@register.filter
def change_from(now: Number, before: Number) -> Number:
    return change(now, before)
