"""Shows answers of `/api/v1/query`: names and figures of measures, and charts of series."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from django import template

from analytics.change import percentage
from analytics.chart import Bucket, Chart, Figure, seconds
from analytics.palette import distinct_slots
from analytics.query import Group
from analytics.query_measures import SCORE_PREFIX
from analytics.query_measures import measure as measure_of
from analytics.splits import dimension_label, in_sentence
from analytics.templatetags.charts import (
    STATUS_COLOURS,
    STATUS_NAMES,
    class_of,
    dashed,
    patterned,
    per_bucket,
    seconds_text,
    slot_colour,
    ticks_of_counts,
)
from analytics.templatetags.links import MOST_LISTED, all_link, buckets, filter_link
from traces.filters import DIMENSION_BY_NAME, LABEL_PREFIX
from web.number_text import (
    NOTHING,
    UNKNOWN,
    ColumnUnit,
    Number,
    average,
    column_unit,
    exact,
    in_column,
    percent,
    percent_exact,
    rate,
    usd_exact,
    whole_ms,
)

register = template.Library()
register.filter("dimension_name", dimension_label)

UNITS: dict[str, tuple[Callable[[Number, ColumnUnit], str], Callable[[Number], str]]] = {
    "_usd": (in_column, usd_exact),
    "_ms": (in_column, whole_ms),
    "_rate": (lambda value, _: percent(value), percent_exact),
    "_second": (lambda value, _: rate(value), exact),
}
"""How the value of a measure is written in a column, and how it is in full, by the end of its name."""
WORDS = {"usd": "USD", "ms": "", "avg": "Average"}
NOUNS = {
    **{"unpriced_calls": "calls without a price", "calls": "calls", "errors": "errors", "_tokens": "tokens"},
    **{"_users": "users", "tokens_per_second": "tokens per second"},
}
"""The unit of a measure whose text has none, by the end of its name."""
AXES: dict[str, Figure] = {
    "_usd": {"tickprefix": "$"},
    "_ms": {"ticksuffix": " s"},
    "_rate": {"ticksuffix": " %"},
    "_tokens": {"tickformat": "~s"},
}
CALLS_WITH = {"first_token_ms": "call with a time to first token", "latency_ms": "call with a latency"}


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


def column_of(name: str, values: Sequence[Number | None]) -> list[Value]:
    """Writes all values of a measure in one unit."""
    unit = column_unit(name, values)
    text, whole = next((pair for end, pair in UNITS.items() if name.endswith(end)), (in_column, exact))
    if name.startswith(SCORE_PREFIX):
        text, whole = (lambda value, _: average(value)), exact
    return [Value(NOTHING, UNKNOWN) if value is None else Value(text(value, unit), whole(value)) for value in values]


@register.filter
def query_title(data: dict[str, Any]) -> str:
    measures = ", ".join(measure_name(name) for name in data["measures"])
    return f"{measures} by {' and '.join(data['by'])}" if data["by"] else measures


@register.simple_tag(takes_context=True)
def query_lines(context: template.Context) -> list[dict[str, Any]]:
    return list(query_rows(context["data"], rest_link(context)))


def rest_link(context: template.Context) -> str:
    """Returns a link to what the answer sums as all others; nothing if it already has the most lines."""
    data = context["data"]
    if len(data["data"]) >= MOST_LISTED:
        return ""
    by = ",".join(name.replace(",", "\\,") for name in data["by"])
    link: str = all_link(context, by, ",".join(data["measures"]))
    return link


def query_rows(data: dict[str, Any], of_rest: str) -> Iterator[dict[str, Any]]:
    """Yields the lines of a table, then the rest, which the link `of_rest` shows, and the totals."""
    heads: list[dict[str, Any]] = [{"groups": [(name, line[name]) for name in data["by"]]} for line in data["data"]]
    lines = list(data["data"])
    if data["by"] and data["rest"]:
        heads.append({"words": "all others", "link": of_rest})
        lines.append(data["rest"])
    if data["by"]:
        heads.append({"words": "all"})
        lines.append(data["totals"])
    columns = [column for name in data["measures"] for column in columns_of(name, lines)]
    for head, *cells in zip(heads, *columns, strict=True):
        yield head | {"cells": cells}


def columns_of(name: str, lines: list[dict[str, Any]]) -> list[list[Value]]:
    """Returns the column of a measure, and that of the window before if the lines have it, in one unit."""
    windows = [lines, *([[line["previous"] for line in lines]] if "previous" in lines[0] else [])]
    written = column_of(name, [line[name] for of_window in windows for line in of_window])
    return [written[place : place + len(lines)] for place in range(0, len(written), len(lines))]


# --- Charts of a series ---

UNUSUAL = {
    "cost_usd": ("spend",),
    "calls": ("calls",),
    "errors": ("errors",),
    "error_rate": ("errors",),
    "avg_latency_ms": ("latency",),
    "p95_latency_ms": ("latency",),
}
"""Whose unusual hours the chart of a measure marks."""


class Series(NamedTuple):
    name: str
    points: list[dict[str, Any]]
    colour: str
    slot: int | None = None
    link: str | None = None
    """To the page of these calls only."""
    is_before: bool = False


@register.simple_tag(takes_context=True)
def query_chart(context: template.Context, measure: str) -> dict[str, Any]:
    """Returns the chart of one measure: bars of what adds up, lines of what does not, and its numbers."""
    data = context["data"]
    series = list(series_of(context, measure))
    values = column_of(measure, [point[measure] for one in series for point in one.points])
    length = len(series[0].points)
    columns = zip(*(values[place : place + length] for place in range(0, len(values), length)), strict=True)
    rows = buckets(context, [{"timestamp": point["timestamp"]} for point in series[0].points])
    chart = Chart(context["filters"], UNUSUAL.get(measure, ()))
    drawn = [drawn_series(chart, measure, one, rows) for one in series]
    if "previous" in context:
        drawn.append(all_before(chart, measure, context["previous"]))
    return {
        "figure": chart.figure(drawn, rows, **axis_of(measure, [one for one in series if not one.is_before])),
        "rows": [row | {"values": of_row} for row, of_row in zip(rows, columns, strict=True)],
        "columns": [one.name for one in series],
        "name": f"{context['name']}-{data['measures'].index(measure)}",
        "label": f"{measure_name(measure)} over time",
    }


def series_of(context: template.Context, measure: str) -> Iterator[Series]:
    """Yields the points of each group, and those of the rest and of the window before."""
    data = context["data"]
    groups = groups_of(data)
    slots = slots_of_groups(groups, data["by"], context["slots"])
    for group, points in groups.items():
        name = group_name(group, data["by"]) or measure_name(measure)
        slot = slots.get(group, 0 if not group else None)
        link = group_link(context, group)
        yield Series(name, points, colour_of(group, data["by"], slot), slot, link)
        if not group and "previous" in points[0]:
            before = [point["previous"] | {"timestamp": point["timestamp"]} for point in points]
            yield Series("before", before, "--muted", is_before=True)
    if data["rest"]:
        yield Series("all others", data["rest"]["data"], "--other", link=rest_link(context))


def groups_of(data: dict[str, Any]) -> dict[Group, list[dict[str, Any]]]:
    """Returns the lines of each group, in the order of the answer."""
    groups: dict[Group, list[dict[str, Any]]] = {}
    for point in data["data"]:
        groups.setdefault(tuple(point[name] for name in data["by"]), []).append(point)
    return groups


def slots_of_groups(groups: Iterable[Group], by: list[str], slots: dict[str, int]) -> dict[Group, int]:
    """Returns the colours of the groups that have a name. `slots` are those of the names of the first dimension."""
    named = {group: group_name(group, by) for group in groups if any(value is not None for value in group)}
    distinct = distinct_slots(list(dict.fromkeys(named.values())), slots if len(by) == 1 else {})
    return {group: distinct[name] for group, name in named.items()}


def group_name(group: Group, by: list[str]) -> str:
    return " · ".join(value_name(value, name) for value, name in zip(group, by, strict=True))


def value_name(value: str | None, dimension: str) -> str:
    if value is None:
        return f"no {in_sentence(dimension)}"
    return STATUS_NAMES.get(value, value) if dimension == "status" else value


def colour_of(group: Group, by: list[str], slot: int | None) -> str:
    if by == ["status"] and group[0] in STATUS_COLOURS:
        return f"--{STATUS_COLOURS[group[0]]}-fill"
    return "--muted" if slot is None else slot_colour(slot)


def group_link(context: template.Context, group: Group) -> str | None:
    """Returns a link to the page of this group's calls, if one filter selects them."""
    by = context["data"]["by"]
    if len(group) != 1 or group[0] is None or not is_filtered_by(by[0]):
        return None
    link: str = filter_link(context, by[0], group[0])
    return link


def is_filtered_by(dimension: str) -> bool:
    return dimension in DIMENSION_BY_NAME or dimension.startswith(LABEL_PREFIX)


def drawn_series(chart: Chart, measure: str, series: Series, rows: list[Bucket]) -> Figure:
    values = [point[measure] for point in series.points]
    if series.is_before:
        drawn = line_of(chart, measure, series, rows, values)
        drawn["line"]["dash"] = "dash"
        return drawn | {"opacity": 0.5}
    slot = None if series.colour.endswith("-fill") else series.slot
    if adds_up(measure):
        drawn = patterned(chart.bars(series.name, rows, values, series.colour, partial(with_unit, measure)), slot)
    else:
        drawn = dashed(line_of(chart, measure, series, rows, values), slot)
    return drawn | ({"meta": series.link} if series.link else {})


def line_of(chart: Chart, measure: str, series: Series, rows: list[Bucket], values: list[float | None]) -> Figure:
    line = chart.line(series.name, rows, values, series.colour, partial(with_unit, measure))
    return line | {"y": [seconds(value) for value in values]} if measure.endswith("_ms") else line


def adds_up(measure: str) -> bool:
    return measure_of(measure).of_nothing == 0 and measure != "unique_users"


def all_before(chart: Chart, measure: str, previous: Any) -> Figure:
    """Draws the measure of all groups in the window before."""
    points = per_bucket(previous) if measure == "cost_usd" else previous["data"]
    values = [point[measure] for point in points]
    if measure.endswith("_ms"):
        return chart.previous_line(points, [seconds(value) for value in values], seconds_text, "all in ")
    return chart.previous_line(points, values, partial(with_unit, measure), "all in ")


def axis_of(measure: str, series: list[Series]) -> Figure:
    for end, axis in AXES.items():
        if measure.endswith(end):
            return axis
    totals = [
        sum(point[measure] or 0 for point in points) for points in zip(*(one.points for one in series), strict=True)
    ]
    return ticks_of_counts(totals) if adds_up(measure) else {}


def with_unit(measure: str, value: Number) -> str:
    """Returns the exact value for a hover text, where no head of a column names the unit."""
    text = column_of(measure, [value])[0].exact
    noun = next((noun for end, noun in NOUNS.items() if measure.endswith(end)), "")
    return f"{text} {noun.removesuffix('s') if value == 1 else noun}".strip()


@register.filter
def has_value(data: dict[str, Any], measures: Iterable[str]) -> bool:
    """Returns whether a series has anything to draw."""
    points = [*data["data"], *(data["rest"]["data"] if data["rest"] else [])]
    return any(point[name] is not None for point in points for name in measures)


@register.filter
def missing_call(data: dict[str, Any]) -> str:
    """Returns which calls a series without any value lacks."""
    return CALLS_WITH.get(data["measures"][0].partition("_")[2], "call")


# --- The panel of costs ---


@register.simple_tag(takes_context=True)
def cost_lines(context: template.Context) -> list[dict[str, Any]]:
    """Returns the lines of a table of costs by one dimension, and that of all others."""
    data = context["data"]
    by = data["by"]
    slots = slots_of_groups(groups_of(data), by, context["slots"])
    lines = [
        {
            "name": value_name(line[by[0]], by[0]),
            "link": group_link(context, (line[by[0]],)),
            "colour": class_of(slots.get((line[by[0]],))),
        }
        | line
        for line in data["data"]
    ]
    others = (
        [{"name": "all others", "link": rest_link(context), "colour": "other"} | data["rest"]] if data["rest"] else []
    )
    highest = max((line["cost_usd"] or 0 for line in data["data"]), default=0)
    return [line | shares_of(line, data["totals"], highest) for line in (*lines, *others)]


def shares_of(line: dict[str, Any], totals: dict[str, Any], highest: float) -> dict[str, Any]:
    length = min(percentage(line["cost_usd"] or 0, highest) or 0, 100)
    return {
        "share": percentage(line["cost_usd"], totals["cost_usd"]),
        "from_caches": percentage(line["cache_read_tokens"], line["input_tokens"]),
        "length": f"{length:.4g}",
    }
