"""A span with its row, and the stored spans that it may change or that may change it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from ingest import client_rules, span_facts
from ingest.accepted_time import accepted_time
from ingest.attributes import Attributes
from ingest.pairings import link_of, linked_trace_ids
from ingest.read_span import read_span
from ingest.span_facts import SpanFacts
from ingest.spans import Span
from ingest.stored_attributes import stored_attributes
from traces import lookup
from traces.row import Row
from traces.write_cursor import WriteCursor

MAX_LINKED_TRACES = 5_000
"""The limit of traces that are resolved together. In an outage all calls may overlap, but must not all be loaded."""
# How long before and after the spans at hand other spans of their traces are looked for. TimescaleDB compresses chunks
# that are older than a week, and looking into a compressed chunk takes time.
SEARCH_DISTANCE = timedelta(days=7)

Key = tuple[str, str, datetime]


@dataclass(slots=True, eq=False)
class SpanRow:
    """The facts of a span and its row: new in this request, or stored before."""

    facts: SpanFacts
    row: Row
    stored_at: datetime | None
    """The timestamp under which it is stored; None if it is new."""

    @property
    def is_new(self) -> bool:
        return self.stored_at is None

    @property
    def key(self) -> Key:
        return self.facts.trace_id, self.facts.span_id, self.facts.timestamp


def new_span_row(span: Span, store_content: bool) -> SpanRow:
    attributes = Attributes(span.attributes)
    facts = read_span(span, attributes)
    row = Row(
        timestamp=facts.timestamp,
        trace_id=facts.trace_id,
        span_id=facts.span_id,
        parent_span_id=facts.parent_span_id,
        operation=facts.operation,
        agent_id="",
        name=facts.name or None,
        status=facts.status,
        error_type=facts.error_type,
        error_message=facts.error_message,
        attributes=stored_attributes(span, attributes, store_content),
        span_facts=span_facts.to_stored(facts),
        link=link_of(facts),
    )
    return SpanRow(facts, row, stored_at=None)


def stored_span_row(row: Row) -> SpanRow:
    return SpanRow(span_facts.from_row(row), row, stored_at=row.timestamp)


# --- Spans that are stored already ---


def related_spans(cursor: WriteCursor, workspace_id: UUID, new: dict[Key, SpanRow]) -> list[SpanRow]:
    """Returns the new spans, the stored spans of their traces, and of all traces with a record of the same calls.

    The search ends when every span of the request is stored already.
    """
    spans = dict(new)
    for trace_ids in linked_traces(cursor, workspace_id, spans, {span.facts.trace_id for span in new.values()}):
        stored = stored_spans(cursor, workspace_id, trace_ids, time_range(spans.values()))
        spans |= stored
        drop_repeated_traces(spans, stored.values())
        if not any(span.is_new for span in spans.values()):
            break
    return list(spans.values())


def linked_traces(
    cursor: WriteCursor, workspace_id: UUID, spans: dict[Key, SpanRow], trace_ids: set[str]
) -> Iterator[set[str]]:
    """Yields `trace_ids`, then step by step the ids of the traces that are linked to `spans`.

    Between two steps the caller adds the stored spans of these traces to `spans`. It ends when no other trace is
    linked, or when there are too many.
    """
    seen: set[str] = set()
    while trace_ids:
        yield trace_ids
        seen |= trace_ids
        if len(seen) > MAX_LINKED_TRACES:
            break
        trace_ids = linked_trace_ids(cursor, workspace_id, (span.facts for span in spans.values())) - seen


def stored_spans(
    cursor: WriteCursor, workspace_id: UUID, trace_ids: set[str], within: tuple[datetime, datetime]
) -> dict[Key, SpanRow]:
    rows = lookup.spans_of_traces(cursor, workspace_id, trace_ids, within)
    return {span.key: span for span in map(stored_span_row, rows)}


def drop_repeated_traces(spans: dict[Key, SpanRow], stored: Iterable[SpanRow]) -> None:
    """Drops new spans without a time that are stored already: at each arrival they get another time, so another key."""
    for span in stored:
        if span.facts.is_timeless:
            for key in [key for key, other in spans.items() if other.is_new and key[:2] == span.key[:2]]:
                del spans[key]


def time_range(spans: Iterable[SpanRow]) -> tuple[datetime, datetime]:
    """Returns the time in which other spans of these traces can have begun."""
    facts = [span.facts for span in spans]
    if any(span.trace_id.startswith(client_rules.TIMELESS_TRACE_IDS) for span in facts):
        # Such a trace is stored with the time of its arrival until one of its spans arrives, however late.
        return accepted_time()
    starts = [span.timestamp for span in facts]
    return min(starts) - SEARCH_DISTANCE, max(starts) + SEARCH_DISTANCE
