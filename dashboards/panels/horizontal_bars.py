"""Horizontal bars: the values of a dimension beside each other, and beside those of an earlier window."""

from dashboards.asking import PanelKind, query_answer, query_points

KIND = PanelKind(
    "horizontal_bars",
    "Horizontal bars",
    "A ranking, like cost by customer, beside an earlier window.",
    query_answer,
    fields=("measures", "by", "compare", "limit", "unit", "decimals"),
    points=query_points,
)
