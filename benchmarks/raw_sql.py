"""Answers the twelve questions from raw rows; the product's faster answers must be equal to these.

The SQL runs on PostgreSQL and DuckDB. An answer has the fields that come from the rows, in the product's shape.
"""

from collections.abc import Callable, Mapping
from datetime import UTC
from decimal import Decimal
from typing import Any

from analytics.change import change
from budgets.forecasts import first_history_day, forecast_of
from budgets.periods import DAY, Days, calendar_days
from methods.forecast import Forecast
from traces.buckets import UTC_ZONE
from traces.filters import Filters

Rows = list[dict[str, Any]]
RunQuery = Callable[[str, Mapping[str, Any]], Rows]
Answer = dict[str, Any]

FILTERED = ("agent_id", "model", "provider")
"""Each may have one value."""
FILTERS = """
  AND operation = ANY(%(operations)s)
  AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s)
  AND (%(model)s::text IS NULL OR model = %(model)s)
  AND (%(provider)s::text IS NULL OR provider = %(provider)s)
"""
WINDOW = f"""
WHERE workspace_id = %(workspace_id)s
  AND timestamp >= %(start)s AND timestamp < %(end)s
{FILTERS}
"""
TWO_WINDOWS = f"""
WHERE workspace_id = %(workspace_id)s
  AND timestamp >= %(previous_start)s AND timestamp < %(end)s
{FILTERS}
"""
BUCKETS = """
buckets AS (
    SELECT timestamp
    FROM generate_series(
        time_bucket(%(bucket)s, %(start)s), %(end)s - interval '1 microsecond', %(bucket)s
    ) AS series (timestamp)
)
"""


def params(filters: Filters) -> dict[str, Any]:
    single = {name: filters.values[name].included[0] if name in filters.values else None for name in FILTERED}
    return filters.params | single | {"previous_start": filters.previous.start}


def changes(row: Mapping[str, Any], *names: str) -> Answer:
    return {name: change(row[name], row[f"{name}_before"]) for name in names}


# --- Usage ---

USAGE_OVERVIEW = f"""
WITH windows AS (
    SELECT
        timestamp >= %(start)s AS is_current,
        count(*) AS total_calls,
        count(DISTINCT user_id) AS unique_users,
        count(DISTINCT agent_id) AS active_agents
    FROM traces
    {TWO_WINDOWS}
    GROUP BY 1
)
SELECT
    coalesce(this.total_calls, 0) AS total_calls,
    coalesce(this.unique_users, 0) AS unique_users,
    coalesce(this.active_agents, 0) AS active_agents,
    this.total_calls::float8 / NULLIF(this.unique_users, 0) AS avg_calls_per_user,
    previous.total_calls AS total_calls_before,
    previous.unique_users AS unique_users_before,
    previous.active_agents AS active_agents_before,
    previous.total_calls::float8 / NULLIF(previous.unique_users, 0) AS avg_calls_per_user_before
FROM (SELECT 1) AS always
LEFT JOIN windows AS this ON this.is_current
LEFT JOIN windows AS previous ON NOT previous.is_current
"""


def usage_overview(run_query: RunQuery, filters: Filters) -> Answer:
    [row] = run_query(USAGE_OVERVIEW, params(filters))
    names = ("total_calls", "unique_users", "active_agents", "avg_calls_per_user")
    return {name: row[name] for name in names} | {"change_from_previous": changes(row, *names)}


CALLS_OVER_TIME = f"""
WITH {BUCKETS}, counts AS (
    SELECT
        time_bucket(%(bucket)s, timestamp) AS timestamp,
        count(*) AS calls,
        count(*) FILTER (WHERE status <> 'success') AS errors
    FROM traces
    {WINDOW}
    GROUP BY 1
)
SELECT
    timestamp,
    coalesce(calls, 0) AS calls,
    coalesce(errors, 0) AS errors
FROM buckets
LEFT JOIN counts USING (timestamp)
ORDER BY timestamp
"""


def calls_over_time(run_query: RunQuery, filters: Filters) -> Answer:
    data = run_query(CALLS_OVER_TIME, params(filters))
    return {"total_calls": sum(point["calls"] for point in data), "data": data}


AGENT_DISTRIBUTION = f"""
WITH agents AS (
    SELECT
        agent_id,
        count(*) AS calls,
        count(*) FILTER (WHERE status <> 'success') AS errors,
        count(latency_ms) AS timed_calls,
        sum(latency_ms) AS latency_ms,
        sum(cost_usd) AS cost_usd
    FROM traces
    {WINDOW}
    GROUP BY agent_id
), ranked AS (
    SELECT *, row_number() OVER (ORDER BY calls DESC, agent_id) <= %(limit)s AS is_listed
    FROM agents
)
SELECT
    CASE WHEN is_listed THEN agent_id END AS agent_id,
    sum(calls)::bigint AS calls,
    sum(calls)::float8 * 100 / sum(sum(calls)) OVER () AS percentage,
    sum(latency_ms) / NULLIF(sum(timed_calls), 0)::float8 AS avg_latency_ms,
    sum(errors)::float8 * 100 / sum(calls) AS error_rate,
    sum(cost_usd) AS cost_usd
FROM ranked
GROUP BY is_listed, CASE WHEN is_listed THEN agent_id END
ORDER BY is_listed DESC, calls DESC, agent_id
"""


def agent_distribution(run_query: RunQuery, filters: Filters) -> Answer:
    data = run_query(AGENT_DISTRIBUTION, params(filters))
    return {"total_calls": sum(share["calls"] for share in data), "data": data}


TOP_USERS = f"""
WITH users AS (
    SELECT
        user_id,
        count(*) FILTER (WHERE timestamp >= %(start)s) AS calls,
        sum(cost_usd) FILTER (WHERE timestamp >= %(start)s) AS cost_usd,
        count(DISTINCT agent_id) FILTER (WHERE timestamp >= %(start)s) AS active_agents,
        max(timestamp) AS last_seen,
        count(*) FILTER (WHERE timestamp < %(start)s) AS calls_before
    FROM traces
    {TWO_WINDOWS}
      AND user_id IS NOT NULL
    GROUP BY user_id
    ORDER BY calls DESC, user_id
    LIMIT %(limit)s
), compared AS (
    SELECT
        *,
        (calls - calls_before)::float8 * 100 / NULLIF(calls_before, 0) AS change_from_previous
    FROM users
    WHERE calls > 0
)
SELECT
    user_id,
    calls,
    cost_usd,
    active_agents,
    last_seen,
    change_from_previous,
    CASE
        WHEN change_from_previous IS NULL THEN 'new'
        WHEN change_from_previous >= 5 THEN 'up'
        WHEN change_from_previous <= -5 THEN 'down'
        ELSE 'flat'
    END AS trend
FROM compared
ORDER BY calls DESC, user_id
"""


def top_users(run_query: RunQuery, filters: Filters) -> Answer:
    return {"data": run_query(TOP_USERS, params(filters))}


# --- Cost ---

COST_OVERVIEW = f"""
SELECT
    CASE
        WHEN count(*) FILTER (WHERE timestamp >= %(start)s) = 0 THEN 0
        ELSE sum(cost_usd) FILTER (WHERE timestamp >= %(start)s)
    END AS total_spend_usd,
    sum(cost_usd) FILTER (WHERE timestamp >= %(start)s)
        / NULLIF(count(cost_usd) FILTER (WHERE timestamp >= %(start)s), 0) AS avg_cost_per_call_usd,
    count(*) FILTER (WHERE timestamp >= %(start)s AND cost_usd IS NULL) AS unpriced_calls,
    sum(cost_usd) FILTER (WHERE timestamp < %(start)s) AS total_spend_usd_before
FROM traces
{TWO_WINDOWS}
"""


def cost_overview(run_query: RunQuery, filters: Filters) -> Answer:
    [row] = run_query(COST_OVERVIEW, params(filters))
    answer = {name: row[name] for name in ("total_spend_usd", "avg_cost_per_call_usd", "unpriced_calls")}
    return answer | {
        "projected_monthly_spend_usd": budget(run_query, filters)["projected_monthly_spend_usd"],
        "change_from_previous": change(row["total_spend_usd"], row["total_spend_usd_before"]),
    }


TREND = f"""
WITH {BUCKETS}, costs AS (
    SELECT
        time_bucket(%(bucket)s, timestamp) AS timestamp,
        provider,
        model,
        count(*) AS calls,
        sum(cost_usd) AS cost_usd
    FROM traces
    {WINDOW}
    GROUP BY 1, 2, 3
), ranked AS (
    SELECT
        provider,
        model,
        row_number() OVER (
            ORDER BY model IS NULL, sum(cost_usd) DESC NULLS LAST, sum(calls) DESC, model, provider
        ) AS place
    FROM costs
    GROUP BY provider, model
), series AS (
    SELECT
        provider AS given_provider,
        model AS given_model,
        CASE WHEN model IS NULL OR place > %(limit)s THEN %(limit)s + 1 ELSE place END AS place
    FROM ranked
), lines AS (
    SELECT
        place,
        CASE WHEN place <= %(limit)s THEN min(given_provider) END AS provider,
        CASE WHEN place <= %(limit)s THEN min(given_model) END AS model
    FROM series
    GROUP BY place
), placed AS (
    SELECT
        timestamp,
        place,
        sum(calls)::bigint AS calls,
        sum(cost_usd) AS cost_usd
    FROM costs
    JOIN series ON given_provider IS NOT DISTINCT FROM provider AND given_model IS NOT DISTINCT FROM model
    GROUP BY timestamp, place
)
SELECT
    timestamp,
    provider,
    model,
    CASE WHEN calls IS NULL THEN 0 ELSE cost_usd END AS cost_usd,
    coalesce(calls, 0) AS calls
FROM buckets
CROSS JOIN lines
LEFT JOIN placed USING (timestamp, place)
ORDER BY timestamp, place
"""


def trend(run_query: RunQuery, filters: Filters) -> Answer:
    data = run_query(TREND, params(filters))
    return {"models": list(dict.fromkeys(point["model"] for point in data if point["model"])), "data": data}


BY_MODEL = f"""
WITH models AS (
    SELECT
        provider,
        model,
        count(*) AS calls,
        sum(input_tokens) AS input_tokens,
        sum(output_tokens) AS output_tokens,
        sum(cost_usd) AS cost_usd,
        count(*) FILTER (WHERE cost_usd IS NULL) AS unpriced_calls,
        sum(input_cost_usd) AS input,
        sum(output_cost_usd) AS output,
        sum(cache_read_cost_usd) AS cache_read,
        sum(cache_write_cost_usd) AS cache_write,
        sum(audio_cost_usd) AS audio,
        sum(image_cost_usd) AS image,
        sum(search_cost_usd) AS search
    FROM traces
    {WINDOW}
    GROUP BY provider, model
), ranked AS (
    SELECT
        *,
        model IS NOT NULL AND row_number() OVER (
            ORDER BY model IS NULL, cost_usd DESC NULLS LAST, calls DESC, model, provider
        ) <= %(limit)s AS is_listed
    FROM models
)
SELECT
    CASE WHEN is_listed THEN provider END AS provider,
    CASE WHEN is_listed THEN model END AS model,
    sum(calls)::bigint AS calls,
    coalesce(sum(input_tokens), 0)::bigint AS input_tokens,
    coalesce(sum(output_tokens), 0)::bigint AS output_tokens,
    sum(cost_usd) AS cost_usd,
    (sum(cost_usd) * 100 / NULLIF(sum(sum(cost_usd)) OVER (), 0))::float8 AS percentage,
    sum(cost_usd) / NULLIF(sum(calls) - sum(unpriced_calls), 0) AS avg_cost_per_call_usd,
    sum(unpriced_calls)::bigint AS unpriced_calls,
    CASE WHEN sum(cost_usd) IS NOT NULL THEN json_build_object(
        'input', coalesce(sum(input), 0),
        'output', coalesce(sum(output), 0),
        'cache_read', coalesce(sum(cache_read), 0),
        'cache_write', coalesce(sum(cache_write), 0),
        'audio', coalesce(sum(audio), 0),
        'image', coalesce(sum(image), 0),
        'search', coalesce(sum(search), 0),
        'other', sum(cost_usd) - coalesce(sum(
            coalesce(input, 0) + coalesce(output, 0) + coalesce(cache_read, 0) + coalesce(cache_write, 0)
            + coalesce(audio, 0) + coalesce(image, 0) + coalesce(search, 0)
        ), 0)
    ) END AS cost_by_class
FROM ranked
GROUP BY is_listed, 1, 2
ORDER BY is_listed DESC, cost_usd DESC NULLS LAST, calls DESC, model, provider
"""


def by_model(run_query: RunQuery, filters: Filters) -> Answer:
    data = run_query(BY_MODEL, params(filters))
    costs = [model["cost_usd"] for model in data if model["cost_usd"] is not None]
    return {"total_cost_usd": sum(costs) if costs or not data else None, "data": data}


BUDGET = """
SELECT time_bucket(interval '1 day', timestamp) AS day, sum(cost_usd) AS spend_usd
FROM traces
WHERE workspace_id = %(workspace_id)s
  AND timestamp >= %(history_start)s AND timestamp < %(month_end)s
  AND cost_usd IS NOT NULL
GROUP BY 1
"""


def budget(run_query: RunQuery, filters: Filters) -> Answer:
    """Answers for the month in which the window ends, in UTC; see docs/budgets.md."""
    days = calendar_days("month", filters.end.astimezone(UTC).date())
    first = first_history_day(days, filters.end.astimezone(UTC).date())
    start, end = Days(first, days.until).moments(UTC_ZONE)
    found = run_query(BUDGET, params(filters) | {"history_start": start, "month_end": end})
    spent = {row["day"].date(): Decimal(row["spend_usd"]) for row in found}
    by_day = {day: spent.get(day, Decimal(0)) for day in (first + i * DAY for i in range((days.until - first).days))}
    spend_usd = sum((amount for day, amount in by_day.items() if day >= days.first), Decimal(0))
    forecast = forecast_of(by_day, days, spend_usd, filters.end, UTC_ZONE)
    return {
        "current_spend_usd": spend_usd,
        "projected_monthly_spend_usd": forecast.expected if isinstance(forecast, Forecast) else None,
    }


# --- Performance ---

PERCENTILES = "percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY latency_ms) AS percentiles"
PERFORMANCE_OVERVIEW = f"""
WITH windows AS (
    SELECT
        timestamp >= %(start)s AS is_current,
        count(*) AS total_requests,
        count(*) FILTER (WHERE status = 'success')::float8 * 100 / count(*) AS success_rate,
        count(*) FILTER (WHERE status <> 'success')::float8 * 100 / count(*) AS error_rate,
        {PERCENTILES},
        avg(latency_ms) AS avg_latency_ms
    FROM traces
    {TWO_WINDOWS}
    GROUP BY 1
)
SELECT
    this.percentiles[1] AS p50_latency_ms,
    this.percentiles[2] AS p95_latency_ms,
    this.percentiles[3] AS p99_latency_ms,
    this.avg_latency_ms,
    this.error_rate,
    this.success_rate,
    coalesce(this.total_requests, 0) AS total_requests,
    previous.percentiles[1] AS p50_latency_ms_before,
    previous.percentiles[2] AS p95_latency_ms_before,
    previous.percentiles[3] AS p99_latency_ms_before,
    previous.error_rate AS error_rate_before
FROM (SELECT 1) AS always
LEFT JOIN windows AS this ON this.is_current
LEFT JOIN windows AS previous ON NOT previous.is_current
"""


def performance_overview(run_query: RunQuery, filters: Filters) -> Answer:
    [row] = run_query(PERFORMANCE_OVERVIEW, params(filters))
    answer = {name: value for name, value in row.items() if not name.endswith("_before")}
    return answer | {
        "requests_per_second": row["total_requests"] / (filters.end - filters.start).total_seconds(),
        "change_from_previous": changes(row, "p50_latency_ms", "p95_latency_ms", "p99_latency_ms", "error_rate"),
    }


LATENCY = f"""
WITH {BUCKETS}, measured AS (
    SELECT
        time_bucket(%(bucket)s, timestamp) AS timestamp,
        count(*) AS calls,
        {PERCENTILES},
        avg(latency_ms) AS avg_latency_ms
    FROM traces
    {WINDOW}
    GROUP BY 1
)
SELECT
    timestamp,
    coalesce(calls, 0) AS calls,
    percentiles[1] AS p50_latency_ms,
    percentiles[2] AS p95_latency_ms,
    percentiles[3] AS p99_latency_ms,
    avg_latency_ms
FROM buckets
LEFT JOIN measured USING (timestamp)
ORDER BY timestamp
"""


def latency(run_query: RunQuery, filters: Filters) -> Answer:
    return {"data": run_query(LATENCY, params(filters))}


THROUGHPUT = f"""
WITH {BUCKETS}, counts AS (
    SELECT
        time_bucket(%(bucket)s, timestamp) AS timestamp,
        count(*) FILTER (WHERE status = 'success') AS success,
        count(*) FILTER (WHERE status = 'error') AS error,
        count(*) FILTER (WHERE status = 'timeout') AS timeout,
        count(*) AS total
    FROM traces
    {WINDOW}
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
"""


def throughput(run_query: RunQuery, filters: Filters) -> Answer:
    return {"data": run_query(THROUGHPUT, params(filters))}


ERRORS = f"""
WITH totals AS (
    SELECT
        count(*) AS total_calls,
        count(*) FILTER (WHERE status <> 'success') AS total_errors
    FROM traces
    {WINDOW}
), kinds AS (
    SELECT
        error_type,
        status,
        count(*) AS calls,
        count(DISTINCT agent_id) AS agents,
        count(DISTINCT user_id) AS users_affected,
        min(timestamp) AS first_seen,
        max(timestamp) AS last_seen,
        (array_agg(error_message ORDER BY error_message IS NULL, timestamp DESC, span_id))[1] AS sample_message,
        (array_agg(trace_id ORDER BY error_message IS NULL, timestamp DESC, span_id))[1] AS sample_trace_id
    FROM traces
    {WINDOW}
      AND status <> 'success'
    GROUP BY error_type, status
    ORDER BY calls DESC, error_type, status
    LIMIT %(limit)s
)
SELECT
    total_calls,
    total_errors,
    kinds.*,
    calls::float8 * 100 / NULLIF(total_errors, 0) AS percentage,
    calls::float8 * 100 / NULLIF(total_calls, 0) AS error_rate
FROM totals
LEFT JOIN kinds ON true
ORDER BY calls DESC, error_type, status
"""


def errors(run_query: RunQuery, filters: Filters) -> Answer:
    groups = run_query(ERRORS, params(filters))
    totals = ("total_calls", "total_errors")
    total_calls, total_errors = (groups[0][name] for name in totals)
    return {
        "total_errors": total_errors,
        "error_rate": total_errors * 100 / total_calls if total_calls else None,
        "data": [
            {name: value for name, value in kind.items() if name not in totals} for kind in groups if kind["calls"]
        ],
    }


QUESTIONS: dict[str, Callable[[RunQuery, Filters], Answer]] = {
    "usage/overview": usage_overview,
    "usage/calls-over-time": calls_over_time,
    "usage/agent-distribution": agent_distribution,
    "usage/top-users": top_users,
    "cost/overview": cost_overview,
    "cost/trend": trend,
    "cost/by-model": by_model,
    "cost/budget": budget,
    "performance/overview": performance_overview,
    "performance/latency": latency,
    "performance/throughput": throughput,
    "performance/errors": errors,
}
"""By the product's route."""
