"""Lists the sessions of a window, and reads one: its traces, and what was said in them.

A session has spans of every operation; calls, errors and costs are those of its model calls.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from analytics.change import Change, change
from analytics.field_types import PricedCostUsd
from analytics.page_questions import IS_FOUND
from explorer import indexed_sessions
from explorer.conversation import Turn, conversation, record_of
from explorer.last_seen import Kind, Seen, by_buckets, newest_first
from explorer.listing import Listed, Page, after_sql, list_kind, order_sql, page_params
from explorer.summaries import Status
from explorer.trace import CONTENT_BYTES, CONTENT_COLUMNS, CONTENT_SPANS, is_an_id, names, params_of, parsed
from traces import engines, sums
from traces.db import row, rows
from traces.filters import Filters
from traces.rollups.catalogue import HOUR
from traces.row import CALL_OPERATIONS, TOOL_OPERATION

SESSIONS = list_kind(
    "sessions",
    {
        "session_id": "text",
        "user_id": "text",
        "traces": "bigint",
        "calls": "bigint",
        "errors": "bigint",
        "duration_ms": "float8",
        "tokens": "bigint",
        "cost_usd": "numeric",
        "last_seen": "timestamptz",
    },
    default="-last_seen",
)
SEEN = Kind(
    "session_id",
    "text",
    """traces.session_id IS NOT NULL
            AND hashtextextended(traces.session_id, uuid_hash_extended(workspace_id, 0))
                = hashtextextended(found.key, uuid_hash_extended(%(workspace_id)s, 0))
            AND traces.session_id = found.key""",
)


class ListedSession(TypedDict):
    session_id: str
    user_id: str | None
    """Of several, the first who appeared."""
    agents: list[str]
    started_at: datetime | None
    """Of its first span in the window; null where the rows of that time are deleted."""
    last_seen: datetime | None
    """Start of its newest span in the window."""
    traces: int
    """Those whose root has arrived."""
    calls: int
    errors: int
    """Calls whose status is error or timeout."""
    duration_ms: float
    """The durations of its traces, added up: time between them is not in it."""
    tokens: int
    """Input and output."""
    cost_usd: PricedCostUsd


class SessionTotals(TypedDict):
    sessions: int
    has_more_sessions: bool
    """True: so many that they were not all counted."""
    traces: int
    calls: int
    errors: int
    cost_usd: PricedCostUsd


class SessionTotalsChange(TypedDict):
    sessions: Change
    traces: Change
    calls: Change
    errors: Change
    cost_usd: Change


class SessionPage(Listed):
    data: list[ListedSession]


class SessionList(SessionPage):
    totals: SessionTotals
    change_from_previous: SessionTotalsChange


def sessions(filters: Filters, page: Page) -> SessionList:
    """Returns a page of the sessions that have spans in the window."""
    return {**session_totals(filters), **session_page(filters, page)}  # type: ignore[typeddict-item]


def session_totals(filters: Filters) -> dict[str, Any]:
    """Returns the totals of the window and their change."""
    filters = replace(filters, any_operation=True)
    now, before = totals(filters), totals(filters.previous)
    has_more = now["has_more_sessions"] or before["has_more_sessions"]
    return {
        "totals": now,
        "change_from_previous": {
            "sessions": change(now["sessions"], before["sessions"]) if not has_more else None,
            "traces": change(now["traces"], before["traces"]),
            "calls": change(now["calls"], before["calls"]),
            "errors": change(now["errors"], before["errors"]),
            "cost_usd": change(now["cost_usd"], before["cost_usd"]),
        },
    }


def session_page(filters: Filters, page: Page) -> SessionPage:
    """Returns the listed sessions and the cursor after them."""
    filters = replace(filters, any_operation=True)
    newest = newest_first(filters, page, SEEN, SEARCHED if page.search else "") if page.sort == "-last_seen" else None
    listed = indexed_sessions.listed(filters, page, SESSIONS) if newest is None else None
    if listed is not None:
        return {
            "data": [without_value(session) for session in listed[: filters.limit]],
            "next_cursor": page.next_cursor(filters, listed, "value", "session_id"),
        }
    found = [with_value(seen) for seen in newest] if newest else ranked_sessions(filters, page)
    return {
        "data": listed_sessions(filters, [session["session_id"] for session in found[: filters.limit]]),
        "next_cursor": page.next_cursor(filters, found, "value", "session_id"),
    }


def without_value(session: dict[str, Any]) -> ListedSession:
    return {name: session[name] for name in ListedSession.__annotations__}  # type: ignore[return-value]


def with_value(seen: Seen) -> dict[str, Any]:
    return {"session_id": seen["key"], "value": seen["last_seen"]}


def newest_sessions(filters: Filters) -> list[ListedSession]:
    return session_page(filters, Page("last_seen", is_descending=True))["data"]


COUNTED = 50_000
"""Sessions are counted in so many sums of the window."""


class SessionSums(TypedDict):
    traces: int
    calls: int
    errors: int
    cost_usd: float | None


class SessionCount(TypedDict):
    sessions: int
    has_more: bool


def totals(filters: Filters) -> SessionTotals:
    summed = row(
        """
        SELECT
            coalesce(sum(traces), 0)::bigint AS traces,
            coalesce(sum(model_calls), 0)::bigint AS calls,
            coalesce(sum(errors), 0)::bigint AS errors,
            CASE WHEN sum(priced_calls) > 0 THEN sum(cost_usd) END AS cost_usd
        FROM {sessions} AS sessions
        """,
        filters.params,
        row_type=SessionSums,
        sessions=sums.session_totals_sql(filters),
    )
    counted = row(
        """
        WITH counted AS (
            SELECT session_id
            FROM {sessions} AS sessions
            LIMIT %(counted)s
        )
        SELECT
            count(DISTINCT session_id) AS sessions,
            count(*) = %(counted)s AS has_more
        FROM counted
        """,
        filters.params | {"counted": COUNTED},
        row_type=SessionCount,
        sessions=sums.sessions_sql(filters),
    )
    return {"sessions": counted["sessions"], "has_more_sessions": counted["has_more"], **summed}


VALUES = {
    "session_id": "session_id",
    "user_id": "min(user_number)",
    "traces": "sum(traces)",
    "calls": "sum(model_calls)",
    "errors": "sum(errors)",
    "duration_ms": "round(sum(duration_ms)::numeric, 9)::float8",
    "tokens": "sum(input_tokens + output_tokens)",
    "cost_usd": "CASE WHEN sum(priced_calls) > 0 THEN sum(cost_usd) END",
}
"""The SQL of each column that sessions are sorted by, but last_seen."""
USER_NAMED = """SELECT session_id, user_id AS value
            FROM values
            LEFT JOIN user_numbers ON workspace_id = %(workspace_id)s AND number = value"""
SEARCHED = f"AND {IS_FOUND.format(column='session_id')}"


def ranked_sessions(filters: Filters, page: Page) -> list[Any]:
    """Returns the ids of the page's sessions, and of one more, with the value of the sorted column."""
    searched = SEARCHED if page.search else ""
    sums_sql = sums.sessions_sql(filters)
    if page.column == "last_seen":
        return [with_value(seen) for seen in by_buckets(filters, page, SEEN, sums_sql, searched)]
    return rows(
        """
        WITH values AS (
            SELECT session_id, {value} AS value
            FROM {sessions} AS sessions
            WHERE true {searched}
            GROUP BY session_id
        ), ranked AS (
            {ranked}
        )
        SELECT session_id, value
        FROM ranked
        WHERE {after}
        ORDER BY {order}
        LIMIT %(rows)s
        """,
        page_params(page, filters),
        sessions=sums_sql,
        value=VALUES[page.column],
        searched=searched,
        ranked=USER_NAMED if page.column == "user_id" else "SELECT * FROM values",
        after=after_sql(page, SESSIONS, "session_id"),
        order=order_sql(page, "session_id"),
    )


class Times(TypedDict):
    session_id: str
    started_at: datetime | None
    last_seen: datetime | None


WINDOW = "workspace_id = %(workspace_id)s AND timestamp >= %(start)s AND timestamp < %(end)s"
# The other filters come after the session: under a filter by user, its rows would be read by the index of users.
TIMES = """
SELECT found.key AS session_id, started_at, last_seen
FROM unnest(%(session_ids)s::text[]) AS found (key)
LEFT JOIN LATERAL (
    SELECT timestamp AS started_at
    FROM (SELECT * FROM traces WHERE {window} AND {finds} ORDER BY timestamp OFFSET 0) AS of_session
    WHERE {filters}
    LIMIT 1
) AS first ON true
LEFT JOIN LATERAL (
    SELECT timestamp AS last_seen
    FROM (SELECT * FROM traces WHERE {window} AND {finds} ORDER BY timestamp DESC OFFSET 0) AS of_session
    WHERE {filters}
    LIMIT 1
) AS last ON true
"""


def listed_sessions(filters: Filters, session_ids: list[str]) -> list[ListedSession]:
    """Returns the rows of these sessions, in this order."""
    if not session_ids:
        return []
    params = filters.params | {"session_ids": session_ids}
    conditions = {"window": WINDOW, "filters": filters.row_condition, "finds": SEEN.finds}
    times = {session["session_id"]: session for session in rows(TIMES, params, row_type=Times, **conditions)}
    figures = {session["session_id"]: session for session in figures_of(narrowed_to(filters, times), params)}
    return [
        {**figures[session_id], **times[session_id]}  # type: ignore[typeddict-item]
        for session_id in session_ids
        if session_id in figures
    ]


def narrowed_to(filters: Filters, times: Mapping[str, Times]) -> Filters:
    """Returns the filters for the days in which the sessions were, where the rows of all of them are still stored."""
    starts = [session["started_at"] for session in times.values()]
    ends = [session["last_seen"] for session in times.values()]
    if None in starts:
        return filters
    # Whole hours, so that sums and not rows are read.
    start = min(filter(None, starts)).replace(minute=0, second=0, microsecond=0)
    return replace(
        filters, start=max(filters.start, start), end=min(filters.end, max(filter(None, ends)) + HOUR.length)
    )


def figures_of(filters: Filters, params: dict[str, Any]) -> list[dict[str, Any]]:
    return rows(
        """
        WITH figures AS (
            SELECT
                session_id,
                min(user_number) AS user_number,
                coalesce(array_agg(DISTINCT agent_id) FILTER (WHERE agent_id <> ''), '{{}}') AS agents,
                sum(traces)::bigint AS traces,
                sum(model_calls)::bigint AS calls,
                sum(errors)::bigint AS errors,
                round(sum(duration_ms)::numeric, 9)::float8 AS duration_ms,
                sum(input_tokens + output_tokens)::bigint AS tokens,
                CASE WHEN sum(priced_calls) > 0 THEN sum(cost_usd) END AS cost_usd
            FROM {sessions} AS sessions
            WHERE session_id = ANY(%(session_ids)s)
            GROUP BY session_id
        )
        SELECT session_id, user_id, agents, traces, calls, errors, duration_ms, tokens, cost_usd
        FROM figures
        LEFT JOIN user_numbers ON workspace_id = %(workspace_id)s AND number = user_number
        """,
        filters.params | {"session_ids": params["session_ids"]},
        sessions=sums.sessions_sql(filters),
    )


# --- One session ---

MAX_SPANS = 100_000
"""The spans of a session that are summed: its first."""
TRACES_OF_A_PAGE = 50


class SessionTrace(TypedDict):
    trace_id: str
    name: str | None
    """Of the root, or of the first span."""
    started_at: datetime
    latency_ms: float
    """From the first start to the last end."""
    status: Status
    """Of the last model call; if it succeeded or none ran, of the root."""
    error_type: str | None
    agents: list[str]
    models: list[str]
    span_count: int
    calls: int
    tool_calls: int
    errors: int
    """Calls whose status is error or timeout."""
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: PricedCostUsd
    unpriced_calls: int


class SessionFigures(TypedDict):
    session_id: str
    user_id: str | None
    agents: list[str]
    models: list[str]
    started_at: datetime
    last_seen: datetime
    """Start of its newest span."""
    traces: int
    span_count: int
    calls: int
    tool_calls: int
    errors: int
    """Calls whose status is error or timeout."""
    duration_ms: float
    """The durations of its traces, added up."""
    input_tokens: int
    output_tokens: int
    cost_usd: PricedCostUsd
    unpriced_calls: int


class SessionAnswer(SessionFigures):
    data: Annotated[list[SessionTrace], Field(description="Its traces, the oldest first.")]
    next_cursor: Annotated[str | None, Field(description="Give it as `cursor` for the next traces; null on the last.")]


# A session has few rows, unless a client gives all of its traces the same id.
SPANS = """
    SELECT {columns}, timestamp + coalesce(latency_ms, 0) * interval '1 millisecond' AS ended
    FROM traces
    WHERE {workspace}
        AND session_id IS NOT NULL
        AND hashtextextended(session_id, uuid_hash_extended(workspace_id, 0))
            = hashtextextended(%(session_id)s, uuid_hash_extended(%(workspace_id)s, 0))
        AND session_id = %(session_id)s
        AND timestamp BETWEEN %(first)s AND %(last)s
        AND {condition}
    ORDER BY timestamp
    LIMIT %(most)s
"""
SPAN_COLUMNS = (
    *("trace_id", "span_id", "parent_span_id", "timestamp", "latency_ms", "operation", "name", "agent_id", "model"),
    *("user_id", "status", "error_type", "input_tokens", "output_tokens", "cost_usd"),
)
IS_CALL = "operation = ANY(%(calls)s)"
TOTALS = """
        count(*) AS span_count,
        count(*) FILTER (WHERE operation = ANY(%(calls)s)) AS calls,
        count(*) FILTER (WHERE operation = %(tool)s) AS tool_calls,
        count(*) FILTER (WHERE operation = ANY(%(calls)s) AND status <> 'success') AS errors,
        coalesce(array_agg(DISTINCT agent_id) FILTER (WHERE agent_id <> ''), '{{}}') AS agents,
        coalesce(array_agg(DISTINCT model) FILTER (WHERE model IS NOT NULL), '{{}}') AS models,
        sum(cost_usd) AS cost_usd,
        count(*) FILTER (WHERE operation = ANY(%(calls)s) AND cost_usd IS NULL) AS unpriced_calls"""
FIGURES = f"""
WITH spans AS ({{spans}}), durations AS (
    SELECT sum(extract(epoch FROM ended - started)::float8 * 1000) AS duration_ms, count(*) AS traces
    FROM (SELECT min(timestamp) AS started, max(ended) AS ended FROM spans GROUP BY trace_id) AS traces
)
SELECT
    %(session_id)s AS session_id,
    min(user_id) AS user_id,
    min(timestamp) AS started_at,
    max(timestamp) AS last_seen,
    min(traces) AS traces,
    min(duration_ms) AS duration_ms,
    coalesce(sum(input_tokens), 0)::bigint AS input_tokens,
    coalesce(sum(output_tokens), 0)::bigint AS output_tokens,
{TOTALS}
FROM spans
CROSS JOIN durations
HAVING count(*) > 0
"""  # noqa: S608 (built from constants)
TRACES = f"""
WITH spans AS ({{spans}}), totals AS (
    SELECT
        trace_id,
        min(timestamp) AS started_at,
        extract(epoch FROM max(ended) - min(timestamp))::float8 * 1000 AS latency_ms,
        sum(input_tokens)::bigint AS input_tokens,
        sum(output_tokens)::bigint AS output_tokens,
{TOTALS}
    FROM spans
    GROUP BY trace_id
), page AS (
    SELECT *
    FROM totals
    WHERE %(after)s::timestamptz IS NULL OR (started_at, trace_id) > (%(after)s, %(after_id)s)
    ORDER BY started_at, trace_id
    LIMIT %(limit)s
), roots AS (
    SELECT DISTINCT ON (trace_id) trace_id, name, status, error_type
    FROM spans
    ORDER BY trace_id, (parent_span_id IS NOT NULL), timestamp, span_id
), last_calls AS (
    SELECT DISTINCT ON (trace_id) trace_id, status AS call_status, error_type AS call_error_type
    FROM spans
    WHERE {IS_CALL}
    ORDER BY trace_id, ended DESC, span_id
)
SELECT
    page.*,
    name,
    coalesce(NULLIF(call_status, 'success'), status) AS status,
    CASE WHEN call_status <> 'success' THEN call_error_type ELSE error_type END AS error_type
FROM page
JOIN roots USING (trace_id)
LEFT JOIN last_calls USING (trace_id)
ORDER BY started_at, trace_id
"""  # noqa: S608 (as above)


class TracePlace(NamedTuple):
    """The last trace of a page of a session's traces."""

    started_at: datetime
    trace_id: str


def spans_sql(columns: Sequence[str] = SPAN_COLUMNS, condition: str = "true") -> str:
    workspace = engines.search_conditions()["workspace"]
    return SPANS.format(columns=", ".join(columns), workspace=workspace, condition=condition)


def session_params(workspace_id: UUID, session_id: str) -> dict[str, Any]:
    own = {"session_id": session_id, "most": MAX_SPANS, "calls": list(CALL_OPERATIONS), "tool": TOOL_OPERATION}
    return params_of(workspace_id, "") | own


def session_figures(workspace_id: UUID, session_id: str) -> SessionFigures | None:
    """Returns the totals of the session over all stored time; None if the workspace has no span of it."""
    if not is_an_id(session_id):
        return None
    found = rows(FIGURES, session_params(workspace_id, session_id), SessionFigures, spans=spans_sql())
    return found[0] if found else None


def session_traces(
    workspace_id: UUID, session_id: str, after: TracePlace | None, limit: int = TRACES_OF_A_PAGE
) -> list[SessionTrace]:
    """Returns the traces of the session after a place, the oldest first, of their spans with this session."""
    place = {"after": after and after.started_at, "after_id": after and after.trace_id, "limit": limit}
    return rows(TRACES, session_params(workspace_id, session_id) | place, SessionTrace, spans=spans_sql())


# As in explorer/trace.py: a text that is too long for its row is stored beside it, and is not read for its size.
CONTENTS = """
WITH spans AS ({spans}), sized AS (
    SELECT
        spans.*,
        sum(pg_column_size(attributes)) OVER in_time - pg_column_size(attributes) AS bytes_before
    FROM spans
    WINDOW in_time AS (ORDER BY timestamp, span_id ROWS UNBOUNDED PRECEDING)
)
SELECT {names}, attributes::text AS attributes
FROM sized
WHERE bytes_before < %(bytes)s
ORDER BY timestamp, span_id
"""


@dataclass
class SaidInTraces:
    """What was said in some traces of a session."""

    turns: Mapping[str, list[Turn]]
    """By trace id."""
    is_cut: bool
    """Some spans were not read: the traces have more than the limits allow."""


def said_in(workspace_id: UUID, session_id: str, traces: Sequence[SessionTrace]) -> SaidInTraces:
    """Returns the messages of the traces, each once: a later trace repeats what was said before it."""
    found = rows(
        CONTENTS,
        session_params(workspace_id, session_id)
        | {
            "trace_ids": [trace["trace_id"] for trace in traces],
            "most": CONTENT_SPANS,
            "bytes": CONTENT_BYTES,
        },
        spans=spans_sql((*CONTENT_COLUMNS, "attributes"), "trace_id = ANY(%(trace_ids)s)"),
        names=names(CONTENT_COLUMNS),
    )
    turns: dict[str, list[Turn]] = defaultdict(list)
    for turn in conversation(record_of(span, span["attributes"]) for span in map(parsed, found)):
        turns[turn.record.trace_id].append(turn)
    return SaidInTraces(turns, len(found) < sum(trace["span_count"] for trace in traces))
