"""Finds the hours in which calls meet filters, from the sums: all other hours need not be read."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from explorer.trace_filters import OPERATIONS, TraceFilters
from traces import sums
from traces.db import rows
from traces.filters import LABEL_PREFIX, Filters, FilterValues
from traces.rollups.catalogue import PLACE_CALLS, TOOLS
from traces.windows import TimeRange

SHORT = timedelta(hours=3)
"""A window that is read without asking for its hours."""
HOURLY_UNTIL = timedelta(days=60)
"""Of a longer window the days are asked for."""
FAILED = ("error", "timeout")
MATCHING = """
SELECT time_bucket(%(width)s, timestamp) AS bucket
FROM {calls} AS calls
WHERE {condition}
GROUP BY 1
HAVING sum(calls) > 0
ORDER BY 1 DESC
"""


def matching_hours(question: TraceFilters, start: datetime, end: datetime) -> list[TimeRange] | None:
    """Returns the hours or days with rows that meet the filters that sums know, the newest first.

    None: the sums know none of the filters, or the window is too short to ask.
    """
    if end - start <= SHORT:
        return None
    filters = replace(question.filters, start=start, end=end, range=None)
    filters = replace(filters, granularity="hourly" if end - start <= HOURLY_UNTIL else "daily")
    narrowed = of_tools(question, filters) if question.tool.included else of_calls(question, filters)
    if not narrowed.values and not narrowed.counts_tools:
        return None
    if narrowed.counts_tools:
        calls, condition = sums.tools_sql(narrowed, "tool", "calls", by_bucket=True), "tool = ANY(%(tool)s)"
    else:
        calls, condition = sums.calls_sql(narrowed, "calls", by_bucket=True), "true"
    params = narrowed.params | {"width": narrowed.bucket, "tool": list(question.tool.included)}
    found = rows(MATCHING, params, calls=calls, condition=condition)
    ranges = (TimeRange(max(row["bucket"], start), min(row["bucket"] + narrowed.bucket, end)) for row in found)
    return [one for one in ranges if one.start < one.end]


def of_calls(question: TraceFilters, filters: Filters) -> Filters:
    """Returns the filters that the sums of calls know, of calls of any operation unless there is such a filter."""
    labels = [name for name in filters.values if name.startswith(LABEL_PREFIX)]
    values = included(filters, [*PLACE_CALLS.keys, *labels[:1]])
    if question.found and not question.met:
        return replace(filters, values={})
    if not question.met:
        values = {"status": FilterValues(question.failed_statuses or FAILED)}
    return replace(filters, values={"operation": FilterValues(OPERATIONS)} | values if values else {})


def of_tools(question: TraceFilters, filters: Filters) -> Filters:
    """Returns the filters that the sums of tool calls know."""
    return replace(filters, values=included(filters, TOOLS.keys), counts_tools=True)


def included(filters: Filters, names: Iterable[str]) -> dict[str, FilterValues]:
    """Returns the values that a span must have, of these filters."""
    return {
        name: FilterValues(values.included)
        for name in names
        if name != "status" and (values := filters.values.get(name)) and values.included
    }
