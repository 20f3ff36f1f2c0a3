"""Resolves stored rows again, as if their traces arrived now, even if another span has facts about a call."""

from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from ingest.resolve import ResolvedSpan, resolve
from ingest.span_rows import Key, SpanRow, around, linked_traces, stored_spans
from ingest.store import call_to_price, copy_resolved
from prices import pricing
from prices.providers import provider_name
from traces.row import CALL_OPERATIONS, Row
from traces.write_cursor import WriteCursor


def resolve_again(cursor: WriteCursor, workspace_id: UUID, rows: list[Row]) -> list[pricing.CallToPrice]:
    """Corrects the rows. Returns the calls among them with the facts that decide their price; the others cost nothing.

    The rows are not stored yet.
    """
    results = results_of(cursor, workspace_id, [row for row in rows if "kind" in (row.span_facts or {})])
    calls = []
    for row in rows:
        result = results.get((row.trace_id, row.span_id))
        call = resolved_call(row, result) if result else plain_call(row)
        if call:
            calls.append(call)
        else:
            pricing.clear_price(row)
    return calls


def resolved_call(row: Row, result: ResolvedSpan) -> pricing.CallToPrice | None:
    copy_resolved(row, result)
    return call_to_price(row, result.call) if result.call else None


def plain_call(row: Row) -> pricing.CallToPrice | None:
    """Returns the call of a row that was sent as plain JSON.

    The row has the cost that the client reported, unless an override replaced it.
    """
    row.provider = provider_name(row.provider)
    if row.operation not in CALL_OPERATIONS:
        return None
    stated = row.span_facts or {}
    reported, model = stated.get("reported_cost_usd"), stated.get("requested_model", row.model)
    if reported is None and row.cost_source == "reported":
        reported = row.cost_usd
    return pricing.CallToPrice(row, (model,) if model else (), None if reported is None else Decimal(reported))


def results_of(cursor: WriteCursor, workspace_id: UUID, rows: list[Row]) -> dict[Key, ResolvedSpan]:
    if not rows:
        return {}
    results = resolve(span.facts for span in spans_of(cursor, workspace_id, rows))
    return {(result.facts.trace_id, result.facts.span_id): result for result in results}


def spans_of(cursor: WriteCursor, workspace_id: UUID, rows: list[Row]) -> Iterable[SpanRow]:
    """Returns the spans of the rows' traces, and of all traces that hold a record of the same calls."""
    spans: dict[Key, SpanRow] = {}
    starts = [row.timestamp for row in rows]
    for trace_ids, _ in linked_traces(cursor, workspace_id, spans, {row.trace_id for row in rows}):
        spans |= stored_spans(cursor, workspace_id, trace_ids, around([(min(starts), max(starts))]), spans)
    return spans.values()
