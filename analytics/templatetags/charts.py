"""Plotly figures as plain dictionaries: `json_script` carries them, charts.js draws them.

A colour is the name of a CSS custom property, so that one figure serves the light and the dark theme.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

from django import template

from analytics.cost import ByModel, ModelCost, Trend
from analytics.palette import COLOURS, PATTERNS
from analytics.performance import Latency, Throughput
from analytics.templatetags.formats import window_before
from analytics.usage import CallsOverTime
from traces.filters import Filters
from workspaces.models import Workspace

register = template.Library()

Bucket = dict[str, Any]
"""A point as `{% buckets %}` makes it: with `starts` and `note`."""
Figure = dict[str, Any]

HOVER_DATES = {"minute": "%a %-d %b, %H:%M", "hourly": "%a %-d %b, %H:%M", "daily": "%a %-d %b %Y"}


@register.simple_tag(takes_context=True)
def calls_figure(context: template.Context, buckets: list[Bucket], before: CallsOverTime) -> Figure:
    asked = Asked(context)
    return asked.figure(
        [
            asked.bars(
                "Successful", buckets, [point["calls"] - point["errors"] for point in buckets], "--primary-fill"
            ),
            asked.bars("Failed", buckets, [point["errors"] for point in buckets], "--error-fill"),
            asked.dashed(before["data"], [point["calls"] for point in before["data"]], "%{y:,}"),
        ],
        buckets,
        **ticks_of_counts([point["calls"] for point in (*buckets, *before["data"])]),
    )


def ticks_of_counts(counts: list[int]) -> Figure:
    """No half calls: left to itself the axis of a few calls has them."""
    return {"dtick": 1} if max(counts, default=0) < 6 else {}


STATUS_COLOURS = {"success": "success", "error": "error", "timeout": "warning"}
STATUS_NAMES = {"success": "Successful", "error": "Failed", "timeout": "Timed out"}


@register.simple_tag(takes_context=True)
def throughput_figure(context: template.Context, buckets: list[Bucket]) -> Figure:
    asked = Asked(context)
    statuses = [
        asked.bars(STATUS_NAMES[status], buckets, [point[status] for point in buckets], f"--{colour}-fill")
        for status, colour in STATUS_COLOURS.items()
    ]
    return asked.figure(statuses, buckets, **ticks_of_counts([bucket["total"] for bucket in buckets]))


LATENCY_LINES = {"p50": "--success", "p95": "--primary", "p99": "--error"}


@register.simple_tag(takes_context=True)
def latency_figure(context: template.Context, buckets: list[Bucket], before: Latency) -> Figure:
    asked = Asked(context)
    lines = [asked.line(name, buckets, f"{name}_latency_ms", colour) for name, colour in LATENCY_LINES.items()]
    earlier: list[Any] = before["data"]
    return asked.figure(
        [
            *lines,
            asked.dashed(earlier, [seconds(point["p95_latency_ms"]) for point in earlier], "%{y:,.2f} s", "p95 of "),
        ],
        buckets,
        ticksuffix=" s",
    )


class ModelSeries(TypedDict):
    name: str
    model: str | None
    slot: int | None
    costs: list[float | None]


class CostTable(TypedDict):
    """A trend turned: one row for each bucket, one column for each model."""

    series: list[ModelSeries]
    rows: list[Bucket]


@register.filter
def cost_table(data: Trend, slots: dict[str, int]) -> CostTable:
    points = data["data"]
    stamps = list(dict.fromkeys(str(point["timestamp"]) for point in points))
    lines: dict[tuple[str | None, str | None], list[float | None]] = {}
    for point in points:
        lines.setdefault((point["provider"], point["model"]), []).append(point["cost_usd"])
    names = [model for _, model in lines]
    return {
        "series": [
            {
                # The same model of two providers is two series.
                "name": model_name(provider, model, names.count(model) > 1),
                "model": model,
                "slot": slots.get(model) if model else None,
                "costs": costs,
            }
            for (provider, model), costs in lines.items()
        ],
        "rows": [
            {"timestamp": stamp, "costs": costs, "total": total(costs)}
            for stamp, *costs in zip(stamps, *lines.values(), strict=True)
        ],
    }


@register.filter
def columns(table: CostTable) -> list[str]:
    return ["Total", *(one["name"] for one in table["series"])]


@register.filter
def listed(names: str) -> list[str]:
    return names.split(", ")


def model_name(provider: str | None, model: str | None, is_ambiguous: bool) -> str:
    if model is None:
        return "other"
    return f"{model} ({provider or 'no provider'})" if is_ambiguous else model


def total(costs: Sequence[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None


@register.simple_tag(takes_context=True)
def trend_figure(context: template.Context, table: CostTable, buckets: list[Bucket], before: Trend) -> Figure:
    asked = Asked(context)
    earlier = per_bucket(before)
    bars = [
        patterned(asked.bars(one["name"], buckets, one["costs"], slot_colour(one["slot"]), "$%{y:,.4f}"), one["slot"])
        for one in table["series"]
    ]
    return asked.figure(
        [*bars, asked.dashed(earlier, [point["cost_usd"] for point in earlier], "$%{y:,.4f}")],
        buckets,
        tickprefix="$",
    )


def slot_colour(slot: int | None) -> str:
    return "--other" if slot is None else f"--c{slot % COLOURS}"


def patterned(bars: Figure, slot: int | None) -> Figure:
    if slot is not None and slot >= COLOURS:
        shape = PATTERNS[slot // COLOURS]
        colours = {"bgcolor": slot_colour(slot), "fgcolor": "--card", "fgopacity": 1}
        bars["marker"]["pattern"] = {"shape": shape, "size": 6, "solidity": 0.3, **colours}
    return bars


@register.filter
def per_bucket(data: Trend) -> list[Bucket]:
    """All models together, a bucket at a time."""
    found: dict[str, Bucket] = {}
    for point in data["data"]:
        stamp = str(point["timestamp"])
        bucket = found.setdefault(stamp, {"timestamp": stamp, "cost_usd": 0.0, "calls": 0, "per_call_usd": None})
        bucket["cost_usd"] += point["cost_usd"] or 0
        bucket["calls"] += point["calls"]
        bucket["per_call_usd"] = bucket["cost_usd"] / bucket["calls"] if bucket["calls"] else None
    return list(found.values())


@register.filter
def failure_rates(data: Throughput) -> list[Bucket]:
    return [
        {
            "timestamp": point["timestamp"],
            "rate": (point["error"] + point["timeout"]) * 100 / point["total"] if point["total"] else None,
        }
        for point in data["data"]
    ]


@register.filter
def slot_class(model: str | None, slots: dict[str, int]) -> str:
    """The class of a swatch or bar in the model's colour."""
    if model not in slots:
        return "other"
    pattern, colour = divmod(slots[model], COLOURS)
    return f"c{colour} p{pattern}" if pattern else f"c{colour}"


@register.filter
def of_dearest(row: ModelCost, data: ByModel) -> str:
    """Length of the row's bar in percent."""
    dearest = max((one["cost_usd"] or 0 for one in data["data"]), default=0)
    return f"{(row['cost_usd'] or 0) * 100 / dearest:.4g}" if dearest else "0"


@register.filter
def unpriced(data: ByModel) -> int:
    return sum(row["unpriced_calls"] for row in data["data"])


@register.filter
def timed(data: Latency) -> bool:
    """Whether any call of the window says how long it took."""
    return any(point["p50_latency_ms"] is not None for point in data["data"])


@register.filter
def called(data: Throughput) -> bool:
    return any(point["total"] for point in data["data"])


@register.filter
def column(points: list[Bucket], field: str) -> list[float | None]:
    return [point[field] for point in points]


@register.filter
def legend(figure: Figure) -> list[dict[str, Any]]:
    """In HTML: it wraps and scrolls with the page's own type, and is read out."""
    return [
        {
            "name": one["name"],
            "colour": (one["marker"] if one["type"] == "bar" else one["line"])["color"].removeprefix("--"),
            "pattern": PATTERNS.index(one.get("marker", {}).get("pattern", {}).get("shape", "")),
            "is_dashed": "dash" in one.get("line", {}),
        }
        for one in figure["data"]
    ]


def seconds(value_ms: float | None) -> float | None:
    return None if value_ms is None else value_ms / 1000


class Asked:
    """What all series of one chart share."""

    def __init__(self, context: template.Context) -> None:
        self.filters: Filters = context["filters"]
        self.workspace: Workspace = context["workspace"]

    @property
    def width_ms(self) -> float:
        return self.filters.bucket / timedelta(milliseconds=1)

    def figure(self, series: list[Figure], buckets: list[Bucket], **yaxis: Any) -> Figure:
        half = self.filters.bucket / 2
        return {
            "data": [one for one in series if one],
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
        self, name: str, buckets: list[Bucket], y: Sequence[float | None], colour: str, exact: str = "%{y:,}"
    ) -> Figure:
        return {
            "type": "bar",
            "name": name,
            "x": [self.wall_clock(bucket["starts"]) for bucket in buckets],
            "y": y,
            "width": self.width_ms * 0.84,
            # What the window's edge cuts is drawn lighter, and says so.
            "marker": {"color": colour, "opacity": [0.5 if bucket["note"] else 1 for bucket in buckets]},
            "customdata": [f" {bucket['note']}" if bucket["note"] else "" for bucket in buckets],
            "hovertemplate": f"{exact}%{{customdata}}",
        }

    def line(self, name: str, buckets: list[Bucket], field: str, colour: str) -> Figure:
        values = [bucket[field] for bucket in buckets]
        return {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": [self.wall_clock(bucket["starts"]) for bucket in buckets],
            "y": [seconds(value) for value in values],
            "line": {"color": colour, "width": 2},
            "marker": {"size": [0 if is_joined(values, place) else 6 for place in range(len(values))]},
            "customdata": [
                f"{value:,.0f} ms {bucket['note']}" if value is not None else ""
                for value, bucket in zip(values, buckets, strict=True)
            ],
            "hovertemplate": "%{customdata}",
        }

    def dashed(self, points: Sequence[Any], y: Sequence[float | None], exact: str, what: str = "") -> Figure:
        """The window before, moved onto this one; nothing where it was empty.

        Without the buckets that its edges cut: there the line would dive, and nothing happened.
        """
        if not any(y):
            return {}
        length = self.filters.end - self.filters.start
        points, y = whole(points, y, self.filters.previous)
        return {
            "type": "scatter",
            "mode": "lines",
            "name": f"{what}{window_before(self.filters)}",
            "x": [self.wall_clock(datetime.fromisoformat(str(point["timestamp"])) + length) for point in points],
            "y": y,
            "line": {"color": "--muted", "width": 2, "dash": "dash"},
            "opacity": 0.5,
            "hovertemplate": exact,
        }

    def wall_clock(self, moment: datetime) -> str:
        """Without offset: Plotly shows times as they are written. A daily bucket is a day of UTC everywhere."""
        zone = UTC if self.filters.granularity == "daily" else self.workspace.zone
        return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def whole(
    points: Sequence[Any], y: Sequence[float | None], filters: Filters
) -> tuple[Sequence[Any], Sequence[float | None]]:
    """Those of a window that it does not cut; all where that leaves no line."""
    starts = [datetime.fromisoformat(str(point["timestamp"])) for point in points]
    kept = [
        place for place, start in enumerate(starts) if filters.start <= start and start + filters.bucket <= filters.end
    ]
    if len(kept) < 2:
        return points, y
    return [points[place] for place in kept], [y[place] for place in kept]


def is_joined(values: Sequence[float | None], place: int) -> bool:
    """A point between two gaps has no line to be seen by."""
    around = [*values[max(place - 1, 0) : place], *values[place + 1 : place + 2]]
    return any(value is not None for value in around)
