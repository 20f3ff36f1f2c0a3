"""Finds the spans that meet conditions, and the traces that these spans belong to."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from explorer.summaries import TraceSummary, summaries
from explorer.trace_filters import TraceFilters, joined
from traces.db import rows
from traces.trace_totals import LONGEST_TRACE
from traces.windows import TimeRange

CANDIDATES = """
SELECT span.trace_id, span.timestamp
FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS ranges (range_start, range_end)
CROSS JOIN LATERAL (
    SELECT trace_id, timestamp
    FROM traces
    WHERE workspace_id = %(workspace_id)s
        AND timestamp >= %(first)s AND timestamp < %(last)s
        AND timestamp >= range_start AND timestamp < range_end
        AND {conditions}
    ORDER BY timestamp {direction}
    FETCH FIRST %(at_once)s ROWS WITH TIES
) AS span
ORDER BY timestamp {direction}
FETCH FIRST %(at_once)s ROWS WITH TIES
"""


class Span(NamedTuple):
    trace_id: str
    timestamp: datetime


def candidates(
    question: TraceFilters, conditions: Iterable[str], ranges: Sequence[TimeRange], at_once: int, direction: str
) -> list[Span]:
    starts, ends = zip(*ranges, strict=True)
    times = {"starts": list(starts), "ends": list(ends), "first": min(starts), "last": max(ends)}
    found = rows(
        CANDIDATES,
        question.params | times | {"at_once": at_once},
        conditions=joined(list(conditions)),
        direction=direction,
    )
    return [Span(**row) for row in found]


def look_up(question: TraceFilters, spans: Sequence[Span], seen: set[str]) -> list[TraceSummary]:
    """Returns the traces of these spans that meet the filters, without those that were seen before."""
    wanted = {span.trace_id for span in spans} - seen
    seen |= wanted
    if not wanted:
        return []
    times = [span.timestamp for span in spans]
    within = (min(times) - LONGEST_TRACE, max(times) + LONGEST_TRACE)
    return summaries(question.filters.workspace_id, sorted(wanted), within, question.conditions)
