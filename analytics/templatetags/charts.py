"""Plotly figures as plain dictionaries: `json_script` carries them, charts.js draws them.

A colour is the name of a CSS custom property, so that one figure serves the light and the dark theme.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

from django import template

from analytics.cost import Trend
from analytics.filters import Filters
from analytics.performance import Latency, Throughput
from analytics.usage import CallsOverTime
from workspaces.models import Workspace

register = template.Library()


@register.filter
def calls_figure(data: CallsOverTime, context: tuple[Filters, Workspace]) -> dict[str, Any]:
    filters, workspace = context
    points = data["data"]
    times = [wall_clock(str(point["timestamp"]), workspace) for point in points]
    width = filters.bucket / timedelta(milliseconds=1)
    return {
        "data": [
            bars("Successful", times, [point["calls"] - point["errors"] for point in points], "--primary-fill", width),
            bars("Failed", times, [point["errors"] for point in points], "--error-fill", width),
        ],
        "layout": {"barmode": "stack", "yaxis": {"rangemode": "tozero"}},
    }


STATUS_COLOURS = {"success": "success", "error": "error", "timeout": "warning"}
# Set2 and Dark2 relatives that stay apart for the colour-blind; a model keeps its colour on every page.
PALETTE = ("#8884d8", "#1b9e77", "#d95f02", "#e7298a", "#66a61e", "#e6ab02", "#1f78b4", "#a6761d")


@register.filter
def throughput_figure(data: Throughput, context: tuple[Filters, Workspace]) -> dict[str, Any]:
    filters, workspace = context
    times = [wall_clock(str(point["timestamp"]), workspace) for point in data["data"]]
    width = filters.bucket / timedelta(milliseconds=1)
    counts: dict[str, list[int]] = {
        "success": [point["success"] for point in data["data"]],
        "error": [point["error"] for point in data["data"]],
        "timeout": [point["timeout"] for point in data["data"]],
    }
    return {
        "data": [
            bars(status.capitalize(), times, counts[status], f"--{colour}-fill", width)
            for status, colour in STATUS_COLOURS.items()
        ],
        "layout": {"barmode": "stack", "yaxis": {"rangemode": "tozero"}},
    }


@register.filter
def latency_figure(data: Latency, context: tuple[Filters, Workspace]) -> dict[str, Any]:
    _, workspace = context
    times = [wall_clock(str(point["timestamp"]), workspace) for point in data["data"]]
    lines: dict[str, tuple[list[float | None], str]] = {
        "p50": ([point["p50_latency_ms"] for point in data["data"]], "--success"),
        "p95": ([point["p95_latency_ms"] for point in data["data"]], "--primary"),
        "p99": ([point["p99_latency_ms"] for point in data["data"]], "--error"),
    }
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": times,
                "y": values,
                "line": {"color": colour, "width": 2},
                "marker": {"size": 4},
                "hovertemplate": "%{y:,.0f} ms",
            }
            for name, (values, colour) in lines.items()
        ],
        "layout": {"yaxis": {"rangemode": "tozero", "ticksuffix": " ms"}},
    }


@register.filter
def trend_figure(data: Trend, context: tuple[Filters, Workspace]) -> dict[str, Any]:
    filters, workspace = context
    width = filters.bucket / timedelta(milliseconds=1)
    by_model: dict[str, dict[str, float]] = {}
    for point in data["data"]:
        time = wall_clock(str(point["timestamp"]), workspace)
        costs = by_model.setdefault(point["model"] or "other", {})
        costs[time] = costs.get(time, 0) + (point["cost_usd"] or 0)
    return {
        "data": [
            bars(name, list(costs), list(costs.values()), colour_of(name), width) | {"hovertemplate": "$%{y:,.4f}"}
            for name, costs in by_model.items()
        ],
        "layout": {"barmode": "stack", "yaxis": {"rangemode": "tozero", "tickprefix": "$"}},
    }


def colour_of(name: str) -> str:
    return "--muted" if name == "other" else PALETTE[crc32(name.encode()) % len(PALETTE)]


def bars(name: str, x: list[str], y: Sequence[float], colour: str, width: float) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": name,
        "x": x,
        "y": y,
        # A bar stands from its bucket's start to its end.
        "offset": 0,
        "width": width * 0.9,
        "marker": {"color": colour},
        "hovertemplate": "%{y:,}",
    }


def wall_clock(timestamp: str, workspace: Workspace) -> str:
    """Without offset: Plotly shows times as they are written."""
    return datetime.fromisoformat(timestamp).astimezone(workspace.zone).strftime("%Y-%m-%d %H:%M:%S")


@register.filter
def with_workspace(filters: Filters, workspace: Workspace) -> tuple[Filters, Workspace]:
    return filters, workspace
