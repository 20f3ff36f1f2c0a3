"""Calls that are stored already, priced again: after a price override, or a newer price list."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from analytics import cache
from ingest import pricing, record, writer
from ingest.attribution import resolve
from ingest.links import linked_trace_ids
from ingest.mapping import Said
from ingest.record import Key, Known
from ingest.rows import CALL_OPERATIONS, Row

BATCH = 1_000
PRICE = ("cost_usd", "cost_source", "price_id")

CALLS = f"""
SELECT {", ".join((*writer.KEY, *writer.CORRECTED))}, said::text
FROM traces
WHERE workspace_id = %(workspace_id)s
    AND (timestamp, trace_id, span_id) > (%(after)s, %(after_trace_id)s, %(after_span_id)s)
    AND timestamp >= %(start)s
    AND timestamp < %(end)s
    AND operation = ANY(%(operations)s)
ORDER BY timestamp, trace_id, span_id
LIMIT %(batch)s
"""  # noqa: S608 (built from the writer's names, never from input)


@dataclass
class Totals:
    calls: int = 0
    changed: int = 0
    before_usd: Decimal = Decimal(0)
    after_usd: Decimal = Decimal(0)
    unpriced_before: int = 0
    unpriced_after: int = 0

    def add(self, before_usd: Decimal | None, after_usd: Decimal | None, has_changed: bool) -> None:
        self.calls += 1
        self.changed += has_changed
        self.before_usd += before_usd or 0
        self.after_usd += after_usd or 0
        self.unpriced_before += before_usd is None
        self.unpriced_after += after_usd is None


@dataclass
class Repriced:
    whole: Totals = field(default_factory=Totals)
    models: defaultdict[tuple[str, str], Totals] = field(default_factory=lambda: defaultdict(Totals))
    """By provider and model, empty where a call does not say them."""


def reprice(workspace_id: UUID, start: datetime, end: datetime, dry_run: bool) -> Repriced:
    repriced = Repriced()
    after = (start, "", "")
    while after:
        with writer.writing(workspace_id) as cursor:
            after = reprice_batch(cursor, workspace_id, after, end, repriced, dry_run)
    if not dry_run:
        cache.traces_arrived(workspace_id)
    return repriced


def reprice_batch(
    cursor: writer.Cursor,
    workspace_id: UUID,
    after: tuple[datetime, str, str],
    end: datetime,
    repriced: Repriced,
    dry_run: bool,
) -> Any:
    """Where the next batch begins; None after the last."""
    calls = batch(cursor, workspace_id, after, end)
    before = [price_of(call.row) for call in calls]
    pricing.price_calls(pricing.overrides_of(workspace_id), calls)
    changed = []
    for row, old in zip((call.row for call in calls), before, strict=True):
        has_changed = price_of(row) != old
        if has_changed:
            changed.append(row)
        for totals in (repriced.whole, repriced.models[row.provider or "", row.model or ""]):
            totals.add(old[0], row.cost_usd, has_changed)
    if changed and not dry_run:
        writer.correct(cursor, workspace_id, changed)
    last = calls[-1].row if len(calls) == BATCH else None
    return (last.timestamp, last.trace_id, last.span_id) if last else None


def price_of(row: Row) -> list[Any]:
    return [getattr(row, name) for name in PRICE]


def batch(
    cursor: writer.Cursor, workspace_id: UUID, after: tuple[datetime, str, str], end: datetime
) -> list[pricing.Call]:
    cursor.execute(
        CALLS,
        {
            "workspace_id": workspace_id,
            "after": after[0],
            "after_trace_id": after[1],
            "after_span_id": after[2],
            "start": after[0],
            "end": end,
            "operations": list(CALL_OPERATIONS),
            "batch": BATCH,
        },
    )
    names = (*writer.KEY, *writer.CORRECTED)
    found = [(Row(**dict(zip(names, row, strict=True))), told) for *row, told in cursor.fetchall()]
    known = told_of_calls(cursor, workspace_id, [row for row, told in found if told])
    return [call_of(row, told, known.get((row.trace_id, row.span_id, row.timestamp))) for row, told in found]


def call_of(row: Row, told: str | None, known: Said | None) -> pricing.Call:
    if known:
        return record.to_price(row, known)
    # A call sent as plain JSON; until an override took its place, what the client said stood in the row.
    reported = orjson.loads(told).get("reported_cost_usd") if told else None
    if reported is None and row.cost_source == "reported":
        reported = row.cost_usd
    return pricing.Call(row, (row.model,) if row.model else (), None if reported is None else Decimal(reported))


# --- What was known when a call was priced first ---


def told_of_calls(cursor: writer.Cursor, workspace_id: UUID, rows: list[Row]) -> dict[Key, Said]:
    """All that is known of each: what decides the price may stand in another span that records the call."""
    results = resolve(one.said for one in known_around(cursor, workspace_id, rows))
    return {
        (result.said.trace_id, result.said.span_id, result.said.timestamp): result.call
        for result in results
        if result.call
    }


def known_around(cursor: writer.Cursor, workspace_id: UUID, rows: list[Row]) -> Iterable[Known]:
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
