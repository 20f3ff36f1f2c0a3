"""A span with its row, and the stored spans that it may change or that may change it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from ingest import client_rules, span_facts
from ingest.accepted_time import accepted_time
from ingest.attributes import Attributes
from ingest.copies import merge_attributes, merge_facts
from ingest.labels import LabelChoice
from ingest.pairings import link_of, linked_trace_ids
from ingest.read_span import read_span
from ingest.span_facts import SpanFacts
from ingest.spans import Span
from ingest.stored_attributes import stored_attributes
from traces import engines, lookup
from traces.row import Row
from traces.write_cursor import WriteCursor

MAX_LINKED_TRACES = 5_000
"""The limit of traces that are resolved together. In an outage all calls may overlap, but must not all be loaded."""
MAX_STREAM_TRACES = 100
"""Above so many traces, others are looked for only two links away from the spans at hand."""
# How long before and after the spans at hand other spans of their traces are looked for. TimescaleDB compresses chunks
# that are older than a week, and looking into a compressed chunk takes time. Only roots are looked for farther away.
SEARCH_DISTANCE = timedelta(days=7)

Period = tuple[datetime, datetime]
Fill = Callable[[Row, SpanFacts], None]
"""Fills a row whose attributes are complete from the facts."""
Key = tuple[str, str]
"""The ids of the trace and the span, which identify the span whatever its start."""


@dataclass(slots=True, eq=False)
class SpanRow:
    """The facts of a span and its row: new in this request, or stored before."""

    facts: SpanFacts
    row: Row
    stored_at: datetime | None
    """The timestamp under which it is stored; None if it is new."""
    stored_facts: SpanFacts | None = None
    """The stored facts, if a copy of the span in this request has added others."""
    is_far: bool = False
    """It is known only to decide about others: records of its own call may be missing here."""

    @property
    def is_new(self) -> bool:
        return self.stored_at is None

    @property
    def has_learned(self) -> bool:
        return self.stored_facts is not None

    @property
    def key(self) -> Key:
        return self.facts.trace_id, self.facts.span_id

    def merge(self, copy: "SpanRow", fill: Fill) -> None:
        """Adds what another copy of the span knows. `fill` fills the row from the facts."""
        if self.is_repeated_by(copy):
            return
        facts = merge_facts(self.facts, copy.facts)
        attributes = merge_attributes(self.row.attributes, self.facts, copy.row.attributes, copy.facts, facts)
        if facts == self.facts and attributes == self.row.attributes:
            return
        if not self.is_new:
            self.stored_facts = self.stored_facts or self.facts
        self.facts = facts
        self.row.attributes = attributes
        fill(self.row, facts)

    def is_repeated_by(self, copy: "SpanRow") -> bool:
        """Returns whether the copy says the same, as when a batch is sent again. Comparing fields takes much longer."""
        facts = self.facts
        has_one_source = facts.ranks is None and facts.lone_end_us is None
        return has_one_source and facts == copy.facts and self.row.attributes == copy.row.attributes


def new_span_row(span: Span, store_content: bool, choice: LabelChoice) -> SpanRow:
    attributes = Attributes(span.attributes, span.name)
    facts = read_span(span, attributes)
    row = Row(
        timestamp=facts.timestamp,
        trace_id=facts.trace_id,
        span_id=facts.span_id,
        operation=facts.operation,
        agent_id="",
        attributes=stored_attributes(span, attributes, store_content),
    )
    fill_from_facts(choice, row, facts)
    return SpanRow(facts, row, stored_at=None)


def fill_from_facts(choice: LabelChoice, row: Row, facts: SpanFacts) -> None:
    """Fills the columns that the span alone decides. Reads its labels from its attributes."""
    choice.read(facts, row.attributes)
    row.timestamp = facts.timestamp
    row.parent_span_id = facts.parent_span_id
    row.name = facts.name or None
    row.status = facts.status
    row.error_type = facts.error_type
    row.error_message = facts.error_message
    row.span_facts = span_facts.to_stored(facts)
    row.link = link_of(facts)


def stored_span_row(row: Row) -> SpanRow:
    return SpanRow(span_facts.from_row(row), row, stored_at=row.timestamp)


def moved_rows(spans: Iterable[SpanRow]) -> list[tuple[Row, datetime]]:
    """Returns the stored rows whose start a copy has changed, with the start under which they are stored."""
    stored = [(span.row, span.stored_at) for span in spans if span.stored_at is not None]
    return [(row, stored_at) for row, stored_at in stored if stored_at != row.timestamp]


# --- Spans that are stored already ---


def related_spans(cursor: WriteCursor, workspace_id: UUID, new: dict[Key, SpanRow], fill: Fill) -> list[SpanRow]:
    """Returns the new spans, the stored spans of their traces, and of all traces with a record of the same calls.

    A span that is stored already gets what its new copy knows. The search ends when no copy knows more.
    """
    spans = dict(new)
    own = {span.facts.trace_id for span in new.values()}
    for trace_ids, is_far in linked_traces(cursor, workspace_id, spans, own):
        within = time_range(span.facts for span in spans.values())
        stored = stored_spans(cursor, workspace_id, trace_ids, within, spans)
        merge_copies(cursor, workspace_id, stored, new, fill)
        for span in stored.values():
            span.is_far = is_far
        spans |= stored
        if not any(span.is_new or span.has_learned for span in spans.values()):
            break
    return list(spans.values())


def linked_traces(
    cursor: WriteCursor, workspace_id: UUID, spans: dict[Key, SpanRow], trace_ids: set[str]
) -> Iterator[tuple[set[str], bool]]:
    """Yields `trace_ids`, then step by step the ids of the traces that are linked to `spans`.

    Between two steps the caller adds the stored spans of these traces to `spans`. It ends when no other trace is
    linked. In a stream of calls that overlap all would be linked: then the second step or a later one is the last. It
    yields with each step whether it is that one.
    """
    asked: set[Key] = set()
    seen: set[str] = set()
    for step in count():
        seen |= trace_ids
        is_last = step > 1 and len(seen) > MAX_STREAM_TRACES
        yield trace_ids, is_last
        if is_last or len(seen) > MAX_LINKED_TRACES:
            break
        added = [span.facts for key, span in spans.items() if key not in asked]
        asked |= spans.keys()
        trace_ids = linked_trace_ids(cursor, workspace_id, added) - seen
        if not trace_ids:
            break


def stored_spans(
    cursor: WriteCursor,
    workspace_id: UUID,
    trace_ids: set[str],
    within: Period,
    spans: Mapping[Key, SpanRow],
) -> dict[Key, SpanRow]:
    """Returns the stored spans of the traces that began in the period, or near a root that began long before it."""
    rows = lookup.spans_of_traces(cursor, workspace_id, trace_ids, within)
    found = {span.key: span for span in map(stored_span_row, rows)}
    orphaned = traces_with_missing_parents({**spans, **found}) & trace_ids
    if orphaned and engines.current().finds_old_rows:
        roots = lookup.roots_of_traces(cursor, workspace_id, orphaned, accepted_time())
        if far := [root for root in roots if not within[0] <= root.timestamp <= within[1]]:
            ids = {root.trace_id for root in far}
            rows = lookup.spans_of_traces(cursor, workspace_id, ids, around([within, *map(period, far)]))
            found |= {span.key: span for span in map(stored_span_row, rows)}
    return found


def traces_with_missing_parents(spans: Mapping[Key, SpanRow]) -> set[str]:
    return {
        trace_id
        for (trace_id, _), span in spans.items()
        if span.facts.parent_span_id and (trace_id, span.facts.parent_span_id) not in spans
    }


def merge_copies(
    cursor: WriteCursor,
    workspace_id: UUID,
    stored: Mapping[Key, SpanRow],
    new: Mapping[Key, SpanRow],
    fill: Fill,
) -> None:
    """Adds what the new copies of stored spans know."""
    copies = [(span, new[key]) for key, span in stored.items() if key in new]
    attributes = lookup.attributes_of(cursor, workspace_id, [span.row for span, _ in copies])
    for span, copy in copies:
        span.row.attributes = attributes[span.key]
        span.merge(copy, fill)


# --- The time in which other spans of a trace can have begun ---


def time_range(spans: Iterable[SpanFacts]) -> Period:
    facts = list(spans)
    if any(span.is_timeless or span.trace_id.startswith(client_rules.TIMELESS_TRACE_IDS) for span in facts):
        # Such a trace is stored with the time of its arrival until one of its spans arrives, however late.
        return accepted_time()
    return around([(min(span.timestamp for span in facts), max(span.end for span in facts))])


def period(root: lookup.Root) -> Period:
    return root.timestamp, root.timestamp + timedelta(milliseconds=root.latency_ms or 0)


def around(periods: Sequence[Period]) -> Period:
    """Returns the accepted time from SEARCH_DISTANCE before the first of the periods to as long after the last."""
    earliest, latest = accepted_time()
    first = min(start for start, _ in periods) - SEARCH_DISTANCE
    last = max(end for _, end in periods) + SEARCH_DISTANCE
    return max(first, earliest), min(last, latest)
