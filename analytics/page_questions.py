"""Computes answers that only the pages use: the choices of the filter lists, and more for the panels."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from typing_extensions import TypedDict

from analytics.answers import Question
from analytics.palette import MOST_KNOWN
from traces import sums
from traces.bucket_series import bucket_series_sql, bucket_sql
from traces.db import row, rows
from traces.filters import DIMENSIONS, LABEL_PREFIX, Filters


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


def users_question(column: str, search: str) -> Question:
    def users(filters: Filters) -> Choices:
        """Returns the users of the calls that pass the other filters, those with the most calls first."""
        others = filters.without(column)
        data = rows(
            """
            WITH named AS (
                SELECT
                    user_number,
                    sum(calls)::bigint AS calls,
                    NULL AS user_id
                FROM {calls} AS calls
                GROUP BY user_number
                HAVING sum(calls) > 0
                UNION ALL
                SELECT
                    number,
                    NULL,
                    user_id
                FROM user_numbers
                WHERE workspace_id = %(workspace_id)s AND {is_found}
            )
            SELECT
                max(user_id) AS value,
                max(calls) AS calls
            FROM named
            GROUP BY user_number
            HAVING max(user_id) IS NOT NULL AND max(calls) IS NOT NULL
            ORDER BY max(calls) DESC, 1
            LIMIT 1000
            """,
            others.params | search_params(search),
            row_type=Choice,
            calls=sums.user_totals_sql(others),
            is_found=IS_FOUND.format(column=column),
        )
        return {"data": data}

    return users


NEWEST_ROWS = 10_000
"""A list of sessions, or of the names of labels, is that of so many of the newest rows that have some."""


def sessions_question(column: str, search: str) -> Question:
    def sessions(filters: Filters) -> Choices:
        """Returns the newest 100 sessions, or those whose id begins with the text, of the other filters' calls."""
        others = filters.without(column)
        data = rows(
            """
            WITH newest AS (
                SELECT session_id, timestamp
                FROM traces
                WHERE {rows} AND session_id IS NOT NULL AND starts_with(session_id, %(search)s)
                ORDER BY timestamp DESC
                LIMIT %(newest_rows)s
            )
            SELECT
                session_id AS value,
                NULL AS calls
            FROM newest
            GROUP BY 1
            ORDER BY max(timestamp) DESC, 1
            LIMIT 100
            """,
            others.params | {"search": search, "newest_rows": NEWEST_ROWS},
            row_type=Choice,
            rows=others.row_condition,
        )
        return {"data": data}

    return sessions


def label_names_question(_: str, search: str) -> Question:
    def label_names(filters: Filters) -> Choices:
        """Returns the names of the labels of the newest calls that pass the filters, the most frequent first."""
        data = rows(
            """
            WITH newest AS (
                SELECT labels
                FROM traces
                WHERE {rows} AND labels IS NOT NULL
                ORDER BY timestamp DESC
                LIMIT %(newest_rows)s
            )
            SELECT
                name AS value,
                NULL AS calls
            FROM newest
            CROSS JOIN jsonb_object_keys(labels) AS names (name)
            WHERE {is_found}
            GROUP BY 1
            ORDER BY count(*) DESC, 1
            LIMIT 1000
            """,
            filters.params | search_params(search) | {"newest_rows": NEWEST_ROWS},
            row_type=Choice,
            rows=filters.row_condition,
            is_found=IS_FOUND.format(column="name"),
        )
        return {"data": data}

    return label_names


def label_question(label: str, search: str) -> Question:
    def label_values(filters: Filters) -> Choices:
        """Returns the values of a label of the calls that pass the other filters, those with the most calls first."""
        others = filters.without(label)
        data = rows(
            """
            WITH calls AS (
                SELECT labels ->> %(name)s AS value
                FROM traces
                WHERE {rows} AND labels IS NOT NULL
            )
            SELECT
                value,
                count(*) AS calls
            FROM calls
            WHERE value IS NOT NULL AND {is_found}
            GROUP BY 1
            ORDER BY calls DESC, 1
            LIMIT 1000
            """,
            others.params | search_params(search) | {"name": label.removeprefix(LABEL_PREFIX)},
            row_type=Choice,
            rows=others.row_condition,
            is_found=IS_FOUND.format(column="value"),
        )
        return {"data": data}

    return label_values


def tools_question(column: str, search: str) -> Question:
    def tools(filters: Filters) -> Choices:
        """Returns the tools that were called under the filters, those with the most calls first."""
        of_tools = replace(filters, counts_tools=True)
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
            of_tools.params | search_params(search),
            row_type=Choice,
            calls=sums.tools_sql(of_tools, column, "calls"),
            column=column,
            is_found=IS_FOUND.format(column=column),
        )
        return {"data": data}

    return tools


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
LABEL_NAMES = "label"
"""The list of the names of labels."""
QUESTIONS: dict[str, Callable[[str, str], Question]] = {
    "operation": operations_question,
    "user_id": users_question,
    "session_id": sessions_question,
    "tool": tools_question,
    LABEL_NAMES: label_names_question,
}
"""The lists that are not those of a column of `traces` and its sums."""


def choices_of(name: str, search: str = "") -> Question:
    """Returns the question for at most 1,000 values of a filter list that contain the text, in any case."""
    make_question = label_question if name.startswith(LABEL_PREFIX) else QUESTIONS.get(name, choices_question)
    question = make_question(name, search)
    question.__name__ = f"choices_of_{name!r} {search!r} "  # the cache uses this name in the keys of its answers
    return question


class KnownName(TypedDict):
    name: str


class KnownNames(TypedDict):
    data: list[str]


def known_names(dimension: str) -> Question:
    """Returns the question for the first names of a dimension, the oldest first: their colours depend on that order."""
    if dimension.startswith(LABEL_PREFIX):
        known = known_labels(dimension.removeprefix(LABEL_PREFIX))
    else:
        known = known_users if dimension == "user_id" else named_by_days(dimension)
    known.__name__ = f"known_{dimension!r}"  # the cache uses this name in the keys of its answers
    return known


def known_users(filters: Filters) -> KnownNames:
    users = rows(
        """
        SELECT user_id AS name
        FROM user_numbers
        WHERE workspace_id = %(workspace_id)s
        ORDER BY number
        LIMIT %(most_known)s
        """,
        filters.params | {"most_known": MOST_KNOWN},
        row_type=KnownName,
    )
    return {"data": [row["name"] for row in users]}


def known_labels(name: str) -> Question:
    def known(filters: Filters) -> KnownNames:
        labels = rows(
            """
            SELECT value AS name
            FROM label_values
            WHERE workspace_id = %(workspace_id)s AND name = %(name)s AND value <> ''
            ORDER BY number
            LIMIT %(most_known)s
            """,
            filters.params | {"name": name, "most_known": MOST_KNOWN},
            row_type=KnownName,
        )
        return {"data": [row["name"] for row in labels]}

    return known


def named_by_days(key: str) -> Question:
    def known(filters: Filters) -> KnownNames:
        names = rows(
            """
            SELECT {key} AS name
            FROM {days} AS days
            WHERE {key} IS NOT NULL
            GROUP BY {key}
            ORDER BY min(day), {key}
            LIMIT %(most_known)s
            """,
            filters.params | {"most_known": MOST_KNOWN},
            row_type=KnownName,
            key=key,
            days=sums.days_of_names_sql(filters, key),
        )
        return {"data": [row["name"] for row in names]}

    return known


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
