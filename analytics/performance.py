"""Are the agents fast, and do they fail."""

from datetime import datetime, timedelta
from typing import Any, Literal, TypedDict

from django.conf import settings

from analytics.change import change
from analytics.db import row, rows
from analytics.filters import BUCKET_ORIGIN, Filters, Granularity

PercentileMethod = Literal["exact", "histogram"]


class OverviewChange(TypedDict):
    p50_latency_ms: float | None
    p95_latency_ms: float | None
    p99_latency_ms: float | None
    error_rate: float | None


class Overview(TypedDict):
    p50_latency_ms: float | None
    p95_latency_ms: float | None
    p99_latency_ms: float | None
    avg_latency_ms: float | None
    error_rate: float | None
    success_rate: float | None
    total_requests: int
    requests_per_second: float
    percentile_method: PercentileMethod
    change_from_previous: OverviewChange


def overview(filters: Filters) -> Overview:
    found = row(
        """
        SELECT
            count(*) FILTER (WHERE timestamp >= %(start)s) AS calls,
            count(*) FILTER (WHERE timestamp >= %(start)s AND status = 'success') AS successes,
            count(*) FILTER (WHERE timestamp < %(start)s) AS calls_before,
            count(*) FILTER (WHERE timestamp < %(start)s AND status <> 'success') AS errors_before
        FROM traces
        WHERE workspace_id = %(workspace_id)s
          AND timestamp >= %(previous_start)s AND timestamp < %(end)s
          AND operation = ANY(%(operations)s)
          AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s)
          AND (%(model)s::text IS NULL OR model = %(model)s)
          AND (%(provider)s::text IS NULL OR provider = %(provider)s)
        """,
        filters.params,
    )
    calls, length = found["calls"], filters.end - filters.start
    method = method_for(calls)
    # Two buckets as long as the window: the one before it, and itself.
    windows = latencies(filters, filters.previous_start, length, filters.start, method)
    now, before = windows.get(filters.start, NO_LATENCIES), windows.get(filters.previous_start, NO_LATENCIES)
    error_rate = percentage(calls - found["successes"], calls)
    return {
        "p50_latency_ms": now["p50_latency_ms"],
        "p95_latency_ms": now["p95_latency_ms"],
        "p99_latency_ms": now["p99_latency_ms"],
        "avg_latency_ms": now["avg_latency_ms"],
        "error_rate": error_rate,
        "success_rate": percentage(found["successes"], calls),
        "total_requests": calls,
        "requests_per_second": calls / length.total_seconds(),
        "percentile_method": method,
        "change_from_previous": {
            "p50_latency_ms": change(now["p50_latency_ms"], before["p50_latency_ms"]),
            "p95_latency_ms": change(now["p95_latency_ms"], before["p95_latency_ms"]),
            "p99_latency_ms": change(now["p99_latency_ms"], before["p99_latency_ms"]),
            "error_rate": change(error_rate, percentage(found["errors_before"], found["calls_before"])),
        },
    }


def percentage(part: int, whole: int) -> float | None:
    return part * 100 / whole if whole else None


def method_for(calls: int) -> PercentileMethod:
    return "exact" if calls <= settings.EXACT_PERCENTILE_ROWS else "histogram"


class Latencies(TypedDict):
    calls: int
    p50_latency_ms: float | None
    p95_latency_ms: float | None
    p99_latency_ms: float | None
    avg_latency_ms: float | None


NO_LATENCIES: Latencies = {
    "calls": 0,
    "p50_latency_ms": None,
    "p95_latency_ms": None,
    "p99_latency_ms": None,
    "avg_latency_ms": None,
}

EXACT = """
WITH buckets AS (
    SELECT
        date_bin(%(width)s, timestamp, %(origin)s) AS timestamp,
        count(*) AS calls,
        percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY latency_ms) AS percentiles,
        avg(latency_ms) AS avg_latency_ms
    FROM traces
    WHERE workspace_id = %(workspace_id)s
      AND timestamp >= %(since)s AND timestamp < %(end)s
      AND operation = ANY(%(operations)s)
      AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s)
      AND (%(model)s::text IS NULL OR model = %(model)s)
      AND (%(provider)s::text IS NULL OR provider = %(provider)s)
    GROUP BY 1
)
SELECT
    timestamp,
    calls,
    percentiles[1] AS p50_latency_ms,
    percentiles[2] AS p95_latency_ms,
    percentiles[3] AS p99_latency_ms,
    avg_latency_ms
FROM buckets
"""

# An exponential histogram of scale 5: bucket i ends at 2^(i/32) ms. A call counts as the geometric middle of its
# bucket, at most 2^(1/64) - 1 = 1.1 % off, and percentiles interpolate between neighbours as percentile_cont does.
HISTOGRAM = """
WITH histogram AS (
    SELECT
        date_bin(%(width)s, timestamp, %(origin)s) AS timestamp,
        ceil(ln(greatest(latency_ms, 1e-6)) * 32 / ln(2.0::float8)) AS bucket,
        count(*) AS calls,
        sum(latency_ms) AS latency_ms
    FROM traces
    WHERE workspace_id = %(workspace_id)s
      AND timestamp >= %(since)s AND timestamp < %(end)s
      AND operation = ANY(%(operations)s)
      AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s)
      AND (%(model)s::text IS NULL OR model = %(model)s)
      AND (%(provider)s::text IS NULL OR provider = %(provider)s)
      AND latency_ms IS NOT NULL
    GROUP BY 1, 2
), cumulated AS (
    SELECT
        *,
        2 ^ ((bucket - 0.5) / 32) AS middle_ms,
        sum(calls) OVER (PARTITION BY timestamp ORDER BY bucket) AS calls_up_to,
        sum(calls) OVER (PARTITION BY timestamp) - 1 AS last_rank
    FROM histogram
), neighbours AS (
    SELECT
        timestamp,
        quantile,
        sum(calls)::bigint AS calls,
        sum(latency_ms) / sum(calls)::float8 AS avg_latency_ms,
        min(middle_ms) FILTER (WHERE calls_up_to > floor(quantile * last_rank)) AS low_ms,
        min(middle_ms) FILTER (WHERE calls_up_to > ceil(quantile * last_rank)) AS high_ms,
        min(quantile * last_rank - floor(quantile * last_rank))::float8 AS way
    FROM cumulated
    CROSS JOIN (VALUES (0.5), (0.95), (0.99)) AS quantiles (quantile)
    GROUP BY timestamp, quantile
)
SELECT
    timestamp,
    min(calls) AS calls,
    min(low_ms + (high_ms - low_ms) * way) FILTER (WHERE quantile = 0.5) AS p50_latency_ms,
    min(low_ms + (high_ms - low_ms) * way) FILTER (WHERE quantile = 0.95) AS p95_latency_ms,
    min(low_ms + (high_ms - low_ms) * way) FILTER (WHERE quantile = 0.99) AS p99_latency_ms,
    min(avg_latency_ms) AS avg_latency_ms
FROM neighbours
GROUP BY timestamp
"""


def latencies(
    filters: Filters, since: datetime, width: timedelta, origin: datetime, method: PercentileMethod
) -> dict[datetime, Latencies]:
    """By the start of each bucket that has calls."""
    params = filters.params | {"since": since, "width": width, "origin": origin}
    found = rows(EXACT if method == "exact" else HISTOGRAM, params)
    return {bucket.pop("timestamp"): bucket for bucket in found}  # type: ignore[misc]


class LatencyInBucket(Latencies):
    timestamp: datetime


class Latency(TypedDict):
    granularity: Granularity
    percentile_method: PercentileMethod
    data: list[LatencyInBucket]


def latency(filters: Filters) -> Latency:
    points = throughput(filters)["data"]
    method = method_for(sum(point["total"] for point in points))
    found = latencies(filters, filters.start, filters.bucket, BUCKET_ORIGIN, method)
    return {
        "granularity": filters.granularity,
        "percentile_method": method,
        "data": [
            {
                **found.get(point["timestamp"], NO_LATENCIES),
                "timestamp": point["timestamp"],
                "calls": point["total"],
            }
            for point in points
        ],
    }


class ThroughputInBucket(TypedDict):
    timestamp: datetime
    success: int
    error: int
    timeout: int
    total: int
    requests_per_second: float


class Throughput(TypedDict):
    granularity: Granularity
    data: list[ThroughputInBucket]


def throughput(filters: Filters) -> Throughput:
    data: list[Any] = rows(
        """
        WITH buckets AS (
            SELECT generate_series(
                time_bucket(%(bucket)s, %(start)s),
                %(end)s - interval '1 microsecond',
                %(bucket)s
            ) AS timestamp
        ), counts AS (
            SELECT
                time_bucket(%(bucket)s, timestamp) AS timestamp,
                count(*) FILTER (WHERE status = 'success') AS success,
                count(*) FILTER (WHERE status = 'error') AS error,
                count(*) FILTER (WHERE status = 'timeout') AS timeout,
                count(*) AS total
            FROM traces
            WHERE workspace_id = %(workspace_id)s
              AND timestamp >= %(start)s AND timestamp < %(end)s
              AND operation = ANY(%(operations)s)
              AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s)
              AND (%(model)s::text IS NULL OR model = %(model)s)
              AND (%(provider)s::text IS NULL OR provider = %(provider)s)
            GROUP BY 1
        )
        SELECT
            timestamp,
            coalesce(success, 0) AS success,
            coalesce(error, 0) AS error,
            coalesce(timeout, 0) AS timeout,
            coalesce(total, 0) AS total,
            coalesce(total, 0) / extract(
                epoch FROM least(timestamp + %(bucket)s, %(end)s) - greatest(timestamp, %(start)s)
            )::float8 AS requests_per_second
        FROM buckets
        LEFT JOIN counts USING (timestamp)
        ORDER BY timestamp
        """,
        filters.params,
    )
    return {"granularity": filters.granularity, "data": data}


class ErrorGroup(TypedDict):
    error_type: str | None
    status: Literal["error", "timeout"]
    calls: int
    percentage: float
    """Of all errors."""
    error_rate: float
    """Of all calls, in percent."""
    agents: int
    users_affected: int
    first_seen: datetime
    last_seen: datetime
    sample_message: str | None
    sample_trace_id: str


class Errors(TypedDict):
    total_errors: int
    error_rate: float | None
    data: list[ErrorGroup]


def errors(filters: Filters) -> Errors:
    found = rows(
        """
        WITH calls AS (
            SELECT
                timestamp,
                trace_id,
                span_id,
                agent_id,
                user_id,
                status,
                error_type,
                error_message
            FROM traces
            WHERE workspace_id = %(workspace_id)s
              AND timestamp >= %(start)s AND timestamp < %(end)s
              AND operation = ANY(%(operations)s)
              AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s)
              AND (%(model)s::text IS NULL OR model = %(model)s)
              AND (%(provider)s::text IS NULL OR provider = %(provider)s)
        ), totals AS (
            SELECT
                count(*) AS total_calls,
                count(*) FILTER (WHERE status <> 'success') AS total_errors
            FROM calls
        ), groups AS (
            SELECT
                error_type,
                status,
                count(*) AS calls,
                count(DISTINCT agent_id) AS agents,
                count(DISTINCT user_id) AS users_affected,
                min(timestamp) AS first_seen,
                max(timestamp) AS last_seen,
                (array_agg(error_message ORDER BY error_message IS NULL, timestamp DESC, span_id))[1]
                    AS sample_message,
                (array_agg(trace_id ORDER BY error_message IS NULL, timestamp DESC, span_id))[1]
                    AS sample_trace_id
            FROM calls
            WHERE status <> 'success'
            GROUP BY error_type, status
            ORDER BY calls DESC, error_type, status
            LIMIT %(limit)s
        )
        SELECT
            total_calls,
            total_errors,
            groups.*,
            calls::float8 * 100 / NULLIF(total_errors, 0) AS percentage,
            calls::float8 * 100 / NULLIF(total_calls, 0) AS error_rate
        FROM totals
        LEFT JOIN groups ON true
        ORDER BY calls DESC, error_type, status
        """,
        filters.params,
    )
    total_calls, total_errors = found[0]["total_calls"], found[0]["total_errors"]
    data: list[Any] = [{name: group[name] for name in ErrorGroup.__annotations__} for group in found if group["calls"]]
    return {"total_errors": total_errors, "error_rate": percentage(total_errors, total_calls), "data": data}
