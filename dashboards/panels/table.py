"""A table of measures by up to two dimensions, sorted by a click."""

from dashboards.asking import PanelKind, query_answer, query_points

KIND = PanelKind(
    "table",
    "Table",
    "Several measures of each value, sorted by a click.",
    query_answer,
    fields=("measures", "by", "compare", "limit", "unit", "decimals"),
    points=query_points,
)
