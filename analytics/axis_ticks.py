"""Chooses the ticks of axes and their texts as Plotly does, so that a drawing of the server looks like Plotly's.

The rules are those of `Axes.autoTicks` in Plotly's source.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import floor, log10
from typing import NamedTuple

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MINUTE, MONTH, YEAR = timedelta(minutes=1), timedelta(days=30.4375), timedelta(days=365.25)
STEPS = (
    (DAY, (1, 2, 3, 7, 14)),
    (HOUR, (1, 2, 3, 6, 12)),
    (MINUTE, (1, 2, 5, 10, 15, 30)),
)
MONTHS = (1, 2, 3, 6, 12)
A_MIDNIGHT, A_SUNDAY = datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2000-01-02")
"""From which Plotly counts hours, and days."""
PREFIXES = {-3: "n", -2: "µ", -1: "m", 0: "", 1: "k", 2: "M", 3: "G", 4: "T"}
DIGITS = 6


class Tick(NamedTuple):
    at: datetime
    lines: tuple[str, ...]


# --- Time ---


def time_ticks(first: datetime, last: datetime, about: int) -> list[Tick] | None:
    """Returns the ticks of an axis with room for `about` of them; None for axes of many years or few seconds."""
    rough = (last - first) / about
    if 2 * rough > YEAR:
        return None
    if 2 * rough > MONTH:
        return [Tick(at, (f"{at:%-d %b}",)) for at in months_between(first, last, rounded_up(rough / MONTH, MONTHS))]
    for unit, factors in STEPS:
        if 2 * rough > unit:
            step = rounded_up(rough / unit, factors) * unit
            return with_texts(moments(first, last, A_SUNDAY if unit == DAY else A_MIDNIGHT, step), step)
    return None


def rounded_up(value: float, choices: Sequence[float]) -> float:
    return next((choice for choice in choices if choice >= value), choices[-1])


def moments(first: datetime, last: datetime, origin: datetime, step: timedelta) -> list[datetime]:
    """Returns the moments from `first` to `last` that are whole steps away from `origin`."""
    at = origin - ((origin - first) // step) * step
    found = []
    while at <= last:
        found.append(at)
        at += step
    return found


def months_between(first: datetime, last: datetime, step: float, origin: datetime = A_MIDNIGHT) -> list[datetime]:
    """Returns the beginnings of months that are whole steps of months away from that of `origin`."""
    counts = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    offset = origin.month - 1
    fitting = [divmod(count, 12) for count in counts if (count - offset) % step == 0]
    starts = [A_MIDNIGHT.replace(year=year, month=month + 1) for year, month in fitting]
    return [start for start in starts if first <= start <= last]


def with_texts(found: list[datetime], step: timedelta) -> list[Tick]:
    """Names days, and times of a day with the day where it begins to be another one."""
    if step >= DAY:
        return [Tick(at, (f"{at:%-d %b}",)) for at in found]
    days = [f"{at:%-d %b}" for at in found]
    is_new = [place == 0 or days[place] != days[place - 1] for place in range(len(days))]
    return [
        Tick(at, (f"{at:%H:%M}", day) if new else (f"{at:%H:%M}",))
        for at, day, new in zip(found, days, is_new, strict=True)
    ]


# --- Amounts ---


def amount_step(largest: float, about: int) -> float:
    """Returns the distance of the ticks of an axis from 0 to `largest`."""
    rough = largest / about
    base = 10.0 ** floor(log10(rough))
    return rounded_up(rough / base, (1, 2, 5, 10)) * base


def amount_text(value: float, form: str) -> str:
    """Formats a number as d3-format does for `,~r` and `~s`: at most six digits that count, no zeros at the end."""
    if not value:
        return "0"
    power = floor(log10(abs(value)) + 1e-9)
    if form == "~s":
        prefix = max(min(power // 3, 4), -3)
        return plain(value / 1000.0**prefix, power - 3 * prefix) + PREFIXES[prefix]
    return plain(value, power)


def plain(value: float, power: int) -> str:
    text = f"{value:,.{max(DIGITS - 1 - power, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
