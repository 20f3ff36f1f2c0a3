"""Calls that are stored already, priced again: after a price override, or a newer price list."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.db.backends.utils import CursorWrapper

from analytics import cache
from ingest import pricing, writer
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


def reprice(workspace_id: UUID, start: datetime, end: datetime, dry_run: bool) -> Totals:
    totals = Totals()
    after = (start, "", "")
    while after:
        with writer.writing(workspace_id) as cursor:
            after = reprice_batch(cursor, workspace_id, after, end, totals, dry_run)
    if not dry_run:
        cache.traces_arrived(workspace_id)
    return totals


def reprice_batch(
    cursor: CursorWrapper,
    workspace_id: UUID,
    after: tuple[datetime, str, str],
    end: datetime,
    totals: Totals,
    dry_run: bool,
) -> Any:
    """Where the next batch begins; None after the last."""
    calls = batch(cursor, workspace_id, after, end)
    before = [[getattr(call.row, name) for name in PRICE] for call in calls]
    pricing.price_calls(pricing.overrides_of(workspace_id), calls)
    changed = []
    for call, (cost_usd, *identity) in zip(calls, before, strict=True):
        totals.calls += 1
        totals.before_usd += cost_usd or 0
        totals.after_usd += call.row.cost_usd or 0
        totals.unpriced_before += cost_usd is None
        totals.unpriced_after += call.row.cost_usd is None
        if [call.row.cost_usd, call.row.cost_source, call.row.price_id] != [cost_usd, *identity]:
            changed.append(call.row)
    totals.changed += len(changed)
    if changed and not dry_run:
        writer.correct(cursor, workspace_id, changed)
    last = calls[-1].row if len(calls) == BATCH else None
    return (last.timestamp, last.trace_id, last.span_id) if last else None


def batch(
    cursor: CursorWrapper, workspace_id: UUID, after: tuple[datetime, str, str], end: datetime
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
    return [call_of(Row(**dict(zip(names, row, strict=True))), told) for *row, told in cursor.fetchall()]


def call_of(row: Row, told: str | None) -> pricing.Call:
    said = orjson.loads(told) if told else {}
    models = tuple(name for name in (said.get("used_model"), said.get("requested_model"), row.model) if name)
    reported = said.get("reported_cost_usd")
    if reported is None and row.cost_source == "reported":
        reported = row.cost_usd
    return pricing.Call(row, models, None if reported is None else Decimal(reported), said.get("service_tier"))
