"""Prices stored calls again: after a price override, with a newer price list, or by newer rules for what a call is."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from prices import pricing
from prices.overrides import overrides_of
from traces import arrivals, scores, writer
from traces.lookup import rows_after
from traces.row import CALL_OPERATIONS, CORRECTED_COLUMNS, COST_COLUMNS, Row
from traces.write_cursor import WriteCursor

BATCH = 1_000
KIND_OF_COLUMN = {
    "operation": "operation",
    **dict.fromkeys(("cost_usd", "cost_source", "price_id"), "price"),
    **dict.fromkeys(COST_COLUMNS, "cost class"),
    "provider": "provider name",
    "model": "model name",
    **dict.fromkeys(("input_tokens", "output_tokens", "usage_details", "reasoning_tokens"), "usage"),
    **dict.fromkeys(("cache_read_tokens", "cache_write_tokens"), "usage"),
    **dict.fromkeys(("agent_id", "user_id", "session_id"), "agent, user or session"),
    **dict.fromkeys(("status", "error_type", "error_message"), "status"),
    **dict.fromkeys(("environment", "release", "labels"), "environment, release or labels"),
    "tool": "tool",
    **dict.fromkeys(("latency_ms", "first_token_ms"), "latency"),
    "response_id": "response id",
    **dict.fromkeys(("name", "parent_span_id"), "name or parent"),
}
"""What changes when a column of CORRECTED_COLUMNS changes."""

ResolveAgain = Callable[[WriteCursor, UUID, list[Row]], list[pricing.CallToPrice]]
"""Corrects stored rows by today's rules, and returns the calls among them. Ingestion knows how."""


@dataclass
class Totals:
    calls: int = 0
    changed: int = 0
    before_usd: Decimal = Decimal(0)
    after_usd: Decimal = Decimal(0)
    unpriced_before: int = 0
    unpriced_after: int = 0

    def add(self, before: dict[str, Any], after: Row, has_changed: bool) -> None:
        was_call, is_call = before["operation"] in CALL_OPERATIONS, after.operation in CALL_OPERATIONS
        self.calls += was_call or is_call
        self.changed += has_changed
        self.before_usd += before["cost_usd"] or 0
        self.after_usd += after.cost_usd or 0
        self.unpriced_before += was_call and before["cost_usd"] is None
        self.unpriced_after += is_call and after.cost_usd is None


@dataclass
class Repriced:
    total: Totals = field(default_factory=Totals)
    models: defaultdict[tuple[str, str], Totals] = field(default_factory=lambda: defaultdict(Totals))
    """By provider and model, which are empty if a call does not name them."""
    kinds: Counter[str] = field(default_factory=Counter)
    """How many rows change in which respect."""


def reprice(workspace_id: UUID, start: datetime, end: datetime, dry_run: bool, resolve_again: ResolveAgain) -> Repriced:
    """Prices the calls of a workspace that began in `[start, end)` again, a batch in a transaction."""
    repriced = Repriced()
    after_key = (start, "", "")
    while after_key:
        with writer.writing(workspace_id) as cursor:
            after_key = reprice_batch(cursor, workspace_id, after_key, end, repriced, dry_run, resolve_again)
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
    resolve_again: ResolveAgain,
) -> Any:
    """Prices one batch again. Returns the key after which the next batch begins; None after the last."""
    rows = rows_after(cursor, workspace_id, after_key, end, BATCH)
    before = [values_of(row) for row in rows]
    pricing.price_calls(overrides_of(workspace_id), resolve_again(cursor, workspace_id, rows))
    changed = [row for row, old in zip(rows, before, strict=True) if add_change(repriced, old, row)]
    if changed and not dry_run:
        writer.correct(cursor, workspace_id, changed)
        scores.correct(cursor, workspace_id, changed)
    last = rows[-1] if len(rows) == BATCH else None
    return (last.timestamp, last.trace_id, last.span_id) if last else None


def values_of(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in CORRECTED_COLUMNS}


def add_change(repriced: Repriced, old: dict[str, Any], row: Row) -> bool:
    """Counts the row. Returns whether it changes."""
    kinds = dict.fromkeys(kinds_of_change(old, values_of(row)))
    repriced.kinds.update(kinds.keys())
    repriced.total.add(old, row, bool(kinds))
    was_call, is_call = old["operation"] in CALL_OPERATIONS, row.operation in CALL_OPERATIONS
    if was_call or is_call:
        provider, model = (row.provider, row.model) if is_call else (old["provider"], old["model"])
        repriced.models[provider or "", model or ""].add(old, row, bool(kinds))
    return bool(kinds)


def kinds_of_change(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    was_call, is_call = old["operation"] in CALL_OPERATIONS, new["operation"] in CALL_OPERATIONS
    if was_call != is_call:
        yield "now a call" if is_call else "no call any more"
    for name in CORRECTED_COLUMNS:
        if old[name] != new[name]:
            yield KIND_OF_COLUMN[name]
