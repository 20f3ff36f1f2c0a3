"""Spans into `traces`: resolved with what is stored of their traces, stored rows corrected, in one transaction."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import compress
from operator import attrgetter, ne
from typing import Any
from uuid import UUID

from django.conf import settings

from ingest.attributes import Attributes
from ingest.attribution import Resolved, model_of, resolve
from ingest.contents import kept_of
from ingest.links import link_of, linked_trace_ids
from ingest.mapping import Said, said
from ingest.spans import Decoded, Span
from prices import pricing
from prices.models import PriceOverride
from traces import arrivals, lookup, writer
from traces.row import CORRECTED_COLUMNS, Row
from traces.write_cursor import WriteCursor
from workspaces.models import Workspace

LONGEST_AHEAD = timedelta(hours=1)
MOST_LINKED_TRACES = 5_000
"""Traces that are resolved together: an outage in which all calls overlap must not load the whole workspace."""
IDENTITY = ("trace_id", "span_id", "parent_span_id", "timestamp", "name", "status", "error_type", "error_message")
BESIDE = [one for one in fields(Said) if one.name not in IDENTITY]
BESIDE_NAMES = tuple(one.name for one in BESIDE)
BESIDE_DEFAULTS = tuple(one.default for one in BESIDE)
beside = attrgetter(*BESIDE_NAMES)
corrected = attrgetter(*CORRECTED_COLUMNS)
priced_by = attrgetter(
    "operation",
    "provider",
    "model",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
)
Key = tuple[str, str, datetime]

# A trace's spans are looked for so far before and after those given. TimescaleDB compresses what is older than a week,
# and each compressed chunk to look into takes time.
NEAR = timedelta(days=7)
AGENTS_SDK_TRACE = "trace_"


@dataclass(slots=True, eq=False)
class Known:
    """A span and its row: of this request, or stored before."""

    said: Said
    row: Row
    stored_at: datetime | None
    """The timestamp under which it is stored; None of a new one."""

    @property
    def is_new(self) -> bool:
        return self.stored_at is None

    @property
    def key(self) -> Key:
        return self.said.trace_id, self.said.span_id, self.said.timestamp


def record(workspace: Workspace, decoded: Decoded) -> writer.Stored:
    """Committed when it returns. Spans out of time join the refused."""
    workspace_id = workspace.id
    store_content = settings.STORE_CONTENT and workspace.store_content
    given: dict[Key, Known] = {}
    for span in timely(decoded):
        known = new(span, store_content)
        given.setdefault(known.key, known)
    if not given:
        return writer.Stored(0, 0)
    overrides = pricing.overrides_of(workspace_id)  # before the lock: it is in the other database
    # One writer per workspace: a call may have its second record in any trace.
    with writer.writing(workspace_id) as cursor:
        accepted = resolve_and_store(cursor, workspace_id, given, overrides)
    arrivals.note_arrival(workspace_id)
    return writer.Stored(accepted, len(decoded.spans) - accepted)


def timely(decoded: Decoded) -> list[Span]:
    now = datetime.now(UTC)
    earliest_ns = (now - timedelta(days=settings.RETENTION_DAYS)).timestamp() * 1e9
    latest_ns = (now + LONGEST_AHEAD).timestamp() * 1e9
    in_time = [span for span in decoded.spans if earliest_ns <= span.start_ns <= latest_ns]
    decoded.refused += [
        f"the start must lie within the last {settings.RETENTION_DAYS} days and at most 1 hour ahead"
    ] * (len(decoded.spans) - len(in_time))
    decoded.spans = in_time
    return in_time


def new(span: Span, store_content: bool) -> Known:
    attributes = Attributes(span.attributes)
    told = said(span, attributes)
    row = Row(
        timestamp=told.timestamp,
        trace_id=told.trace_id,
        span_id=told.span_id,
        parent_span_id=told.parent_span_id,
        operation=told.operation,
        agent_id="",
        name=told.name or None,
        status=told.status,
        error_type=told.error_type,
        error_message=told.error_message,
        attributes=kept_of(span, attributes, store_content),
        span_facts=kept_beside(told),
        link=link_of(told),
    )
    return Known(told, row, stored_at=None)


def kept_beside(told: Said) -> dict[str, Any]:
    values = beside(told)
    return dict(compress(zip(BESIDE_NAMES, values, strict=True), map(ne, values, BESIDE_DEFAULTS)))


def resolve_and_store(
    cursor: WriteCursor, workspace_id: UUID, given: dict[Key, Known], overrides: list[PriceOverride]
) -> int:
    known = with_stored(cursor, workspace_id, given)
    fresh = [one.row for one in known if one.is_new]
    if not fresh:
        return 0
    changed = settle(known, overrides)
    accepted = writer.insert(cursor, workspace_id, fresh)
    for one in known:
        if one.stored_at is not None and one.stored_at != one.row.timestamp:
            writer.move(cursor, workspace_id, one.row, one.stored_at)
    if changed:
        writer.correct(cursor, workspace_id, changed)
    return accepted


def settle(known: list[Known], overrides: list[PriceOverride]) -> list[Row]:
    """Every row as it is now known to be; returns the stored ones that were not so."""
    begin_with_their_spans(known)
    by_said = {id(one.said): one for one in known}
    stored_before = [one for one in known if not one.is_new]
    before = [(one.row, corrected(one.row)) for one in stored_before]
    told_before = {id(result.said): told_price(result) for result in resolve(one.said for one in stored_before)}
    unpriced: list[pricing.Call] = []
    for result in resolve(one.said for one in known):
        one = by_said[id(result.said)]
        was_priced_by = None if one.is_new else (priced_by(one.row), told_before[id(one.said)])
        fill(one.row, result)
        if result.call is None:
            one.row.cost_usd, one.row.cost_source, one.row.price_id = None, None, None
        elif (priced_by(one.row), told_price(result)) != was_priced_by:
            unpriced.append(to_price(one.row, result.call))
    pricing.price_calls(overrides, unpriced)
    return [row for row, old in before if corrected(row) != old]


def told_price(result: Resolved) -> tuple[str | None, ...]:
    """What of the spans decides a call's price and is not in its row. A record that comes later may bring it."""
    call = result.call
    return (call.reported_cost_usd, call.service_tier, call.used_model, call.requested_model) if call else ()


def begin_with_their_spans(known: list[Known]) -> None:
    """Traces of the Agents SDK do not say when they began."""
    for timeless in [one for one in known if one.said.timeless]:
        trace_id = timeless.said.trace_id
        starts = [one.said.timestamp for one in known if one.said.trace_id == trace_id and not one.said.timeless]
        if starts:
            timeless.said.timestamp = timeless.row.timestamp = min(starts)


def fill(row: Row, result: Resolved) -> None:
    """All of it but the price."""
    call = result.call
    row.operation = result.operation
    row.agent_id = result.agent_id
    row.user_id = result.user_id
    row.session_id = result.session_id
    row.latency_ms = result.latency_ms
    row.provider = call.provider if call else None
    row.model = model_of(call) if call else None
    row.input_tokens = call.input_tokens if call else None
    row.output_tokens = call.output_tokens if call else None
    row.cache_read_tokens = call.cache_read_tokens if call else None
    row.cache_write_tokens = call.cache_write_tokens if call else None
    row.reasoning_tokens = call.reasoning_tokens if call else None
    row.response_id = call.response_id if call else result.said.response_id


def to_price(row: Row, call: Said) -> pricing.Call:
    models = tuple(name for name in (call.used_model, call.requested_model) if name)
    reported = Decimal(call.reported_cost_usd) if call.reported_cost_usd else None
    return pricing.Call(row, models, reported, call.service_tier)


# --- What is stored already ---


def with_stored(cursor: WriteCursor, workspace_id: UUID, given: dict[Key, Known]) -> list[Known]:
    """The given spans, the stored spans of their traces, and of all traces that hold a record of the same calls."""
    known = dict(given)
    asked: set[str] = set()
    trace_ids = {one.said.trace_id for one in given.values()}
    while trace_ids:
        found = stored(cursor, workspace_id, trace_ids, reach(known.values()))
        known |= {one.key: one for one in found}
        forget_repeated_traces(known, found)
        if not any(one.is_new for one in known.values()):
            break
        asked |= trace_ids
        if len(asked) > MOST_LINKED_TRACES:
            break
        said_so_far = [one.said for one in known.values()]
        trace_ids = linked_trace_ids(cursor, workspace_id, said_so_far) - asked
    return list(known.values())


def forget_repeated_traces(known: dict[Key, Known], found: list[Known]) -> None:
    """What has no time of its own has another key each time it comes."""
    for one in found:
        if one.said.timeless:
            for key in [key for key, other in known.items() if other.is_new and key[:2] == one.key[:2]]:
                del known[key]


def reach(known: Iterable[Known]) -> tuple[datetime, datetime]:
    """Between when the other spans of these traces can have begun."""
    if any(one.said.trace_id.startswith(AGENTS_SDK_TRACE) for one in known):
        # Such a trace is stored as of its arrival until one of its spans is, however late that arrives.
        now = datetime.now(UTC)
        return now - timedelta(days=settings.RETENTION_DAYS), now + LONGEST_AHEAD
    moments = [one.said.timestamp for one in known]
    return min(moments) - NEAR, max(moments) + NEAR


def stored(
    cursor: WriteCursor, workspace_id: UUID, trace_ids: set[str], within: tuple[datetime, datetime]
) -> list[Known]:
    return [from_stored(row) for row in lookup.spans_of_traces(cursor, workspace_id, trace_ids, within)]


def from_stored(row: Row) -> Known:
    identity = {name: getattr(row, name) for name in IDENTITY}
    identity["name"] = identity["name"] or ""
    return Known(Said(**identity, **(row.span_facts or {})), row, stored_at=row.timestamp)
