"""Computes the metrics of the Usage page: calls, tokens, agents and users."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from analytics.change import Change, change
from analytics.field_types import BucketStart, LatencyMs, PricedCostUsd
from traces import sums, windows
from traces.bucket_series import bucket_series_sql, bucket_sql
from traces.buckets import Granularity
from traces.db import row, rows
from traces.filters import Filters
from traces.rollups.catalogue import HOUR, TOKEN_COLUMNS, USER_AGENTS
from traces.windows import TimeRange


class Counts(TypedDict):
    total_calls: int
    unique_users: int
    active_agents: int
    avg_calls_per_user: Annotated[float | None, Field(description="Null where no call names a user.")]


class OverviewChange(TypedDict):
    total_calls: Change
    unique_users: Change
    active_agents: Change
    avg_calls_per_user: Change


class Overview(Counts):
    change_from_previous: OverviewChange


def overview(filters: Filters) -> Overview:
    now, previous = counts(filters), counts(filters.previous)
    return {
        **now,
        "change_from_previous": {
            "total_calls": change(now["total_calls"], previous["total_calls"]),
            "unique_users": change(now["unique_users"], previous["unique_users"]),
            "active_agents": change(now["active_agents"], previous["active_agents"]),
            "avg_calls_per_user": change(now["avg_calls_per_user"], previous["avg_calls_per_user"]),
        },
    }


def counts(filters: Filters) -> Counts:
    return row(
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
                (SELECT coalesce(sum(users), 0)::bigint FROM {users} AS distinct_users) AS unique_users,
                (SELECT count(*) FROM agents) AS active_agents
        )
        SELECT
            *,
            total_calls::float8 / NULLIF(unique_users, 0) AS avg_calls_per_user
        FROM counts
        """,
        filters.params,
        row_type=Counts,
        calls=sums.calls_sql(filters, "agent_id", "calls"),
        users=sums.distinct_users_sql(filters),
    )


class CallsInBucket(TypedDict):
    timestamp: BucketStart
    calls: int
    errors: int
    """Calls whose status is error or timeout."""


class CallsOverTime(TypedDict):
    granularity: Granularity
    total_calls: int
    data: list[CallsInBucket]


def calls_over_time(filters: Filters) -> CallsOverTime:
    data = rows(
        """
        WITH counts AS (
            SELECT
                {bucket} AS timestamp,
                sum(calls) AS calls,
                sum(errors) AS errors
            FROM {calls} AS calls
            GROUP BY 1
        )
        SELECT
            timestamp,
            coalesce(calls, 0) AS calls,
            coalesce(errors, 0) AS errors
        FROM {buckets} AS buckets (timestamp, until)
        LEFT JOIN counts USING (timestamp)
        ORDER BY timestamp
        """,
        filters.params,
        row_type=CallsInBucket,
        buckets=bucket_series_sql(filters),
        bucket=bucket_sql(filters),
        calls=sums.calls_sql(filters, "calls", "errors", by_bucket=True),
    )
    return {
        "granularity": filters.granularity,
        "total_calls": sum(point["calls"] for point in data),
        "data": data,
    }


class TokenCounts(TypedDict):
    input_tokens: Annotated[int, Field(description="With those read from and written to a cache.")]
    output_tokens: Annotated[int, Field(description="With those of reasoning.")]
    cache_read_tokens: Annotated[int, Field(description="Of the input.")]
    cache_write_tokens: Annotated[int, Field(description="Of the input.")]
    reasoning_tokens: Annotated[int, Field(description="Of the output.")]
    cache_read_percentage: Annotated[
        float | None, Field(description="What caches gave, in percent of the input; null where there is no input.")
    ]


class TokensInBucket(TokenCounts):
    timestamp: BucketStart


class Tokens(TokenCounts):
    """The counts are those of the window."""

    granularity: Granularity
    data: list[TokensInBucket]


def tokens(filters: Filters) -> Tokens:
    total, *data = rows(
        """
        WITH counts AS (
            SELECT
                {bucket} AS timestamp,
                sum(input_tokens) AS input_tokens,
                sum(output_tokens) AS output_tokens,
                sum(cache_read_tokens) AS cache_read_tokens,
                sum(cache_write_tokens) AS cache_write_tokens,
                sum(reasoning_tokens) AS reasoning_tokens
            FROM {calls} AS calls
            GROUP BY 1
        )
        SELECT
            timestamp,
            coalesce(sum(input_tokens), 0)::bigint AS input_tokens,
            coalesce(sum(output_tokens), 0)::bigint AS output_tokens,
            coalesce(sum(cache_read_tokens), 0)::bigint AS cache_read_tokens,
            coalesce(sum(cache_write_tokens), 0)::bigint AS cache_write_tokens,
            coalesce(sum(reasoning_tokens), 0)::bigint AS reasoning_tokens,
            (sum(cache_read_tokens) * 100 / NULLIF(sum(input_tokens), 0))::float8 AS cache_read_percentage
        FROM {buckets} AS buckets (timestamp, until)
        LEFT JOIN counts USING (timestamp)
        GROUP BY ROLLUP (timestamp)
        ORDER BY GROUPING(timestamp) DESC, timestamp
        """,
        filters.params,
        row_type=TokensInBucket,
        buckets=bucket_series_sql(filters),
        bucket=bucket_sql(filters),
        calls=sums.calls_sql(filters, *TOKEN_COLUMNS, by_bucket=True),
    )
    return {
        "granularity": filters.granularity,
        "input_tokens": total["input_tokens"],
        "output_tokens": total["output_tokens"],
        "cache_read_tokens": total["cache_read_tokens"],
        "cache_write_tokens": total["cache_write_tokens"],
        "reasoning_tokens": total["reasoning_tokens"],
        "cache_read_percentage": total["cache_read_percentage"],
        "data": data,
    }


class AgentShare(TypedDict):
    agent_id: str | None
    """Null: all agents past the limit together."""
    calls: int
    percentage: float
    """Of all calls."""
    avg_latency_ms: LatencyMs
    error_rate: float
    """Failed calls in percent of the agent's calls."""
    cost_usd: PricedCostUsd


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
        row_type=AgentShare,
        calls=sums.calls_sql(
            filters, "agent_id", "calls", "errors", "timed_calls", "latency_ms", "priced_calls", "cost_usd"
        ),
    )
    return {"total_calls": sum(share["calls"] for share in data), "data": data}


class TopUser(TypedDict):
    user_id: str
    calls: int
    cost_usd: PricedCostUsd
    active_agents: int | None
    """Null, like last_seen, where only sums are left of the window's calls."""
    last_seen: datetime | None
    """Start of the newest call; null where the rows of that time are deleted."""
    change_from_previous: Change
    trend: Literal["up", "down", "flat", "new"]
    """Flat: a change below 5 percent. New: without a call in the window before."""


class TopUsers(TypedDict):
    data: list[TopUser]


def top_users(filters: Filters) -> TopUsers:
    names = users_with_most_calls(filters)
    sums_by_user = user_sums(filters, list(names))
    last_seen = last_calls(
        filters, {number: TimeRange(user["seen_since"], user["seen_until"]) for number, user in sums_by_user.items()}
    )
    return {
        "data": [
            {
                "user_id": user_id,
                "calls": user["calls"],
                "cost_usd": user["cost_usd"],
                "active_agents": user["active_agents"],
                "change_from_previous": user["change_from_previous"],
                "trend": user["trend"],
                "last_seen": last_seen.get(number),
            }
            for number, user_id in names.items()
            if (user := sums_by_user.get(number))
        ]
    }


class NumberedUser(TypedDict):
    user_number: int
    user_id: str


def users_with_most_calls(filters: Filters) -> dict[int, str]:
    """Returns the ids of these users by user number, those with the most calls first.

    Of users with equally many calls the first by their ids are listed, chosen from the 1,000 oldest.
    """
    users = rows(
        """
        WITH tied AS (
            SELECT
                user_number,
                sum(calls) AS calls
            FROM {sums} AS calls
            GROUP BY user_number
            HAVING sum(calls) > 0
            ORDER BY calls DESC
            FETCH FIRST %(limit)s ROWS WITH TIES
        ), users AS (
            SELECT *
            FROM tied
            ORDER BY calls DESC, user_number
            LIMIT 1000
        ), named AS (
            SELECT
                user_number,
                calls,
                NULL AS user_id
            FROM users
            UNION ALL
            SELECT
                number,
                NULL,
                user_id
            FROM user_numbers
            WHERE workspace_id = %(workspace_id)s AND number = ANY(ARRAY(SELECT user_number FROM users))
        )
        SELECT
            user_number,
            max(user_id) AS user_id
        FROM named
        GROUP BY user_number
        HAVING max(user_id) IS NOT NULL
        ORDER BY max(calls) DESC, max(user_id)
        LIMIT %(limit)s
        """,
        filters.params,
        row_type=NumberedUser,
        sums=sums.user_totals_sql(filters),
    )
    return {user["user_number"]: user["user_id"] for user in users}


class UserSums(TypedDict):
    user_number: int
    calls: int
    cost_usd: float | None
    active_agents: int
    change_from_previous: float | None
    trend: Literal["up", "down", "flat", "new"]
    seen_since: datetime
    """Start and end of the bucket that has the user's newest call."""
    seen_until: datetime


def user_sums(filters: Filters, user_numbers: list[int]) -> dict[int, UserSums]:
    """Returns the sums of these users by user number."""
    users = rows(
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
        ), previous AS (
            SELECT
                user_number,
                sum(calls) AS previous_calls
            FROM {previous_sums} AS calls
            WHERE user_number = ANY(%(user_numbers)s)
            GROUP BY user_number
            HAVING sum(calls) > 0
        ), changes AS (
            SELECT
                *,
                (calls - previous_calls)::float8 * 100 / previous_calls AS change_from_previous
            FROM users
            LEFT JOIN previous USING (user_number)
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
        filters.params | {"user_numbers": user_numbers},
        row_type=UserSums,
        calls=sums.users_sql(filters, "agent_id"),
        previous_sums=sums.user_totals_sql(filters.previous),
    )
    return {user["user_number"]: user for user in users}


class LastCall(TypedDict):
    user_number: int
    last_seen: datetime


# For a bucket of a day or week, the query first finds the hour of the call, then the call.
LAST_CALL = """
SELECT users.user_number, last_seen
FROM unnest(
    %(user_numbers)s::integer[], %(since)s::timestamptz[], %(until)s::timestamptz[]
) WITH ORDINALITY AS users (user_number, since, until, index)
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
        FROM {hours} AS hour_sums
        WHERE workspace_id = %(workspace_id)s
          AND bucket = hour
          AND hour_sums.user_number = users.user_number
          AND calls > 0{hour_filters}
        OFFSET 0 -- reads the newest hour first: a join would lose that order
    )
    LIMIT 1
) AS found ON true
CROSS JOIN LATERAL (
    SELECT timestamp AS last_seen
    FROM traces
    WHERE {filters}
      AND {days}
      AND traces.user_number = users.user_number
      AND timestamp >= greatest(hour, since)
      AND timestamp < least(hour + interval '1 hour', until)
    ORDER BY timestamp DESC
    LIMIT 1
) AS newest
WHERE index = ANY(ARRAY{indexes})
"""


def last_calls(filters: Filters, ranges: Mapping[int, TimeRange]) -> dict[int, datetime]:
    """Returns the start of each user's newest call, by user number.

    `ranges` has for each user the bucket of the window that contains that call.
    """
    if not ranges:
        return {}
    params = filters.params | {
        "user_numbers": list(ranges),
        "since": [period.start for period in ranges.values()],
        "until": [period.end for period in ranges.values()],
    }
    wide = [period.end for period in ranges.values() if period.end - period.start > HOUR.length]
    by_label = sums.with_label_sums(filters)
    # Only sums have buckets that are wide. Where rows are read, any table will do, because no hour is looked for.
    rollup = sums.users_rollup(by_label, "agent_id") if wide else USER_AGENTS
    hours = windows.table_for(filters, rollup, HOUR, until=max(wide, default=filters.start))
    hour_filters = "".join(f" AND {condition}" for condition in by_label.conditions(rollup.keys))
    parts = [
        LAST_CALL.format(
            filters=filters.row_condition, hour_filters=hour_filters, days=days, indexes=indexes, hours=hours
        )
        for days, indexes in windows.group_by_days(dict(enumerate(ranges.values(), start=1))).items()
    ]
    users = rows(" UNION ALL ".join(parts), params, row_type=LastCall)
    return {user["user_number"]: user["last_seen"] for user in users}
