"""Finds the newest traces of a user, an agent or a tool."""

from dataclasses import replace

from explorer.summaries import TraceSummary
from explorer.trace_filters import NO_VALUES, TraceFilters
from explorer.traces import found_traces
from traces.filters import Filters, FilterValues

MAX_TRACES = 20
SECONDS = 1.0
"""How long the rows are searched where no index answers."""


def recent_traces(filters: Filters, tool: FilterValues = NO_VALUES) -> list[TraceSummary]:
    """Returns the newest traces with a call that passes the filters, at most MAX_TRACES."""
    if not filters.operations:
        return []
    of_calls = replace(filters, values={**filters.values, "operation": FilterValues(tuple(filters.operations))})
    return found_traces(TraceFilters(of_calls, tool=tool), min(filters.limit, MAX_TRACES), SECONDS).traces
