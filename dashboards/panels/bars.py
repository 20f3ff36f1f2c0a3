"""Bars over time, those of the groups beside each other."""

from dashboards.series_kind import series_kind

KIND = series_kind(
    "bars",
    "Bars",
    "Groups beside each other, over time.",
)
