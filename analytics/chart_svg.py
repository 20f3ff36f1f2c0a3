"""Draws a figure as SVG in the look of Plotly, so that a chart is there with its page, before Plotly is.

The SVG has no width of its own: marks are stretched, while texts and strokes keep their size. The times on its axis are
chosen for three widths, and app.css shows those that fit. charts.js replaces it by Plotly's drawing of the same figure.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from analytics.axis_ticks import Tick, amount_step, amount_text, moments, months_between, time_ticks
from web.problems import check_deadline

Figure = dict[str, Any]

SIZE = 1000
"""Of the marks' own coordinates, in both directions."""
HEADROOM = 0.95
"""The part of the axis that the largest amount takes, as on axes that Plotly scales."""
LEAST, MOST = 1e-8, 9e14
"""The largest amount of an axis is between them: its ticks have the prefixes from `n` to `T`, and exact texts."""
AMOUNT_TICKS = 6
TIME_TICKS = {"narrow": 5, "middle": 7, "wide": 10}
"""About how many, by the width of the chart: the widths are in app.css, and charts.js gives Plotly the same numbers."""
DASHES = {
    "solid": "",
    "dot": "3 3",
    "dash": "9 9",
    "longdash": "15 15",
    "dashdot": "9 3 3 3",
    "longdashdot": "15 6 6 6",
}
"""Of Plotly's names, for lines of up to 3 px. It scales `dot` with the width of the line."""
ANCHORS = {"left": ("start", 1), "center": ("middle", 0), "right": ("end", -1)}
"""For each anchor of Plotly its name in SVG, and how far Plotly shifts the text, in pixels."""
LINES = ("lines", "lines+markers")
AMOUNT_AXES = {
    *("gridcolor", "linecolor", "zeroline", "automargin", "fixedrange", "rangemode", "nticks", "range"),
    *("tickformat", "tickprefix", "ticksuffix", "dtick"),
}
"""The properties of an axis of amounts that the drawing knows."""
FORMATS = (",~r", "~s")
EXPANDED_PX = 2
"""Plotly widens bars below this height or width to whole pixels, so that each is seen."""
PLOT_HEIGHT_PX, SMALLEST_PLOT_PX = 226, 50
"""Without the margins: of a chart on a page, and of one in a small panel of a dashboard."""
PLOT_WIDTHS_PX = {"narrow": 330, "middle": 560, "wide": 1000}
"""About, by the width of the chart."""
INSIDE = 0.2
"""How far a line along the edge of a bar lies within it, so that it colours the pixel on that side of the edge."""
NEAR_END = {"narrow": 0.95, "middle": 0.97, "wide": 0.98}
"""From here on, as a part of the axis, a time would be cut at the end of the chart: Plotly hides it."""


def with_range(figure: Figure) -> Figure:
    """Sets the range of the amounts, and which margins labels widen, so that Plotly draws the same axes as the SVG."""
    layout = figure["layout"]
    if "range" in layout["yaxis"] or not is_drawable(figure):
        return figure
    largest = largest_amount(figure["data"])
    times = layout["xaxis"] | {"automargin": "bottom"}
    amounts = layout["yaxis"] | {"automargin": "left", "range": [0, largest / HEADROOM]}
    return figure | {"layout": layout | {"xaxis": times, "yaxis": amounts}}


def svg_of(figure: Figure) -> SafeString:
    """Returns the drawing; nothing for a figure that only Plotly can draw."""
    if "range" not in figure["layout"]["yaxis"] or not is_drawable(figure):
        return SafeString("")
    return Drawing(figure).svg() or SafeString("")


def is_drawable(figure: Figure) -> bool:
    layout = figure["layout"]
    times, amounts = layout["xaxis"], layout["yaxis"]
    is_usual = times.get("type") == "date" and "range" in times and layout.get("barmode") == "stack"
    is_known = amounts.keys() <= AMOUNT_AXES and amounts.get("tickformat") in FORMATS
    is_upright = all(one.get("yref") == "paper" for one in (*layout["shapes"], *layout["annotations"]))
    is_simple = is_usual and is_known and is_upright and all(map(is_drawable_series, figure["data"]))
    return is_simple and has_drawable_amounts(figure["data"])


def has_drawable_amounts(data: list[Figure]) -> bool:
    """Returns whether an axis from 0 upwards shows all amounts; it does not show negative ones, and NaN is none."""
    is_upward = all(y >= 0 for series in data for y in series["y"] if y is not None)
    return is_upward and LEAST <= largest_amount(data) <= MOST


def is_drawable_series(series: Figure) -> bool:
    if series["type"] == "bar":
        return "pattern" not in series["marker"] and not {"orientation", "offset"} & series.keys()
    line = series.get("line", {})
    is_simple = not {"fill", "stackgroup", "yaxis"} & series.keys() and "shape" not in line
    return is_simple and series.get("mode") in LINES and line.get("dash", "solid") in DASHES


def largest_amount(data: list[Figure]) -> float:
    """Returns the largest value of a line, or of the bars of a bucket on top of each other."""
    heights: defaultdict[str, float] = defaultdict(float)
    for series in data:
        if series["type"] == "bar":
            for x, y in zip(series["x"], series["y"], strict=True):
                heights[x] += y or 0
    lines = (y for series in data if series["type"] != "bar" for y in series["y"] if y is not None)
    return max([*heights.values(), *lines], default=0)


@dataclass
class Drawing:
    figure: Figure

    def __post_init__(self) -> None:
        layout = self.figure["layout"]
        self.axis, self.amounts = layout["xaxis"], layout["yaxis"]
        self.first, self.last = map(datetime.fromisoformat, self.axis["range"])
        self.largest = float(self.amounts["range"][1])

    def svg(self) -> SafeString | None:
        times = self.time_axis()
        if times is None:
            return None
        texts = [(self.share(value), self.amount(value)) for value in self.amount_ticks()]
        parts = {
            "tall": " tall" if 'class="day"' in times else "",
            "widest": max((text for _, text in texts), key=len),
            "grid": format_html_join("", '<line x2="100%" y1="{0}%" y2="{0}%"/>', ((at,) for at, _ in texts[1:])),
            "marks": self.marks(),
            "amounts": format_html_join("", '<text x="-3.4" y="{}%" dy="4.2">{}</text>', texts),
            "times": times,
            "names": self.names(),
        }
        return format_html(
            '<div class="drawn{tall}"><span class="gutter">{widest}</span><svg class="plot">'
            '<g class="rules">{grid}</g><svg viewBox="0 0 1000 1000" preserveAspectRatio="none">{marks}</svg>'
            '<g class="rules"><line x1="-1" x2="100%" y1="100%" y2="100%" transform="translate(0 .5)"/>'
            '<line y2="100%" transform="translate(-.5)"/></g>'
            '<g class="amounts">{amounts}</g>{times}{names}</svg></div>',
            **parts,
        )

    # --- Axes ---

    def amount_ticks(self) -> list[float]:
        step = self.amounts.get("dtick") or amount_step(self.largest, AMOUNT_TICKS)
        return [step * place for place in range(int(self.largest / step + 1e-9) + 1)]

    def amount(self, value: float) -> str:
        text = amount_text(value, self.amounts["tickformat"])
        return f"{self.amounts.get('tickprefix', '')}{text}{self.amounts.get('ticksuffix', '')}"

    def share(self, value: float) -> str:
        """Returns the distance of an amount from the top, in percent."""
        return number(100 - value * 100 / self.largest)

    def time_axis(self) -> SafeString | None:
        """Returns the times, those of each width in an element; widths with the same times share one."""
        widths: defaultdict[tuple[Tick, ...], list[str]] = defaultdict(list)
        for width, about in TIME_TICKS.items():
            ticks = self.own_ticks() if "dtick" in self.axis else time_ticks(self.first, self.last, about)
            if ticks is None:
                return None
            widths[tuple(tick for tick in ticks if self.along(tick.at) < NEAR_END[width])].append(width)
        groups = ((" ".join(names), self.times(ticks)) for ticks, names in widths.items())
        return format_html_join("", '<g class="times {}">{}</g>', groups)

    def own_ticks(self) -> list[Tick]:
        """Returns the ticks at the distance that the figure names."""
        origin, step = datetime.fromisoformat(self.axis["tick0"]), self.axis["dtick"]
        if isinstance(step, str):
            months = months_between(self.first, self.last, int(step[1:]), origin)
            return [Tick(at, (f"{at:%b %Y}",)) for at in months]
        found = moments(self.first, self.last, origin, timedelta(milliseconds=step))
        return [Tick(at, (f"{at:%-d %b}",)) for at in found]

    def times(self, ticks: Sequence[Tick]) -> SafeString:
        time = '<text x="{}%" y="100%" dy="15.4">{}</text>'
        day = '<text class="day" x="{}%" y="100%" dy="31">{}</text>'
        times = format_html_join("", time, ((self.percent(tick.at), tick.lines[0]) for tick in ticks))
        days = ((self.percent(tick.at), tick.lines[1]) for tick in ticks if len(tick.lines) > 1)
        return times + format_html_join("", day, days)

    def along(self, at: datetime) -> float:
        """Returns how far along the axis the moment is: 0 to 1."""
        return (at - self.first) / (self.last - self.first)

    def percent(self, at: datetime) -> str:
        return number(self.along(at) * 100)

    # --- Marks ---

    def marks(self) -> SafeString:
        shapes = map(self.shape, self.figure["layout"]["shapes"])
        bars = self.bars()
        lines = (line for series in self.figure["data"] if series["type"] != "bar" for line in self.line(series))
        return format_html_join("", "{}", ((mark,) for mark in (*shapes, *bars, *lines)))

    def x(self, text: str) -> float:
        return self.along(datetime.fromisoformat(text)) * SIZE

    def y(self, value: float) -> float:
        return SIZE - value * SIZE / self.largest

    def bars(self) -> Iterator[SafeString]:
        bottoms: defaultdict[str, float] = defaultdict(float)
        for series in self.figure["data"]:
            if series["type"] == "bar":
                check_deadline()
                yield from self.bars_of(series, bottoms)

    def bars_of(self, series: Figure, bottoms: defaultdict[str, float]) -> Iterator[SafeString]:
        """Yields the bars of a series on top of those before, as one group for each opacity."""
        width = series["width"] * SIZE / ((self.last - self.first) / timedelta(milliseconds=1))
        groups: defaultdict[float, list[tuple[str, str]]] = defaultdict(list)
        for x, y, opacity in zip(series["x"], series["y"], series["marker"]["opacity"], strict=True):
            if y:
                bottom = bottoms[x]
                bottoms[x] += y
                low, high = self.y(bottom), self.y(bottoms[x])
                left, across = number(self.x(x) - width / 2), f"h{number(width)}"
                edges = "".join(f"M{left} {number(edge)}{across}" for edge in thin_edges(low, high))
                groups[opacity].append((f"M{left} {number(low)}V{number(high)}{across}V{number(low)}z", edges))
        fine = [f" {name}" for name, px in PLOT_WIDTHS_PX.items() if width * px < EXPANDED_PX * SIZE]
        for opacity, bars in groups.items():
            path, edges = map("".join, zip(*bars, strict=True))
            yield format_html(
                '<g class="bars{fine}" fill="{colour}" stroke="{colour}" opacity="{opacity}">'
                '<path d="{path}"/>{thin}</g>',
                fine="".join(fine),
                colour=colour(series["marker"]["color"]),
                opacity=opacity,
                path=path,
                thin=format_html('<path class="thin" d="{}"/>', edges) if edges else "",
            )

    def line(self, series: Figure) -> Iterator[SafeString]:
        line = series["line"]
        if not line["width"]:
            return
        check_deadline()
        path, points = self.path(series)
        dash, opacity = DASHES[line.get("dash", "solid")], series.get("opacity", 1)
        stroke = format_html('stroke="{}" opacity="{}"', colour(line["color"]), opacity)
        dashes = format_html(' stroke-dasharray="{}"', dash) if dash else ""
        yield format_html('<path class="line" {} stroke-width="{}"{} d="{}"/>', stroke, line["width"], dashes, path)
        if points:
            yield format_html('<path class="points" {} d="{}"/>', stroke, points)

    def path(self, series: Figure) -> tuple[str, str]:
        """Returns the path of a line with its gaps, and that of the points that have a marker."""
        sizes = series.get("marker", {}).get("size") or [0] * len(series["x"])
        path, points, is_gap = [], [], True
        for x, y, size in zip(series["x"], series["y"], sizes, strict=True):
            if y is not None:
                at = f"{number(self.x(x))} {number(self.y(y))}"
                path.append(f"{'M' if is_gap else 'L'}{at}")
                if size:
                    points.append(f"M{at}h0")
            is_gap = y is None
        return "".join(path), "".join(points)

    def shape(self, shape: Figure) -> SafeString:
        left, right = self.x(shape["x0"]), self.x(shape["x1"])
        if shape["type"] == "line":
            return format_html(
                '<path class="line" stroke="{}" stroke-width="2" stroke-dasharray="3 3" d="M{} 0V1000"/>',
                colour(shape["line"]["color"]),
                number(left),
            )
        return format_html(
            '<path fill="{}" opacity="{}" d="M{} 0V1000H{}V0z"/>',
            colour(shape["fillcolor"]),
            shape["opacity"],
            number(left),
            number(right),
        )

    def names(self) -> SafeString:
        """Returns the names of what the shapes mark."""
        found = self.figure["layout"]["annotations"]
        text = '<text x="{}%" text-anchor="{}" dx="{}" dy="{}">{}</text>'
        rows = (
            (
                number(self.x(one["x"]) / 10),
                *ANCHORS[one["xanchor"]],
                number(12 - one["yshift"]),
                one["text"],
            )
            for one in found
        )
        return format_html('<g class="names">{}</g>', format_html_join("", text, rows)) if found else SafeString("")


def thin_edges(low: float, high: float) -> list[float]:
    """Returns where lines one pixel high show a bar that may be thinner: they colour the pixels that it touches."""
    height = low - high
    if height < EXPANDED_PX * SIZE / PLOT_HEIGHT_PX:
        return [low - INSIDE, high + INSIDE]
    return [low - INSIDE] if height < SIZE / SMALLEST_PLOT_PX else []


def number(value: float) -> str:
    """Writes a coordinate, a tenth of a pixel exactly."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


colour: Callable[[str], str] = "var({})".format
