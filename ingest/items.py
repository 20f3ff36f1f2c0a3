"""JSON items: spans of `POST /api/v1/traces`. They are complete as they are, so no trace is resolved for them.

An item with a `span_id` of its client may come again: then it is merged with the stored copy, like any span. Its row
notes what the item itself states, because a row also has what is assumed.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from ingest import span_facts
from ingest.labels import CHOSEN, LabelChoice, given_labels, joined, label_choice
from ingest.parts import count_copies, rest_of_batch, store_parts
from ingest.resolve_again import plain_call
from ingest.span_facts import SpanFacts
from ingest.span_rows import Fill, Key, SpanRow, around, merge_copies, moved_rows
from prices import pricing
from prices.models import PriceOverride
from prices.overrides import current_overrides
from traces import arrivals, lookup, scores, writer
from traces.row import CALL_OPERATIONS, TOOL_OPERATION, Row
from traces.write_cursor import WriteCursor
from web import prometheus
from workspaces.models import Workspace

ITEM = "item"
"""The name in the row's `span_facts` by which an item is found that may come again."""
CALL_COLUMNS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "usage_details",
    "first_token_ms",
)
"""Only calls have them."""
SAME_COLUMNS = ("environment", "release", "provider", "latency_ms")
NOTED = ("operation", "tool", "is_timeless", "reported_cost_usd", "ranks", CHOSEN)


def noted(facts: SpanFacts) -> dict[str, Any]:
    """Returns the `span_facts` of an item that may come again."""
    whole_model = {} if facts.requested_model == facts.model else {"requested_model": facts.requested_model}
    return {ITEM: True} | whole_model | {name: value for name in NOTED if (value := getattr(facts, name))}


def is_item(row: Row) -> bool:
    return row.span_facts is not None and ITEM in row.span_facts


def facts_of(row: Row) -> SpanFacts:
    """Returns what the item states. The operation is empty if it states none."""
    stored = row.span_facts or {}
    return SpanFacts(
        **{name: getattr(row, name) for name in span_facts.ROW_COLUMNS} | {"name": row.name or ""},
        **{name: getattr(row, name) for name in (*CALL_COLUMNS, *SAME_COLUMNS)},
        **{"operation": ""} | {name: stored[name] for name in NOTED if name in stored},
        kind=stored.get("operation", ""),
        agent=row.agent_id,
        has_named_agent=True,
        user=row.user_id,
        session=row.session_id,
        labels=given_labels(row),
        requested_model=stored.get("requested_model", row.model),
    )


def fill_item(choice: LabelChoice, row: Row, facts: SpanFacts) -> None:
    """Fills the row of a merged item, without its price. Only calls have tokens and a cost."""
    row.timestamp, row.parent_span_id, row.name = facts.timestamp, facts.parent_span_id, facts.name or None
    row.operation = facts.operation or "chat"
    row.status, row.error_type, row.error_message = facts.status, facts.error_type, facts.error_message
    row.agent_id, row.user_id, row.session_id = facts.agent or "", facts.user, facts.session
    row.model = facts.model
    for name in SAME_COLUMNS:
        setattr(row, name, getattr(facts, name))
    facts.chosen_labels = choice.labels_of_item(facts.labels, row.attributes)
    row.labels = joined(facts.labels, facts.chosen_labels)
    row.tool = facts.tool_name if row.operation == TOOL_OPERATION else None
    is_call = row.operation in CALL_OPERATIONS
    for name in CALL_COLUMNS:
        setattr(row, name, getattr(facts, name) if is_call else None)
    pricing.clear_price(row)
    row.span_facts = noted(facts)


# --- Storing items ---


def store_items(workspace: Workspace, rows: Sequence[Row]) -> writer.StoreResult:
    """Stores the rows of items. They are committed when it returns.

    Items that may come again are committed in parts: see `parts`. All others come last, in one transaction: a request
    that is sent again would store them a second time.
    """
    choice = label_choice(workspace)
    fill = partial(fill_item, choice)
    for row in rows:
        choice.read_item(row)
    named: dict[Key, SpanRow] = {}
    for row in filter(is_item, rows):
        copy = SpanRow(facts_of(row), row, stored_at=None)
        if (first := named.setdefault(copy.key, copy)) is not copy:
            first.merge(copy, fill)
    unnamed = [row for row in rows if not is_item(row)]
    overrides = current_overrides(workspace)
    price(overrides, [*unnamed, *(span.row for span in named.values())])
    stored = store_parts(named, partial(store_part, workspace.id, overrides, fill))
    with rest_of_batch(is_stored_in_part=bool(named)):
        rest = writer.store(workspace.id, unnamed)
    prometheus.count_stored(*rest)
    return stored.plus(rest).plus(count_copies(len(rows) - len(named) - len(unnamed)))


def store_part(
    workspace_id: UUID, overrides: Sequence[PriceOverride], fill: Fill, named: dict[Key, SpanRow]
) -> tuple[int, int]:
    """Returns how many items were not stored before, and how many stored ones have learned from a copy."""
    with writer.writing(workspace_id) as cursor:
        stored = stored_items(cursor, workspace_id, named, fill)
        new = [span.row for key, span in named.items() if key not in stored]
        accepted = writer.insert(cursor, workspace_id, new) if new else 0
        updated = update(cursor, workspace_id, overrides, [span for span in stored.values() if span.has_learned])
        scores.correct(cursor, workspace_id, [span.row for span in named.values()])
    arrivals.record_arrival(workspace_id)
    return accepted, updated


def price(overrides: Sequence[PriceOverride], rows: Iterable[Row]) -> None:
    calls = [call for row in rows if (call := plain_call(row))]
    pricing.price_calls(overrides, calls)


def stored_items(cursor: WriteCursor, workspace_id: UUID, named: dict[Key, SpanRow], fill: Fill) -> dict[Key, SpanRow]:
    """Returns the stored copies of the items, merged with the new ones."""
    facts = [span.facts for span in named.values()]
    within = around([(min(item.timestamp for item in facts), max(item.end for item in facts))])
    found = lookup.items_by_ids(cursor, workspace_id, list(named), within)
    spans = [SpanRow(facts_of(row), row, stored_at=row.timestamp) for row in found]
    stored = {span.key: span for span in spans}
    merge_copies(cursor, workspace_id, stored, named, fill)
    return stored


def update(cursor: WriteCursor, workspace_id: UUID, overrides: Sequence[PriceOverride], learned: list[SpanRow]) -> int:
    """Prices the merged items again and stores them. Returns how many they are."""
    if not learned:
        return 0
    rows = [span.row for span in learned]
    price(overrides, rows)
    writer.move(cursor, workspace_id, moved_rows(learned))
    writer.merge(cursor, workspace_id, rows)
    return len(rows)
