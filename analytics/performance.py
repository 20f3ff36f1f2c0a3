"""Computes the metrics of the Performance page: latency, time to first token, speed, throughput, errors and tools."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from analytics.change import Change, change, percentage
from analytics.error_samples import ErrorSums, error_samples
from analytics.field_types import BucketStart, LatencyMs
from analytics.percentiles import (
    FIRST_TOKEN,
    NO_PERCENTILES,
    PercentileMethod,
    Percentiles,
    added_up,
    estimated,
    histograms,
    percentiles,
)
from traces import sums
from traces.bucket_series import bucket_series_sql, bucket_sql
from traces.buckets import Granularity
from traces.db import row, rows
from traces.filters import Filters


class OverviewChange(TypedDict):
    p50_latency_ms: Change
    p95_latency_ms: Change
    p99_latency_ms: Change
    error_rate: Change


class Summary(Percentiles):
    avg_latency_ms: LatencyMs
    error_rate: Annotated[float | None, Field(description="Failed calls in percent; null where there is no call.")]
    success_rate: Annotated[float | None, Field(description="The other calls in percent.")]
    total_requests: Annotated[int, Field(description="Calls.")]
    requests_per_second: Annotated[float, Field(description="Calls over the length of the window.")]
    percentile_method: PercentileMethod


class Overview(Summary):
    change_from_previous: OverviewChange


def overview(filters: Filters) -> Overview:
    now, previous = summary(filters), summary(filters.previous)
    return {
        **now,
        "change_from_previous": {
            "p50_latency_ms": change(now["p50_latency_ms"], previous["p50_latency_ms"]),
            "p95_latency_ms": change(now["p95_latency_ms"], previous["p95_latency_ms"]),
            "p99_latency_ms": change(now["p99_latency_ms"], previous["p99_latency_ms"]),
            "error_rate": change(now["error_rate"], previous["error_rate"]),
        },
    }


class WindowSums(TypedDict):
    calls: int
    errors: int
    timed_calls: int
    avg_latency_ms: float | None


def summary(filters: Filters) -> Summary:
    window = row(
        """
        SELECT
            coalesce(sum(calls), 0) AS calls,
            coalesce(sum(errors), 0) AS errors,
            coalesce(sum(timed_calls), 0) AS timed_calls,
            sum(latency_ms) / NULLIF(sum(timed_calls), 0)::float8 AS avg_latency_ms
        FROM {calls} AS calls
        """,
        filters.params,
        row_type=WindowSums,
        calls=sums.calls_sql(filters, "calls", "errors", "timed_calls", "latency_ms"),
    )
    calls, errors = window["calls"], window["errors"]
    method, by_start = percentiles(filters, calls, window["timed_calls"])
    return {
        **by_start.get(filters.start, NO_PERCENTILES),
        "avg_latency_ms": window["avg_latency_ms"],
        "error_rate": percentage(errors, calls),
        "success_rate": percentage(calls - errors, calls),
        "total_requests": calls,
        "requests_per_second": calls / (filters.end - filters.start).total_seconds(),
        "percentile_method": method,
    }


class LatencyInBucket(Percentiles):
    timestamp: BucketStart
    calls: int
    avg_latency_ms: LatencyMs


class Latency(TypedDict):
    granularity: Granularity
    percentile_method: PercentileMethod
    data: list[LatencyInBucket]


class BucketSums(TypedDict):
    timestamp: datetime
    calls: int
    timed_calls: int
    avg_latency_ms: float | None


def latency(filters: Filters) -> Latency:
    buckets = rows(
        """
        WITH averages AS (
            SELECT
                {bucket} AS timestamp,
                sum(calls) AS calls,
                sum(timed_calls) AS timed_calls,
                sum(latency_ms) / NULLIF(sum(timed_calls), 0)::float8 AS avg_latency_ms
            FROM {calls} AS calls
            GROUP BY 1
        )
        SELECT
            timestamp,
            coalesce(calls, 0) AS calls,
            coalesce(timed_calls, 0) AS timed_calls,
            avg_latency_ms
        FROM {buckets} AS buckets (timestamp, until)
        LEFT JOIN averages USING (timestamp)
        ORDER BY timestamp
        """,
        filters.params,
        row_type=BucketSums,
        buckets=bucket_series_sql(filters),
        bucket=bucket_sql(filters),
        calls=sums.calls_sql(filters, "calls", "timed_calls", "latency_ms", by_bucket=True),
    )
    calls, timed_calls = (sum(bucket[name] for bucket in buckets) for name in ("calls", "timed_calls"))
    method, by_start = percentiles(filters, calls, timed_calls, by_bucket=True)
    return {
        "granularity": filters.granularity,
        "percentile_method": method,
        "data": [
            {
                "timestamp": bucket["timestamp"],
                "calls": bucket["calls"],
                "avg_latency_ms": bucket["avg_latency_ms"],
                **by_start.get(bucket["timestamp"], NO_PERCENTILES),
            }
            for bucket in buckets
        ],
    }


class FirstTokenInBucket(TypedDict):
    timestamp: BucketStart
    calls: int
    """Those whose time to the first token is known: streamed ones, mostly."""
    p50_first_token_ms: float | None
    """Null where there is no such call."""
    p95_first_token_ms: float | None


class FirstToken(TypedDict):
    granularity: Granularity
    percentile_method: PercentileMethod
    data: list[FirstTokenInBucket]


class CallsInBucket(TypedDict):
    timestamp: datetime
    calls: int


def first_token(filters: Filters) -> FirstToken:
    buckets = rows(
        """
        WITH counts AS (
            SELECT
                {bucket} AS timestamp,
                sum(calls) AS calls
            FROM {calls} AS calls
            GROUP BY 1
        )
        SELECT
            timestamp,
            coalesce(calls, 0)::bigint AS calls
        FROM {buckets} AS buckets (timestamp, until)
        LEFT JOIN counts USING (timestamp)
        ORDER BY timestamp
        """,
        filters.params,
        row_type=CallsInBucket,
        buckets=bucket_series_sql(filters),
        bucket=bucket_sql(filters),
        calls=sums.FIRST_TOKENS.sql(filters, by_bucket=True),
    )
    calls = sum(bucket["calls"] for bucket in buckets)
    method, by_start = percentiles(filters, calls, calls, by_bucket=True, timing=FIRST_TOKEN)
    found = [by_start.get(bucket["timestamp"], NO_PERCENTILES) for bucket in buckets]
    return {
        "granularity": filters.granularity,
        "percentile_method": method,
        "data": [
            {
                "timestamp": bucket["timestamp"],
                "calls": bucket["calls"],
                "p50_first_token_ms": values["p50_latency_ms"],
                "p95_first_token_ms": values["p95_latency_ms"],
            }
            for bucket, values in zip(buckets, found, strict=True)
        ],
    }


class SpeedInBucket(TypedDict):
    timestamp: BucketStart
    output_tokens: int
    tokens_per_second: float | None
    """Output tokens over the time that the calls took; null where that is unknown or 0."""


class Speed(TypedDict):
    granularity: Granularity
    data: list[SpeedInBucket]


def tokens_per_second(filters: Filters) -> Speed:
    data = rows(
        """
        WITH speeds AS (
            SELECT
                {bucket} AS timestamp,
                sum(output_tokens) AS output_tokens,
                sum(output_tokens) * 1000 / NULLIF(sum(latency_ms), 0) AS tokens_per_second
            FROM {calls} AS calls
            GROUP BY 1
        )
        SELECT
            timestamp,
            coalesce(output_tokens, 0)::bigint AS output_tokens,
            tokens_per_second::float8 AS tokens_per_second
        FROM {buckets} AS buckets (timestamp, until)
        LEFT JOIN speeds USING (timestamp)
        ORDER BY timestamp
        """,
        filters.params,
        row_type=SpeedInBucket,
        buckets=bucket_series_sql(filters),
        bucket=bucket_sql(filters),
        calls=sums.calls_sql(filters, "output_tokens", "latency_ms", by_bucket=True),
    )
    return {"granularity": filters.granularity, "data": data}


class ThroughputInBucket(TypedDict):
    timestamp: BucketStart
    success: int
    error: int
    timeout: int
    total: int
    requests_per_second: float
    """Calls over the length of the bucket, as far as the window covers it."""


class Throughput(TypedDict):
    granularity: Granularity
    data: list[ThroughputInBucket]


def throughput(filters: Filters) -> Throughput:
    data = rows(
        """
        WITH counts AS (
            SELECT
                {bucket} AS timestamp,
                sum(calls) FILTER (WHERE status = 'success') AS success,
                sum(calls) FILTER (WHERE status = 'error') AS error,
                sum(calls) FILTER (WHERE status = 'timeout') AS timeout,
                sum(calls) AS total
            FROM {calls} AS calls
            GROUP BY 1
        )
        SELECT
            timestamp,
            coalesce(success, 0) AS success,
            coalesce(error, 0) AS error,
            coalesce(timeout, 0) AS timeout,
            coalesce(total, 0) AS total,
            coalesce(total, 0) / extract(
                epoch FROM until - greatest(timestamp, %(start)s)
            )::float8 AS requests_per_second
        FROM {buckets} AS buckets (timestamp, until)
        LEFT JOIN counts USING (timestamp)
        ORDER BY timestamp
        """,
        filters.params,
        row_type=ThroughputInBucket,
        buckets=bucket_series_sql(filters),
        bucket=bucket_sql(filters),
        calls=sums.calls_sql(filters, "status", "calls", by_bucket=True),
    )
    return {"granularity": filters.granularity, "data": data}


class ErrorGroup(TypedDict):
    error_type: str | None
    status: Literal["error", "timeout"]
    calls: int
    percentage: float
    """Of all errors."""
    error_rate: float
    """In percent of all calls."""
    agents: int
    users_affected: int
    first_seen: datetime | None
    """Null, like the fields below, where the rows of that time are deleted and only sums are left."""
    last_seen: datetime | None
    sample_message: str | None
    """Of the newest errors, the newest that has a message; null where none has one."""
    sample_trace_id: str | None


class Errors(TypedDict):
    total_errors: int
    error_rate: float | None
    """In percent of all calls; null where there is no call."""
    data: list[ErrorGroup]


class ErrorGroupSums(ErrorSums):
    """Sums of a group, with the totals of the window. Without any error there is one row, whose `calls` is 0."""

    total_calls: int
    total_errors: int
    calls: int
    agents: int
    users_affected: int
    percentage: float
    error_rate: float


IS_LISTED = "coalesce(error_type, '') = ANY(ARRAY(SELECT coalesce(error_type, '') FROM groups))"
"""The types of errors in the CTE `groups`, which are `limit` at most."""


def errors(filters: Filters) -> Errors:
    group_sums = rows(
        """
        WITH totals AS (
            SELECT
                coalesce(sum(calls), 0) AS total_calls,
                coalesce(sum(errors), 0) AS total_errors
            FROM {totals} AS calls
        ), agents AS (
            SELECT
                status,
                error_type,
                agent_id,
                sum(calls) AS calls,
                min(timestamp) AS first_since,
                min(until) AS first_until,
                max(timestamp) AS last_since,
                max(until) AS last_until
            FROM {calls} AS calls
            WHERE status <> 'success'
            GROUP BY status, error_type, agent_id
        ), groups AS (
            SELECT
                status,
                error_type,
                sum(calls)::bigint AS calls,
                count(*) AS agents,
                min(first_since) AS first_since,
                min(first_until) AS first_until,
                max(last_since) AS last_since,
                max(last_until) AS last_until
            FROM agents
            GROUP BY status, error_type
            ORDER BY calls DESC, error_type, status
            LIMIT %(limit)s
        )
        SELECT
            total_calls,
            total_errors,
            groups.status,
            groups.error_type,
            coalesce(groups.calls, 0) AS calls,
            agents,
            coalesce(users, 0) AS users_affected,
            (groups.calls * 100 / NULLIF(total_errors, 0)::float8) AS percentage,
            (groups.calls * 100 / NULLIF(total_calls, 0)::float8) AS error_rate,
            first_since,
            first_until,
            last_since,
            last_until
        FROM totals
        LEFT JOIN groups ON true
        LEFT JOIN {users} AS affected ON affected.status = groups.status
            AND affected.error_type IS NOT DISTINCT FROM groups.error_type
        ORDER BY groups.calls DESC, groups.error_type, groups.status
        """,
        filters.params,
        row_type=ErrorGroupSums,
        totals=sums.calls_sql(filters, "calls", "errors"),
        calls=sums.errors_sql(filters),
        users=sums.affected_users_sql(filters, IS_LISTED),
    )
    total_calls, total_errors = group_sums[0]["total_calls"], group_sums[0]["total_errors"]
    groups = [group for group in group_sums if group["calls"]]
    return {
        "total_errors": total_errors,
        "error_rate": percentage(total_errors, total_calls),
        "data": [
            {
                "error_type": group["error_type"],
                "status": group["status"],
                "calls": group["calls"],
                "percentage": group["percentage"],
                "error_rate": group["error_rate"],
                "agents": group["agents"],
                "users_affected": group["users_affected"],
                **samples,
            }
            for group, samples in zip(groups, error_samples(filters, groups), strict=True)
        ],
    }


class ToolCalls(TypedDict):
    tool: str | None
    """Null: all tools past the limit together, with the calls that name none."""
    calls: int
    errors: int
    error_rate: float
    """Failed calls in percent of the tool's calls."""
    avg_latency_ms: LatencyMs
    p95_latency_ms: Annotated[
        float | None, Field(description="Estimated, at most 1.5 percent off; null where no call has a latency.")
    ]


class Tools(TypedDict):
    total_calls: int
    """Of tools. No other metric of the pages counts these calls."""
    total_errors: int
    data: list[ToolCalls]


TOOL_CALLS = """SELECT tool, latency_bucket, calls FROM {calls} AS calls"""
# Only sums are compared with the listed names, not each bucket of each hour or day.
TOOL_HISTOGRAM = """
    SELECT
        CASE WHEN tool = ANY(%(listed)s::text[]) THEN tool END AS tool,
        latency_bucket,
        calls
    FROM ({by_tool}) AS by_tool"""


def tools(filters: Filters) -> Tools:
    filters = replace(filters, counts_tools=True)
    data = rows(
        """
        WITH tools AS (
            SELECT
                tool,
                sum(calls) AS calls,
                sum(errors) AS errors,
                sum(timed_calls) AS timed_calls,
                sum(latency_ms) AS latency_ms
            FROM {calls} AS calls
            GROUP BY tool
            HAVING sum(calls) > 0
        ), ranked AS (
            SELECT
                *,
                tool IS NOT NULL AND row_number() OVER (ORDER BY tool IS NULL, calls DESC, tool) <= %(limit)s
                    AS is_listed
            FROM tools
        )
        SELECT
            CASE WHEN is_listed THEN tool END AS tool,
            sum(calls)::bigint AS calls,
            sum(errors)::bigint AS errors,
            (sum(errors) * 100 / sum(calls))::float8 AS error_rate,
            sum(latency_ms) / NULLIF(sum(timed_calls), 0)::float8 AS avg_latency_ms,
            NULL AS p95_latency_ms
        FROM ranked
        GROUP BY is_listed, 1
        ORDER BY is_listed DESC, calls DESC, 1
        """,
        filters.params,
        row_type=ToolCalls,
        calls=sums.tools_sql(filters, "tool", "calls", "errors", "timed_calls", "latency_ms"),
    )
    slowest = tool_latencies(filters, [row["tool"] for row in data if row["tool"] is not None]) if data else {}
    return {
        "total_calls": sum(row["calls"] for row in data),
        "total_errors": sum(row["errors"] for row in data),
        "data": [row | {"p95_latency_ms": slowest.get(row["tool"])} for row in data],
    }


def tool_latencies(filters: Filters, listed: list[str]) -> dict[str | None, float | None]:
    """Returns what the slowest 5 % of the calls of each listed tool exceed, and under None those of all others."""
    by_tool = added_up(TOOL_CALLS.format(calls=sums.TOOL_LATENCIES.sql(filters, "tool")), "tool")
    found = histograms(TOOL_HISTOGRAM.format(by_tool=by_tool), filters.params | {"listed": listed}, "tool")
    return {keys["tool"]: estimated(calls)["p95_latency_ms"] for keys, calls in found}
