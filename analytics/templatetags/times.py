"""Formats times and windows for reading, in the workspace's zone. The page names the zone."""

from datetime import UTC, datetime, timedelta

from django import template

from traces.filters import Filters
from workspaces.models import Workspace

register = template.Library()

RANGE_WORDS = {"1h": "hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days"}


@register.filter
def window(filters: Filters, workspace: Workspace) -> str:
    """Formats a window, like: in the last 24 hours; from 1 Nov 2026, 10:00 to 2 Nov 2026, 10:00 (Europe/Berlin)."""
    if filters.range:
        return f"in the last {RANGE_WORDS[filters.range]}"
    start, end = (local(moment, workspace) for moment in (filters.start, filters.end))
    return f"from {start} to {end} ({workspace.time_zone})"


@register.filter
def previous_window(filters: Filters) -> str:
    return f"the {RANGE_WORDS[filters.range]} before" if filters.range else "the window before"


@register.filter
def short_window(filters: Filters, workspace: Workspace) -> str:
    """Formats a window, like: 22 Nov, 13:00 to 14:00; with the year if it is not the current one."""
    start, end = in_zone(filters.start, workspace), in_zone(filters.end, workspace)
    day = "%-d %b" if start.year == datetime.now(workspace.zone).year else "%-d %b %Y"
    if start.date() == end.date():
        return f"{start:{day}, %H:%M} to {end:%H:%M}"
    if (start.hour, start.minute, end.hour, end.minute) == (0, 0, 0, 0):
        last = end - timedelta(days=1)
        return f"{start:{day}}" if last.date() == start.date() else f"{start:{day}} to {last:{day}}"
    return f"{start:{day}, %H:%M} to {end:{day}, %H:%M}"


@register.filter
def local(moment: datetime | str, workspace: Workspace) -> str:
    return f"{in_zone(moment, workspace):%-d %b %Y, %H:%M}"


@register.filter
def local_short(moment: datetime | str, workspace: Workspace) -> str:
    """Formats a time without the year if it is the current one, else without the time of day."""
    at = in_zone(moment, workspace)
    return f"{at:%-d %b, %H:%M}" if at.year == datetime.now(workspace.zone).year else f"{at:%-d %b %Y}"


@register.filter
def local_day(moment: datetime | str, workspace: Workspace) -> str:
    return f"{in_zone(moment, workspace):%-d %b}"


@register.filter
def local_month(moment: datetime | str, workspace: Workspace) -> str:
    return f"{in_zone(moment, workspace):%B}"


@register.filter
def local_bucket(moment: datetime, filters_and_workspace: tuple[Filters, Workspace]) -> str:
    """Formats the start of a bucket. A day is shown without time of day, and is a day of UTC."""
    filters, workspace = filters_and_workspace
    if filters.granularity == "daily":
        return f"{moment.astimezone(UTC):%a %-d %b %Y}"
    return f"{in_zone(moment, workspace):%a %-d %b, %H:%M}"


@register.filter
def with_workspace(filters: Filters, workspace: Workspace) -> tuple[Filters, Workspace]:
    """Makes the one argument that `local_bucket` can have: a filter of Django takes no more."""
    return filters, workspace


def in_zone(moment: datetime | str, workspace: Workspace) -> datetime:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return moment.astimezone(workspace.zone)
