"""Computes answers that only the pages use: the choices of the filter lists, and more for the panels."""

from datetime import datetime
from uuid import UUID

from typing_extensions import TypedDict

from analytics.answers import Question
from traces import sums
from traces.bucket_series import bucket_series_sql, bucket_sql
from traces.db import row, rows
from traces.filters import DIMENSIONS, Filters


class Choice(TypedDict):
    value: str
    calls: int | None


class Choices(TypedDict):
    data: list[Choice]


IS_FOUND = """(
    cardinality(%(searched)s::text[]) = 0
    OR EXISTS (
        SELECT
        FROM unnest(%(searched)s::text[]) AS text
        WHERE strpos({column}, text) > 0 OR strpos(lower({column}), text) > 0
    )
)"""


def search_params(search: str) -> dict[str, list[str]]:
    """Returns the spellings that are looked for. Some databases know upper and lower case of ASCII letters only."""
    return {"searched": sorted({search, search.lower(), search.upper(), search.title()} if search else ())}


def choices_question(column: str, search: str) -> Question:
    def choices(filters: Filters) -> Choices:
        """Returns the values of the calls that pass the other filters, those with the most calls first."""
        others = filters.without(column)
        data = rows(
            """
            SELECT
                {column} AS value,
                sum(calls)::bigint AS calls
            FROM {calls} AS calls
            WHERE {column} IS NOT NULL AND {is_found}
            GROUP BY 1
            ORDER BY calls DESC, 1
            LIMIT 1000
            """,
            others.params | search_params(search),
            row_type=Choice,
            calls=sums.calls_sql(others, column, "calls"),
            column=column,
            is_found=IS_FOUND.format(column=column),
        )
        return {"data": data}

    return choices


def operations_question(column: str, search: str) -> Question:
    def operations(filters: Filters) -> Choices:
        """Returns the operations of the window's hours, those with the most rows first.

        It reads all rows and not only model calls: anyone who filters by another operation sees its rows.
        """
        data = rows(
            """
            SELECT
                operation AS value,
                NULL AS calls
            FROM {operations} AS operations
            WHERE {is_found}
            GROUP BY 1
            ORDER BY sum(calls) DESC, 1
            LIMIT 1000
            """,
            filters.params | search_params(search),
            row_type=Choice,
            operations=sums.operations_sql(filters),
            is_found=IS_FOUND.format(column=column),
        )
        return {"data": data}

    return operations


CHOICES = [dimension.name for dimension in DIMENSIONS]
"""The filter lists, by name of the dimension."""


def choices_of(column: str, search: str = "") -> Question:
    """Returns the question for at most 1,000 values of a filter list that contain the text, in any case."""
    make_question = operations_question if column == "operation" else choices_question
    question = make_question(column, search)
    question.__name__ = f"choices_of_{column} {search!r} "  # the cache uses this name in the keys of its answers
    return question


class KnownModel(TypedDict):
    model: str


class KnownModels(TypedDict):
    data: list[str]


def known_models(filters: Filters) -> KnownModels:
    """Returns the first 1,000 models of the workspace, the oldest first: their colours depend on their position."""
    models = rows(
        """
        SELECT model
        FROM {models} AS models
        WHERE model IS NOT NULL
        GROUP BY model
        ORDER BY min(day), model
        LIMIT 1000
        """,
        filters.params,
        row_type=KnownModel,
        models=sums.model_days_sql(filters),
    )
    return {"data": [row["model"] for row in models]}


class UsersAndAgentsInBucket(TypedDict):
    timestamp: datetime
    users: int
    agents: int
    calls_per_user: float | None


class UsersAndAgentsOverTime(TypedDict):
    data: list[UsersAndAgentsInBucket]


def users_and_agents_over_time(filters: Filters) -> UsersAndAgentsOverTime:
    data = rows(
        """
        WITH agents AS (
            SELECT
                {bucket} AS timestamp,
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
        FROM {buckets} AS buckets (timestamp, until)
        LEFT JOIN {users} AS distinct_users USING (timestamp)
        LEFT JOIN agents USING (timestamp)
        ORDER BY timestamp
        """,
        filters.params,
        row_type=UsersAndAgentsInBucket,
        buckets=bucket_series_sql(filters),
        bucket=bucket_sql(filters),
        calls=sums.calls_sql(filters, "agent_id", "calls", by_bucket=True),
        users=sums.distinct_users_sql(filters, by_bucket=True),
    )
    return {"data": data}


class NewestSpan(TypedDict):
    newest: datetime | None


def newest_span(workspace_id: UUID) -> datetime | None:
    span = row(
        "SELECT max(timestamp) AS newest FROM traces WHERE workspace_id = %(workspace_id)s",
        {"workspace_id": workspace_id},
        row_type=NewestSpan,
    )
    return span["newest"]
