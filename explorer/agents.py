"""Lists the agents of a window, and answers about one of them."""

from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from analytics import performance, usage
from analytics.change import Change, change
from analytics.field_types import LatencyMs, PricedCostUsd
from analytics.page_questions import IS_FOUND
from analytics.performance import ErrorGroup
from analytics.usage import TopUser
from explorer import figures
from explorer.figures import Figures, FiguresChange, ModelFigures, Point, ReleaseFigures
from explorer.listing import Listed, Page, after_sql, list_kind, order_sql, page_params
from explorer.recent import recent_traces
from explorer.summaries import TraceSummary
from explorer.tools import ToolFigures, tools_of
from traces import sums
from traces.buckets import Granularity
from traces.db import rows
from traces.filters import Filters

AGENTS = list_kind(
    "agents",
    {
        "agent_id": "text",
        "calls": "bigint",
        "errors": "bigint",
        "error_rate": "float8",
        "avg_latency_ms": "float8",
        "input_tokens": "bigint",
        "output_tokens": "bigint",
        "cost_usd": "numeric",
        "change_from_previous": "float8",
    },
    default="-calls",
)


class ListedAgent(TypedDict):
    agent_id: str
    calls: int
    errors: int
    """Calls whose status is error or timeout."""
    error_rate: float
    """In percent."""
    avg_latency_ms: LatencyMs
    input_tokens: int
    output_tokens: int
    cost_usd: PricedCostUsd
    change_from_previous: Change


class AgentTotals(TypedDict):
    agents: int
    calls: int
    errors: int
    cost_usd: PricedCostUsd


class AgentTotalsChange(TypedDict):
    agents: Change
    calls: Change
    errors: Change
    cost_usd: Change


class AgentList(Listed):
    totals: Annotated[AgentTotals, Field(description="Of all agents that pass the filters, also without `search`.")]
    change_from_previous: AgentTotalsChange
    data: list[ListedAgent]


class AgentRow(ListedAgent):
    value: Any
    """Of the sorted column. All but the totals are null where the page has no agent."""
    agents: int
    total_calls: int
    total_errors: int
    total_cost_usd: float | None
    previous_agents: int
    total_previous_calls: int
    total_previous_errors: int
    total_previous_cost_usd: float | None


def agents(filters: Filters, page: Page) -> AgentList:
    """Returns a page of the agents that were called in the window."""
    found = rows(
        """
        WITH now AS (
            SELECT
                agent_id,
                sum(calls)::bigint AS calls,
                sum(errors)::bigint AS errors,
                sum(errors) * 100 / sum(calls)::float8 AS error_rate,
                round((sum(latency_ms) / NULLIF(sum(timed_calls), 0))::numeric, 9)::float8 AS avg_latency_ms,
                sum(input_tokens)::bigint AS input_tokens,
                sum(output_tokens)::bigint AS output_tokens,
                CASE WHEN sum(priced_calls) > 0 THEN sum(cost_usd) END AS cost_usd
            FROM {calls} AS calls
            GROUP BY agent_id
        ), previous AS (
            SELECT
                agent_id,
                sum(calls) AS previous_calls,
                sum(errors) AS previous_errors,
                CASE WHEN sum(priced_calls) > 0 THEN sum(cost_usd) END AS previous_cost_usd
            FROM {previous_calls} AS calls
            GROUP BY agent_id
        ), totals AS (
            SELECT
                count(*) AS agents,
                coalesce(sum(calls), 0)::bigint AS total_calls,
                coalesce(sum(errors), 0)::bigint AS total_errors,
                sum(cost_usd) AS total_cost_usd
            FROM now
        ), previous_totals AS (
            SELECT
                count(*) AS previous_agents,
                coalesce(sum(previous_calls), 0)::bigint AS total_previous_calls,
                coalesce(sum(previous_errors), 0)::bigint AS total_previous_errors,
                sum(previous_cost_usd) AS total_previous_cost_usd
            FROM previous
        ), listed AS (
            SELECT
                now.*,
                (calls - previous_calls)::float8 * 100 / previous_calls AS change_from_previous
            FROM now
            LEFT JOIN previous USING (agent_id)
            WHERE {is_found}
        ), page AS (
            SELECT *
            FROM (SELECT *, {column} AS value FROM listed) AS valued
            WHERE {after}
            ORDER BY {order}
            LIMIT %(rows)s
        )
        SELECT *
        FROM totals
        CROSS JOIN previous_totals
        LEFT JOIN page ON true
        ORDER BY {order}
        """,
        page_params(page, filters),
        row_type=AgentRow,
        calls=sums.calls_sql(filters, "agent_id", *MEASURES),
        previous_calls=sums.calls_sql(filters.previous, "agent_id", *MEASURES),
        is_found=IS_FOUND.format(column="agent_id"),
        column=page.column,
        after=after_sql(page, AGENTS, "agent_id"),
        order=order_sql(page, "agent_id"),
    )
    first, listed = found[0], [row for row in found if row["agent_id"] is not None]
    return {
        "totals": {
            "agents": first["agents"],
            "calls": first["total_calls"],
            "errors": first["total_errors"],
            "cost_usd": first["total_cost_usd"],
        },
        "change_from_previous": {
            "agents": change(first["agents"], first["previous_agents"]),
            "calls": change(first["total_calls"], first["total_previous_calls"]),
            "errors": change(first["total_errors"], first["total_previous_errors"]),
            "cost_usd": change(first["total_cost_usd"], first["total_previous_cost_usd"]),
        },
        "data": [as_listed(row) for row in listed[: filters.limit]],
        "next_cursor": page.next_cursor(filters, listed, "value", "agent_id"),
    }


MEASURES = (
    *("calls", "errors", "timed_calls", "latency_ms", "priced_calls", "cost_usd"),
    *("input_tokens", "output_tokens"),
)


def as_listed(row: AgentRow) -> ListedAgent:
    return {name: row[name] for name in ListedAgent.__annotations__}  # type: ignore[literal-required, return-value]


class AgentAnswer(TypedDict):
    agent_id: str
    figures: Figures
    change_from_previous: FiguresChange
    granularity: Granularity
    series: list[Point]
    models: Annotated[list[ModelFigures], Field(description="Those with the highest cost first.")]
    tools: Annotated[list[ToolFigures], Field(description="Those with the most calls first.")]
    releases: list[ReleaseFigures]
    errors: Annotated[list[ErrorGroup], Field(description="The most frequent first.")]
    users: Annotated[list[TopUser], Field(description="Those with the most calls first.")]
    traces: Annotated[list[TraceSummary], Field(description="The newest first, at most 20.")]


def agent(filters: Filters, agent_id: str) -> AgentAnswer:
    """Returns the figures, models, tools, releases, errors, users and traces of one agent.

    Without calls in the window they are zeros and empty.
    """
    filters = figures.narrowed(filters, "agent_id", agent_id)
    return {
        "agent_id": agent_id,
        **figures.of_window(filters),
        "models": figures.models(filters),
        "tools": tools_of(filters),
        "releases": figures.releases(filters),
        "errors": performance.errors(filters)["data"],
        "users": usage.top_users(filters)["data"],
        "traces": recent_traces(filters),
    }
