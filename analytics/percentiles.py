"""Computes percentiles of latency and of the time to the first token.

They are exact, from the rows, in a small window, and else estimated from a histogram.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from django.conf import settings
from pydantic import Field
from typing_extensions import TypedDict

from analytics.field_types import LatencyMs
from traces import sums
from traces.bucket_series import bucket_sql
from traces.db import row, rows
from traces.filters import Filters
from traces.rollups.catalogue import ZERO_LATENCY_BUCKET
from traces.sums import Histogram

PercentileMethod = Annotated[
    Literal["exact", "histogram"],
    Field(description="histogram: estimated, at most 1.5 percent off, as the window has many calls or deleted rows."),
]


class Percentiles(TypedDict):
    p50_latency_ms: LatencyMs
    p95_latency_ms: LatencyMs
    p99_latency_ms: LatencyMs


NO_PERCENTILES: Percentiles = {"p50_latency_ms": None, "p95_latency_ms": None, "p99_latency_ms": None}


class BucketPercentiles(Percentiles):
    timestamp: datetime


class ExactPercentiles(BucketPercentiles):
    timed_calls: int


class Timing(NamedTuple):
    """What percentiles are of."""

    column: str
    histogram: Histogram


LATENCY = Timing("latency_ms", sums.LATENCIES)
FIRST_TOKEN = Timing("first_token_ms", sums.FIRST_TOKENS)

EXACT = """
WITH buckets AS (
    SELECT
        {bucket} AS timestamp,
        count({column}) AS timed_calls,
        percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY {column}) AS percentiles
    FROM traces
    WHERE {filters}
    GROUP BY 1
)
SELECT
    timestamp,
    timed_calls,
    percentiles[1] AS p50_latency_ms,
    percentiles[2] AS p95_latency_ms,
    percentiles[3] AS p99_latency_ms
FROM buckets
"""

# A percentile lies between two neighbouring calls. Each of them is in a bucket from 2^(b/32) to 2^((b+1)/32) ms; its
# latency is estimated by its rank among the bucket's calls, and limited to the middle third of the bucket. So it is at
# most 2^(2/96) - 1 = 1.46 % off, however the calls lie in the bucket.
#
# `histogram` has calls by latency_bucket and by `keys`, which are names of columns with commas between them.
ESTIMATES = """
WITH histogram AS (
    {histogram}
), ranked AS (
    SELECT
        {keys},
        latency_bucket,
        calls::float8 AS calls,
        (sum(calls) OVER up_to - calls)::float8 AS first_rank,
        (sum(calls) OVER up_to)::float8 AS next_rank,
        (sum(calls) OVER (PARTITION BY {keys}) - 1)::float8 AS last_rank
    FROM histogram
    WINDOW up_to AS (PARTITION BY {keys} ORDER BY latency_bucket)
), estimates AS (
    SELECT
        {keys},
        quantile,
        quantile * last_rank AS rank,
        CASE
            WHEN latency_bucket = %(zero_latency_bucket)s THEN 0
            ELSE 2 ^ ((
                latency_bucket
                + least(greatest((neighbour - first_rank + 0.5) / calls, 1 / 3.0::float8), 2 / 3.0::float8)
            ) / 32)
        END AS latency_ms
    FROM ranked
    JOIN (VALUES (0.5::float8), (0.95), (0.99)) AS quantiles (quantile)
        ON next_rank > floor(quantile * last_rank) AND first_rank <= ceil(quantile * last_rank)
    CROSS JOIN LATERAL (
        VALUES (floor(quantile * last_rank)), (ceil(quantile * last_rank))
    ) AS neighbours (neighbour)
    WHERE neighbour >= first_rank AND neighbour < next_rank
), percentiles AS (
    SELECT
        {keys},
        quantile,
        min(latency_ms) + (max(latency_ms) - min(latency_ms)) * (min(rank) - floor(min(rank))) AS latency_ms
    FROM estimates
    GROUP BY {keys}, quantile
)
SELECT
    {keys},
    min(latency_ms) FILTER (WHERE quantile = 0.5) AS p50_latency_ms,
    min(latency_ms) FILTER (WHERE quantile = 0.95) AS p95_latency_ms,
    min(latency_ms) FILTER (WHERE quantile = 0.99) AS p99_latency_ms
FROM percentiles
GROUP BY {keys}
"""
BUCKETS = """SELECT
        {bucket} AS timestamp,
        {histogram_bucket} AS latency_bucket,
        sum(calls) AS calls
    FROM {histogram} AS calls
    GROUP BY 1, 2"""


def percentiles(
    filters: Filters, calls: int, timed_calls: int, by_bucket: bool = False, timing: Timing = LATENCY
) -> tuple[PercentileMethod, dict[datetime, Percentiles]]:
    """Returns the percentiles of each bucket that has timed calls, by its start, under the names of latency.

    Without `by_bucket` they are the percentiles of the whole window, by its start. `calls` and `timed_calls` are sums
    over the window: rows past their retention are deleted, so the sums can count more calls than there are rows.
    """
    bucket = bucket_sql(filters) if by_bucket else "%(start)s::timestamptz"
    if calls <= settings.EXACT_PERCENTILE_ROWS and is_read_fast(filters, timing.histogram):
        exact = rows(
            EXACT,
            filters.params,
            row_type=ExactPercentiles,
            bucket=bucket,
            column=timing.column,
            filters=filters.row_condition,
        )
        if sum(row["timed_calls"] for row in exact) >= timed_calls:
            return "exact", by_start(exact)
    histogram = rows(
        ESTIMATES,
        filters.params | {"zero_latency_bucket": ZERO_LATENCY_BUCKET},
        row_type=BucketPercentiles,
        keys="timestamp",
        histogram=BUCKETS.format(
            bucket=bucket,
            histogram_bucket=timing.histogram.bucket,
            histogram=timing.histogram.sql(filters, by_bucket=by_bucket),
        ),
    )
    return "histogram", by_start(histogram)


CALLS_OF_WINDOW = "SELECT coalesce(sum(calls), 0)::bigint AS calls FROM {calls} AS calls"


def is_read_fast(filters: Filters, histogram: Histogram) -> bool:
    """Returns whether the rows that pass can be found without a look at too many others.

    A filter leaves calls out of the answer, but most filters have no index: all calls of the window are looked at. So
    are they for those that know their first token.
    """
    are_all_asked = histogram is sums.LATENCIES and not filters.active_filters
    if are_all_asked or histogram.rollup(filters) is None:
        return True
    return calls_of_window(filters) <= settings.EXACT_PERCENTILE_ROWS


def calls_of_window(filters: Filters) -> int:
    """Returns how many model calls the window has, whatever the filters."""
    window = replace(filters, values={}, counts_tools=False)
    return int(row(CALLS_OF_WINDOW, window.params, calls=sums.calls_sql(window, "calls"))["calls"])


def by_start(buckets: Sequence[BucketPercentiles]) -> dict[datetime, Percentiles]:
    return {
        bucket["timestamp"]: {
            "p50_latency_ms": bucket["p50_latency_ms"],
            "p95_latency_ms": bucket["p95_latency_ms"],
            "p99_latency_ms": bucket["p99_latency_ms"],
        }
        for bucket in buckets
    }
