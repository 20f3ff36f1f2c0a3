"""Lists the users of a window, and answers about one of them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from analytics import usage
from analytics.change import Change, change
from analytics.field_types import PricedCostUsd
from analytics.page_questions import IS_FOUND
from explorer import figures
from explorer.figures import Figures, FiguresChange, Point
from explorer.last_seen import Kind, by_last_seen
from explorer.listing import Listed, Page, after_sql, list_kind, order_sql, page_params
from explorer.recent import recent_traces
from explorer.sessions import ListedSession, newest_sessions
from explorer.summaries import TraceSummary
from traces import sums
from traces.buckets import Granularity
from traces.db import row, rows
from traces.filters import Filters
from traces.windows import TimeRange

USERS = list_kind(
    "users",
    {
        "user_id": "text",
        "calls": "bigint",
        "errors": "bigint",
        "error_rate": "float8",
        "cost_usd": "numeric",
        "active_agents": "bigint",
        "change": "float8",
        "last_seen": "timestamptz",
    },
    default="-last_seen",
    key="integer",
)
SEEN = Kind("user_number", "integer", "traces.user_number = found.key")


class ListedUser(TypedDict):
    user_id: str
    calls: int
    errors: int
    """Calls whose status is error or timeout."""
    error_rate: float
    """In percent."""
    cost_usd: PricedCostUsd
    active_agents: int
    last_seen: datetime | None
    """Start of the newest call in the window; null where the rows of that time are deleted."""
    change_from_previous: Change
    trend: Literal["up", "down", "flat", "new"]
    """Of the calls. Flat: a change below 5 percent. New: without a call in the window before."""


class UserTotals(TypedDict):
    users: int
    calls: int
    errors: int
    cost_usd: PricedCostUsd


class UserTotalsChange(TypedDict):
    users: Change
    calls: Change
    errors: Change
    cost_usd: Change


class UserList(Listed):
    totals: Annotated[UserTotals, Field(description="Of all calls that pass the filters, also those without a user.")]
    change_from_previous: UserTotalsChange
    data: list[ListedUser]


def users(filters: Filters, page: Page) -> UserList:
    """Returns a page of the users who called in the window."""
    found = ranked_users(filters, page)
    now, before = totals(filters), totals(filters.previous)
    return {
        "totals": now,
        "change_from_previous": {
            "users": change(now["users"], before["users"]),
            "calls": change(now["calls"], before["calls"]),
            "errors": change(now["errors"], before["errors"]),
            "cost_usd": change(now["cost_usd"], before["cost_usd"]),
        },
        "data": listed_users(filters, [user["user_number"] for user in found[: filters.limit]]),
        "next_cursor": page.next_cursor(filters, found, "value", "user_number"),
    }


def totals(filters: Filters) -> UserTotals:
    return row(
        """
        SELECT
            (SELECT coalesce(sum(users), 0)::bigint FROM {users} AS distinct_users) AS users,
            coalesce(sum(calls), 0)::bigint AS calls,
            coalesce(sum(errors), 0)::bigint AS errors,
            CASE WHEN sum(priced_calls) > 0 THEN sum(cost_usd) END AS cost_usd
        FROM {calls} AS calls
        """,
        filters.params,
        row_type=UserTotals,
        users=sums.distinct_users_sql(filters),
        calls=sums.calls_sql(filters, "calls", "errors", "priced_calls", "cost_usd"),
    )


VALUES = {
    "user_id": "user_id",
    "calls": "calls",
    "errors": "coalesce(errors, 0)",
    "error_rate": "coalesce(errors, 0) * 100 / calls::float8",
    "cost_usd": "cost_usd",
    "active_agents": "active_agents",
    "change": "(calls - previous_calls)::float8 * 100 / previous_calls",
}
"""The SQL of each column that users are sorted by, but last_seen."""
SOURCES = {
    "cost_usd": "users_and_cost",
    "active_agents": "users_and_agents",
}
"""The CTE that has the users and the sorted column. There are many users, so that no sum is read that is not needed."""


def ranked_users(filters: Filters, page: Page) -> list[Any]:
    """Returns the numbers of the page's users, and of one more, with the value of the sorted column."""
    searched = f"AND {SEARCHED}" if page.search else ""
    if page.column == "last_seen":
        seen = by_last_seen(filters, page, SEEN, sums.users_sql(filters), searched)
        return [{"user_number": user["key"], "value": user["last_seen"]} for user in seen]
    return rows(
        """
        WITH users AS (
            SELECT user_number, sum(calls) AS calls
            FROM {user_totals} AS calls
            GROUP BY user_number
            HAVING sum(calls) > 0
        ), users_and_cost AS (
            SELECT user_number, sum(calls) AS calls, CASE WHEN sum(priced_calls) > 0 THEN sum(cost_usd) END AS cost_usd
            FROM {users} AS calls
            GROUP BY user_number
        ), users_and_agents AS (
            SELECT user_number, sum(calls) AS calls, count(DISTINCT agent_id) AS active_agents
            FROM {user_agents} AS calls
            GROUP BY user_number
        ), failures AS (
            SELECT user_number, sum(calls) AS errors
            FROM {errors} AS calls
            GROUP BY user_number
        ), previous AS (
            SELECT user_number, sum(calls) AS previous_calls
            FROM {previous} AS calls
            GROUP BY user_number
            HAVING sum(calls) > 0
        ), ranked AS (
            SELECT user_number, {value} AS value
            FROM {source} AS users
            {joins}
            WHERE true {searched}
        )
        SELECT user_number, value
        FROM ranked
        WHERE {after}
        ORDER BY {order}
        LIMIT %(rows)s
        """,
        page_params(page, filters),
        user_totals=sums.user_totals_sql(filters),
        users=sums.users_sql(filters),
        user_agents=sums.users_sql(filters, "agent_id"),
        errors=sums.user_errors_sql(filters),
        previous=sums.user_totals_sql(filters.previous),
        value=VALUES[page.column],
        source=SOURCES.get(page.column, "users"),
        joins=JOINS.get(page.column, ""),
        searched=searched,
        after=after_sql(page, USERS, "user_number"),
        order=order_sql(page, "user_number"),
    )


SEARCHED = f"""user_number IN (
            SELECT number
            FROM user_numbers
            WHERE workspace_id = %(workspace_id)s AND {IS_FOUND.format(column="user_id")}
        )"""  # noqa: S608 (built from constants)
JOINS = {
    "user_id": "JOIN user_numbers ON workspace_id = %(workspace_id)s AND number = user_number",
    "errors": "LEFT JOIN failures USING (user_number)",
    "error_rate": "LEFT JOIN failures USING (user_number)",
    "change": "LEFT JOIN previous USING (user_number)",
}


def listed_users(filters: Filters, numbers: list[int]) -> list[ListedUser]:
    """Returns the rows of these users, in this order."""
    names, errors = names_of(filters, numbers), errors_of(filters, numbers)
    sums_by_user = usage.user_sums(filters, numbers)
    ranges = {number: TimeRange(user["seen_since"], user["seen_until"]) for number, user in sums_by_user.items()}
    last_seen = usage.last_calls(filters, ranges)
    return [
        {
            "user_id": names[number],
            "calls": user["calls"],
            "errors": errors.get(number, 0),
            "error_rate": errors.get(number, 0) * 100 / user["calls"],
            "cost_usd": user["cost_usd"],
            "active_agents": user["active_agents"],
            "last_seen": last_seen.get(number),
            "change_from_previous": user["change_from_previous"],
            "trend": user["trend"],
        }
        for number in numbers
        if number in names and (user := sums_by_user.get(number))
    ]


def names_of(filters: Filters, numbers: list[int]) -> dict[int, str]:
    found = rows(
        "SELECT number, user_id FROM user_numbers WHERE workspace_id = %(workspace_id)s AND number = ANY(%(numbers)s)",
        {"workspace_id": filters.workspace_id, "numbers": numbers},
    )
    return {user["number"]: user["user_id"] for user in found}


def errors_of(filters: Filters, numbers: list[int]) -> dict[int, int]:
    found = rows(
        """
        SELECT user_number, sum(calls)::bigint AS errors
        FROM {errors} AS calls
        WHERE user_number = ANY(%(numbers)s)
        GROUP BY user_number
        """,
        filters.params | {"numbers": numbers},
        errors=sums.user_errors_sql(filters),
    )
    return {user["user_number"]: user["errors"] for user in found}


class UserAnswer(TypedDict):
    user_id: str
    figures: Figures
    change_from_previous: FiguresChange
    granularity: Granularity
    series: list[Point]
    models: Annotated[list[figures.ModelFigures], Field(description="Those with the highest cost first.")]
    agents: list[figures.AgentFigures]
    sessions: Annotated[list[ListedSession], Field(description="The newest first.")]
    traces: Annotated[list[TraceSummary], Field(description="The newest first, at most 20.")]


def user(filters: Filters, user_id: str) -> UserAnswer:
    """Returns the figures, models, agents, sessions and traces of one user. Without calls they are zeros and empty."""
    filters = figures.narrowed(filters, "user_id", user_id)
    return {
        "user_id": user_id,
        **figures.of_window(filters),
        "models": figures.models(filters),
        "agents": figures.agents(filters),
        "sessions": newest_sessions(filters),
        "traces": recent_traces(filters),
    }
