"""Joins the contents of the spans of a trace, or of the traces of a session, into one conversation, each part once.

Every call repeats what was said before it, agents repeat what their calls said, and some calls are recorded twice. So a
part of an input is new only if it occurs in this input more often than in the conversation so far.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from explorer.content import Message, Part, SpanContent, content_of
from traces.row import CALL_OPERATIONS, TOOL_OPERATION

PartKey = tuple[str, str, str, str]
SpanKey = tuple[str, str]
"""The ids of a trace and of a span in it."""
SAID, ASKED, ANSWERED_AT_ONCE = 0, 1, 2
"""What comes first at one moment: the answer of the span before, then the input of the next."""


@dataclass(frozen=True, slots=True)
class Record:
    """A span with content."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    operation: str
    name: str
    agent_id: str
    model: str | None
    tool: str | None
    status: str
    started_at: datetime
    latency_ms: float
    content: SpanContent

    @property
    def key(self) -> SpanKey:
        return self.trace_id, self.span_id

    @property
    def parent_key(self) -> SpanKey | None:
        return (self.trace_id, self.parent_span_id) if self.parent_span_id else None


class Turn(NamedTuple):
    """A message of the conversation, and the span that first recorded it."""

    message: Message
    record: Record


class Step(NamedTuple):
    """A moment at which a span asked or answered."""

    at: datetime
    phase: int
    record: Record
    messages: Sequence[Message]


def record_of(row: Mapping[str, Any], attributes: Mapping[str, Any]) -> Record:
    return Record(
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        parent_span_id=row["parent_span_id"],
        operation=row["operation"],
        name=row["name"] or "",
        agent_id=row["agent_id"],
        model=row["model"],
        tool=row["tool"],
        status=row["status"],
        started_at=row["timestamp"],
        latency_ms=row["latency_ms"] or 0.0,
        content=content_of(attributes, row["operation"], row["tool"] or row["name"]),
    )


def conversation(records: Iterable[Record]) -> list[Turn]:
    """Returns the messages of the spans in the order in which they were said."""
    heard = Heard()
    turns = []
    for step in steps(speaking(list(records))):
        for message in new_messages(step, heard):
            named = heard.named(message)
            turns.append(Turn(named, step.record))
            heard.add(named)
    return turns


@dataclass
class Heard:
    """The conversation so far."""

    parts: Counter[PartKey] = field(default_factory=Counter)
    calls: Counter[str | None] = field(default_factory=Counter)
    """How often the model has called each tool."""
    runs: Counter[str | None] = field(default_factory=Counter)
    """How often each tool has run."""
    tools: dict[str, str | None] = field(default_factory=dict)
    """The tool of each call, by the call's id."""

    waiting: list[str | None] = field(default_factory=list)
    """The tools that were called and have no result yet."""

    def add(self, message: Message) -> None:
        for part in message.parts:
            self.parts[key_of(message, part)] += 1
            if part.kind == "tool_call":
                self.calls[part.name] += 1
                self.waiting.append(part.name)
                if part.call_id:
                    self.tools[part.call_id] = part.name
            elif part.kind == "tool_result" and part.name in self.waiting:
                self.waiting.remove(part.name)

    def named(self, message: Message) -> Message:
        """Returns the message with the name of the tool in each result that has only the id of its call, or none."""
        parts = (
            replace(part, name=self.tool_of(part)) if part.kind == "tool_result" and not part.name else part
            for part in message.parts
        )
        return replace(message, parts=tuple(parts))

    def tool_of(self, result: Part) -> str | None:
        """Returns the tool by the id of its call; without that, the only one that waits for a result."""
        only = self.waiting[0] if len(self.waiting) == 1 else None
        return self.tools.get(result.call_id or "", only)


def speaking(records: list[Record]) -> list[Record]:
    """Leaves out spans that only repeat what the calls and tools below them say, or the call above them."""
    parents = {record.key: record.parent_key for record in records}
    above: set[SpanKey] = set()
    for record in records:
        key = record.parent_key if has_content(record) else None
        while key and key not in above:
            above.add(key)
            key = parents.get(key)
    calls = {record.key for record in records if record.operation in CALL_OPERATIONS and has_content(record)}
    return [
        record
        for record in records
        if has_content(record) and (is_leaf(record) or (record.key not in above and record.parent_key not in calls))
    ]


def has_content(record: Record) -> bool:
    return bool(record.content.inputs or record.content.outputs)


def is_leaf(record: Record) -> bool:
    """Tells whether the span is a call of a model or a tool, which speaks for itself."""
    return record.operation in CALL_OPERATIONS or record.operation == TOOL_OPERATION


def steps(records: Iterable[Record]) -> list[Step]:
    found = []
    for record in records:
        ended = record.started_at + timedelta(milliseconds=record.latency_ms)
        phase = SAID if ended > record.started_at else ANSWERED_AT_ONCE
        found.append(Step(record.started_at, ASKED, record, record.content.inputs))
        found.append(Step(ended, phase, record, record.content.outputs))
    return sorted(found, key=lambda step: (step.at, step.phase))


def new_messages(step: Step, heard: Heard) -> list[Message]:
    """Returns the messages of the step without the parts that the conversation has."""
    record = step.record
    if step.phase != ASKED and is_leaf(record):
        return [message for message in step.messages if message.parts]
    if record.operation == TOOL_OPERATION:
        # The model has called the tool already, unless it runs more often than it was called.
        heard.runs[record.tool] += 1
        return [] if heard.runs[record.tool] <= heard.calls[record.tool] else list(step.messages)
    seen: Counter[PartKey] = Counter()
    found = [replace(message, parts=tuple(new_parts(message, heard, seen))) for message in step.messages]
    new = [message for message in found if message.parts]
    # The same question again is a question of its own.
    is_asked_again = is_leaf(record) and not new and step.messages and step.messages[-1].role == "user"
    return [step.messages[-1]] if is_asked_again else new


def new_parts(message: Message, heard: Heard, seen: Counter[PartKey]) -> Iterator[Part]:
    for part in message.parts:
        key = key_of(message, part)
        seen[key] += 1
        if seen[key] > heard.parts[key]:
            yield part


def key_of(message: Message, part: Part) -> PartKey:
    return (message.role if part.kind == "text" else "", *part.key)
