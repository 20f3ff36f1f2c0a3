"""A heat map of latency over time: how many calls took how long, from the sums of the histogram."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from analytics.answers import SERIES_TTL_SECONDS
from analytics.answers import answer as cached
from analytics.query_string import bucket_count
from dashboards import heat
from dashboards.asking import Asked, PanelAnswer, PanelKind
from traces import sums
from traces.bucket_series import bucket_sql
from traces.buckets import BUCKETS
from traces.db import rows
from traces.filters import Filters
from traces.rollups.catalogue import ZERO_LATENCY_BUCKET

MOST_COLUMNS = 200
"""A finer granularity gives way to the next one that has fewer."""
HEAT = """
SELECT
    {bucket} AS timestamp,
    CASE WHEN latency_bucket = %(zero)s THEN -1 ELSE greatest(floor(latency_bucket / 32.0), -1) END::int AS octave,
    sum(calls)::bigint AS calls
FROM {histogram} AS histogram
GROUP BY 1, 2
"""
"""An octave is from 2^n to 2^(n+1) ms; below 1 ms it is -1."""


def latency_heat(filters: Filters) -> Mapping[str, Any]:
    found = rows(
        HEAT,
        filters.params | {"zero": ZERO_LATENCY_BUCKET},
        bucket=bucket_sql(filters),
        histogram=sums.LATENCIES.sql(filters, by_bucket=True),
    )
    cells: dict[Any, dict[int, int]] = defaultdict(dict)
    for row in found:
        cells[row["timestamp"]][row["octave"]] = row["calls"]
    octaves = sorted({row["octave"] for row in found})
    shown = list(range(octaves[0], octaves[-1] + 1)) if octaves else []
    return {
        "granularity": filters.granularity,
        "from_ms": [0 if octave < 0 else 2**octave for octave in shown],
        "data": [
            {"timestamp": start, "calls": [cells[start].get(octave, 0) for octave in shown]}
            for start in filters.bucket_starts
        ],
    }


def drawn_filters(asked: Asked) -> Filters:
    """Returns the filters with the finest granularity from the asked one on that has few enough columns."""
    counted = asked.panel.model_copy(update={"measures": ["calls"], "by": []})
    _, found = replace(asked, panel=counted).question(is_series=True)
    names = [*BUCKETS]
    coarser = names[names.index(found.granularity) :]
    fits = (name for name in coarser if bucket_count(found, name) <= MOST_COLUMNS)
    return replace(found, granularity=next(fits, names[-1]), limit=10)


def answer(asked: Asked) -> PanelAnswer:
    filters = drawn_filters(asked)
    found = cached(latency_heat, filters, asked.workspace, SERIES_TTL_SECONDS)
    return PanelAnswer(found.body, filters, found.is_hit, found.age_seconds)


def context(asked: Asked, data: Any, filters: Filters) -> dict[str, Any]:
    return {"heat": heat.drawn(data)}


KIND = PanelKind(
    "heat_map",
    "Heat map",
    "How many calls took how long, over time.",
    answer,
    context,
    fields=("granularity",),
)
