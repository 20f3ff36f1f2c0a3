"""Carries a workspace's choice of labels into its stored rows, day by day, the newest first.

A row gets the labels that it would get if its trace arrived now. It can be stopped at any time and run again, while
spans arrive. Labels that a JSON item gives itself stay.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from ingest.labels import CHOSEN, LabelChoice, Labels, given_labels, joined, label_choice
from ingest.resolve import resolve
from ingest.span_facts import READ_AGAIN
from ingest.span_rows import SpanRow, around, fill_from_facts, stored_span_row, stored_spans
from traces import arrivals, lookup, scores, writer
from traces.filters import LATEST
from traces.row import Row
from traces.write_cursor import WriteCursor, write_cursor
from workspaces.models import Workspace

BATCH = 1_000
MAX_ROWS = 10_000
"""A day with more rows is written in several transactions: while one runs, the workspace's spans wait."""

RowKey = tuple[datetime, str, str]


@dataclass
class Changes:
    rows: int = 0
    """How many rows have other labels than before."""
    labels: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many rows a label is `added` to, `removed` from or `changed` in."""

    def add(self, before: Labels | None, after: Labels | None) -> None:
        old, new = before or {}, after or {}
        self.rows += old != new
        for label in old.keys() | new.keys():
            if old.get(label) != new.get(label):
                self.labels[label, "added" if label not in old else "changed" if label in new else "removed"] += 1


@dataclass(frozen=True)
class Relabelling:
    cursor: WriteCursor
    workspace_id: UUID
    choice: LabelChoice
    changes: Changes


def relabel(workspace_id: UUID, dry_run: bool, before: datetime = LATEST) -> Iterator[tuple[date, Changes]]:
    """Yields each day with rows before the moment, in UTC, and what has changed in them. A dry run changes nothing."""
    while day := newest_day(workspace_id, before):
        before = datetime.combine(day, time(), UTC)
        choice = label_choice(Workspace.objects.get(pk=workspace_id))  # it may have changed meanwhile
        yield day, relabel_day(workspace_id, choice, before, dry_run)


def newest_day(workspace_id: UUID, before: datetime) -> date | None:
    with write_cursor() as cursor:
        newest = lookup.newest_before(cursor, workspace_id, before)
    return newest.astimezone(UTC).date() if newest else None


def relabel_day(workspace_id: UUID, choice: LabelChoice, start: datetime, dry_run: bool) -> Changes:
    changes = Changes()
    after_key: RowKey | None = (start, "", "")
    while after_key:
        with write_cursor() if dry_run else writer.writing(workspace_id) as cursor:
            relabelling = Relabelling(cursor, workspace_id, choice, changes)
            after_key = relabel_part(relabelling, after_key, start + timedelta(days=1), dry_run)
    if changes.rows and not dry_run:
        arrivals.record_arrival(workspace_id)
    return changes


def relabel_part(relabelling: Relabelling, after_key: RowKey, end: datetime, dry_run: bool) -> RowKey | None:
    """Changes at most MAX_ROWS rows after the key. Returns the key of the last one; None after the end of the day."""
    for _ in range(MAX_ROWS // BATCH):
        rows = lookup.rows_after(relabelling.cursor, relabelling.workspace_id, after_key, end, BATCH)
        changed = relabel_rows(relabelling, rows)
        if changed and not dry_run:
            store(relabelling, changed)
        if len(rows) < BATCH:
            return None
        after_key = (rows[-1].timestamp, rows[-1].trace_id, rows[-1].span_id)
    return after_key


def store(relabelling: Relabelling, rows: Sequence[Row]) -> None:
    writer.merge(relabelling.cursor, relabelling.workspace_id, rows)
    scores.correct(relabelling.cursor, relabelling.workspace_id, rows)


def relabel_rows(relabelling: Relabelling, rows: Sequence[Row]) -> list[Row]:
    """Returns all rows that change: some of these, and others in the traces of these."""
    add_attributes(relabelling, rows)
    spans = [stored_span_row(row) for row in rows if "kind" in (row.span_facts or {})]
    changed_spans = [span for span in spans if has_other_labels(span, relabelling.choice)]
    items = [row for row in rows if "kind" not in (row.span_facts or {}) and relabel_item(relabelling, row)]
    return items + relabel_traces(relabelling, changed_spans)


def add_attributes(relabelling: Relabelling, rows: Sequence[Row]) -> None:
    attributes = lookup.attributes_of(relabelling.cursor, relabelling.workspace_id, rows)
    for row in rows:
        row.attributes = attributes[row.trace_id, row.span_id]


def relabel_item(relabelling: Relabelling, row: Row) -> bool:
    """Gives the row of a JSON item its labels. Returns whether the row changes."""
    labels, stated = row.labels, row.span_facts
    given = given_labels(row)
    chosen = relabelling.choice.labels_of_item(given, row.attributes)
    row.labels = joined(given, chosen)
    rest = {name: value for name, value in (stated or {}).items() if name != CHOSEN}
    row.span_facts = rest | ({CHOSEN: chosen} if chosen else {}) or None
    relabelling.changes.add(labels, row.labels)
    return row.labels != labels or (row.span_facts or {}) != (stated or {})


def has_other_labels(span: SpanRow, choice: LabelChoice) -> bool:
    """Returns whether the span itself states other labels than when it was stored. Reads those of now."""
    before = stated_labels(span)
    choice.read(span.facts, span.row.attributes)
    return stated_labels(span) != before


def stated_labels(span: SpanRow) -> list[Any]:
    return [getattr(span.facts, name) for name in READ_AGAIN]


def relabel_traces(relabelling: Relabelling, changed: Sequence[SpanRow]) -> list[Row]:
    """Resolves the traces of the changed spans again. Returns all rows that change.

    Only the labels are taken from the result. A repricing applies newer rules for the other columns.
    """
    if not changed:
        return []
    starts = [span.row.timestamp for span in changed]
    trace_ids = {span.row.trace_id for span in changed}
    within = around([(min(starts), max(starts))])
    spans = stored_spans(relabelling.cursor, relabelling.workspace_id, trace_ids, within, {})
    add_attributes(relabelling, [span.row for span in spans.values()])
    first_changed = first_of_traces([span for span in spans.values() if has_other_labels(span, relabelling.choice)])
    counted = {trace_id for trace_id, key in first_changed.items() if key in {span.key for span in changed}}
    rows = []
    for result in resolve(span.facts for span in spans.values()):
        span = spans[result.facts.trace_id, result.facts.span_id]
        if fill_labels(relabelling, span, result.labels, is_counted=span.row.trace_id in counted):
            rows.append(span.row)
    return rows


def first_of_traces(spans: Sequence[SpanRow]) -> dict[str, tuple[str, str]]:
    """Returns for each trace the span that is met first: a trace whose spans are met at several times counts once."""
    ordered = sorted(spans, key=order_of_meeting)
    return {span.row.trace_id: span.key for span in reversed(ordered)}


def order_of_meeting(span: SpanRow) -> tuple[int, datetime, str]:
    start = span.row.timestamp.astimezone(UTC)
    return -start.toordinal(), start, span.row.span_id


def fill_labels(relabelling: Relabelling, span: SpanRow, labels: Labels | None, is_counted: bool) -> bool:
    """Gives the row its labels. Returns whether the row changes."""
    row, before = span.row, (span.row.labels, span.row.span_facts)
    fill_from_facts(relabelling.choice, row, span.facts)
    row.labels = labels
    if is_counted:
        relabelling.changes.add(before[0], labels)
    return (row.labels, row.span_facts) != before
