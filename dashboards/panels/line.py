"""A line over time for each group."""

from dashboards.series_kind import series_kind

KIND = series_kind(
    "line",
    "Line",
    "What varies over time, like latency or a rate.",
)
