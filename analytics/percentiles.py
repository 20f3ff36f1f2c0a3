"""Computes percentiles of latency and of the time to the first token.

They are exact, from the rows, in a small window, and else estimated from a histogram.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import accumulate
from math import ceil, floor
from typing import Annotated, Any, Literal, NamedTuple

from django.conf import settings
from pydantic import Field
from typing_extensions import TypedDict

from analytics.field_types import LatencyMs
from traces import sums
from traces.bucket_series import bucket_sql
from traces.db import each_row, row, rows
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

HISTOGRAM = """
SELECT
    {keys},
    array_agg(latency_bucket) AS latency_buckets,
    array_agg(calls::bigint) AS calls
FROM ({histogram}) AS histogram
GROUP BY {keys}
"""
ADDED_UP = """
    SELECT {keys}, latency_bucket, sum(calls) AS calls
    FROM ({histogram}) AS histogram
    GROUP BY {keys}, latency_bucket"""
BUCKETS = """SELECT {bucket} AS timestamp, {histogram_bucket} AS latency_bucket, calls FROM {histogram} AS calls"""


def histograms(histogram: str, params: Mapping[str, Any], keys: str) -> Iterator[tuple[dict[str, Any], dict[int, int]]]:
    """Yields each combination of `keys`, by name, with its calls by latency bucket.

    `histogram` has calls by latency_bucket and by `keys`, which are names of columns with commas between them.
    """
    for found in each_row(HISTOGRAM, params, keys=keys, histogram=histogram):
        yield found, calls_by_bucket(found["latency_buckets"], found["calls"])


def added_up(histogram: str, keys: str) -> str:
    """Returns the SQL of a histogram in which each bucket is there once.

    It pays where many hours or days make one histogram. In a series it takes longer than to send all of them.
    """
    return ADDED_UP.format(keys=keys, histogram=histogram)


def calls_by_bucket(latency_buckets: Iterable[int], calls: Iterable[int]) -> dict[int, int]:
    """Returns the calls of each latency bucket. It may be in the columns many times."""
    found: dict[int, int] = defaultdict(int)
    for latency_bucket, number in zip(latency_buckets, calls, strict=True):
        found[latency_bucket] += number
    return found


def estimated(calls: Mapping[int, int]) -> Percentiles:
    """Returns the percentiles of some calls, by latency bucket."""
    buckets = sorted(calls)
    up_to = list(accumulate(calls[bucket] for bucket in buckets))
    p50, p95, p99 = (estimate(calls, buckets, up_to, quantile) for quantile in (0.5, 0.95, 0.99))
    return {"p50_latency_ms": p50, "p95_latency_ms": p95, "p99_latency_ms": p99}


def estimate(calls: Mapping[int, int], buckets: Sequence[int], up_to: Sequence[int], quantile: float) -> float | None:
    """Returns a percentile in ms; None without calls. `up_to` has the calls up to each of the buckets.

    A percentile lies between two neighbouring calls. Each of them is in a bucket from 2^(b/32) to 2^((b+1)/32) ms; its
    latency is estimated by its rank among the bucket's calls, and limited to the middle third of the bucket. So it is
    at most 2^(2/96) - 1 = 1.46 % off, however the calls lie in the bucket.
    """
    if not up_to:
        return None

    def latency_ms(rank: int) -> float:
        place = bisect_right(up_to, rank)
        bucket = buckets[place]
        number = calls[bucket]
        share = (rank - (up_to[place] - number) + 0.5) / number
        return 0.0 if bucket == ZERO_LATENCY_BUCKET else 2 ** ((bucket + min(max(share, 1 / 3), 2 / 3)) / 32)

    rank = quantile * (up_to[-1] - 1)
    lower, upper = latency_ms(floor(rank)), latency_ms(ceil(rank))
    return lower + (upper - lower) * (rank - floor(rank))


def percentiles(
    filters: Filters, calls: int, timed_calls: int, by_bucket: bool = False, timing: Timing = LATENCY
) -> tuple[PercentileMethod, dict[datetime, Percentiles]]:
    """Returns the percentiles of each bucket that has timed calls, by its start, under the names of latency.

    Without `by_bucket` they are the percentiles of the whole window, by its start. `calls` and `timed_calls` are sums
    over the window: rows past their retention are deleted, so the sums can count more calls than there are rows.
    """
    if not timed_calls:
        return ("exact" if calls <= settings.EXACT_PERCENTILE_ROWS else "histogram"), {}
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
    sql = BUCKETS.format(
        bucket=bucket,
        histogram_bucket=timing.histogram.bucket,
        histogram=timing.histogram.sql(filters, by_bucket=by_bucket),
    )
    found = histograms(sql if by_bucket else added_up(sql, "timestamp"), filters.params, "timestamp")
    return "histogram", {keys["timestamp"]: estimated(calls) for keys, calls in found}


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
