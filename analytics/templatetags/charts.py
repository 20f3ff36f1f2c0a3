"""Plotly figures as plain dictionaries: `json_script` carries them, charts.js draws them.

A colour is the name of a CSS custom property, so that one figure serves the light and the dark theme.
"""

from datetime import datetime, timedelta
from typing import Any

from django import template

from analytics.filters import Filters
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
            bars("Successful", times, [point["calls"] - point["errors"] for point in points], "primary", width),
            bars("Failed", times, [point["errors"] for point in points], "error", width),
        ],
        "layout": {"barmode": "stack", "yaxis": {"rangemode": "tozero"}},
    }


def bars(name: str, x: list[str], y: list[int], colour: str, width: float) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": name,
        "x": x,
        "y": y,
        # A bar stands from its bucket's start to its end.
        "offset": 0,
        "width": width * 0.9,
        "marker": {"color": f"--{colour}-fill"},
        "hovertemplate": "%{y:,}",
    }


def wall_clock(timestamp: str, workspace: Workspace) -> str:
    """Without offset: Plotly shows times as they are written."""
    return datetime.fromisoformat(timestamp).astimezone(workspace.zone).strftime("%Y-%m-%d %H:%M:%S")


@register.filter
def with_workspace(filters: Filters, workspace: Workspace) -> tuple[Filters, Workspace]:
    return filters, workspace
