"""Makes the figures of the charts, and the tables and legends next to them."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, TypedDict

from django import template

from analytics.chart import Bucket, Chart, Figure, seconds
from analytics.chart_svg import svg_of, with_range
from analytics.cost import ByModel, ModelCost, Trend
from analytics.palette import COLOURS, DASHES, PATTERNS, slot_of
from analytics.performance import FirstToken, Latency, Speed, Throughput
from analytics.usage import AgentDistribution, CallsOverTime, Tokens
from web.number_text import Number, exact, percent, rate, usd_exact, whole_ms

register = template.Library()

STATUS_COLOURS = {"success": "success", "error": "error", "timeout": "warning"}
STATUS_NAMES = {"success": "Successful", "error": "Failed", "timeout": "Timed out"}
LATENCY_LINES = {"p50": "--success", "p95": "--primary", "p99": "--error"}
TOKEN_CLASSES = {
    "input": ("Input", "--c0"),
    "cache_read": ("Input from caches", "--c1"),
    "cache_write": ("Input to caches", "--c5"),
    "output": ("Output", "--c3"),
    "reasoning": ("Reasoning", "--c7"),
}
ALWAYS_SHOWN = ("input", "cache_read", "output")
"""The others are in the chart where there are some."""


class ModelSeries(TypedDict):
    name: str
    model: str | None
    slot: int | None
    costs: list[float | None]


class CostTable(TypedDict):
    """A trend with one row for each bucket and one column for each model."""

    series: list[ModelSeries]
    rows: list[Bucket]


def chart_of(context: template.Context, *measures: str) -> Chart:
    """Makes a chart that marks the unusual hours of these measures."""
    return Chart(context["filters"], measures)


@register.simple_tag(takes_context=True)
def calls_figure(context: template.Context, buckets: list[Bucket], previous: CallsOverTime) -> Figure:
    chart, points = chart_of(context, "calls", "errors"), previous["data"]
    succeeded = [bucket["calls"] - bucket["errors"] for bucket in buckets]
    return chart.figure(
        [
            chart.bars("Successful", buckets, succeeded, "--primary-fill"),
            chart.bars("Failed", buckets, [bucket["errors"] for bucket in buckets], "--error-fill"),
            chart.previous_line(points, [point["calls"] for point in points]),
        ],
        buckets,
        **ticks_of_counts([point["calls"] for point in (*buckets, *points)]),
    )


def ticks_of_counts(counts: list[int]) -> Figure:
    """Removes fractions of calls from the axis: Plotly would show them if there are few calls."""
    return {"dtick": 1} if max(counts, default=0) < 6 else {}


@register.simple_tag(takes_context=True)
def throughput_figure(context: template.Context, buckets: list[Bucket], previous: CallsOverTime) -> Figure:
    chart, points = chart_of(context, "calls", "errors"), previous["data"]
    statuses = [
        chart.bars(STATUS_NAMES[status], buckets, [bucket[status] for bucket in buckets], f"--{colour}-fill")
        for status, colour in STATUS_COLOURS.items()
    ]
    before = [point["calls"] for point in points]
    return chart.figure(
        [*statuses, chart.previous_line(points, before)],
        buckets,
        **ticks_of_counts([*(bucket["total"] for bucket in buckets), *before]),
    )


@register.simple_tag(takes_context=True)
def latency_figure(context: template.Context, buckets: list[Bucket], previous: Latency) -> Figure:
    chart, points = chart_of(context, "latency"), previous["data"]
    p95 = [seconds(point["p95_latency_ms"]) for point in points]
    return chart.figure(
        [
            *(
                chart.latency_line(name, buckets, f"{name}_latency_ms", colour)
                for name, colour in LATENCY_LINES.items()
            ),
            chart.previous_line(points, p95, seconds_text, "p95 of "),
        ],
        buckets,
        ticksuffix=" s",
    )


@register.simple_tag(takes_context=True)
def first_token_figure(context: template.Context, buckets: list[Bucket], previous: FirstToken) -> Figure:
    chart, points = chart_of(context), previous["data"]
    p95 = [seconds(point["p95_first_token_ms"]) for point in points]
    lines = [
        chart.latency_line(name, buckets, f"{name}_first_token_ms", LATENCY_LINES[name]) for name in ("p50", "p95")
    ]
    return chart.figure([*lines, chart.previous_line(points, p95, seconds_text, "p95 of ")], buckets, ticksuffix=" s")


@register.simple_tag(takes_context=True)
def speed_figure(context: template.Context, buckets: list[Bucket], previous: Speed) -> Figure:
    chart, points = chart_of(context), previous["data"]
    values = [bucket["tokens_per_second"] for bucket in buckets]
    return chart.figure(
        [
            chart.line("Output tokens per second", buckets, values, "--primary", per_second),
            chart.previous_line(points, [point["tokens_per_second"] for point in points], per_second),
        ],
        buckets,
    )


def per_second(value: Number) -> str:
    return f"{rate(value)} tokens per second"


@register.filter
def token_classes(data: Tokens) -> list[Bucket]:
    """Adds the token classes to each bucket. Each token is in one class only."""
    return [
        point
        | {
            "input": point["input_tokens"] - point["cache_read_tokens"] - point["cache_write_tokens"],
            "cache_read": point["cache_read_tokens"],
            "cache_write": point["cache_write_tokens"],
            "output": point["output_tokens"] - point["reasoning_tokens"],
            "reasoning": point["reasoning_tokens"],
        }
        for point in data["data"]
    ]


@register.simple_tag(takes_context=True)
def tokens_figure(context: template.Context, buckets: list[Bucket], previous: Tokens) -> Figure:
    chart, points = chart_of(context, "calls"), previous["data"]
    bars = [
        chart.bars(name, buckets, [bucket[field] for bucket in buckets], colour, tokens_text)
        for field, (name, colour) in TOKEN_CLASSES.items()
        if field in ALWAYS_SHOWN or any(bucket[field] for bucket in buckets)
    ]
    totals = [point["input_tokens"] + point["output_tokens"] for point in points]
    return chart.figure([*bars, chart.previous_line(points, totals, tokens_text)], buckets, tickformat="~s")


def tokens_text(value: Number) -> str:
    return f"{exact(value)} tokens"


def seconds_text(value: Number) -> str:
    """Formats what the axis of latency shows, a number of seconds."""
    return whole_ms(None if value is None else float(value) * 1000)


@register.simple_tag(takes_context=True)
def trend_figure(context: template.Context, table: CostTable, buckets: list[Bucket], previous: Trend) -> Figure:
    chart, points = chart_of(context, "spend"), per_bucket(previous)
    bars = [
        patterned(
            chart.bars(series["name"], buckets, series["costs"], slot_colour(series["slot"]), usd_exact),
            series["slot"],
        )
        for series in table["series"]
    ]
    return chart.figure(
        [
            *bars,
            *(
                [chart.hover_total(buckets, [bucket["total_usd"] for bucket in buckets], usd_exact)]
                if len(bars) > 1
                else []
            ),
            chart.previous_line(points, [point["cost_usd"] for point in points], usd_exact),
        ],
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


def dashed(line: Figure, slot: int | None) -> Figure:
    """Does for a line what `patterned` does for bars."""
    if slot is not None and slot >= COLOURS:
        line["line"]["dash"] = DASHES[slot // COLOURS]
    return line


@register.filter
def cost_table(data: Trend, slots: dict[str, int]) -> CostTable:
    points = data["data"]
    timestamps = list(dict.fromkeys(str(point["timestamp"]) for point in points))
    costs_by_model: dict[tuple[str | None, str | None], list[float | None]] = {}
    for point in points:
        costs_by_model.setdefault((point["provider"], point["model"]), []).append(point["cost_usd"])
    models = [model for _, model in costs_by_model]
    return {
        "series": [
            {
                # The same model of two providers is two series.
                "name": model_name(provider, model, is_ambiguous=models.count(model) > 1),
                "model": model,
                "slot": slot_of(model, slots) if model else None,
                "costs": costs,
            }
            for (provider, model), costs in costs_by_model.items()
        ],
        "rows": [
            {"timestamp": timestamp, "costs": costs, "total_usd": total(costs)}
            for timestamp, *costs in zip(timestamps, *costs_by_model.values(), strict=True)
        ],
    }


def model_name(provider: str | None, model: str | None, is_ambiguous: bool) -> str:
    if model is None:
        return "other"
    return f"{model} ({provider or 'no provider'})" if is_ambiguous else model


def total(costs: Sequence[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None


@register.filter
def column_names(table: CostTable) -> list[str]:
    return ["Total", *(series["name"] for series in table["series"])]


@register.filter
def split_names(names: str) -> list[str]:
    return names.split(", ")


@register.filter
def per_bucket(data: Trend) -> list[Bucket]:
    """Sums all models of each bucket."""
    buckets: dict[str, Bucket] = {}
    for point in data["data"]:
        timestamp = str(point["timestamp"])
        bucket = buckets.setdefault(
            timestamp, {"timestamp": timestamp, "cost_usd": 0.0, "calls": 0, "per_call_usd": None}
        )
        bucket["cost_usd"] += point["cost_usd"] or 0
        bucket["calls"] += point["calls"]
        bucket["per_call_usd"] = bucket["cost_usd"] / bucket["calls"] if bucket["calls"] else None
    return list(buckets.values())


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
    """Returns the CSS class of a swatch or bar in the model's colour."""
    return class_of(slot_of(model, slots) if model else None)


def class_of(slot: int | None) -> str:
    if slot is None:
        return "other"
    pattern, colour = divmod(slot, COLOURS)
    return f"c{colour} p{pattern}" if pattern else f"c{colour}"


GAP = 0.4
"""Between the parts of a ring, in percent."""


class Segment(TypedDict):
    colour: str
    percentage: str
    turned_by: str
    """How far around the ring it begins, as the attribute of SVG counts it."""
    words: str


@register.filter
def ring(data: AgentDistribution, slots: dict[str, int]) -> list[Segment]:
    """Returns the parts of a ring that is 100 long."""
    begins = accumulate((row["percentage"] for row in data["data"]), initial=0.0)
    return [
        {
            "colour": slot_class(row["agent_id"], slots),
            "percentage": f"{max(row['percentage'] - GAP, GAP) if row['percentage'] < 100 else 100:.4g}",
            "turned_by": f"{-begin:.4g}",
            "words": f"{row['agent_id'] or 'all others'} {percent(row['percentage'])}",
        }
        for row, begin in zip(data["data"], begins, strict=False)
    ]


@register.filter
def percent_of_most_expensive(row: ModelCost, data: ByModel) -> str:
    """Returns the length of the row's bar: its cost in percent of the highest cost."""
    most_expensive = max((model["cost_usd"] or 0 for model in data["data"]), default=0)
    return f"{(row['cost_usd'] or 0) * 100 / most_expensive:.4g}" if most_expensive else "0"


@register.filter
def unpriced_calls(data: ByModel) -> int:
    return sum(row["unpriced_calls"] for row in data["data"])


@register.filter
def has_latency(data: Latency) -> bool:
    return any(point["p50_latency_ms"] is not None for point in data["data"])


@register.filter
def has_first_token(data: FirstToken) -> bool:
    return any(point["calls"] for point in data["data"])


@register.filter
def has_speed(data: Speed) -> bool:
    return any(point["tokens_per_second"] is not None for point in data["data"])


@register.filter
def has_calls(data: Throughput) -> bool:
    return any(point["total"] for point in data["data"])


@register.filter
def column(points: list[Bucket], field: str) -> list[float | None]:
    return [point[field] for point in points]


register.filter(with_range)
register.filter("drawing", svg_of)


@register.filter
def legend(figure: Figure) -> list[dict[str, Any]]:
    """Returns the entries of the legend. It is HTML, so that it wraps, scrolls and works with screen readers."""
    return [
        {
            "name": series["name"],
            "colour": (series["marker"] if series["type"] == "bar" else series["line"])["color"].removeprefix("--"),
            "pattern": pattern_of(series),
            "is_dashed": series.get("line", {}).get("dash") == "dash",
            "link": series.get("meta"),
        }
        for series in figure["data"]
        if series.get("showlegend", True)
    ]


def pattern_of(series: Figure) -> int:
    """Returns the number of the pattern of bars; of the same number is the dash of a line."""
    if series["type"] == "bar":
        return PATTERNS.index(series["marker"].get("pattern", {}).get("shape", ""))
    dash = series["line"].get("dash", "solid")
    return DASHES.index(dash) if dash in DASHES else 0


@register.filter
def largest_parts(cost_by_class: dict[str, float] | None) -> list[tuple[str, float, float]]:
    """Returns name, USD and percentage of each part of a cost that is more than nothing, the largest first."""
    parts = {name.replace("_", " "): usd for name, usd in (cost_by_class or {}).items() if usd}
    total = sum(parts.values())
    return [(name, usd, usd * 100 / total) for name, usd in sorted(parts.items(), key=lambda part: -part[1])]
