"""Prices stored calls again, after a price override or with a newer price list."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from prices import pricing
from traces import arrivals, writer
from traces.lookup import calls_after
from traces.row import Row
from traces.write_cursor import WriteCursor

BATCH = 1_000
PRICE_COLUMNS = ("cost_usd", "cost_source", "price_id")

CallsToPrice = Callable[[WriteCursor, UUID, list[Row]], list[pricing.CallToPrice]]
"""Returns for each stored row everything that decides its price. Ingestion finds it, also in other spans."""


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
    total: Totals = field(default_factory=Totals)
    models: defaultdict[tuple[str, str], Totals] = field(default_factory=lambda: defaultdict(Totals))
    """By provider and model, which are empty if a call does not name them."""


def reprice(
    workspace_id: UUID, start: datetime, end: datetime, dry_run: bool, calls_to_price: CallsToPrice
) -> Repriced:
    """Prices the calls of a workspace that began in `[start, end)` again, a batch in a transaction."""
    repriced = Repriced()
    after_key = (start, "", "")
    while after_key:
        with writer.writing(workspace_id) as cursor:
            after_key = reprice_batch(cursor, workspace_id, after_key, end, repriced, dry_run, calls_to_price)
    if not dry_run:
        arrivals.record_arrival(workspace_id)
    return repriced


def reprice_batch(
    cursor: WriteCursor,
    workspace_id: UUID,
    after_key: tuple[datetime, str, str],
    end: datetime,
    repriced: Repriced,
    dry_run: bool,
    calls_to_price: CallsToPrice,
) -> Any:
    """Prices one batch again. Returns the key after which the next batch begins; None after the last."""
    calls = calls_to_price(cursor, workspace_id, calls_after(cursor, workspace_id, after_key, end, BATCH))
    before = [price_of(call.row) for call in calls]
    pricing.price_calls(pricing.overrides_of(workspace_id), calls)
    changed = []
    for row, old in zip((call.row for call in calls), before, strict=True):
        has_changed = price_of(row) != old
        if has_changed:
            changed.append(row)
        for totals in (repriced.total, repriced.models[row.provider or "", row.model or ""]):
            totals.add(old[0], row.cost_usd, has_changed)
    if changed and not dry_run:
        writer.correct(cursor, workspace_id, changed)
    last = calls[-1].row if len(calls) == BATCH else None
    return (last.timestamp, last.trace_id, last.span_id) if last else None


def price_of(row: Row) -> list[Any]:
    return [getattr(row, name) for name in PRICE_COLUMNS]
