"""Draws what the panels of a dashboard answer: charts over time, rankings, numbers with sparklines.

A chart has the look of the house: nothing is smoothed, the window before is dashed and paler, a value that was not
measured is a gap.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, NamedTuple

from django import template

from analytics.change import change, percentage
from analytics.chart import BAR_WIDTH, Bucket, Chart, Figure, seconds
from analytics.query import Group
from analytics.templatetags.charts import class_of, dashed, patterned
from analytics.templatetags.links import buckets, one_link, page_link
from analytics.templatetags.query_text import (
    UNUSUAL,
    adds_up,
    colour_of,
    group_name,
    groups_of,
    is_filtered_by,
    measure_name,
    rest_link,
    slots_of_groups,
    value_name,
)
from analytics.templatetags.sparks import spark_values
from analytics.templatetags.times import previous_window
from dashboards import units
from dashboards.document import Panel
from traces.filters import Filters
from traces.text import NAME_LENGTH

MOST_BEFORE = 4
"""The most groups that have a dashed line each; more of them have one line for all."""
MOST_BESIDE_SHARES = 5
"""Columns of a table beside that of shares."""
LEVELS = {"p50": "success", "p95": "primary", "p99": "error"}
"""The colours of percentiles, by the begin of the measure."""
OF_MEASURES = {"errors": "error-fill", "error_rate": "error", "unpriced_calls": "warning-fill"}
SEVERITIES = {"info": "--primary", "warning": "--warning", "critical": "--error"}
LAST_WEEK = "a week before"
FEWER_IS_GOOD = ("cost_usd", "errors", "error_rate", "unpriced_calls", "cost_per_call_usd")


@dataclass(frozen=True)
class Line:
    """What one measure of one group was in each bucket."""

    name: str
    measure: str
    values: list[float | None]
    before: list[float | None] | None
    """Of the earlier window that the panel compares with."""
    colour: str
    slot: int | None = None
    link: str | None = None
    is_before: bool = False


def earlier_words(panel: Panel, filters: Filters) -> str:
    return LAST_WEEK if panel.compare == "last_week" else previous_window(filters)


# --- Charts over time ---


def chart(context: template.Context) -> dict[str, Any]:
    """Returns the chart of a panel: its figure, and its numbers as the columns of a table."""
    panel, data, filters = context["panel"], context["data"], context["filters"]
    lines = list(lines_of(context))
    rows = buckets(context, [{"timestamp": point["timestamp"]} for point in next(iter(groups_of(data).values()))])
    drawing = Drawing(panel, Chart(filters, UNUSUAL.get(panel.measures[0], ())), context["style"], rows)
    shown = [*lines, *earlier_lines(context, lines)]
    columns = [units.texts(panel, one.measure, one.values) for one in shown]
    return {
        "figure": drawing.figure(shown),
        "rows": [row | {"values": values} for row, values in zip(rows, zip(*columns, strict=True), strict=True)],
        "columns": [one.name for one in shown],
        "label": f"{context['title']} over time",
    }


def lines_of(context: template.Context) -> Iterator[Line]:
    """Yields the line of each group and measure, and of all other groups."""
    data = context["data"]
    groups = groups_of(data)
    slots = slots_of_groups(groups, data["by"], context["slots"])
    for group, points in groups.items():
        slot = slots.get(group)
        colour = colour_of(group, data["by"], slot) if group else ""
        for measure in data["measures"]:
            name = name_of(group, data, measure)
            link = narrow_link(context, group)
            yield line(name, measure, points, colour or measure_colour(context, measure), slot, link)
    for measure in data["measures"] if data["rest"] else ():
        name = f"all others{' · ' + measure_name(measure) if len(data['measures']) > 1 else ''}"
        yield line(name, measure, data["rest"]["data"], "--other", None, rest_link(context) or None)


def line(name: str, measure: str, points: list[Any], colour: str, slot: int | None, link: str | None) -> Line:
    has_before = bool(points) and "previous" in points[0]
    before = [point["previous"][measure] for point in points] if has_before else None
    return Line(name, measure, [point[measure] for point in points], before, colour, slot, link)


def name_of(group: Group, data: dict[str, Any], measure: str) -> str:
    if not group:
        return measure_name(measure)
    name = group_name(group, data["by"])
    return f"{name} · {measure_name(measure)}" if len(data["measures"]) > 1 else name


def measure_colour(context: template.Context, measure: str) -> str:
    """Returns the colour of a measure that is not split by a dimension."""
    measures = context["data"]["measures"]
    if level := LEVELS.get(measure[:3]):
        return f"--{level}"
    if measure in OF_MEASURES:
        return f"--{OF_MEASURES[measure]}"
    if len(measures) > 1:
        return f"--c{measures.index(measure) % 8}"
    return "--primary" if context["style"] == "line" else "--primary-fill"


def earlier_lines(context: template.Context, lines: Sequence[Line]) -> Iterator[Line]:
    """Yields the lines of the earlier window: one of each group, or where these are many one of all together."""
    compared = [one for one in lines if one.before]
    if not compared:
        return
    words = earlier_words(context["panel"], context["filters"])
    is_one = len(compared) == 1
    if is_one or (not context["is_stacked"] and len(compared) <= MOST_BEFORE):
        for one in compared:
            name = words.capitalize() if is_one else f"{one.name}, {words}"
            colour = "--muted" if is_one else one.colour
            yield replace(one, name=name, values=one.before or [], colour=colour, is_before=True)
    elif all(adds_up(one.measure) for one in compared):
        values = [total(values) for values in zip(*(one.before or [] for one in compared), strict=True)]
        yield Line(f"All in {words}", compared[0].measure, values, None, "--muted", is_before=True)


def total(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


class Drawing(NamedTuple):
    """Draws the lines of one chart in the style of its kind."""

    panel: Panel
    chart: Chart
    style: str
    rows: list[Bucket]

    def figure(self, lines: Sequence[Line]) -> Figure:
        drawn = [self.earlier(one) if one.is_before else self.drawn(one) for one in lines]
        now = [one for one in lines if not one.is_before]
        if self.style == "bars":
            self.set_beside(drawn[: len(now)])
        if self.style in ("stacked_bars", "stacked_area") and len(now) > 1:
            sums = [total(values) for values in zip(*(one.values for one in now), strict=True)]
            drawn.append(self.in_seconds(now[0], self.chart.hover_total(self.rows, sums, self.hover(now[0]))))
        peaks = [total([value or 0 for value in values]) for values in zip(*(one.values for one in now), strict=True)]
        peaks += [one.value for one in self.panel.thresholds]
        figure = self.chart.figure(drawn, self.rows, **units.axis(self.panel, self.panel.measures[0], peaks))
        if self.style == "bars":
            figure["layout"]["barmode"] = "group"
        return self.with_thresholds(figure)

    def hover(self, one: Line) -> Any:
        return units.hover(self.panel, one.measure)

    def drawn(self, one: Line) -> Figure:
        link = {"meta": one.link} if one.link else {}
        slot = None if one.colour.endswith("-fill") else one.slot
        if self.style in ("bars", "stacked_bars"):
            bars = self.chart.bars(one.name, self.rows, one.values, one.colour, self.hover(one))
            return self.in_seconds(one, patterned(bars, slot)) | link
        line = dashed(self.chart.line(one.name, self.rows, one.values, one.colour, self.hover(one)), slot)
        if self.style != "line":
            line = self.area(line)
        return self.in_seconds(one, line) | link

    def area(self, line: Figure) -> Figure:
        """Fills what is below a line, in steps: a count belongs to its whole bucket."""
        line["line"] |= {"shape": "hvh", "width": 1}
        fill = {"stackgroup": "all"} if self.style == "stacked_area" else {"fill": "tozeroy"}
        return line | {"mode": "lines"} | fill

    def earlier(self, one: Line) -> Figure:
        line = self.chart.line(one.name, self.rows, one.values, one.colour, self.hover(one))
        line["line"] |= {"dash": "dash"} | ({} if self.style in ("line", "bars") else {"shape": "hvh"})
        return self.in_seconds(one, line) | {"mode": "lines", "opacity": 0.5}

    def in_seconds(self, one: Line, drawn: Figure) -> Figure:
        """Shows durations in seconds on the axis. Their hover texts are exact already."""
        is_duration = units.is_duration(self.panel, one.measure)
        return drawn | {"y": [seconds(value) for value in drawn["y"]]} if is_duration else drawn

    def set_beside(self, bars: Sequence[Figure]) -> None:
        """Gives the bars of a bucket their places beside each other."""
        filters = self.chart.filters
        unit = 1.0 if self.chart.has_repeated_hour else filters.bucket / timedelta(milliseconds=1)
        width = BAR_WIDTH * unit / len(bars)
        for place, one in enumerate(bars):
            one |= {"width": width, "offset": width * place - BAR_WIDTH * unit / 2}

    def with_thresholds(self, figure: Figure) -> Figure:
        """Adds the thresholds as lines with their names."""
        layout = figure["layout"]
        measure = self.panel.measures[0]
        is_duration = units.is_duration(self.panel, measure)
        for one in self.panel.thresholds:
            y = one.value / 1000 if is_duration else one.value
            colour = SEVERITIES[one.severity]
            words = one.title or units.texts(self.panel, measure, [one.value])[0].text
            line = {"color": colour, "width": 1.5, "dash": "dot"}
            layout["shapes"].append({"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": line})
            layout["annotations"].append(
                {"text": words, "xref": "paper", "x": 1, "y": y, "xanchor": "right", "yanchor": "bottom"}
                | {"showarrow": False, "font": {"size": 11, "color": colour}}
            )
        return figure


# --- Rankings, shares and tables ---


def narrow_link(context: template.Context, group: Group) -> str | None:
    """Returns a link that narrows the page to the group, where filters can select it."""
    named = list(zip(context["data"]["by"], group, strict=True))
    if len(named) == 1 and named[0][0] == "tool":
        return one_link(context, "tool", named[0][1]) or None
    is_selected = named and all(value is not None and is_filtered_by(name) for name, value in named)
    if not is_selected or any(len(value or "") > NAME_LENGTH for _, value in named):
        return None
    changes: dict[str, str | None] = {f"not_{name}": None for name, _ in named} | dict(named)
    link: str = page_link(context, **changes)
    return link


def ranking(context: template.Context) -> dict[str, Any]:
    """Returns the lines of a table, a ranking or a donut, and what its columns are."""
    data, panel = context["data"], context["panel"]
    groups = list(groups_of(data))
    slots = slots_of_groups(groups, data["by"], context["slots"])
    heads: list[dict[str, Any]] = [
        {
            "names": [(value, value_name(value, name)) for name, value in zip(data["by"], group, strict=True)],
            "link": narrow_link(context, group),
            "colour": class_of_group(group, data["by"], slots.get(group)),
        }
        for group in groups
    ]
    lines = list(data["data"])
    if data["by"] and data["rest"]:
        heads.append({"words": "all others", "link": rest_link(context) or None, "colour": "other"})
        lines.append(data["rest"])
    columns = [column(panel, measure, lines, data["totals"]) for measure in data["measures"]]
    rows = [head | {"cells": cells, "first": cells[0]} for head, *cells in zip(heads, *columns, strict=True)]
    total = column(panel, data["measures"][0], [data["totals"]], data["totals"])[0]
    return {"rows": rows, "total": total, "has_shares": has_shares(panel, rows)}


def has_shares(panel: Panel, rows: Sequence[dict[str, Any]]) -> bool:
    """Returns whether a table shows the share of its first measure: there is one, and the columns leave room."""
    columns = len(panel.measures) * (2 if panel.compare else 1)
    return bool(panel.by and rows) and rows[0]["first"]["share"] is not None and columns <= MOST_BESIDE_SHARES


def class_of_group(group: Group, by: list[str], slot: int | None) -> str:
    colour = colour_of(group, by, slot)
    return class_of(slot) if slot is not None and not colour.endswith("-fill") else colour.removeprefix("--")


def column(panel: Panel, measure: str, lines: list[Any], totals: Any) -> list[dict[str, Any]]:
    """Returns the cells of a measure: its value, that of the earlier window, the change, and the share of the whole."""
    values = [line[measure] for line in lines]
    before = [line["previous"][measure] for line in lines] if panel.compare and lines else []
    written = units.texts(panel, measure, [*values, *before])
    most = max((abs(value) for value in (*values, *before) if value is not None), default=0)
    cells = []
    for place, value in enumerate(values):
        earlier = before[place] if before else None
        cells.append(
            {
                "measure": measure,
                "value": value,
                "text": written[place],
                "length": length(value, most),
                "share": percentage(value, totals[measure]) if adds_up(measure) else None,
                "before": written[len(values) + place] if before else None,
                "length_before": length(earlier, most),
                "change": change(value, earlier) if before else None,
                "good": good_change(measure),
            }
        )
    return cells


def length(value: float | None, most: float) -> str:
    return f"{abs(value or 0) * 100 / most:.4g}" if most else "0"


def good_change(measure: str) -> str:
    """Returns which change of a measure is good: less, more, or neither."""
    if measure in FEWER_IS_GOOD or measure.endswith("_ms"):
        return "less"
    return "more" if measure == "tokens_per_second" or measure.startswith("score.") else "neither"


# --- Numbers ---


def numbers(panel: Panel, data: Any, filters: Filters) -> list[dict[str, Any]]:
    """Returns each measure of a panel with its change and the line of its sparkline."""
    earlier = earlier_words(panel, filters)
    found = []
    for measure in data["measures"]:
        [cell] = column(panel, measure, [data["totals"]], data["totals"])
        reached = reached_threshold(panel, cell["value"])
        line = spark_values(data["data"], measure, filters)
        found.append(cell | {"name": measure_name(measure), "reached": reached, "line": line, "earlier": earlier})
    return found


def reached_threshold(panel: Panel, value: float | None) -> Any:
    """Returns the highest threshold that the value has reached."""
    reached = [one for one in panel.thresholds if value is not None and value >= one.value]
    return max(reached, key=lambda one: one.value, default=None)
