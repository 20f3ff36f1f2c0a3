"""Draws a heat map as a few SVG paths, one for each shade, which load nothing and need no exception from the CSP."""

from collections.abc import Iterator
from math import log
from typing import Any, NamedTuple

from web.number_text import count, ms

SHADES = 6


class Shade(NamedTuple):
    number: int
    path: str


class HeatMap(NamedTuple):
    columns: int
    rows: int
    shades: list[Shade]
    names: list[str]
    """Of the rows, the slowest first."""
    tips: list[str]
    """Of the columns."""
    most: str
    """The most calls of a cell."""


def drawn(data: dict[str, Any]) -> HeatMap | None:
    """Returns the map; None where no call has a latency."""
    cells = [(x, y, calls) for x, point in enumerate(data["data"]) for y, calls in enumerate(point["calls"]) if calls]
    if not cells:
        return None
    rows, most = len(data["from_ms"]), max(calls for *_, calls in cells)
    paths: dict[int, list[str]] = {}
    for x, y, calls in cells:
        paths.setdefault(shade_of(calls, most), []).append(f"M{x} {rows - 1 - y}h1v1h-1z")
    return HeatMap(
        len(data["data"]),
        rows,
        [Shade(number, "".join(paths[number])) for number in sorted(paths)],
        names_of(data["from_ms"])[::-1],
        list(tips_of(data)),
        count(most),
    )


def shade_of(calls: int, most: int) -> int:
    """Returns 1 to SHADES. The scale is logarithmic, so that a few slow calls beside many fast ones are seen."""
    return SHADES if most == 1 else 1 + round(log(calls) / log(most) * (SHADES - 1))


def names_of(from_ms: list[int]) -> list[str]:
    return [f"from {ms(lower)}" if lower else "below 1 ms" for lower in from_ms]


def tips_of(data: dict[str, Any]) -> Iterator[str]:
    names = names_of(data["from_ms"])
    for point in data["data"]:
        total = sum(point["calls"])
        most = max(range(len(names)), key=lambda place: point["calls"][place])
        yield f"{count(total)} calls, most of them {names[most]}" if total else "no call"
