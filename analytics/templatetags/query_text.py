"""Shows answers of `/api/v1/query`: names and figures of measures, and charts of series."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django import template

from analytics.chart import Bucket, Chart, Figure, seconds
from analytics.query_measures import SCORE_PREFIX, measure
from analytics.templatetags.charts import patterned, slot_colour
from analytics.templatetags.links import buckets
from web.number_text import Number, average, count, exact, ms, percent, percent_exact, rate, usd, usd_exact, whole_ms

register = template.Library()

UNITS = {"_usd": (usd, usd_exact), "_ms": (ms, whole_ms), "_rate": (percent, percent_exact), "_second": (rate, exact)}
"""How the value of a measure is written, and how it is in full, by the end of its name."""
WORDS = {"usd": "USD", "ms": "", "avg": "Average"}


class Value(NamedTuple):
    text: str
    exact: str


@register.filter
def measure_name(name: str) -> str:
    """Returns the name of a measure for people: p95_latency_ms is P95 latency."""
    if name.startswith(SCORE_PREFIX):
        return f"Score {name.removeprefix(SCORE_PREFIX)}"
    words = " ".join(filter(None, (WORDS.get(word, word) for word in name.split("_"))))
    return words[0].upper() + words[1:]


def value_of(name: str, value: Number | None) -> Value:
    for end, (text, whole) in UNITS.items():
        if name.endswith(end):
            return Value(text(value), whole(value))
    return Value((average if name.startswith(SCORE_PREFIX) else count)(value), exact(value))


@register.filter
def query_title(data: dict[str, Any]) -> str:
    measures = ", ".join(measure_name(name) for name in data["measures"])
    return f"{measures} by {' and '.join(data['by'])}" if data["by"] else measures


@register.filter
def query_rows(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields the lines of a table, then the rest and the totals."""
    for line in data["data"]:
        yield {"groups": [(name, line[name]) for name in data["by"]], "cells": cells(data, line)}
    if data["by"]:
        if data["rest"]:
            yield {"words": "all others", "cells": cells(data, data["rest"])}
        yield {"words": "all", "cells": cells(data, data["totals"])}


def cells(data: dict[str, Any], line: dict[str, Any]) -> list[Value]:
    lines = [line, *([line["previous"]] if "previous" in line else [])]
    return [value_of(name, of_window[name]) for name in data["measures"] for of_window in lines]


@register.simple_tag(takes_context=True)
def query_chart(context: template.Context, name: str) -> dict[str, Any]:
    """Returns the chart of one measure: bars of what adds up, lines of what does not, and its numbers."""
    data = context["data"]
    series = dict(series_of(data, name))
    first = next(iter(series.values()))
    rows = buckets(context, [{"timestamp": point["timestamp"]} for point in first])
    chart = Chart(context["filters"])
    drawn = [
        drawn_series(chart, name, title, slot, rows, [point[name] for point in points])
        for slot, (title, points) in enumerate(series.items())
    ]
    values = zip(*([value_of(name, point[name]) for point in points] for points in series.values()), strict=True)
    return {
        "figure": chart.figure(drawn, rows, **axis_of(name)),
        "rows": [row | {"values": list(of_row)} for row, of_row in zip(rows, values, strict=True)],
        "columns": list(series),
        "name": f"query-{data['measures'].index(name)}",
    }


def axis_of(name: str) -> Figure:
    if name.endswith("_usd"):
        return {"tickprefix": "$"}
    return {"ticksuffix": " s"} if name.endswith("_ms") else {}


def series_of(data: dict[str, Any], name: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yields the points of each group, and those of the rest and of the window before."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for point in data["data"]:
        groups.setdefault(" · ".join(point[by] or "none" for by in data["by"]), []).append(point)
    for title, points in groups.items():
        yield title or measure_name(name), points
        if not data["by"] and "previous" in points[0]:
            yield "before", [point["previous"] | {"timestamp": point["timestamp"]} for point in points]
    if data["rest"]:
        yield "all others", data["rest"]["data"]


def drawn_series(
    chart: Chart, name: str, title: str, slot: int, rows: list[Bucket], values: list[float | None]
) -> Figure:
    def whole(value: Number) -> str:
        return value_of(name, value).exact

    if measure(name).of_nothing == 0 and name != "unique_users" and title != "before":
        return patterned(chart.bars(title, rows, values, slot_colour(slot), whole), slot)
    line = chart.line(title, rows, values, slot_colour(slot), whole)
    return line | {"y": [seconds(value) for value in values]} if name.endswith("_ms") else line
