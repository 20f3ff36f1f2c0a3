"""Draws sparklines as SVG attributes, which load no file and need no exception from the CSP."""

from datetime import datetime
from statistics import median
from typing import Any

from django import template

from analytics.templatetags.links import is_cut
from traces.filters import Filters

register = template.Library()

WIDTH, HEIGHT = 100.0, 28.0


@register.simple_tag
def spark_values(series: list[dict[str, Any]], field: str, filters: Filters) -> list[float | None]:
    """Returns the values of the buckets that the window does not cut; of all buckets if those are fewer than three."""
    whole = [point[field] for point in series if not is_cut(datetime.fromisoformat(point["timestamp"]), filters)]
    return whole if len(whole) > 2 else [point[field] for point in series]


@register.filter
def spark(values: list[float | None]) -> dict[str, str] | None:
    """Returns the paths of a line and of the area below it, in a box of 100 by 28. None interrupts the line."""
    known = [value for value in values if value is not None]
    if len(known) < 2 or not any(known):  # a line of zeros would lie on the card's edge
        return None
    runs = [run for run in connected_runs(values, top=max(*known, 0) or 1) if len(run) > 1]
    if not runs:
        return None
    return {
        "line": "".join("M" + "L".join(run) for run in runs),
        "area": "".join(
            f"M{run[0].split()[0]} {HEIGHT:.4g}L{'L'.join(run)}L{run[-1].split()[0]} {HEIGHT:.4g}Z" for run in runs
        ),
    }


def connected_runs(values: list[float | None], top: float) -> list[list[str]]:
    """Returns the coordinates of the points, as one list for each part of the line without a gap."""
    step = WIDTH / (len(values) - 1)
    runs: list[list[str]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(f"{index * step:.4g} {HEIGHT - 3 - max(value, 0) / top * (HEIGHT - 5):.4g}")
    return runs


PEAK = 2
"""A peak is so many times the median."""


@register.filter
def peak_of(series: list[dict[str, Any]], field: str) -> dict[str, Any] | None:
    """Returns the bucket with the highest value and its start; None where no value stands out."""
    known = [point for point in series if point[field]]
    if len(known) < 3:
        return None
    highest = max(known, key=lambda point: float(point[field]))
    if highest[field] < PEAK * median(point[field] for point in known):
        return None
    return highest | {"starts": datetime.fromisoformat(highest["timestamp"])}


@register.filter
def running_total(values: list[float | None]) -> list[float | None]:
    total = 0.0
    return [total := total + (value or 0) for value in values]


@register.filter
def remaining_of(values: list[float | None], limit: float | None) -> list[float | None]:
    return [] if limit is None else [limit - (value or 0) for value in values]
