"""A number with its change and its sparkline."""

from typing import Any

from dashboards import drawing
from dashboards.asking import Asked, PanelKind, query_answer, query_points
from traces.filters import Filters


def context(asked: Asked, data: Any, filters: Filters) -> dict[str, Any]:
    return {"numbers": drawing.numbers(asked.panel, data, filters)}


KIND = PanelKind(
    "number",
    "Number",
    "One figure, its change, and how it came about.",
    query_answer,
    context,
    ("measures", "compare", "thresholds", "unit", "decimals"),
    width=3,
    height=3,
    points=query_points,
)
