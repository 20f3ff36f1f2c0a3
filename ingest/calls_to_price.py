"""Finds the calls of stored rows with everything that decides their price, even if another span has it."""

from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from ingest.resolve import resolve
from ingest.span_facts import SpanFacts
from ingest.span_rows import Key, SpanRow, around, linked_traces, stored_spans
from ingest.store import call_to_price
from prices import pricing
from traces.row import Row
from traces.write_cursor import WriteCursor


def calls_to_price(cursor: WriteCursor, workspace_id: UUID, rows: list[Row]) -> list[pricing.CallToPrice]:
    """Returns the calls of the rows with the facts that decided their first price."""
    calls = facts_of_calls(cursor, workspace_id, [row for row in rows if row.span_facts])
    return [call_of(row, calls.get((row.trace_id, row.span_id))) for row in rows]


def call_of(row: Row, facts: SpanFacts | None) -> pricing.CallToPrice:
    if facts:
        return call_to_price(row, facts)
    # The call was sent as plain JSON. Its row has the cost that the client reported, unless an override replaced it.
    reported = row.span_facts.get("reported_cost_usd") if row.span_facts else None
    if reported is None and row.cost_source == "reported":
        reported = row.cost_usd
    return pricing.CallToPrice(row, (row.model,) if row.model else (), None if reported is None else Decimal(reported))


def facts_of_calls(cursor: WriteCursor, workspace_id: UUID, rows: list[Row]) -> dict[Key, SpanFacts]:
    """Returns for each call all facts about it, from every span that records it."""
    results = resolve(span.facts for span in spans_of(cursor, workspace_id, rows))
    return {(result.facts.trace_id, result.facts.span_id): result.call for result in results if result.call}


def spans_of(cursor: WriteCursor, workspace_id: UUID, rows: list[Row]) -> Iterable[SpanRow]:
    """Returns the spans of the rows' traces, and of all traces that hold a record of the same calls."""
    spans: dict[Key, SpanRow] = {}
    starts = [row.timestamp for row in rows]
    for trace_ids in linked_traces(cursor, workspace_id, spans, {row.trace_id for row in rows}):
        spans |= stored_spans(cursor, workspace_id, trace_ids, around([(min(starts), max(starts))]), spans)
    return spans.values()
