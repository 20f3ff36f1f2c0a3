"""Makes parts of a Plotly figure as plain dictionaries. `json_script` writes them into the page, charts.js draws them.

A colour is the name of a CSS custom property, so that one figure serves the light and the dark theme.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from analytics.marks import Mark, marks_of
from analytics.templatetags.links import is_cut
from analytics.templatetags.text import shorten_middle
from analytics.templatetags.times import local_bucket, previous_window
from traces.filters import Filters
from web.number_text import Number, exact, whole_ms
from web.problems import check_deadline

Bucket = dict[str, Any]
"""A point of an answer, to which `{% buckets %}` has added `starts` and `note`."""
Figure = dict[str, Any]
NumberText = Callable[[Number], str]

HOVER_DATES = {
    "minute": "%a %-d %b, %H:%M",
    "hourly": "%a %-d %b, %H:%M",
    "daily": "%a %-d %b %Y",
    "weekly": "week of %a %-d %b %Y",
    "monthly": "%B %Y",
}
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
TICKS_SHOWN = 8
MOST_NAMES, NAME_HEIGHT = 4, 14
"""With more marks a chart names them in the list below it only. The height is in pixels."""
MOMENT = timedelta(microseconds=1)
BAR_WIDTH = 0.84
"""Of a bucket."""
AXIS: Figure = {"gridcolor": "--border", "linecolor": "--border", "zeroline": False, "automargin": True}
TIME_AXIS: Figure = AXIS | {
    "type": "date",
    "showgrid": False,
    "tickformatstops": [
        {"dtickrange": [None, DAY / timedelta(milliseconds=1) - 1], "value": "%H:%M\n%-d %b"},
        {"dtickrange": [DAY / timedelta(milliseconds=1), None], "value": "%-d %b"},
    ],
}
AMOUNT_AXIS: Figure = AXIS | {"fixedrange": True, "rangemode": "tozero", "tickformat": ",~r", "nticks": 6}
LAYOUT: Figure = {
    "autosize": True,
    "margin": {"l": 44, "r": 8, "t": 8, "b": 24},
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font": {"family": "system-ui, sans-serif", "size": 12, "color": "--muted"},
    "hovermode": "x unified",
    "hoverlabel": {"bgcolor": "--card", "bordercolor": "--border", "font": {"color": "--text"}},
    "showlegend": False,
    "barmode": "stack",
}


class Chart:
    """Makes the series of one chart, and the figure of all of them."""

    def __init__(self, filters: Filters, measures: tuple[str, ...] = ()) -> None:
        """`measures` are what the chart shows of spend, calls, latency and errors: it marks their unusual hours."""
        self.filters, self.measures = filters, measures
        clocks = [self.wall_clock(start) for start in filters.bucket_starts]
        self.has_repeated_hour = len(set(clocks)) < len(clocks)

    def figure(self, series: list[Figure], buckets: list[Bucket], **yaxis: Any) -> Figure:
        marks = marks_of(self.filters, self.measures)
        return {
            "data": [line_or_bars for line_or_bars in series if line_or_bars],
            "layout": LAYOUT
            | {
                "xaxis": TIME_AXIS
                | (self.axis_of_names(buckets) if self.has_repeated_hour else self.axis_of_dates(buckets)),
                "yaxis": AMOUNT_AXIS | yaxis,
                "shapes": [self.shape(mark) for mark in marks],
                "annotations": [self.mark_name(mark, row) for row, mark in enumerate(marks)]
                if len(marks) <= MOST_NAMES
                else [],
            },
            "marks": [{"name": mark.name, "link": mark.link} for mark in marks],
        }

    def shape(self, mark: Mark) -> Figure:
        """Draws a mark over the buckets that it touches; one without an end as a line in its bucket."""
        across: Figure = {"yref": "paper", "y0": 0, "y1": 1}
        if mark.end is None:
            place = self.mark_place(mark.start)
            line = {"color": mark.colour, "width": 2, "dash": "dot"}
            return {**across, "type": "line", "x0": place, "x1": place, "line": line}
        starts = self.filters.bucket_starts
        first, last = (starts[self.bucket_place(moment)] for moment in (mark.start, mark.end - MOMENT))
        edges = {"x0": self.x(first), "x1": self.x(last)} if self.has_repeated_hour else self.band(first, last)
        filled = {"fillcolor": mark.colour, "opacity": 0.15, "line": {"width": 0}, "layer": "below"}
        return {**across, "type": "rect", **edges, **filled}

    def band(self, first: datetime, last: datetime) -> Figure:
        """Returns the edges of a band from the bucket that begins at `first` to that at `last`: bars stand astride."""
        half = self.filters.bucket / 2
        return {"x0": clock_text(self.wall_clock(first) - half), "x1": clock_text(self.wall_clock(last) + half)}

    def mark_name(self, mark: Mark, row: int) -> Figure:
        """Writes the name beside the mark, each one row lower than the one before, so that no two overlap."""
        text = {
            "text": shorten_middle(mark.name),
            "showarrow": False,
            "font": {"size": 11, "color": "--muted"},
        }
        place = {
            "x": self.mark_place(mark.start),
            "y": 1,
            "yref": "paper",
            "xanchor": self.name_anchor(mark.start),
            "yanchor": "top",
            "yshift": -NAME_HEIGHT * row,
        }
        return {**text, **place}

    def name_anchor(self, moment: datetime) -> str:
        """Returns which part of a name stands at the moment. On a phone the longest takes two thirds of the chart."""
        place = self.bucket_place(moment)
        share = (place + self.share_of_bucket(moment, place)) / len(self.filters.bucket_starts)
        return "left" if share < 1 / 3 else "center" if share < 2 / 3 else "right"

    def mark_place(self, moment: datetime) -> str:
        """Returns where the moment is drawn: within its bucket, whose point or bar has its start in the middle."""
        place = self.bucket_place(moment)
        start = self.filters.bucket_starts[place]
        if self.has_repeated_hour:
            return self.x(start)
        within = self.share_of_bucket(moment, place) * self.filters.bucket
        return clock_text(self.wall_clock(start) + within - self.filters.bucket / 2)

    def share_of_bucket(self, moment: datetime, place: int) -> float:
        """Returns how much of the bucket is over at the moment, as a chart shows it."""
        if self.has_repeated_hour:
            return 0.5
        return min(max((moment - self.filters.bucket_starts[place]) / self.filters.bucket, 0), 1)

    def bucket_place(self, moment: datetime) -> int:
        return max(bisect_right(self.filters.bucket_starts, moment) - 1, 0)

    def axis_of_dates(self, buckets: list[Bucket]) -> Figure:
        half = self.filters.bucket / 2
        first, last = (self.wall_clock(buckets[place]["starts"]) for place in (0, -1))
        step = len(buckets) // TICKS_SHOWN + 1
        # Else Plotly names days on which no bar stands.
        ticks: dict[str, Figure] = {
            "weekly": {"tick0": clock_text(first), "dtick": step * WEEK / timedelta(milliseconds=1)},
            "monthly": {"tickformatstops": [], "tickformat": "%b %Y", "tick0": clock_text(first), "dtick": f"M{step}"},
        }
        return {
            "range": [clock_text(first - half), clock_text(last + half)],
            "unifiedhovertitle": {"text": f"%{{x|{HOVER_DATES[self.filters.granularity]}}}"},
            **ticks.get(self.filters.granularity, {}),
        }

    def axis_of_names(self, buckets: list[Bucket]) -> Figure:
        """Returns an axis on which an hour that comes twice, as clocks are set back, has two places."""
        step = len(buckets) // TICKS_SHOWN + 1
        ticks = [bucket["starts"] for bucket in buckets[::step]]
        return {
            "type": "category",
            "categoryorder": "array",
            "categoryarray": [self.x(bucket["starts"]) for bucket in buckets],
            "range": [-0.5, len(buckets) - 0.5],
            "tickvals": [self.x(start) for start in ticks],
            "ticktext": [f"{self.wall_clock(start):%-d %b %H:%M}" for start in ticks],
        }

    def bars(
        self, name: str, buckets: list[Bucket], y: Sequence[float | None], colour: str, number: NumberText = exact
    ) -> Figure:
        """Draws bars. `number` formats their values for the hover text."""
        check_deadline()
        return {
            "type": "bar",
            "name": name,
            "x": [self.x(bucket["starts"]) for bucket in buckets],
            "y": y,
            "width": BAR_WIDTH * (1 if self.has_repeated_hour else self.filters.bucket / timedelta(milliseconds=1)),
            # A bucket that the window's edge cuts is drawn lighter, and its hover text has a note.
            "marker": {"color": colour, "opacity": [0.5 if bucket["note"] else 1 for bucket in buckets]},
            "customdata": hover_texts(y, buckets, number),
            "hovertemplate": "%{customdata}",
        }

    def hover_total(self, buckets: list[Bucket], totals: Sequence[float | None], number: NumberText = exact) -> Figure:
        """Adds the total of a bucket to the hover text, and draws nothing."""
        total = self.line("Total", buckets, totals, "--text", number)
        return total | {"mode": "lines", "line": {"color": "--text", "width": 0}, "showlegend": False}

    def latency_line(self, name: str, buckets: list[Bucket], field: str, colour: str) -> Figure:
        values = [bucket[field] for bucket in buckets]
        return self.line(name, buckets, values, colour, whole_ms) | {"y": [seconds(value) for value in values]}

    def line(
        self, name: str, buckets: list[Bucket], values: Sequence[float | None], colour: str, number: NumberText
    ) -> Figure:
        check_deadline()
        return {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": [self.x(bucket["starts"]) for bucket in buckets],
            "y": values,
            "line": {"color": colour, "width": 2},
            "marker": {"size": [0 if has_neighbour(values, index) else 6 for index in range(len(values))]},
            "customdata": hover_texts(values, buckets, number),
            "hovertemplate": "%{customdata}",
        }

    def previous_line(
        self, points: Sequence[Any], y: Sequence[float | None], number: NumberText = exact, prefix: str = ""
    ) -> Figure:
        """Draws the previous window dashed, moved onto this one so that weekdays meet; nothing where it was empty.

        It leaves out the buckets that an edge of the previous window cuts: there the line would fall although nothing
        happened.
        """
        if not any(y):
            return {}
        points, y = without_cut_buckets(points, y, self.filters.previous)
        places = [self.moved(start_of(point)) for point in points]
        y = [value for value, place in zip(y, places, strict=True) if place is not None]
        return {
            "type": "scatter",
            "mode": "lines",
            "name": f"{prefix}{previous_window(self.filters)}{self.moved_words}",
            "x": [place for place in places if place is not None],
            "y": y,
            "line": {"color": "--muted", "width": 2, "dash": "dash"},
            "opacity": 0.5,
            # Not customdata: a click follows the link of a point that has some.
            "text": [number(value) for value in y],
            "hovertemplate": "%{text}",
        }

    @property
    def moved_by(self) -> timedelta:
        """Returns how much later the previous window is drawn, by the clock on the wall.

        These are whole weeks if the window has some, so that weekdays meet, and whole days if the window has some but
        for a change of clocks.
        """
        length = self.filters.end - self.filters.start
        if self.filters.granularity == "weekly" or length >= WEEK - HOUR:
            return max((length + HOUR) // WEEK, 1) * WEEK
        days = max(round(length / DAY), 1) * DAY
        return days if self.filters.granularity == "daily" or abs(days - length) <= HOUR else length

    @property
    def moved_words(self) -> str:
        is_moved_less = self.filters.end - self.filters.start - self.moved_by > HOUR
        if self.filters.granularity == "monthly" or not is_moved_less:
            return ""
        return f", drawn {self.moved_by // DAY} days later"

    def moved(self, start: datetime) -> str | None:
        """Returns the place of a bucket of the previous window; None if it comes before this window."""
        starts = self.filters.bucket_starts
        clock = self.wall_clock(start)
        if self.filters.granularity == "monthly":
            clock = months_later(clock, len(starts) - self.is_first_month_cut)
        else:
            clock += self.moved_by
        if clock < self.wall_clock(starts[0]):
            return None
        if not self.has_repeated_hour:
            return clock_text(clock)
        return next((self.x(start) for start in starts if self.wall_clock(start) == clock), None)

    @property
    def is_first_month_cut(self) -> bool:
        return self.filters.bucket_starts[0] < self.filters.start

    def x(self, start: datetime) -> str:
        """Returns the place of a bucket: the clock on the wall, which Plotly shows as it is, or a name."""
        return local_bucket(start, self.filters) if self.has_repeated_hour else clock_text(self.wall_clock(start))

    def wall_clock(self, moment: datetime) -> datetime:
        """Returns the time without offset that a clock in the zone shows."""
        return moment.astimezone(self.filters.zone).replace(tzinfo=None)


def clock_text(clock: datetime) -> str:
    return f"{clock:%Y-%m-%d %H:%M:%S}"


def months_later(clock: datetime, months: int) -> datetime:
    years, month = divmod(clock.month - 1 + months, 12)
    return clock.replace(year=clock.year + years, month=month + 1)


def hover_texts(values: Sequence[float | None], buckets: list[Bucket], number: NumberText) -> list[str]:
    return [
        f"{number(value)} {bucket['note']}".strip() if value is not None else ""
        for value, bucket in zip(values, buckets, strict=True)
    ]


def without_cut_buckets(
    points: Sequence[Any], y: Sequence[float | None], filters: Filters
) -> tuple[Sequence[Any], Sequence[float | None]]:
    """Leaves out the buckets that the window cuts, unless too few for a line would remain."""
    whole = [index for index, point in enumerate(points) if not is_cut(start_of(point), filters)]
    if len(whole) < 2:
        return points, y
    return [points[index] for index in whole], [y[index] for index in whole]


def start_of(point: Any) -> datetime:
    return datetime.fromisoformat(str(point["timestamp"]))


def has_neighbour(values: Sequence[float | None], index: int) -> bool:
    """Returns whether a line reaches the point. A point between two gaps is visible only with a marker."""
    around = [*values[max(index - 1, 0) : index], *values[index + 1 : index + 2]]
    return any(value is not None for value in around)


def seconds(value_ms: float | None) -> float | None:
    return None if value_ms is None else value_ms / 1000
