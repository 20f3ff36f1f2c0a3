"""Lists the tools that were called in a window, and answers about one of them."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from analytics.change import Change, change
from analytics.field_types import BucketStart, LatencyMs
from analytics.page_questions import IS_FOUND
from explorer import figures
from explorer.listing import Listed, Page, after_sql, list_kind, order_sql, page_params
from explorer.recent import recent_traces
from explorer.summaries import TraceSummary
from traces import sums
from traces.buckets import Granularity
from traces.db import rows
from traces.filters import Filters, FilterValues

TOOLS = list_kind(
    "tools",
    {
        "tool": "text",
        "calls": "bigint",
        "errors": "bigint",
        "error_rate": "float8",
        "avg_latency_ms": "float8",
        "agents": "bigint",
        "change_from_previous": "float8",
    },
    default="-calls",
)
MEASURES = ("calls", "errors", "timed_calls", "latency_ms")


class ListedTool(TypedDict):
    tool: str
    calls: int
    errors: int
    """Tool calls whose status is error or timeout."""
    error_rate: float
    """In percent."""
    avg_latency_ms: LatencyMs
    agents: int
    """That called it."""
    change_from_previous: Change
    """Of the calls."""


class ToolTotals(TypedDict):
    tools: int
    calls: int
    errors: int


class ToolTotalsChange(TypedDict):
    tools: Change
    calls: Change
    errors: Change


class ToolList(Listed):
    totals: Annotated[ToolTotals, Field(description="Of all tool calls that pass the filters and name a tool.")]
    change_from_previous: ToolTotalsChange
    data: list[ListedTool]


class ToolRow(ListedTool):
    value: Any
    """Of the sorted column. All but the totals are null where the page has no tool."""
    tools: int
    total_calls: int
    total_errors: int
    previous_tools: int
    total_previous_calls: int
    total_previous_errors: int


def tools(filters: Filters, page: Page) -> ToolList:
    """Returns a page of the tools that were called in the window."""
    filters = replace(filters, counts_tools=True)
    found = rows(
        """
        WITH by_agent AS (
            SELECT
                tool,
                agent_id,
                sum(calls) AS calls,
                sum(errors) AS errors,
                sum(timed_calls) AS timed_calls,
                sum(latency_ms) AS latency_ms
            FROM {calls} AS calls
            WHERE tool IS NOT NULL
            GROUP BY tool, agent_id
        ), now AS (
            SELECT
                tool,
                sum(calls)::bigint AS calls,
                sum(errors)::bigint AS errors,
                sum(errors) * 100 / sum(calls)::float8 AS error_rate,
                round((sum(latency_ms) / NULLIF(sum(timed_calls), 0))::numeric, 9)::float8 AS avg_latency_ms,
                count(*) AS agents
            FROM by_agent
            GROUP BY tool
        ), previous AS (
            SELECT
                tool,
                sum(calls) AS previous_calls,
                sum(errors) AS previous_errors
            FROM {previous_calls} AS calls
            WHERE tool IS NOT NULL
            GROUP BY tool
        ), totals AS (
            SELECT
                count(*) AS tools,
                coalesce(sum(calls), 0)::bigint AS total_calls,
                coalesce(sum(errors), 0)::bigint AS total_errors
            FROM now
        ), previous_totals AS (
            SELECT
                count(*) AS previous_tools,
                coalesce(sum(previous_calls), 0)::bigint AS total_previous_calls,
                coalesce(sum(previous_errors), 0)::bigint AS total_previous_errors
            FROM previous
        ), listed AS (
            SELECT
                now.*,
                (calls - previous_calls)::float8 * 100 / previous_calls AS change_from_previous
            FROM now
            LEFT JOIN previous USING (tool)
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
        row_type=ToolRow,
        calls=sums.tools_sql(filters, "tool", "agent_id", *MEASURES),
        previous_calls=sums.tools_sql(filters.previous, "tool", *MEASURES),
        is_found=IS_FOUND.format(column="tool"),
        column=page.column,
        after=after_sql(page, TOOLS, "tool"),
        order=order_sql(page, "tool"),
    )
    first, listed = found[0], [row for row in found if row["tool"] is not None]
    return {
        "totals": {"tools": first["tools"], "calls": first["total_calls"], "errors": first["total_errors"]},
        "change_from_previous": {
            "tools": change(first["tools"], first["previous_tools"]),
            "calls": change(first["total_calls"], first["total_previous_calls"]),
            "errors": change(first["total_errors"], first["total_previous_errors"]),
        },
        "data": [as_listed(row) for row in listed[: filters.limit]],
        "next_cursor": page.next_cursor(filters, listed, "value", "tool"),
    }


def as_listed(row: ToolRow) -> ListedTool:
    return {name: row[name] for name in ListedTool.__annotations__}  # type: ignore[literal-required, return-value]


# --- One tool ---


class ToolTotalsOfOne(TypedDict):
    calls: int
    errors: int
    error_rate: float | None
    """In percent; null without a call."""
    avg_latency_ms: LatencyMs
    p50_latency_ms: LatencyMs
    p95_latency_ms: LatencyMs
    p99_latency_ms: LatencyMs


class ToolChange(TypedDict):
    calls: Change
    errors: Change
    error_rate: Change
    avg_latency_ms: Change
    p50_latency_ms: Change
    p95_latency_ms: Change
    p99_latency_ms: Change


class ToolPoint(TypedDict):
    timestamp: BucketStart
    calls: int
    errors: int
    avg_latency_ms: LatencyMs


class ToolFigures(TypedDict):
    tool: str
    calls: int
    errors: int
    avg_latency_ms: LatencyMs


class CallingAgent(TypedDict):
    agent_id: str
    calls: int
    errors: int
    avg_latency_ms: LatencyMs


class ToolFailure(TypedDict):
    status: str
    error_type: str | None
    calls: int
    agents: int
    last_seen: datetime | None
    """Null, like the sample, where the rows of that time are deleted and only sums are left."""
    sample_message: str | None
    sample_trace_id: str | None


class ToolAnswer(TypedDict):
    tool: str
    figures: ToolTotalsOfOne
    change_from_previous: ToolChange
    granularity: Granularity
    series: list[ToolPoint]
    agents: Annotated[list[CallingAgent], Field(description="Those that call it most first.")]
    failures: Annotated[list[ToolFailure], Field(description="The most frequent first, each with its newest sample.")]
    traces: Annotated[list[TraceSummary], Field(description="The newest first, at most 20.")]


def tool(filters: Filters, name: str) -> ToolAnswer:
    """Returns the figures, callers, failures and traces of one tool. Without calls they are zeros and empty."""
    only: dict[str, Any] = {"tool": FilterValues((name,)), "counts_tools": True}
    totals = figures.totals_of(filters, tuple(ToolTotalsOfOne.__annotations__), **only)
    filters = replace(filters, counts_tools=True)
    part_measures = ("calls", "errors", "avg_latency_ms")
    return {
        "tool": name,
        "figures": totals["now"],
        "change_from_previous": totals["change"],
        "granularity": filters.granularity,
        "series": figures.series(filters, part_measures, **only),
        "agents": figures.parts(filters, ("agent_id",), "-calls", part_measures, **only),
        "failures": failures(filters, name),
        "traces": recent_traces(filters, only["tool"]),
    }


def tools_of(filters: Filters) -> list[ToolFigures]:
    """Returns the tools that are called most under the filters."""
    found = figures.parts(filters, ("tool",), "-calls", ("calls", "errors", "avg_latency_ms"), counts_tools=True)
    return [tool for tool in found if tool["tool"] is not None]


# The newest failure of a group is in its newest bucket.
FAILURES = """
WITH groups AS (
    SELECT
        status,
        error_type,
        sum(calls)::bigint AS calls,
        count(DISTINCT agent_id) AS agents,
        max(timestamp) AS since,
        max(until) AS until
    FROM {calls} AS calls
    WHERE tool = %(tool)s AND status <> 'success'
    GROUP BY status, error_type
    ORDER BY calls DESC, error_type, status
    LIMIT %(limit)s
)
SELECT
    groups.status,
    groups.error_type,
    groups.calls,
    agents,
    newest.timestamp AS last_seen,
    error_message AS sample_message,
    trace_id AS sample_trace_id
FROM groups
LEFT JOIN LATERAL (
    SELECT timestamp, error_message, trace_id
    FROM traces
    WHERE {filters}
        AND tool = %(tool)s
        AND traces.status = groups.status
        AND traces.status <> 'success'
        AND coalesce(traces.error_type, '') = coalesce(groups.error_type, '')
        AND timestamp >= since
        AND timestamp < groups.until
    ORDER BY timestamp DESC
    LIMIT 1
) AS newest ON true
ORDER BY groups.calls DESC, groups.error_type, groups.status
"""


def failures(filters: Filters, name: str) -> list[ToolFailure]:
    return rows(
        FAILURES,
        filters.params | {"tool": name},
        row_type=ToolFailure,
        calls=sums.tools_sql(filters, "tool", "agent_id", "status", "error_type", "calls"),
        filters=filters.row_condition,
    )
