"""A stepped area over time, for what is counted."""

from dashboards.series_kind import series_kind

KIND = series_kind(
    "stepped",
    "Stepped area",
    "What is counted in each part of the time, as one area.",
)
