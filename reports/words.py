"""Writes the values and the window of a report for people. All files and pages of reports write them alike."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from reports.document import Unit, Value
from web.number_text import (
    NOTHING,
    SMALL_USD,
    ColumnUnit,
    average,
    cents,
    column_unit,
    exact,
    in_column,
    ms,
    ms_exact,
    pace,
    percent,
    percent_exact,
    usd,
    usd_exact,
)

DAY = timedelta(days=1)
MONTHS_OF_YEAR = 12
THE_DAY_BEFORE = "the day before"
ENDS: dict[Unit, str] = {"usd": "_usd", "ms": "_ms"}
"""By the end of a field's name, `column_unit` chooses the unit of its column."""


# --- Values ---


def written(value: Value, unit: Unit, zone: ZoneInfo) -> str:
    """Writes a value that stands alone, like $1,234.50, 840 ms or 12 Nov 2026; a dash for None."""
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        at = value.astimezone(zone)
        return f"{at:%-d %b %Y}" if unit == "day" else f"{at:%-d %b %Y, %H:%M}"
    return NUMBERS.get(unit, whole)(value)


def amount(value: float) -> str:
    """Writes money to the cent, and small amounts with more decimals."""
    return usd(value) if abs(value) < SMALL_USD else cents(value)


def whole(value: float) -> str:
    return f"{value:,}".replace("-", "\u2212")


NUMBERS = {"average": average, "usd": amount, "ms": ms, "percent": percent, "rate": pace}


def exactly(value: Value, unit: Unit, zone: ZoneInfo) -> str:
    """Writes a value with all its digits."""
    if value is None or isinstance(value, str | datetime):
        return written(value, unit, zone)
    return EXACT_NUMBERS.get(unit, whole)(value)


EXACT_NUMBERS = {"average": exact, "usd": usd_exact, "ms": ms_exact, "percent": percent_exact, "rate": pace}


def in_one_unit(values: Sequence[Value], unit: Unit, zone: ZoneInfo) -> list[str]:
    """Writes the values of a column in one unit, so that people compare them by their digits."""
    if unit not in ENDS:
        return [written(value, unit, zone) for value in values]
    of_column = column_unit(ENDS[unit], [value for value in values if isinstance(value, int | float)])
    return [cell(value, unit, of_column, zone) for value in values]


def cell(value: Value, unit: Unit, of_column: ColumnUnit, zone: ZoneInfo) -> str:
    return in_column(value, of_column) if isinstance(value, int | float) else written(value, unit, zone)


# --- Windows ---


def window_title(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """Names a window: November 2026; 27 November 2026; 23 to 29 November 2026; else from one time to another."""
    first, until = start.astimezone(zone), end.astimezone(zone)
    if not (is_midnight(first) and is_midnight(until)):
        return f"{first:%-d %B %Y, %H:%M} to {until:{'%H:%M' if until.date() == first.date() else '%-d %B %Y, %H:%M'}}"
    if is_month(first, until):
        return f"{first:%B %Y}"
    last = until - DAY
    if last.date() == first.date():
        return f"{first:%-d %B %Y}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first:%-d} to {last:%-d %B %Y}"
    return f"{first:%-d %B}{f' {first.year}' if first.year != last.year else ''} to {last:%-d %B %Y}"


def within(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """Names a window in a sentence: in November 2026, on 27 November 2026, from 23 to 29 November 2026."""
    first, until = start.astimezone(zone), end.astimezone(zone)
    title = window_title(start, end, zone)
    if not (is_midnight(first) and is_midnight(until)):
        return f"from {title}"
    if is_month(first, until):
        return f"in {title}"
    return f"on {title}" if (until - DAY).date() == first.date() else f"from {title}"


def before(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """Names the window of equal length before: the day before, the 30 days before, the window before."""
    first, until = start.astimezone(zone), end.astimezone(zone)
    if not (is_midnight(first) and is_midnight(until)):
        return "the window before"
    days = (until.date() - first.date()).days
    return THE_DAY_BEFORE if days == 1 else f"the {days} days before"


def is_midnight(at: datetime) -> bool:
    """Returns whether a day begins then. Where clocks skip midnight, it begins later."""
    earlier = (at.astimezone(ZoneInfo("UTC")) - timedelta(microseconds=1)).astimezone(at.tzinfo)
    return earlier.date() != at.date()


def is_month(first: datetime, until: datetime) -> bool:
    months = (until.year - first.year) * MONTHS_OF_YEAR + until.month - first.month
    return first.day == until.day == 1 and months == 1
