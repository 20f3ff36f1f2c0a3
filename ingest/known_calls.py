"""Reads what decides the price of stored calls: it may stand in another span of the call's trace."""

from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from ingest import record
from ingest.attribution import resolve
from ingest.links import linked_trace_ids
from ingest.mapping import Said
from ingest.record import Key, Known
from prices import pricing
from traces.row import Row
from traces.write_cursor import WriteCursor


def known_calls(cursor: WriteCursor, workspace_id: UUID, rows: list[Row]) -> list[pricing.Call]:
    """The stored calls, as they were known when they were priced first."""
    known = told_of_calls(cursor, workspace_id, [row for row in rows if row.span_facts])
    return [call_of(row, known.get((row.trace_id, row.span_id, row.timestamp))) for row in rows]


def call_of(row: Row, known: Said | None) -> pricing.Call:
    if known:
        return record.to_price(row, known)
    # A call sent as plain JSON; until an override took its place, what the client said stood in the row.
    reported = row.span_facts.get("reported_cost_usd") if row.span_facts else None
    if reported is None and row.cost_source == "reported":
        reported = row.cost_usd
    return pricing.Call(row, (row.model,) if row.model else (), None if reported is None else Decimal(reported))


def told_of_calls(cursor: WriteCursor, workspace_id: UUID, rows: list[Row]) -> dict[Key, Said]:
    """All that is known of each: what decides the price may stand in another span that records the call."""
    results = resolve(one.said for one in known_around(cursor, workspace_id, rows))
    return {
        (result.said.trace_id, result.said.span_id, result.said.timestamp): result.call
        for result in results
        if result.call
    }


def known_around(cursor: WriteCursor, workspace_id: UUID, rows: list[Row]) -> Iterable[Known]:
    """The spans of their traces, and of all traces that hold a record of the same calls."""
    known: dict[Key, Known] = {}
    asked: set[str] = set()
    trace_ids = {row.trace_id for row in rows}
    moments = [row.timestamp for row in rows]
    while trace_ids and len(asked) <= record.MOST_LINKED_TRACES:
        within = min(moments) - record.NEAR, max(moments) + record.NEAR
        known |= {one.key: one for one in record.stored(cursor, workspace_id, trace_ids, within)}
        asked |= trace_ids
        said_so_far = [one.said for one in known.values()]
        trace_ids = linked_trace_ids(cursor, workspace_id, said_so_far) - asked
    return known.values()
