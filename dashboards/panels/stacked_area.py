"""Stepped areas over time, one on top of the other."""

from dashboards.series_kind import series_kind

KIND = series_kind(
    "stacked_area",
    "Stacked area",
    "How parts make a whole, over time.",
    is_stacked=True,
)
