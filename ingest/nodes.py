"""Spans as nodes of their traces, and how much the times of two records of a call may differ."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Self

from ingest.operations import CALL_KINDS
from ingest.span_facts import SpanFacts

SLACK = timedelta(seconds=1)
"""Two records of a call may differ by this much, because clocks differ and callbacks come late."""
MAX_CALL_DURATION = timedelta(hours=1)
"""The time before a record in which the other record of its call is looked for."""
NO_SCOPE: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class Node:
    """A span in its trace."""

    facts: SpanFacts
    kind: str
    """The span's own kind, until its trace shows another."""
    parent: Self | None = None
    children: list[Self] = field(default_factory=list)
    repeats: Self | None = None
    """The node that counts as the call, if this node only records the call again."""
    place: int = 0
    """The number of the node in its trace, in which the nodes below it follow it."""
    last_place: int = 0
    """The number of the last node below it."""
    call_above: Self | None = None
    """The nearest call among the spans above."""
    scopes: frozenset[str] = NO_SCOPE
    """The scopes of all spans that record this call, if the node is the call."""
    agent: str | None = None
    user: str | None = None
    session: str | None = None
    workflow: str | None = None
    environment: str | None = None
    release: str | None = None
    labels: dict[str, str] | None = None

    @property
    def is_call(self) -> bool:
        return self.kind in CALL_KINDS

    def join(self, other: "Node") -> bool:
        """Lets the call of `other` repeat the call of this node, if both can be one call.

        They cannot if a library would have recorded it twice, or if one is below the other: `repetitions` has decided
        about those. Returns whether it did.
        """
        call, repetition = self.call_node, other.call_node
        if call is repetition or call.scopes & repetition.scopes or is_below(self, other) or is_below(other, self):
            return False
        repetition.repeats = call
        call.scopes |= repetition.scopes
        return True

    @property
    def call_node(self) -> "Node":
        """Returns the node that counts as the call that this node records."""
        node = self
        while node.repeats is not None:
            node = node.repeats
        return node


@lru_cache(maxsize=1024)
def scope_set(scope: str) -> frozenset[str]:
    """Returns the scope as a set; an empty one for a span that does not say its scope."""
    return frozenset({scope}) if scope else NO_SCOPE


def is_below(node: Node, above: Node) -> bool:
    return node.facts.trace_id == above.facts.trace_id and above.place < node.place <= above.last_place


def start_order(node: Node) -> tuple[datetime, str, str]:
    """Returns the key for sorting by start. The ids make the order the same in every run."""
    return node.facts.timestamp, node.facts.trace_id, node.facts.span_id
