"""Reads what traces are as wholes: one row each, with the totals of its spans and its status.

The lookup goes into the index of traces once for each week and trace: see `traces/lookup.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

import orjson
from pydantic import Field
from typing_extensions import TypedDict

from traces import engines
from traces.db import rows
from traces.row import CALL_OPERATIONS, TOOL_OPERATION

Status = Literal["success", "error", "timeout"]


class TraceSummary(TypedDict):
    """What a trace is in a list of traces."""

    trace_id: str
    name: Annotated[str | None, Field(description="The name of the root, or of the first span.")]
    started_at: datetime
    latency_ms: Annotated[float, Field(description="From the first start to the last end.")]
    status: Annotated[Status, Field(description="Of the last model call; if it succeeded or none ran, of the root.")]
    error_type: str | None
    agents: list[str]
    models: list[str]
    user_id: str | None
    session_id: str | None
    environment: str | None
    release: str | None
    labels: dict[str, str]
    span_count: int
    calls: int
    tool_calls: int
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: Annotated[float | None, Field(description="Of the calls that have a price; null if none has.")]
    unpriced_calls: int


class TraceConditions(NamedTuple):
    """Chooses traces, by SQL conditions whose parameters are in `params`."""

    met: str = "true"
    """One span of the trace must meet it."""
    found: str = "true"
    """Another one, which another span may meet."""
    excluded: str = "false"
    """No span of the trace may meet it."""
    whole: str = "true"
    """The trace as a whole must meet it."""
    params: Mapping[str, Any] = {}


EVERY_TRACE = TraceConditions()
SUMMARIES = """
WITH spans AS (
    SELECT found.*, timestamp + coalesce(latency_ms, 0) * interval '1 millisecond' AS ended
    FROM unnest(%(trace_ids)s::text[]) AS wanted (trace_id)
    CROSS JOIN generate_series(
        date_bin('168 hours', %(first)s, timestamptz '2000-01-03 00:00:00+00'), %(last)s, interval '168 hours'
    ) AS week
    JOIN LATERAL (
        SELECT
            trace_id,
            span_id,
            parent_span_id,
            timestamp,
            latency_ms,
            operation,
            name,
            agent_id,
            model,
            user_id,
            session_id,
            environment,
            release,
            labels,
            status,
            error_type,
            input_tokens,
            output_tokens,
            cost_usd,
            ({met}) IS TRUE AS is_met,
            ({found}) IS TRUE AS is_found,
            ({excluded}) IS TRUE AS is_excluded
        FROM traces
        WHERE {workspace}
            AND timestamp BETWEEN %(first)s AND %(last)s
            AND date_bin('168 hours', timestamp, timestamptz '2000-01-03 00:00:00+00') = week
            AND {in_week}
            AND hashtextextended(trace_id, uuid_hash_extended(workspace_id, 0))
                = hashtextextended(wanted.trace_id, uuid_hash_extended(%(workspace_id)s, 0))
        OFFSET 0
    ) AS found ON found.trace_id = wanted.trace_id
), totals AS (
    SELECT
        trace_id,
        min(timestamp) AS started_at,
        extract(epoch FROM max(ended) - min(timestamp))::float8 * 1000 AS latency_ms,
        coalesce(array_agg(DISTINCT agent_id) FILTER (WHERE agent_id <> ''), '{{}}') AS agents,
        coalesce(array_agg(DISTINCT model) FILTER (WHERE model IS NOT NULL), '{{}}') AS models,
        min(user_id) AS user_id,
        min(session_id) AS session_id,
        min(environment) AS environment,
        min(release) AS release,
        count(*) AS span_count,
        count(*) FILTER (WHERE operation = ANY(%(calls)s)) AS calls,
        count(*) FILTER (WHERE operation = %(tool_operation)s) AS tool_calls,
        sum(input_tokens)::bigint AS input_tokens,
        sum(output_tokens)::bigint AS output_tokens,
        sum(cost_usd) AS cost_usd,
        count(*) FILTER (WHERE operation = ANY(%(calls)s) AND cost_usd IS NULL) AS unpriced_calls,
        bool_or(status <> 'success') AS has_error
    FROM spans
    GROUP BY trace_id
    HAVING bool_or(is_met) AND bool_or(is_found) AND NOT bool_or(is_excluded)
), root AS (
    SELECT DISTINCT ON (trace_id) trace_id, name, status, error_type, labels
    FROM spans
    ORDER BY trace_id, (parent_span_id IS NOT NULL), timestamp, span_id
), last_call AS (
    SELECT DISTINCT ON (trace_id) trace_id, status, error_type
    FROM spans
    WHERE operation = ANY(%(calls)s)
    ORDER BY trace_id, ended DESC, span_id
), summaries AS (
    SELECT
        totals.*,
        root.name,
        coalesce(NULLIF(last_call.status, 'success'), root.status) AS status,
        CASE WHEN last_call.status <> 'success' THEN last_call.error_type ELSE root.error_type END AS error_type,
        coalesce(root.labels, '{{}}')::text AS labels
    FROM totals
    JOIN root USING (trace_id)
    LEFT JOIN last_call USING (trace_id)
)
SELECT
    {columns}
FROM summaries
WHERE {whole}
"""


def summaries(
    workspace_id: UUID,
    trace_ids: Sequence[str],
    within: tuple[datetime, datetime],
    conditions: TraceConditions = EVERY_TRACE,
) -> list[TraceSummary]:
    """Returns the traces with these ids that meet the conditions, in no order, from their spans in the time range."""
    first, last = within
    params = {
        "workspace_id": workspace_id,
        "trace_ids": list(trace_ids),
        "first": first,
        "last": last,
        "calls": list(CALL_OPERATIONS),
        "tool_operation": TOOL_OPERATION,
    }
    found = rows(
        SUMMARIES,
        {**conditions.params, **params},
        TraceSummary,
        columns=", ".join(TraceSummary.__annotations__),
        met=conditions.met,
        found=conditions.found,
        excluded=conditions.excluded,
        whole=conditions.whole,
        **engines.search_conditions(),
    )
    return [{**row, "labels": orjson.loads(str(row["labels"]))} for row in found]


def amount(trace: TraceSummary, sort: str) -> float:
    if sort == "slowest":
        return trace["latency_ms"]
    if sort == "costliest":
        return float(trace["cost_usd"] or 0)
    return float((trace["input_tokens"] or 0) + (trace["output_tokens"] or 0))
