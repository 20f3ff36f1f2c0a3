"""Finds when an observation began that is stored already, for updates that do not say it."""

from collections.abc import Sequence
from uuid import UUID

from ingest.accepted_time import accepted_time
from ingest.spans import Span
from traces import lookup
from traces.write_cursor import write_cursor

NS_PER_US = 1000


def find_starts(workspace_id: UUID, spans: Sequence[Span]) -> None:
    """Gives the spans the start under which they are stored.

    For a span that is not stored neither its start nor how long it lasted is known.
    """
    if not spans:
        return
    with write_cursor() as cursor:
        rows = lookup.spans_of_traces(cursor, workspace_id, {span.trace_id for span in spans}, accepted_time())
    starts = {(row.trace_id, row.span_id): round(row.timestamp.timestamp() * 1_000_000) * NS_PER_US for row in rows}
    for span in spans:
        start_ns = starts.get((span.trace_id, span.span_id))
        if start_ns is None:
            span.end_ns, span.is_timeless = 0, True
        else:
            span.start_ns = start_ns
