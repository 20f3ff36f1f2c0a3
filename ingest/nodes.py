"""Spans as nodes of their traces, and how much the times of two records of a call may differ."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from ingest.operations import CALL_KINDS
from ingest.span_facts import SpanFacts

SLACK = timedelta(seconds=1)
"""Two records of a call may differ by this much, because clocks differ and callbacks come late."""
MAX_CALL_DURATION = timedelta(hours=1)
"""The time before a record in which the other record of its call is looked for."""


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
    call_above: Self | None = None
    """The nearest call among the spans above."""
    agent: str | None = None
    user: str | None = None
    session: str | None = None
    workflow: str | None = None

    @property
    def is_call(self) -> bool:
        return self.kind in CALL_KINDS

    @property
    def call_node(self) -> "Node":
        """Returns the node that counts as the call that this node records."""
        node = self
        while node.repeats is not None:
            node = node.repeats
        return node


def start_order(node: Node) -> tuple[datetime, str, str]:
    """Returns the key for sorting by start. The ids make the order the same in every run."""
    return node.facts.timestamp, node.facts.trace_id, node.facts.span_id
