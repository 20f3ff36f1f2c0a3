"""Draws the charts of a report with Plotly, as all pages draw theirs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from analytics.chart import AMOUNT_AXIS, AXIS, LAYOUT, TIME_AXIS, Bucket, Figure, seconds
from analytics.chart import Chart as TimeChart
from analytics.palette import DASHES, PATTERNS
from analytics.templatetags.links import note
from analytics.templatetags.text import shorten_middle
from reports.colours import token_of
from reports.document import Chart, Series, Unit
from traces.filters import Filters
from web.number_text import Number, exact, percent_exact, usd_exact, whole_ms

TEXTS: dict[Unit, Callable[[Number], str]] = {"usd": usd_exact, "ms": whole_ms, "percent": percent_exact}
AXES: dict[Unit, Figure] = {"usd": {"tickprefix": "$"}, "ms": {"ticksuffix": " s"}, "percent": {"ticksuffix": " %"}}
FEW = 6
"""Below so many calls Plotly would show fractions of calls."""


def figure_of(chart: Chart, filters: Filters) -> Figure:
    """Returns the figure. `filters` are those of the report, whose edges may cut buckets."""
    return named_bars(chart) if chart.form == "horizontal_bars" else over_time(chart, filters)


# --- Over time ---


def over_time(chart: Chart, filters: Filters) -> Figure:
    drawn = TimeChart(own_filters(chart, filters))
    buckets = buckets_of(chart, drawn.filters)
    axis = drawn.axis_of_names(buckets) if drawn.has_repeated_hour else drawn.axis_of_dates(buckets)
    limits = [Series(line.label, [line.value] * len(buckets), "--warning-fill") for line in chart.lines]
    return {
        "data": [
            *(series_figure(drawn, chart, one, buckets) for one in chart.series),
            *(with_dash(line_figure(drawn, chart, one, buckets), "dot") for one in limits),
        ],
        "layout": LAYOUT | {"xaxis": TIME_AXIS | axis, "yaxis": AMOUNT_AXIS | axis_of(chart)},
    }


def own_filters(chart: Chart, filters: Filters) -> Filters:
    """Returns filters whose buckets are those of the chart: the forecast shows another window than the report."""
    starts: Sequence[Any] = chart.axis
    if tuple(starts) == filters.bucket_starts:
        return filters
    whole = replace(filters, granularity=chart.granularity or "daily")  # type: ignore[arg-type]
    return replace(whole, start=starts[0], end=whole.bucket_end(starts[-1]))


def buckets_of(chart: Chart, filters: Filters) -> list[Bucket]:
    starts: Sequence[Any] = chart.axis
    ends: list[datetime] = [*starts[1:], filters.bucket_end(starts[-1])]
    return [{"starts": start, "note": note(start, end, filters)} for start, end in zip(starts, ends, strict=True)]


def series_figure(drawn: TimeChart, chart: Chart, series: Series, buckets: list[Bucket]) -> Figure:
    if series.is_before:
        return with_dash(line_figure(drawn, chart, series, buckets), "dash") | {"opacity": 0.5}
    if chart.form in ("bars", "stacked_bars"):
        return patterned(bar_figure(drawn, chart, series, buckets), series)
    line = line_figure(drawn, chart, series, buckets)
    return with_dash(line, DASHES[series.pattern]) if series.pattern else line


def bar_figure(drawn: TimeChart, chart: Chart, series: Series, buckets: list[Bucket]) -> Figure:
    return drawn.bars(series.name, buckets, series.values, token_of(series.color), text_of(chart.unit))


def line_figure(drawn: TimeChart, chart: Chart, series: Series, buckets: list[Bucket]) -> Figure:
    line = drawn.line(series.name, buckets, series.values, token_of(series.color), text_of(chart.unit))
    if chart.unit == "ms":
        line["y"] = [seconds(value) for value in series.values]
    if chart.form == "stepped":
        line["line"]["shape"] = "hvh"
    return line


def text_of(unit: Unit) -> Callable[[Number], str]:
    return TEXTS.get(unit, exact)


def patterned(bars: Figure, series: Series) -> Figure:
    if series.pattern:
        colours = {"bgcolor": token_of(series.color), "fgcolor": "--card", "fgopacity": 1}
        bars["marker"]["pattern"] = {"shape": PATTERNS[series.pattern], "size": 6, "solidity": 0.3, **colours}
    return bars


def with_dash(line: Figure, dash: str) -> Figure:
    line["line"]["dash"] = dash
    return line


def axis_of(chart: Chart) -> Figure:
    values = [value or 0 for one in chart.series for value in one.values]
    few = {"dtick": 1} if chart.unit == "count" and max(values, default=0) < FEW else {}
    return AXES.get(chart.unit, {}) | few


# --- Names ---


def named_bars(chart: Chart) -> Figure:
    """Draws a bar for each name, the first one on top."""
    places = list(range(len(chart.axis)))
    names = [str(name) for name in chart.axis]
    text = text_of(chart.unit)
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "name": one.name,
                "x": [seconds(value) if chart.unit == "ms" else value for value in one.values],
                "y": places,
                "marker": {"color": token_of(one.color)},
                "text": [f"{name}: {text(value)}" for name, value in zip(names, one.values, strict=True)],
                "textposition": "none",
                "hovertemplate": "%{text}<extra></extra>",
            }
            for one in chart.series
        ],
        "layout": LAYOUT
        | {
            "hovermode": "closest",
            "xaxis": AMOUNT_AXIS | AXES.get(chart.unit, {}),
            "yaxis": AXIS
            | {
                "fixedrange": True,
                "showgrid": False,
                "autorange": "reversed",
                "tickvals": places,
                "ticktext": [shorten_middle(name) for name in names],
            },
        },
    }
