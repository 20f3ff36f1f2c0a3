"""Puts the spans of a trace into the order of their tree, also where parents are missing or go in a circle."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from traces.row import CALL_OPERATIONS, TOOL_OPERATION

Span = Mapping[str, Any]
AGENT_OPERATIONS = ("invoke_agent", "invoke_workflow")


class Node(NamedTuple):
    span: Span
    level: int
    is_orphan: bool
    """Its parent is not stored: it has not arrived yet, or was never sent."""


def nodes_of(spans: Sequence[Span]) -> list[Node]:
    """Returns each span once, a parent before its children. The spans must be in the order of their starts."""
    known = {span["span_id"] for span in spans}
    children: dict[str, list[Span]] = defaultdict(list)
    tops = []
    for span in spans:
        parent = span["parent_span_id"]
        if parent in known and parent != span["span_id"]:
            children[parent].append(span)
        else:
            tops.append(span)
    found: list[Node] = []
    seen: set[str] = set()
    for span in tops:
        found += below(span, children, seen, is_orphan=span["parent_span_id"] is not None)
    # What is left goes in a circle. It begins with its first span.
    for span in spans:
        if span["span_id"] not in seen:
            found += below(span, children, seen, is_orphan=True)
    return found


def below(top: Span, children: Mapping[str, Iterable[Span]], seen: set[str], is_orphan: bool) -> Iterator[Node]:
    waiting = [(top, 0)]
    while waiting:
        span, level = waiting.pop()
        if span["span_id"] not in seen:
            seen.add(span["span_id"])
            yield Node(span, level, is_orphan and level == 0)
            waiting += [(child, level + 1) for child in reversed(list(children.get(span["span_id"], ())))]


def kind_of(operation: str) -> str:
    """Returns the kind by which a span is coloured."""
    if operation in CALL_OPERATIONS:
        return "call"
    if operation == TOOL_OPERATION:
        return "tool"
    return "agent" if operation in AGENT_OPERATIONS else "other"


def drawn(nodes: Iterable[Node]) -> list[list[Any]]:
    """Returns the rows that static/trace.js draws: short lists instead of objects, for a trace has thousands."""
    return [
        [
            node.span["span_id"],
            node.level,
            node.span["name"] or node.span["operation"],
            kind_of(node.span["operation"]),
            node.span["status"],
            round(node.span["start_ms"], 3),
            node.span["latency_ms"],
            node.span["first_token_ms"],
            node.is_orphan,
            node.span["model"] or node.span["tool"],
        ]
        for node in nodes
    ]
