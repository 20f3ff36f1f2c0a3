"""Who uses the agents, how much and when."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypedDict

from analytics.change import change
from traces import sums, windows
from traces.db import row, rows
from traces.filters import FILTER_SQL, Filters, Granularity
from traces.rollups.catalogue import HOUR, USER_AGENTS
from traces.windows import TimeRange


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
    now, before = counts(filters), counts(filters.previous)
    return {
        **now,
        "change_from_previous": {
            "total_calls": change(now["total_calls"], before["total_calls"]),
            "unique_users": change(now["unique_users"], before["unique_users"]),
            "active_agents": change(now["active_agents"], before["active_agents"]),
            "avg_calls_per_user": change(now["avg_calls_per_user"], before["avg_calls_per_user"]),
        },
    }


class Counts(TypedDict):
    total_calls: int
    unique_users: int
    active_agents: int
    avg_calls_per_user: float | None


def counts(filters: Filters) -> Counts:
    found: Any = row(
        """
        WITH agents AS (
            SELECT
                agent_id,
                sum(calls) AS calls
            FROM {calls} AS calls
            GROUP BY agent_id
        ), counts AS MATERIALIZED (
            SELECT
                (SELECT coalesce(sum(calls), 0)::bigint FROM agents) AS total_calls,
                (SELECT coalesce(sum(users), 0)::bigint FROM {users} AS counted) AS unique_users,
                (SELECT count(*) FROM agents) AS active_agents
        )
        SELECT
            *,
            total_calls::float8 / NULLIF(unique_users, 0) AS avg_calls_per_user
        FROM counts
        """,
        filters.params,
        calls=sums.calls_sql(filters, "agent_id", "calls"),
        users=sums.distinct_users_sql(filters),
    )
    return found  # type: ignore[no-any-return]


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
                sum(calls) AS calls,
                sum(errors) AS errors
            FROM {calls} AS calls
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
        calls=sums.calls_sql(filters, "calls", "errors", bucket=filters.bucket),
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
                sum(calls) AS calls,
                sum(errors) AS errors,
                sum(timed_calls) AS timed_calls,
                sum(latency_ms) AS latency_ms,
                sum(priced_calls) AS priced_calls,
                sum(cost_usd) AS cost_usd
            FROM {calls} AS calls
            GROUP BY agent_id
        ), ranked AS (
            SELECT *, row_number() OVER (ORDER BY calls DESC, agent_id) <= %(limit)s AS is_listed
            FROM agents
        )
        SELECT
            CASE WHEN is_listed THEN agent_id END AS agent_id,
            sum(calls)::bigint AS calls,
            (sum(calls) * 100 / sum(sum(calls)) OVER ())::float8 AS percentage,
            sum(latency_ms) / NULLIF(sum(timed_calls), 0)::float8 AS avg_latency_ms,
            (sum(errors) * 100 / sum(calls))::float8 AS error_rate,
            CASE WHEN sum(priced_calls) > 0 THEN sum(cost_usd) END AS cost_usd
        FROM ranked
        GROUP BY is_listed, CASE WHEN is_listed THEN agent_id END
        ORDER BY is_listed DESC, calls DESC, agent_id
        """,
        filters.params,
        calls=sums.calls_sql(
            filters, "agent_id", "calls", "errors", "timed_calls", "latency_ms", "priced_calls", "cost_usd"
        ),
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
    active_agents: int | None
    """None, like last_seen, where only sums are left of the window's calls."""
    last_seen: datetime | None
    change_from_previous: float | None
    trend: Literal["up", "down", "flat", "new"]


class TopUsers(TypedDict):
    data: list[TopUser]


def top_users(filters: Filters) -> TopUsers:
    top = rows(
        """
        WITH users AS (
            SELECT
                user_number,
                sum(calls) AS calls
            FROM {sums} AS calls
            GROUP BY user_number
            HAVING sum(calls) > 0
            ORDER BY calls DESC
            FETCH FIRST %(limit)s ROWS WITH TIES
        )
        SELECT
            user_number,
            user_id
        FROM users
        JOIN user_numbers ON workspace_id = %(workspace_id)s AND number = user_number
        ORDER BY calls DESC, user_id
        LIMIT %(limit)s
        """,
        filters.params,
        sums=sums.user_totals_sql(filters),
    )
    names = {user["user_number"]: user["user_id"] for user in top}
    found = rows(
        """
        WITH agents AS (
            SELECT
                user_number,
                agent_id,
                sum(calls) AS calls,
                sum(priced_calls) AS priced_calls,
                sum(cost_usd) AS cost_usd,
                max(timestamp) AS seen_since,
                max(until) AS seen_until
            FROM {calls} AS calls
            WHERE user_number = ANY(%(user_numbers)s)
            GROUP BY user_number, agent_id
        ), users AS (
            SELECT
                user_number,
                sum(calls)::bigint AS calls,
                CASE WHEN sum(priced_calls) > 0 THEN sum(cost_usd) END AS cost_usd,
                count(*) AS active_agents,
                max(seen_since) AS seen_since,
                max(seen_until) AS seen_until
            FROM agents
            GROUP BY user_number
        ), users_before AS (
            SELECT
                user_number,
                sum(calls) AS calls_before
            FROM {sums_before} AS calls
            WHERE user_number = ANY(%(user_numbers)s)
            GROUP BY user_number
            HAVING sum(calls) > 0
        ), changes AS (
            SELECT
                *,
                (calls - calls_before)::float8 * 100 / calls_before AS change_from_previous
            FROM users
            LEFT JOIN users_before USING (user_number)
        )
        SELECT
            user_number,
            calls,
            cost_usd,
            active_agents,
            change_from_previous,
            CASE
                WHEN change_from_previous IS NULL THEN 'new'
                WHEN change_from_previous >= 5 THEN 'up'
                WHEN change_from_previous <= -5 THEN 'down'
                ELSE 'flat'
            END AS trend,
            seen_since,
            seen_until
        FROM changes
        """,
        filters.params | {"user_numbers": list(names)},
        calls=sums.users_sql(filters, "agent_id"),
        sums_before=sums.user_totals_sql(filters.previous),
    )
    stretches = {user["user_number"]: TimeRange(user.pop("seen_since"), user.pop("seen_until")) for user in found}
    last_seen = last_calls(filters, stretches)
    users = {user.pop("user_number"): user for user in found}
    data: list[Any] = [
        {"user_id": user_id} | users[number] | {"last_seen": last_seen.get(number)}
        for number, user_id in names.items()
        if number in users
    ]
    return {"data": data}


def last_calls(filters: Filters, stretches: Mapping[int, TimeRange]) -> dict[int, datetime]:
    """By user number; a stretch is where the window's buckets know the user's last call to be."""
    if not stretches:
        return {}
    params = filters.params | {
        "user_numbers": list(stretches),
        "since": [stretch.start for stretch in stretches.values()],
        "until": [stretch.end for stretch in stretches.values()],
    }
    wide = [stretch.end for stretch in stretches.values() if stretch.end - stretch.start > HOUR.length]
    hours = windows.table_for(filters, USER_AGENTS, HOUR, until=max(wide, default=filters.start))
    parts = [
        LAST_CALL.format(narrowed=FILTER_SQL, days=days, places=places, hours=hours)
        for days, places in windows.group_by_days(dict(enumerate(stretches.values(), start=1))).items()
    ]
    return {user["user_number"]: user["last_seen"] for user in rows(" UNION ALL ".join(parts), params)}


# In a day or week, the hour is looked for before the call.
LAST_CALL = """
SELECT users.user_number, last_seen
FROM unnest(
    %(user_numbers)s::integer[], %(since)s::timestamptz[], %(until)s::timestamptz[]
) WITH ORDINALITY AS users (user_number, since, until, place)
LEFT JOIN LATERAL (
    SELECT hour
    FROM (
        SELECT generate_series(
            time_bucket('1 hour', until - interval '1 microsecond'), since, interval '-1 hour'
        ) AS hour
        WHERE until - since > interval '1 hour'
    ) AS hours
    WHERE EXISTS (
        SELECT
        FROM {hours} AS held
        WHERE workspace_id = %(workspace_id)s
          AND bucket = hour
          AND held.user_number = users.user_number
          AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s)
          AND calls > 0
        OFFSET 0 -- hour by hour from the newest, and not joined, which keeps no order
    )
    LIMIT 1
) AS found ON true
CROSS JOIN LATERAL (
    SELECT timestamp AS last_seen
    FROM traces
    WHERE {narrowed}
      AND {days}
      AND traces.user_number = users.user_number
      AND timestamp >= greatest(hour, since)
      AND timestamp < least(hour + interval '1 hour', until)
    ORDER BY timestamp DESC
    LIMIT 1
) AS newest
WHERE place = ANY(ARRAY{places})
"""
