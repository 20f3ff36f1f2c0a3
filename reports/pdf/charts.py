"""Draws charts as SVG: bars, stacked bars, straight lines, steps and horizontal bars, in the look of the pages.

The SVG has shapes only. Its texts are labels with a place, which the compiler sets in the fonts of the document. So
they can be selected and have every script.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape
from itertools import groupby
from math import ceil, floor, log10
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from reports.colours import LIGHT
from reports.document import Chart, Series, Unit
from reports.pdf.letters import fitting, width
from reports.words import written
from web.number_text import average, count, ms, percent, rate, usd

BORDER, MUTED, WARNING = LIGHT["--border"], LIGHT["--muted"], LIGHT["--warning"]
TEXT_SIZE, TEXT_HEIGHT = 7, 9
"""In points, like all lengths of a drawing."""
PLOT_HEIGHT, TOP, AXIS_HEIGHT = 130, 6, 14
MOST_TICKS, STEPS = 4, (1, 2, 2.5, 5, 10)
MOST_LABEL_SHARE = 0.6
"""Of the width of the plot: the name of a line, which has its value after it."""
BAR_WIDTH = 0.78
"""Of a bucket."""
WIDEST_BAR = 42
ROW_HEIGHT, ROW_BAR = 17, 10
NOTHING, EMPTY_HEIGHT = "Nothing in this window.", 24
MOST_NAME_SHARE = 0.38
"""Of the width of horizontal bars."""
DASHES = ("", "1.5 2.5", "7 2.5 1.5 2.5")
BEFORE_DASH = "4 3"
TICK_TEXTS = {"average": average, "usd": usd, "ms": ms, "percent": percent, "rate": rate}
TIME_TEXTS = {"minute": "%H:%M", "hourly": "%H:%M", "monthly": "%b %Y"}
PATTERNS = (
    '<pattern id="p1" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="1.6" height="4" fill="#ffffff" fill-opacity="0.65"/></pattern>',
    '<pattern id="p2" width="4" height="4" patternUnits="userSpaceOnUse">'
    '<circle cx="2" cy="2" r="1" fill="#ffffff" fill-opacity="0.75"/></pattern>',
)
"""Hatching and dots, drawn over a bar: they tell names of the same colour apart."""
Align = Literal["left", "center", "right"]


class Label(NamedTuple):
    """A text in the box from (x, y), `width` wide and one line high."""

    text: str
    x: float
    y: float
    width: float
    align: Align
    color: str = MUTED
    is_over_bars: bool = False


class Drawing(NamedTuple):
    svg: str
    width: float
    height: float
    labels: Sequence[Label]


class Scale(NamedTuple):
    """The axis of amounts: its ends are ticks."""

    ticks: Sequence[float]
    pixels: float
    """The length of the axis."""

    @property
    def low(self) -> float:
        return self.ticks[0]

    @property
    def high(self) -> float:
        return self.ticks[-1]

    def length(self, value: float) -> float:
        """Returns how far the value is from the low end."""
        return (value - self.low) / (self.high - self.low) * self.pixels


def drawing(chart: Chart, zone: ZoneInfo, width: float) -> Drawing:
    if all(value is None for series in chart.series for value in series.values):
        return nothing(width)
    if chart.form == "horizontal_bars":
        return horizontal_bars(chart, zone, width)
    return over_time(chart, zone, width)


def nothing(width: float) -> Drawing:
    return Drawing(svg(width, EMPTY_HEIGHT, []), width, EMPTY_HEIGHT, [Label(NOTHING, 0, 0, width, "left")])


# --- Over time ---


class Plot(NamedTuple):
    """The place of a chart over time."""

    left: float
    right: float
    buckets: int
    scale: Scale

    def x(self, bucket: float) -> float:
        """Returns where a bucket is: 0 is the middle of the first one."""
        return self.left + self.bucket_width * (bucket + 0.5)

    def y(self, value: float) -> float:
        return TOP + PLOT_HEIGHT - self.scale.length(value)

    @property
    def bucket_width(self) -> float:
        return (self.right - self.left) / max(self.buckets, 1)


def over_time(chart: Chart, zone: ZoneInfo, total_width: float) -> Drawing:
    scale = scale_of(extremes(chart), PLOT_HEIGHT, chart.unit)
    texts = [tick_text(tick, chart.unit, zone) for tick in scale.ticks]
    left = max(width(text) for text in texts) * TEXT_SIZE + 6
    plot = Plot(left, total_width, len(chart.axis), scale)
    shapes = [*grid(plot), *marks(chart, plot), *(goal(line.value, plot) for line in chart.lines)]
    labels = [
        *(tick_label(text, plot.y(tick), left) for text, tick in zip(texts, scale.ticks, strict=True)),
        *time_labels(chart, plot, zone),
        *goal_labels(chart, plot, zone),
    ]
    return Drawing(
        svg(total_width, TOP + PLOT_HEIGHT + AXIS_HEIGHT, shapes), total_width, TOP + PLOT_HEIGHT + AXIS_HEIGHT, labels
    )


def marks(chart: Chart, plot: Plot) -> Iterator[str]:
    """Draws the series; the window before comes last, so that no bar covers it."""
    now = [series for series in chart.series if not series.is_before]
    before = [series for series in chart.series if series.is_before]
    match chart.form:
        case "bars":
            yield from grouped_bars(now, plot)
        case "stacked_bars":
            yield from stacked_bars(now, plot)
        case "stepped":
            yield from (path(series, stepped(run, plot)) for series in now for run in runs(series))
        case _:
            yield from (mark for series in now for mark in straight_line(series, plot))
    yield from (mark for series in before for mark in straight_line(series, plot))


def grouped_bars(series: Sequence[Series], plot: Plot) -> Iterator[str]:
    group = min(plot.bucket_width * BAR_WIDTH, WIDEST_BAR * max(len(series), 1))
    one = group / max(len(series), 1)
    for place, each in enumerate(series):
        for bucket, value in enumerate(each.values):
            if value:
                yield bar(plot.x(bucket) - group / 2 + place * one, one, plot.y(0), plot.y(value), each)


def stacked_bars(series: Sequence[Series], plot: Plot) -> Iterator[str]:
    wide = min(plot.bucket_width * BAR_WIDTH, WIDEST_BAR)
    for bucket in range(plot.buckets):
        for each, low, high in stack(series, bucket):
            yield bar(plot.x(bucket) - wide / 2, wide, plot.y(low), plot.y(high), each)


def stack(series: Sequence[Series], place: int) -> Iterator[tuple[Series, float, float]]:
    """Puts the values of a place onto each other: those below 0 downwards."""
    above = below = 0.0
    for each in series:
        value = each.values[place] or 0
        if value > 0:
            yield each, above, above + value
            above += value
        elif value < 0:
            yield each, below, below + value
            below += value


def bar(x: float, wide: float, y: float, other_y: float, series: Series) -> str:
    return rectangle(x, min(y, other_y), wide, abs(y - other_y), series)


def straight_line(series: Series, plot: Plot) -> Iterator[str]:
    """Draws a line through the values, with gaps where there are none. A value between two gaps is a dot."""
    for run in runs(series):
        if len(run) == 1:
            [(bucket, value)] = run
            yield f'<circle cx="{plot.x(bucket):.2f}" cy="{plot.y(value):.2f}" r="2" fill="{color(series)}"/>'
        else:
            yield path(series, [(plot.x(bucket), plot.y(value)) for bucket, value in run])


def stepped(run: Sequence[tuple[int, float]], plot: Plot) -> list[tuple[float, float]]:
    return [(plot.x(bucket + side), plot.y(value)) for bucket, value in run for side in (-0.5, 0.5)]


def runs(series: Series) -> Iterator[list[tuple[int, float]]]:
    """Splits the values where one is missing."""
    for is_missing, run in groupby(enumerate(series.values), key=lambda pair: pair[1] is None):
        if not is_missing:
            yield [(bucket, value) for bucket, value in run if value is not None]


def path(series: Series, points: Sequence[tuple[float, float]]) -> str:
    dash = BEFORE_DASH if series.is_before else DASHES[series.pattern]
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    paler = ' stroke-opacity="0.6"' if series.is_before else ""
    through = "L".join(f"{x:.2f} {y:.2f}" for x, y in points)
    stroke = f'stroke="{color(series)}" stroke-width="1.3" stroke-linejoin="round"{dashed}{paler}'
    return f'<path d="M{through}" fill="none" {stroke}/>'


def color(series: Series) -> str:
    return MUTED if series.is_before else escape(series.color)


# --- Axes ---


def extremes(chart: Chart) -> tuple[float, float]:
    """Returns the lowest and the highest value that is drawn, and 0."""
    values = [value for series in chart.series for value in series.values if value is not None]
    values += [line.value for line in chart.lines]
    if chart.form in ("stacked_bars", "horizontal_bars"):
        now = [series for series in chart.series if not series.is_before]
        values += [end for place in range(len(chart.axis)) for _, *ends in stack(now, place) for end in ends]
    return min(values, default=0), max(values, default=0)


def scale_of(extreme: tuple[float, float], pixels: float, unit: Unit) -> Scale:
    """Chooses few round ticks that begin at 0 or below, and end above the highest value."""
    low, high = min(extreme[0], 0), max(extreme[1], 0)
    if low == high:
        high = 1
    step = round_step((high - low) / MOST_TICKS, unit)
    return Scale([tick * step for tick in range(floor(low / step), ceil(high / step) + 1)], pixels)


def round_step(least: float, unit: Unit) -> float:
    magnitude = 10.0 ** floor(log10(least))
    step = next(part * magnitude for part in STEPS if part * magnitude >= least * 0.999)
    return max(step, 1) if unit == "count" else step


def tick_text(value: float, unit: Unit, zone: ZoneInfo) -> str:
    if not value:
        return "$0" if unit == "usd" else "0"
    number = TICK_TEXTS.get(unit, count)
    shorter = number(value).replace(".0 ", " ").replace(".0k", "k").replace(".0M", "M")
    return shorter.removesuffix(".00")


def tick_label(text: str, y: float, left: float) -> Label:
    return Label(text, 0, y - TEXT_HEIGHT / 2, left - 5, "right")


def time_labels(chart: Chart, plot: Plot, zone: ZoneInfo) -> Iterator[Label]:
    """Names some buckets, so that no two names touch."""
    texts = [time_text(start, chart.granularity, zone) for start in chart.axis]
    if not texts:
        return
    wide = max(width(text) for text in texts) * TEXT_SIZE + 10
    each = ceil(wide / plot.bucket_width)
    for bucket in range(0, len(texts), max(each, 1)):
        x = min(max(plot.x(bucket) - wide / 2, 0), plot.right - wide)
        yield Label(texts[bucket], x, TOP + PLOT_HEIGHT + 4, wide, "center")


def time_text(start: datetime | str, granularity: str, zone: ZoneInfo) -> str:
    if isinstance(start, str):
        return start
    at = start.astimezone(zone)
    if granularity in ("minute", "hourly") and at.hour == at.minute == 0:
        return f"{at:%-d %b}"
    return f"{at:{TIME_TEXTS.get(granularity, '%-d %b')}}"


def grid(plot: Plot) -> Iterator[str]:
    for tick in plot.scale.ticks:
        is_base = abs(tick) < (plot.scale.high - plot.scale.low) / 1e6
        yield horizontal(
            plot.y(tick),
            plot.left,
            plot.right,
            f'stroke="{MUTED if is_base else BORDER}" stroke-width="{0.7 if is_base else 0.5}"',
        )


def goal(value: float, plot: Plot) -> str:
    return horizontal(
        plot.y(value), plot.left, plot.right, f'stroke="{WARNING}" stroke-width="0.9" stroke-dasharray="1.5 2"'
    )


def goal_labels(chart: Chart, plot: Plot, zone: ZoneInfo) -> Iterator[Label]:
    """Writes the lines' names above them at the right; where two lines are close, the lower one's name below it."""
    room, free_from = plot.right - plot.left, 0.0
    for line in sorted(chart.lines, key=lambda line: -line.value):
        y = max(plot.y(line.value) - TEXT_HEIGHT, free_from)
        free_from = y + TEXT_HEIGHT
        name = fitting(line.label, room * MOST_LABEL_SHARE, TEXT_SIZE)
        yield Label(
            f"{name} {written(line.value, chart.unit, zone)}", plot.left, y, room, "right", WARNING, is_over_bars=True
        )


# --- Horizontal bars ---


def horizontal_bars(chart: Chart, zone: ZoneInfo, total_width: float) -> Drawing:
    """Draws a bar for each name: the name left of it, its value at its end."""
    now = [series for series in chart.series if not series.is_before]
    totals = [sum(series.values[row] or 0 for series in now) for row in range(len(chart.axis))]
    texts = [written(total, chart.unit, zone) for total in totals]
    names = [str(name) for name in chart.axis]
    left = min(max((width(name) for name in names), default=0) * TEXT_SIZE + 6, total_width * MOST_NAME_SHARE)
    room = total_width - left - max((width(text) for text in texts), default=0) * TEXT_SIZE - 8
    low, high = extremes(chart)
    scale = Scale((min(low, 0), max(high, 0) or (1 if low >= 0 else 0)), room)
    shapes = [
        rectangle(
            left + scale.length(min(start, end)), y_of(row), abs(scale.length(end) - scale.length(start)), ROW_BAR, each
        )
        for row in range(len(names))
        for each, start, end in stack(now, row)
    ]
    labels = [
        label
        for row, name in enumerate(names)
        for label in row_labels(row, name, texts[row], left, left + scale.length(max(totals[row], 0)), total_width)
    ]
    height = len(names) * ROW_HEIGHT
    return Drawing(svg(total_width, height, shapes), total_width, height, labels)


def row_labels(row: int, name: str, value: str, left: float, end: float, total_width: float) -> Iterator[Label]:
    y = y_of(row) + (ROW_BAR - TEXT_HEIGHT) / 2
    yield Label(fitting(name, left - 6, TEXT_SIZE), 0, y, left - 6, "left")
    yield Label(value, end + 4, y, total_width - end - 4, "left")


def y_of(row: int) -> float:
    return row * ROW_HEIGHT + (ROW_HEIGHT - ROW_BAR) / 2


# --- SVG ---


def svg(wide: float, height: float, shapes: Sequence[str]) -> str:
    size = f'width="{wide:.2f}" height="{height:.2f}" viewBox="0 0 {wide:.2f} {height:.2f}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><defs>{"".join(PATTERNS)}</defs>{"".join(shapes)}</svg>'


def horizontal(y: float, x1: float, x2: float, stroke: str) -> str:
    return f'<line x1="{x1:.2f}" x2="{x2:.2f}" y1="{y:.2f}" y2="{y:.2f}" {stroke}/>'


def rectangle(x: float, y: float, wide: float, height: float, series: Series) -> str:
    shape = f'<rect x="{x:.2f}" y="{y:.2f}" width="{wide:.2f}" height="{height:.2f}"'
    pattern = f'{shape} fill="url(#p{series.pattern})"/>' if series.pattern else ""
    return f'{shape} fill="{color(series)}"/>{pattern}'
