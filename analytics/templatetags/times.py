"""Formats times and windows for reading, in a time zone. The page names the zone."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django import template

from traces.filters import Filters

register = template.Library()

RANGE_WORDS = {"1h": "hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days"}
CALENDAR_WORDS = {"today": "today", "month": "this month so far"}
"""Of the ranges that begin with a day or month."""


@register.filter
def window(filters: Filters) -> str:
    """Formats a window, like: in the last 24 hours; from 1 Nov 2026, 10:00 to 2 Nov 2026, 10:00 (Europe/Berlin)."""
    if filters.range:
        return CALENDAR_WORDS.get(filters.range) or f"in the last {RANGE_WORDS[filters.range]}"
    start, end = (local(moment, filters.zone) for moment in (filters.start, filters.end))
    return f"from {start} to {end} ({filters.zone})"


@register.filter
def previous_window(filters: Filters) -> str:
    return f"the {RANGE_WORDS[filters.range]} before" if filters.range in RANGE_WORDS else "the window before"


@register.filter
def short_window(filters: Filters) -> str:
    """Formats a window, like: 22 Nov, 13:00 to 14:00; with the year if it is not the current one."""
    if filters.range:
        return CALENDAR_WORDS.get(filters.range, filters.range).capitalize()
    start, end = in_zone(filters.start, filters.zone), in_zone(filters.end, filters.zone)
    day = "%-d %b" if start.year == datetime.now(filters.zone).year else "%-d %b %Y"
    if start.date() == end.date():
        return f"{start:{day}, %H:%M} to {end:%H:%M}"
    if (start.hour, start.minute, end.hour, end.minute) == (0, 0, 0, 0):
        last = end - timedelta(days=1)
        return f"{start:{day}}" if last.date() == start.date() else f"{start:{day}} to {last:{day}}"
    return f"{start:{day}, %H:%M} to {end:{day}, %H:%M}"


@register.filter
def local(moment: datetime | str, zone: ZoneInfo) -> str:
    return f"{in_zone(moment, zone):%-d %b %Y, %H:%M}"


@register.filter
def local_short(moment: datetime | str, zone: ZoneInfo) -> str:
    """Formats a time without the year if it is the current one, else without the time of day."""
    at = in_zone(moment, zone)
    return f"{at:%-d %b, %H:%M}" if at.year == datetime.now(zone).year else f"{at:%-d %b %Y}"


@register.filter
def local_second(moment: datetime | str, zone: ZoneInfo) -> str:
    """Formats a time to the second, with the year if it is not the current one."""
    at = in_zone(moment, zone)
    return f"{at:%-d %b, %H:%M:%S}" if at.year == datetime.now(zone).year else f"{at:%-d %b %Y, %H:%M:%S}"


@register.filter
def local_day(moment: datetime | str, zone: ZoneInfo) -> str:
    return f"{in_zone(moment, zone):%-d %b}"


@register.filter
def local_month(moment: datetime | str, zone: ZoneInfo) -> str:
    return f"{in_zone(moment, zone):%B}"


@register.filter
def local_bucket(moment: datetime, filters: Filters) -> str:
    """Formats the start of a bucket: a day without time of day, and an hour that comes twice with its zone."""
    at = in_zone(moment, filters.zone)
    if filters.granularity == "monthly":
        return f"{at:%B %Y}"
    if filters.granularity == "weekly":
        return f"week of {at:%a %-d %b %Y}"
    if filters.granularity == "daily":
        return f"{at:%a %-d %b %Y}"
    return f"{at:%a %-d %b, %H:%M %Z}" if comes_twice(at) else f"{at:%a %-d %b, %H:%M}"


@register.filter
def short_bucket(moment: datetime, filters: Filters) -> str:
    """Formats the start of a bucket for a sentence: Mon 14:00 within a week, else Mon 23 Nov, 14:00."""
    at = in_zone(moment, filters.zone)
    is_this_week = filters.end - moment < timedelta(days=6)
    if filters.granularity in ("minute", "hourly") and is_this_week:
        return f"{at:%a %H:%M}"
    return local_bucket(moment, filters).removesuffix(f" {filters.end.astimezone(filters.zone):%Y}")


def comes_twice(at: datetime) -> bool:
    """Returns whether the clock shows this time twice, since it is set back."""
    return at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset()


def in_zone(moment: datetime | str, zone: ZoneInfo) -> datetime:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return moment.astimezone(zone)
