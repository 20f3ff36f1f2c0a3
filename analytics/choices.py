"""What there is to choose from: the values behind the filters, and what else only pages ask."""

from datetime import datetime
from typing import Any, Literal, TypedDict
from uuid import UUID

from analytics.db import row, rows
from analytics.filters import Filters

Narrowing = Literal["agent_id", "model", "provider", "operation"]


class Choice(TypedDict):
    value: str
    calls: int


class Choices(TypedDict):
    data: list[Choice]


def agents(filters: Filters) -> Choices:
    return {
        "data": rows(  # type: ignore[typeddict-item]
            """
            SELECT
                agent_id AS value,
                count(*) AS calls
            FROM traces
            WHERE workspace_id = %(workspace_id)s
              AND timestamp >= %(start)s AND timestamp < %(end)s
              AND operation = ANY(%(operations)s)
              AND (%(model)s::text IS NULL OR model = %(model)s)
              AND (%(provider)s::text IS NULL OR provider = %(provider)s)
              AND agent_id IS NOT NULL
            GROUP BY 1
            ORDER BY calls DESC, 1
            LIMIT 1000
            """,
            filters.params,
        )
    }


def models(filters: Filters) -> Choices:
    return {
        "data": rows(  # type: ignore[typeddict-item]
            """
            SELECT
                model AS value,
                count(*) AS calls
            FROM traces
            WHERE workspace_id = %(workspace_id)s
              AND timestamp >= %(start)s AND timestamp < %(end)s
              AND operation = ANY(%(operations)s)
              AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s)
              AND (%(provider)s::text IS NULL OR provider = %(provider)s)
              AND model IS NOT NULL
            GROUP BY 1
            ORDER BY calls DESC, 1
            LIMIT 1000
            """,
            filters.params,
        )
    }


def providers(filters: Filters) -> Choices:
    return {
        "data": rows(  # type: ignore[typeddict-item]
            """
            SELECT
                provider AS value,
                count(*) AS calls
            FROM traces
            WHERE workspace_id = %(workspace_id)s
              AND timestamp >= %(start)s AND timestamp < %(end)s
              AND operation = ANY(%(operations)s)
              AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s)
              AND (%(model)s::text IS NULL OR model = %(model)s)
              AND provider IS NOT NULL
            GROUP BY 1
            ORDER BY calls DESC, 1
            LIMIT 1000
            """,
            filters.params,
        )
    }


def operations(filters: Filters) -> Choices:
    return {
        "data": rows(  # type: ignore[typeddict-item]
            """
            SELECT
                operation AS value,
                count(*) AS calls
            FROM traces
            WHERE workspace_id = %(workspace_id)s
              AND timestamp >= %(start)s AND timestamp < %(end)s
              AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s)
              AND (%(model)s::text IS NULL OR model = %(model)s)
              AND (%(provider)s::text IS NULL OR provider = %(provider)s)
            GROUP BY 1
            ORDER BY calls DESC, 1
            LIMIT 1000
            """,
            filters.params,
        )
    }


class KnownModels(TypedDict):
    data: list[str]


def known_models(filters: Filters) -> KnownModels:
    """All of the workspace, the oldest first: what a model's colour follows from."""
    found = rows(
        """
        SELECT model
        FROM traces
        WHERE workspace_id = %(workspace_id)s
          AND model IS NOT NULL
        GROUP BY model
        ORDER BY date_trunc('day', min(timestamp), 'UTC'), model
        """,
        filters.params,
    )
    return {"data": [known["model"] for known in found]}


class PeopleInBucket(TypedDict):
    timestamp: datetime
    users: int
    agents: int
    calls_per_user: float | None


class PeopleOverTime(TypedDict):
    data: list[PeopleInBucket]


def people_over_time(filters: Filters) -> PeopleOverTime:
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
                count(DISTINCT user_id) AS users,
                count(DISTINCT agent_id) AS agents,
                count(*)::float8 / NULLIF(count(DISTINCT user_id), 0) AS calls_per_user
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
            coalesce(users, 0) AS users,
            coalesce(agents, 0) AS agents,
            calls_per_user
        FROM buckets
        LEFT JOIN counts USING (timestamp)
        ORDER BY timestamp
        """,
        filters.params,
    )
    return {"data": data}


def newest_call(workspace_id: UUID) -> datetime | None:
    found = row(
        "SELECT max(timestamp) AS newest FROM traces WHERE workspace_id = %(workspace_id)s",
        {"workspace_id": workspace_id},
    )
    newest: datetime | None = found["newest"]
    return newest
