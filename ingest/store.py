"""Stores spans in `traces`. Resolves them together with the stored spans of their traces, and corrects these too."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from operator import attrgetter
from uuid import UUID

from django.conf import settings

from ingest import groups
from ingest.accepted_time import accepted_time, accepted_time_text, note_refused, oldest_content
from ingest.formats.scores import evaluations_of
from ingest.labels import LabelChoice, label_choice
from ingest.parts import Part, count_copies, rest_of_batch, store_parts
from ingest.resolve import ResolvedSpan, resolve
from ingest.span_facts import SpanFacts
from ingest.span_rows import Fill, Key, SpanRow, fill_from_facts, moved_rows, new_span_row, related_spans
from ingest.spans import Decoded, Rejection, Span
from prices import pricing
from prices.models import PriceOverride
from prices.overrides import current_overrides
from prices.providers import provider_name
from traces import arrivals, scores, writer
from traces.row import CORRECTED_COLUMNS, TOOL_OPERATION, Row
from traces.write_cursor import WriteCursor
from workspaces.models import Workspace

corrected_values = attrgetter(*CORRECTED_COLUMNS)
price_values = attrgetter(
    "operation",
    "provider",
    "model",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "usage_details",
)


def store_spans(workspace: Workspace, decoded: Decoded, author: str | None = None) -> writer.StoreResult:
    """Stores spans and scores. They are committed when it returns. A span outside the accepted time is rejected.

    A large batch is committed in parts: see `parts`. `author` is the credential that sent them, for the evaluations in
    the spans' events.
    """
    # Before the lock, because they are in the other database.
    overrides, choice = current_overrides(workspace), label_choice(workspace)
    new = new_span_rows(workspace, decoded, author, choice)
    stored = store_parts(new, partial(store_part, workspace.id, overrides, choice))
    with rest_of_batch(is_stored_in_part=bool(new)):
        store_scores(workspace.id, decoded.scores)
    return stored.plus(count_copies(len(decoded.spans) - len(new)))


def new_span_rows(
    workspace: Workspace, decoded: Decoded, author: str | None, choice: LabelChoice
) -> dict[Key, SpanRow]:
    """Returns the accepted spans, each once. Adds the evaluations in their events to the scores."""
    store_content = settings.STORE_CONTENT and workspace.store_content
    oldest_content_ns = oldest_content(workspace.zone, datetime.now(UTC)).timestamp() * 1e9
    new: dict[Key, SpanRow] = {}
    for span in accepted_spans(decoded):
        span_row = new_span_row(span, store_content and span.start_ns >= oldest_content_ns, choice)
        if (first := new.setdefault(span_row.key, span_row)) is not span_row:
            first.merge(span_row, partial(fill_from_facts, choice))
        if span.events:
            decoded.scores += evaluations_of(span, author)
    return new


def store_part(
    workspace_id: UUID, overrides: Sequence[PriceOverride], choice: LabelChoice, new: Part
) -> tuple[int, int]:
    """Returns how many spans were not stored before, and how many of the stored ones have learned from a copy."""
    request = groups.request_of(new, overrides, choice)
    return groups.store_in_turn(workspace_id, request, partial(store_request, workspace_id))


def store_request(workspace_id: UUID, request: groups.Request) -> groups.Stored:
    """Stores the spans in one transaction."""
    # A workspace has one writer at a time, because the second record of a call may be in any trace.
    with writer.writing(workspace_id) as cursor:
        fill = partial(fill_from_facts, request.choice)
        stored = resolve_and_store(cursor, workspace_id, request.part, request.overrides, fill)
        stored.check_counts(request)
    arrivals.record_arrival(workspace_id)
    return stored


def store_scores(workspace_id: UUID, found: Sequence[scores.Score]) -> scores.StoreResult:
    """Stores the scores. They are committed when it returns."""
    if not found:
        return scores.StoreResult(0, 0, 0)
    with writer.writing(workspace_id) as cursor:
        stored = scores.store(cursor, workspace_id, found)
    arrivals.record_arrival(workspace_id)
    return stored


def accepted_spans(decoded: Decoded) -> list[Span]:
    """Returns the spans that began in the accepted time. Moves the others from `decoded.spans` to its rejections."""
    earliest_ns, latest_ns = (limit.timestamp() * 1e9 for limit in accepted_time())
    spans = [span for span in decoded.spans if earliest_ns <= span.start_ns <= latest_ns]
    if len(spans) < len(decoded.spans):
        note_refused(max(span.start_ns for span in decoded.spans) / 1e9)
    rejection = Rejection("time", f"the start {accepted_time_text()}")
    decoded.rejections += [rejection] * (len(decoded.spans) - len(spans))
    decoded.spans = spans
    return spans


def resolve_and_store(
    cursor: WriteCursor, workspace_id: UUID, new: Part, overrides: Sequence[PriceOverride], fill: Fill
) -> groups.Stored:
    """Stores the new spans and corrects the stored ones."""
    spans = related_spans(cursor, workspace_id, new, fill)
    added = [span for span in spans if span.is_new]
    learned = [span for span in spans if span.has_learned]
    if not added and not learned:
        return groups.NOTHING
    changed = resolve_rows(spans, overrides)
    added_rows, learned_rows = ([span.row for span in some] for some in (added, learned))
    accepted = writer.insert(cursor, workspace_id, added_rows) if added else 0
    writer.move(cursor, workspace_id, moved_rows(spans))
    if changed:
        writer.correct(cursor, workspace_id, changed)
    if learned:
        writer.merge(cursor, workspace_id, learned_rows)
    scores.correct(cursor, workspace_id, [*added_rows, *changed, *learned_rows])
    return groups.Stored(accepted, {span.key for span in added}, {span.key for span in learned})


# --- Filling rows from resolved spans ---


def resolve_rows(spans: list[SpanRow], overrides: Sequence[PriceOverride]) -> list[Row]:
    """Resolves the spans together, fills their rows and prices the calls.

    Returns the stored rows that changed, without those that have learned from a copy and those that are far.
    """
    set_missing_times(spans)
    stored = [span for span in spans if not span.is_new]
    values_before = [corrected_values(span.row) for span in stored]
    prices_before = stored_prices(stored)
    by_facts = {id(span.facts): span.row for span in spans}
    calls: list[pricing.CallToPrice] = []
    for result in resolve(span.facts for span in spans):
        row = by_facts[id(result.facts)]
        copy_resolved(row, result)
        if result.call is None:
            pricing.clear_price(row)
        elif price_basis(row, result) != prices_before.get((row.trace_id, row.span_id)):
            calls.append(call_to_price(row, result.call))
    pricing.price_calls(overrides, calls)
    return [
        span.row
        for span, before in zip(stored, values_before, strict=True)
        if not span.has_learned and not span.is_far and corrected_values(span.row) != before
    ]


def set_missing_times(spans: list[SpanRow]) -> None:
    """Lets a trace of the Agents SDK, which does not say when it began, begin with the first of its spans."""
    for timeless in [span for span in spans if span.facts.is_timeless]:
        facts = [span.facts for span in spans if span.facts.trace_id == timeless.facts.trace_id]
        starts = [span.timestamp for span in facts if not span.is_timeless]
        if starts:
            timeless.facts.timestamp = timeless.row.timestamp = min(starts)


PriceBasis = tuple[tuple[object, ...], tuple[object, ...]]


def stored_prices(stored: list[SpanRow]) -> dict[Key, PriceBasis]:
    """Returns the basis of the price of each stored span."""
    if not stored:
        return {}
    rows = {span.key: span.row for span in stored}
    results = resolve(span.stored_facts or span.facts for span in stored)
    keys = [(result.facts.trace_id, result.facts.span_id) for result in results]
    return {key: price_basis(rows[key], result) for key, result in zip(keys, results, strict=True)}


def price_basis(row: Row, result: ResolvedSpan) -> PriceBasis:
    """Returns everything that decides the price: columns of the row, and facts that another record may add."""
    call = result.call
    facts = (call.reported_cost_usd, call.reported_parts, call.used_model, call.requested_model) if call else ()
    return price_values(row), facts


def copy_resolved(row: Row, result: ResolvedSpan) -> None:
    """Copies all results of resolving into the row. The price is set later."""
    call = result.call
    row.operation = result.operation
    row.agent_id = result.agent_id
    row.user_id = result.user_id
    row.session_id = result.session_id
    row.environment = result.environment
    row.release = result.release
    row.labels = result.labels
    row.tool = result.facts.tool_name if result.operation == TOOL_OPERATION else None
    row.latency_ms = result.latency_ms
    row.first_token_ms = call.time_to_first_token_ms if call else None
    row.provider = provider_name(call.provider) if call else None
    row.model = call.model if call else None
    row.input_tokens = call.input_tokens if call else None
    row.output_tokens = call.output_tokens if call else None
    row.cache_read_tokens = call.cache_read_tokens if call else None
    row.cache_write_tokens = call.cache_write_tokens if call else None
    row.reasoning_tokens = call.reasoning_tokens if call else None
    row.usage_details = call.usage_details if call else None
    row.response_id = call.response_id if call else result.facts.response_id


def call_to_price(row: Row, call: SpanFacts) -> pricing.CallToPrice:
    models = tuple(name for name in (call.used_model, call.requested_model) if name)
    reported = Decimal(call.reported_cost_usd) if call.reported_cost_usd else None
    parts = {name: Decimal(usd) for name, usd in (call.reported_parts or {}).items()}
    return pricing.CallToPrice(row, models, reported, parts or None)
