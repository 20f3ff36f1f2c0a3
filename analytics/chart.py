"""Makes parts of a Plotly figure as plain dictionaries. `json_script` writes them into the page, charts.js draws them.

A colour is the name of a CSS custom property, so that one figure serves the light and the dark theme.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from analytics.templatetags.links import is_cut
from analytics.templatetags.times import previous_window
from traces.filters import Filters
from web.number_text import Number, exact, whole_ms
from web.problems import check_deadline
from workspaces.models import Workspace

Bucket = dict[str, Any]
"""A point of an answer, to which `{% buckets %}` has added `starts` and `note`."""
Figure = dict[str, Any]
NumberText = Callable[[Number], str]

HOVER_DATES = {"minute": "%a %-d %b, %H:%M", "hourly": "%a %-d %b, %H:%M", "daily": "%a %-d %b %Y"}


class Chart:
    """Makes the series of one chart, and the figure of all of them."""

    def __init__(self, filters: Filters, workspace: Workspace) -> None:
        self.filters = filters
        self.workspace = workspace

    def figure(self, series: list[Figure], buckets: list[Bucket], **yaxis: Any) -> Figure:
        half = self.filters.bucket / 2
        return {
            "data": [line_or_bars for line_or_bars in series if line_or_bars],
            "layout": {
                "barmode": "stack",
                "xaxis": {
                    "range": [
                        self.wall_clock(buckets[0]["starts"] - half),
                        self.wall_clock(buckets[-1]["starts"] + half),
                    ],
                    "unifiedhovertitle": {"text": f"%{{x|{HOVER_DATES[self.filters.granularity]}}}"},
                },
                "yaxis": {"rangemode": "tozero", **yaxis},
            },
        }

    def bars(
        self, name: str, buckets: list[Bucket], y: Sequence[float | None], colour: str, number: NumberText = exact
    ) -> Figure:
        """Draws bars. `number` formats their values for the hover text."""
        check_deadline()
        return {
            "type": "bar",
            "name": name,
            "x": [self.wall_clock(bucket["starts"]) for bucket in buckets],
            "y": y,
            "width": self.filters.bucket / timedelta(milliseconds=1) * 0.84,
            # A bucket that the window's edge cuts is drawn lighter, and its hover text has a note.
            "marker": {"color": colour, "opacity": [0.5 if bucket["note"] else 1 for bucket in buckets]},
            "customdata": hover_texts(y, buckets, number),
            "hovertemplate": "%{customdata}",
        }

    def latency_line(self, name: str, buckets: list[Bucket], field: str, colour: str) -> Figure:
        values = [bucket[field] for bucket in buckets]
        return {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": [self.wall_clock(bucket["starts"]) for bucket in buckets],
            "y": [seconds(value) for value in values],
            "line": {"color": colour, "width": 2},
            "marker": {"size": [0 if has_neighbour(values, index) else 6 for index in range(len(values))]},
            "customdata": hover_texts(values, buckets, whole_ms),
            "hovertemplate": "%{customdata}",
        }

    def previous_line(
        self, points: Sequence[Any], y: Sequence[float | None], number: NumberText = exact, prefix: str = ""
    ) -> Figure:
        """Draws the previous window dashed, moved onto this one; nothing where it was empty.

        It leaves out the buckets that an edge of the previous window cuts: there the line would fall although nothing
        happened.
        """
        if not any(y):
            return {}
        length = self.filters.end - self.filters.start
        points, y = without_cut_buckets(points, y, self.filters.previous)
        return {
            "type": "scatter",
            "mode": "lines",
            "name": f"{prefix}{previous_window(self.filters)}",
            "x": [self.wall_clock(start_of(point) + length) for point in points],
            "y": y,
            "line": {"color": "--muted", "width": 2, "dash": "dash"},
            "opacity": 0.5,
            # Not customdata: a click follows the link of a point that has some.
            "text": [number(value) for value in y],
            "hovertemplate": "%{text}",
        }

    def wall_clock(self, moment: datetime) -> str:
        """Formats a time without offset: Plotly shows it as it is. A daily bucket is always a day of UTC."""
        zone = UTC if self.filters.granularity == "daily" else self.workspace.zone
        return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


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
