"""A donut: the shares of the values of a dimension."""

from dashboards.asking import Asked, PanelAnswer, PanelKind, query_answer, query_points
from dashboards.series_kind import check_adds_up


def answer(asked: Asked) -> PanelAnswer:
    check_adds_up(asked.panel)
    return query_answer(asked)


KIND = PanelKind(
    "donut",
    "Donut",
    "The share of each value in a whole.",
    answer,
    fields=("measures", "by", "limit", "unit", "decimals"),
    width=4,
    points=query_points,
)
