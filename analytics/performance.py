"""Are the agents fast, and do they fail."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, TypedDict

from django.conf import settings

from analytics.change import change
from traces import sums, windows
from traces.db import row, rows
from traces.filters import FILTER_SQL, Filters, Granularity
from traces.rollups.catalogue import ZERO_LATENCY_BUCKET
from traces.windows import TimeRange

PercentileMethod = Literal["exact", "histogram"]


class OverviewChange(TypedDict):
    p50_latency_ms: float | None
    p95_latency_ms: float | None
    p99_latency_ms: float | None
    error_rate: float | None


class Percentiles(TypedDict):
    p50_latency_ms: float | None
    p95_latency_ms: float | None
    p99_latency_ms: float | None


NO_PERCENTILES: Percentiles = {"p50_latency_ms": None, "p95_latency_ms": None, "p99_latency_ms": None}


class Summary(Percentiles):
    avg_latency_ms: float | None
    error_rate: float | None
    success_rate: float | None
    total_requests: int
    requests_per_second: float
    percentile_method: PercentileMethod


class Overview(Summary):
    change_from_previous: OverviewChange


def overview(filters: Filters) -> Overview:
    now, before = summary(filters), summary(filters.previous)
    return {
        **now,
        "change_from_previous": {
            "p50_latency_ms": change(now["p50_latency_ms"], before["p50_latency_ms"]),
            "p95_latency_ms": change(now["p95_latency_ms"], before["p95_latency_ms"]),
            "p99_latency_ms": change(now["p99_latency_ms"], before["p99_latency_ms"]),
            "error_rate": change(now["error_rate"], before["error_rate"]),
        },
    }


def summary(filters: Filters) -> Summary:
    found = row(
        """
        SELECT
            coalesce(sum(calls), 0) AS calls,
            coalesce(sum(errors), 0) AS errors,
            coalesce(sum(timed_calls), 0) AS timed_calls,
            sum(latency_ms) / NULLIF(sum(timed_calls), 0)::float8 AS avg_latency_ms
        FROM {calls} AS calls
        """,
        filters.params,
        calls=sums.calls_sql(filters, "calls", "errors", "timed_calls", "latency_ms"),
    )
    calls, errors = found["calls"], found["errors"]
    method, found_percentiles = percentiles(filters, calls, found["timed_calls"])
    return {
        **found_percentiles.get(filters.start, NO_PERCENTILES),
        "avg_latency_ms": found["avg_latency_ms"],
        "error_rate": percentage(errors, calls),
        "success_rate": percentage(calls - errors, calls),
        "total_requests": calls,
        "requests_per_second": calls / (filters.end - filters.start).total_seconds(),
        "percentile_method": method,
    }


def percentage(part: int, whole: int) -> float | None:
    return part * 100 / whole if whole else None


EXACT = """
WITH buckets AS (
    SELECT
        {moment} AS timestamp,
        count(latency_ms) AS timed_calls,
        percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY latency_ms) AS percentiles
    FROM traces
    WHERE {narrowed}
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

# Of the two calls between which a percentile lies, each is somewhere in a bucket from 2^(b/32) to 2^((b+1)/32) ms, and
# taken to be where its rank among the bucket's calls puts it. Kept to the middle third, it is at most
# 2^(2/96) - 1 = 1.46 % off, however the calls lie in the bucket.
HISTOGRAM = """
WITH histogram AS (
    SELECT
        {moment} AS timestamp,
        latency_bucket,
        sum(calls) AS calls
    FROM {latency} AS calls
    GROUP BY 1, 2
), ranked AS (
    SELECT
        timestamp,
        latency_bucket,
        calls::float8 AS calls,
        (sum(calls) OVER up_to - calls)::float8 AS first_rank,
        (sum(calls) OVER up_to)::float8 AS next_rank,
        (sum(calls) OVER (PARTITION BY timestamp) - 1)::float8 AS last_rank
    FROM histogram
    WINDOW up_to AS (PARTITION BY timestamp ORDER BY latency_bucket)
), found AS (
    SELECT
        timestamp,
        quantile,
        quantile * last_rank AS rank,
        CASE
            WHEN latency_bucket = %(zero)s THEN 0
            ELSE 2 ^ ((
                latency_bucket + least(greatest((wanted - first_rank + 0.5) / calls, 1 / 3.0::float8), 2 / 3.0::float8)
            ) / 32)
        END AS latency_ms
    FROM ranked
    JOIN (VALUES (0.5::float8), (0.95), (0.99)) AS quantiles (quantile)
        ON next_rank > floor(quantile * last_rank) AND first_rank <= ceil(quantile * last_rank)
    CROSS JOIN LATERAL (
        VALUES (floor(quantile * last_rank)), (ceil(quantile * last_rank))
    ) AS neighbours (wanted)
    WHERE wanted >= first_rank AND wanted < next_rank
), percentiles AS (
    SELECT
        timestamp,
        quantile,
        min(latency_ms) + (max(latency_ms) - min(latency_ms)) * (min(rank) - floor(min(rank))) AS latency_ms
    FROM found
    GROUP BY timestamp, quantile
)
SELECT
    timestamp,
    min(latency_ms) FILTER (WHERE quantile = 0.5) AS p50_latency_ms,
    min(latency_ms) FILTER (WHERE quantile = 0.95) AS p95_latency_ms,
    min(latency_ms) FILTER (WHERE quantile = 0.99) AS p99_latency_ms
FROM percentiles
GROUP BY timestamp
"""


def percentiles(
    filters: Filters, calls: int, timed_calls: int, bucket: timedelta | None = None
) -> tuple[PercentileMethod, dict[datetime, Percentiles]]:
    """By the start of each bucket that has timed calls; without `bucket`, of the whole window by its start.

    `calls` and `timed_calls` are the window's, by its sums: where rows are gone, they know more of them.
    """
    moment = "time_bucket(%(bucket)s, timestamp)" if bucket else "%(start)s::timestamptz"
    if calls <= settings.EXACT_PERCENTILE_ROWS:
        found = rows(EXACT, filters.params, moment=moment, narrowed=FILTER_SQL)
        if sum(one.pop("timed_calls") for one in found) >= timed_calls:
            return "exact", by_start(found)
    latency = sums.latency_sql(filters, bucket or windows.ANY_WIDTH)
    return "histogram", by_start(
        rows(HISTOGRAM, filters.params | {"zero": ZERO_LATENCY_BUCKET}, moment=moment, latency=latency)
    )


def by_start(found: list[dict[str, Any]]) -> dict[datetime, Percentiles]:
    return {bucket.pop("timestamp"): bucket for bucket in found}  # type: ignore[misc]


class LatencyInBucket(Percentiles):
    timestamp: datetime
    calls: int
    avg_latency_ms: float | None


class Latency(TypedDict):
    granularity: Granularity
    percentile_method: PercentileMethod
    data: list[LatencyInBucket]


def latency(filters: Filters) -> Latency:
    points = rows(
        """
        WITH buckets AS (
            SELECT generate_series(
                time_bucket(%(bucket)s, %(start)s),
                %(end)s - interval '1 microsecond',
                %(bucket)s
            ) AS timestamp
        ), averages AS (
            SELECT
                time_bucket(%(bucket)s, timestamp) AS timestamp,
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
        FROM buckets
        LEFT JOIN averages USING (timestamp)
        ORDER BY timestamp
        """,
        filters.params,
        calls=sums.calls_sql(filters, "calls", "timed_calls", "latency_ms", bucket=filters.bucket),
    )
    timed_calls = sum(point.pop("timed_calls") for point in points)
    method, found = percentiles(filters, sum(point["calls"] for point in points), timed_calls, filters.bucket)
    data: list[Any] = [point | found.get(point["timestamp"], NO_PERCENTILES) for point in points]
    return {"granularity": filters.granularity, "percentile_method": method, "data": data}


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
                epoch FROM least(timestamp + %(bucket)s, %(end)s) - greatest(timestamp, %(start)s)
            )::float8 AS requests_per_second
        FROM buckets
        LEFT JOIN counts USING (timestamp)
        ORDER BY timestamp
        """,
        filters.params,
        calls=sums.calls_sql(filters, "status", "calls", bucket=filters.bucket),
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
    first_seen: datetime | None
    """None, as the rest, where only sums are left of the time in which it was."""
    last_seen: datetime | None
    sample_message: str | None
    sample_trace_id: str | None


class Errors(TypedDict):
    total_errors: int
    error_rate: float | None
    data: list[ErrorGroup]


def errors(filters: Filters) -> Errors:
    found = rows(
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
            groups.*,
            coalesce(users, 0) AS users_affected,
            (calls * 100 / NULLIF(total_errors, 0)::float8) AS percentage,
            (calls * 100 / NULLIF(total_calls, 0)::float8) AS error_rate
        FROM totals
        LEFT JOIN groups ON true
        LEFT JOIN {users} AS affected ON affected.status = groups.status
            AND affected.error_type IS NOT DISTINCT FROM groups.error_type
        ORDER BY calls DESC, groups.error_type, groups.status
        """,
        filters.params,
        totals=sums.calls_sql(filters, "calls", "errors"),
        calls=sums.errors_sql(filters),
        users=sums.affected_users_sql(filters),
    )
    total_calls, total_errors = found[0]["total_calls"], found[0]["total_errors"]
    groups = [group for group in found if group["calls"]]
    data: list[Any] = [
        {name: (group | samples)[name] for name in ErrorGroup.__annotations__}
        for group, samples in zip(groups, firsts_and_lasts(filters, groups), strict=True)
    ]
    return {"total_errors": total_errors, "error_rate": percentage(total_errors, total_calls), "data": data}


def firsts_and_lasts(filters: Filters, groups: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What only rows tell of each group; its sums say in which of its buckets they are."""
    found = samples(
        filters,
        [(FIRST, group, TimeRange(group["first_since"], group["first_until"])) for group in groups]
        + [(LAST, group, TimeRange(group["last_since"], group["last_until"])) for group in groups],
    )
    firsts, lasts = found[: len(groups)], found[len(groups) :]
    silent = [place for place, last in enumerate(lasts) if last["message"] is None]
    window = [(LAST, groups[place], TimeRange(filters.start, groups[place]["last_until"])) for place in silent]
    for place, last in zip(silent, samples(filters, window), strict=True):
        lasts[place] = last
    return [
        {
            "first_seen": first["seen"],
            "last_seen": last["seen"],
            "sample_message": last["message"],
            "sample_trace_id": last["trace_id"],
        }
        for first, last in zip(firsts, lasts, strict=True)
    ]


def samples(filters: Filters, asked: Sequence[tuple[str, dict[str, Any], TimeRange]]) -> list[dict[str, Any]]:
    """FIRST or LAST of a group in a stretch, in the order they are asked for."""
    if not asked:
        return []
    params = {
        "statuses": [group["status"] for _, group, _ in asked],
        "error_types": [group["error_type"] for _, group, _ in asked],
        "since": [stretch.start for _, _, stretch in asked],
        "until": [stretch.end for _, _, stretch in asked],
        "sampled": SAMPLED,
    }
    parts = [
        sample.format(narrowed=FILTER_SQL, days=days, places=places)
        for sample in (FIRST, LAST)
        for days, places in windows.group_by_days(
            {place: stretch for place, (wanted, _, stretch) in enumerate(asked, start=1) if wanted == sample}
        ).items()
    ]
    return rows(" UNION ALL ".join(parts) + " ORDER BY place", filters.params | params)


GROUPS = """unnest(
        %(statuses)s::text[], %(error_types)s::text[], %(since)s::timestamptz[], %(until)s::timestamptz[]
    ) WITH ORDINALITY AS groups (status, error_type, since, until, place)"""
OF_GROUP = """{narrowed}
      AND {days}
      AND timestamp >= since AND timestamp < until
      AND traces.status = groups.status AND traces.status <> 'success'
      AND coalesce(traces.error_type, '') = coalesce(groups.error_type, '')"""
FIRST = f"""
SELECT place, seen, NULL::text AS message, NULL::text AS trace_id
FROM {GROUPS}
LEFT JOIN LATERAL (
    SELECT timestamp AS seen
    FROM traces
    WHERE {OF_GROUP}
    ORDER BY timestamp
    LIMIT 1
) AS first ON true
WHERE place = ANY(ARRAY{{places}})
"""  # noqa: S608 (built from constants)
LAST = f"""
SELECT place, seen, message, trace_id
FROM {GROUPS}
LEFT JOIN LATERAL (
    SELECT
        max(timestamp) AS seen,
        (array_agg(error_message ORDER BY error_message IS NULL, timestamp DESC, span_id))[1] AS message,
        (array_agg(trace_id ORDER BY error_message IS NULL, timestamp DESC, span_id))[1] AS trace_id
    FROM (
        SELECT timestamp, span_id, trace_id, error_message
        FROM traces
        WHERE {OF_GROUP}
        ORDER BY timestamp DESC
        LIMIT %(sampled)s
    ) AS sampled
) AS last ON true
WHERE place = ANY(ARRAY{{places}})
"""  # noqa: S608 (as above)
# So many of the newest errors of a group are looked through for one with a message.
SAMPLED = 100
