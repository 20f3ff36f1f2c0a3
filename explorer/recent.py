"""Finds the newest traces of a user, an agent or a tool."""

from datetime import datetime
from typing import Any

from typing_extensions import TypedDict

from explorer import trace
from explorer.summaries import TraceSummary
from traces import sums
from traces.db import rows
from traces.filters import Filters
from traces.windows import literal

MAX_TRACES = 20
BUCKETS, CALLS_OF_A_TRACE = 3, 10
"""The rows are looked for in so many of the newest buckets that have calls, or in fewer if these have enough."""


class Bucket(TypedDict):
    since: datetime
    until: datetime


def recent_traces(filters: Filters) -> list[TraceSummary]:
    """Returns the newest traces with a call that passes the filters, at most MAX_TRACES."""
    return traces_with(filters, sums.calls_sql(filters, "calls"), filters.params, "true")


def traces_with(filters: Filters, sums_sql: str, params: dict[str, Any], condition: str) -> list[TraceSummary]:
    """Returns the newest traces with a row that passes the filters and the condition, which `sums_sql` sums."""
    found = (trace.summary(filters.workspace_id, name) for name in newest_ids(filters, sums_sql, params, condition))
    return [summary for summary in found if summary]


def newest_ids(filters: Filters, sums_sql: str, params: dict[str, Any], condition: str) -> list[str]:
    wanted = min(filters.limit, MAX_TRACES)
    params = params | {"wanted": wanted, "rows": wanted * CALLS_OF_A_TRACE, "buckets": BUCKETS}
    buckets = newest_buckets(sums_sql, params, condition)
    if not buckets:
        return []
    times = " OR ".join(
        f"timestamp >= {literal(bucket['since'])} AND timestamp < {literal(bucket['until'])}" for bucket in buckets
    )
    found = rows(
        """
        WITH newest AS (
            SELECT trace_id, timestamp
            FROM traces
            WHERE {filters} AND {condition} AND ({times})
            ORDER BY timestamp DESC
            LIMIT 1000
        )
        SELECT trace_id
        FROM newest
        GROUP BY trace_id
        ORDER BY max(timestamp) DESC, trace_id
        LIMIT %(wanted)s
        """,
        params,
        filters=filters.row_condition,
        condition=condition,
        times=times,
    )
    return [row["trace_id"] for row in found]


def newest_buckets(sums_sql: str, params: dict[str, Any], condition: str) -> list[Bucket]:
    return rows(
        """
        WITH buckets AS (
            SELECT timestamp AS since, until, sum(calls) AS calls
            FROM {sums} AS calls
            WHERE {condition}
            GROUP BY 1, 2
            HAVING sum(calls) > 0
        ), counted AS (
            SELECT since, until, sum(calls) OVER (ORDER BY since DESC) - calls AS later_calls
            FROM buckets
        )
        SELECT min(since) AS since, max(until) AS until
        FROM (
            SELECT *, row_number() OVER (ORDER BY since DESC) AS place
            FROM counted
            WHERE later_calls < %(rows)s
        ) AS newest
        GROUP BY CASE WHEN until - since < interval '1 hour' THEN 0 ELSE place END
        ORDER BY since DESC
        LIMIT %(buckets)s
        """,
        params,
        Bucket,
        sums=sums_sql,
        condition=condition,
    )
