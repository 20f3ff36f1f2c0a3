"""Who uses the agents, how much and when."""

from datetime import datetime
from typing import Literal, TypedDict

from analytics.change import change
from analytics.db import row, rows
from analytics.filters import Filters, Granularity


class OverviewChange(TypedDict):
    total_calls: float | None
    unique_users: float | None
    active_agents: float | None
    avg_calls_per_user: float | None


class Overview(TypedDict):
    total_calls: int
    unique_users: int
    active_agents: int
    avg_calls_per_user: float | None
    change_from_previous: OverviewChange


def overview(filters: Filters) -> Overview:
    found = row(
        """
        WITH windows AS (
            SELECT
                timestamp >= %(start)s AS is_current,
                count(*) AS total_calls,
                count(DISTINCT user_id) AS unique_users,
                count(DISTINCT agent_id) AS active_agents
            FROM traces
            WHERE workspace_id = %(workspace_id)s
              AND timestamp >= %(previous_start)s AND timestamp < %(end)s
              AND operation = ANY(%(operations)s)
              AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s)
              AND (%(model)s::text IS NULL OR model = %(model)s)
              AND (%(provider)s::text IS NULL OR provider = %(provider)s)
            GROUP BY is_current
        )
        SELECT
            coalesce(now.total_calls, 0) AS total_calls,
            coalesce(now.unique_users, 0) AS unique_users,
            coalesce(now.active_agents, 0) AS active_agents,
            now.total_calls::float8 / NULLIF(now.unique_users, 0) AS avg_calls_per_user,
            before.total_calls AS total_calls_before,
            before.unique_users AS unique_users_before,
            before.active_agents AS active_agents_before,
            before.total_calls::float8 / NULLIF(before.unique_users, 0) AS avg_calls_per_user_before
        FROM (SELECT) AS always
        LEFT JOIN windows AS now ON now.is_current
        LEFT JOIN windows AS before ON NOT before.is_current
        """,
        filters.params,
    )
    return {
        "total_calls": found["total_calls"],
        "unique_users": found["unique_users"],
        "active_agents": found["active_agents"],
        "avg_calls_per_user": found["avg_calls_per_user"],
        "change_from_previous": {
            "total_calls": change(found["total_calls"], found["total_calls_before"]),
            "unique_users": change(found["unique_users"], found["unique_users_before"]),
            "active_agents": change(found["active_agents"], found["active_agents_before"]),
            "avg_calls_per_user": change(found["avg_calls_per_user"], found["avg_calls_per_user_before"]),
        },
    }


class CallsInBucket(TypedDict):
    timestamp: datetime
    calls: int
    errors: int


class CallsOverTime(TypedDict):
    granularity: Granularity
    total_calls: int
    data: list[CallsInBucket]


def calls_over_time(filters: Filters) -> CallsOverTime:
    data = rows(
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
                count(*) AS calls,
                count(*) FILTER (WHERE status <> 'success') AS errors
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
            coalesce(calls, 0) AS calls,
            coalesce(errors, 0) AS errors
        FROM buckets
        LEFT JOIN counts USING (timestamp)
        ORDER BY timestamp
        """,
        filters.params,
    )
    return {
        "granularity": filters.granularity,
        "total_calls": sum(point["calls"] for point in data),
        "data": data,  # type: ignore[typeddict-item]
    }


class AgentShare(TypedDict):
    agent_id: str | None
    """None: all agents past the limit together."""
    calls: int
    percentage: float
    avg_latency_ms: float | None
    error_rate: float
    cost_usd: float | None
    """None where no call has a price."""


class AgentDistribution(TypedDict):
    total_calls: int
    data: list[AgentShare]


def agent_distribution(filters: Filters) -> AgentDistribution:
    data = rows(
        """
        WITH agents AS (
            SELECT
                agent_id,
                count(*) AS calls,
                count(*) FILTER (WHERE status <> 'success') AS errors,
                count(latency_ms) AS timed_calls,
                sum(latency_ms) AS latency_ms,
                sum(cost_usd) AS cost_usd
            FROM traces
            WHERE workspace_id = %(workspace_id)s
              AND timestamp >= %(start)s AND timestamp < %(end)s
              AND operation = ANY(%(operations)s)
              AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s)
              AND (%(model)s::text IS NULL OR model = %(model)s)
              AND (%(provider)s::text IS NULL OR provider = %(provider)s)
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
        """,
        filters.params,
    )
    return {
        "total_calls": sum(share["calls"] for share in data),
        "data": data,  # type: ignore[typeddict-item]
    }


class TopUser(TypedDict):
    user_id: str
    calls: int
    cost_usd: float | None
    """None where no call has a price."""
    active_agents: int
    last_seen: datetime
    change_from_previous: float | None
    trend: Literal["up", "down", "flat", "new"]


class TopUsers(TypedDict):
    data: list[TopUser]


def top_users(filters: Filters) -> TopUsers:
    data = rows(
        """
        WITH users AS (
            SELECT
                user_id,
                count(*) FILTER (WHERE timestamp >= %(start)s) AS calls,
                sum(cost_usd) FILTER (WHERE timestamp >= %(start)s) AS cost_usd,
                count(DISTINCT agent_id) FILTER (WHERE timestamp >= %(start)s) AS active_agents,
                max(timestamp) AS last_seen,
                count(*) FILTER (WHERE timestamp < %(start)s) AS calls_before
            FROM traces
            WHERE workspace_id = %(workspace_id)s
              AND timestamp >= %(previous_start)s AND timestamp < %(end)s
              AND operation = ANY(%(operations)s)
              AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s)
              AND (%(model)s::text IS NULL OR model = %(model)s)
              AND (%(provider)s::text IS NULL OR provider = %(provider)s)
              AND user_id IS NOT NULL
            GROUP BY user_id
            ORDER BY calls DESC, user_id
            LIMIT %(limit)s
        ), changes AS (
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
        FROM changes
        ORDER BY calls DESC, user_id
        """,
        filters.params,
    )
    return {"data": data}  # type: ignore[typeddict-item]
