"""The values that the filter lists offer, and what else only pages ask."""

from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from analytics.answers import Question
from traces import engines, sums
from traces.db import row, rows
from traces.filters import DIMENSIONS, Filters


class Choice(TypedDict):
    value: str
    calls: int | None


class Choices(TypedDict):
    data: list[Choice]


def values_question(column: str) -> Question:
    def values(filters: Filters) -> Choices:
        """The values of the calls that pass the other filters, those with the most calls first."""
        others = filters.without(column)
        found: Any = rows(
            """
            SELECT
                {column} AS value,
                sum(calls)::bigint AS calls
            FROM {calls} AS calls
            WHERE {column} IS NOT NULL
            GROUP BY 1
            ORDER BY calls DESC, 1
            LIMIT 1000
            """,
            others.params,
            calls=sums.calls_sql(others, column, "calls"),
            column=column,
        )
        return {"data": found}

    values.__name__ = f"values_of_{column}"  # in the key of its cached answers
    return values


def operations(filters: Filters) -> Choices:
    """All of the window's hours, and not only those of model calls: narrowing to another shows its rows."""
    found: Any = rows(
        """
        WITH hours AS (
            SELECT operation, calls
            FROM totals_hourly
            WHERE workspace_id = %(workspace_id)s
              AND bucket >= time_bucket('1 hour', %(start)s) AND bucket < %(end)s
              AND bucket < %(filled_until)s
            UNION ALL
            SELECT operation, calls
            FROM totals_minutely
            WHERE workspace_id = %(workspace_id)s
              AND bucket >= time_bucket('1 hour', %(start)s) AND bucket < %(end)s
              AND bucket >= %(filled_until)s
        )
        SELECT
            operation AS value,
            NULL AS calls
        FROM hours
        WHERE calls > 0
        GROUP BY 1
        ORDER BY sum(calls) DESC, 1
        LIMIT 1000
        """,
        filters.params | filled_until(filters),
    )
    return {"data": found}


QUESTIONS: dict[str, Question] = {dimension.name: values_question(dimension.name) for dimension in DIMENSIONS} | {
    "operation": operations
}
"""By name of the dimension."""


class KnownModels(TypedDict):
    data: list[str]


def known_models(filters: Filters) -> KnownModels:
    """All of the workspace, the oldest first: what a model's colour follows from."""
    found = rows(
        """
        WITH days AS (
            SELECT model, bucket AS day
            FROM models_daily
            WHERE workspace_id = %(workspace_id)s
              AND bucket < %(filled_until)s
              AND calls > 0
            UNION ALL
            SELECT model, time_bucket('24 hours', bucket) AS day
            FROM models_minutely
            WHERE workspace_id = %(workspace_id)s
              AND bucket >= %(filled_until)s
              AND calls > 0
        )
        SELECT model
        FROM days
        WHERE model IS NOT NULL
        GROUP BY model
        ORDER BY min(day), model
        """,
        filters.params | filled_until(filters),
    )
    return {"data": [known["model"] for known in found]}


def filled_until(filters: Filters) -> dict[str, datetime]:
    return {"filled_until": engines.rollup_states(filters.workspace_id)[filters.workspace_id].filled_until}


class PeopleInBucket(TypedDict):
    timestamp: datetime
    users: int
    agents: int
    calls_per_user: float | None


class PeopleOverTime(TypedDict):
    data: list[PeopleInBucket]


def people_over_time(filters: Filters) -> PeopleOverTime:
    data: Any = rows(
        """
        WITH buckets AS (
            SELECT generate_series(
                time_bucket(%(bucket)s, %(start)s),
                %(end)s - interval '1 microsecond',
                %(bucket)s
            ) AS timestamp
        ), agents AS (
            SELECT
                time_bucket(%(bucket)s, timestamp) AS timestamp,
                count(DISTINCT agent_id) AS agents,
                sum(calls) AS calls
            FROM {calls} AS calls
            GROUP BY 1
        )
        SELECT
            timestamp,
            coalesce(users, 0) AS users,
            coalesce(agents, 0) AS agents,
            calls::float8 / NULLIF(users, 0) AS calls_per_user
        FROM buckets
        LEFT JOIN {users} AS counted USING (timestamp)
        LEFT JOIN agents USING (timestamp)
        ORDER BY timestamp
        """,
        filters.params,
        calls=sums.calls_sql(filters, "agent_id", "calls", bucket=filters.bucket),
        users=sums.distinct_users_sql(filters, bucket=filters.bucket),
    )
    return {"data": data}


def newest_call(workspace_id: UUID) -> datetime | None:
    newest: datetime | None = row(
        "SELECT max(timestamp) AS newest FROM traces WHERE workspace_id = %(workspace_id)s",
        {"workspace_id": workspace_id},
    )["newest"]
    return newest
