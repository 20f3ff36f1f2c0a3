"""Bars over time, those of the groups on top of each other."""

from dashboards.series_kind import series_kind

KIND = series_kind(
    "stacked_bars",
    "Stacked bars",
    "How groups make a whole, over time.",
    is_stacked=True,
)
