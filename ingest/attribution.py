"""What only the whole trace can tell: which spans repeat a call, and whose agent, user and session a span has.

A pure function of all spans known so far, so that any order and any split into requests ends in the same rows.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ingest import conventions as c
from ingest.mapping import Said, base_model

SLACK = timedelta(seconds=1)
"""Clocks and callbacks: a repetition may begin or end this much outside the call."""
CONTAINED_SLACK = timedelta(milliseconds=50)
FILLED = (
    "requested_model",
    "used_model",
    "response_id",
    "provider",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "reported_cost_usd",
    "service_tier",
)


@dataclass(slots=True, eq=False)
class Node:
    """A span in its trace."""

    said: Said
    kind: str
    parent: "Node | None" = None
    children: list["Node"] = field(default_factory=list)
    repeats: "Node | None" = None
    """The call that this span is another record of."""
    call_above: "Node | None" = None
    agent: str | None = None
    user: str | None = None
    session: str | None = None
    workflow: str | None = None

    @property
    def is_call(self) -> bool:
        return self.kind in ("llm", "raw", "embedding")

    @property
    def call(self) -> "Node":
        node = self
        while node.repeats is not None:
            node = node.repeats
        return node


@dataclass(slots=True)
class Resolved:
    said: Said
    operation: str
    agent_id: str
    user_id: str | None
    session_id: str | None
    latency_ms: float | None
    call: Said | None
    """Of a call that counts: everything known of it, from all spans that record it."""


def resolve(spans: Iterable[Said]) -> list[Resolved]:
    nodes = sorted((Node(said, said.kind) for said in spans), key=age)
    traces: dict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        traces[node.said.trace_id].append(node)
    for members in traces.values():
        for node in top_down(members):
            inherit(node)
        share_over_trace(members)
    pair_by_response_id(nodes)
    pair_failed_sdk_calls(nodes)
    pair_stream_logs(nodes)
    records: dict[int, list[Node]] = defaultdict(list)
    for node in nodes:
        if node.repeats is not None:
            records[id(node.call)].append(node)
    return [resolved(node, records.get(id(node), [])) for node in nodes]


def age(node: Node) -> tuple[datetime, str, str]:
    return node.said.timestamp, node.said.trace_id, node.said.span_id


def top_down(members: list[Node]) -> list[Node]:
    """The trace's spans, parents first. Links them; a cycle is cut at its oldest span."""
    by_id: dict[str, Node] = {}
    for node in members:
        by_id.setdefault(node.said.span_id, node)
    for node in members:
        parent = by_id.get(node.said.parent_span_id or "")
        if parent is not None and parent is not node:
            node.parent = parent
            parent.children.append(node)
    ordered = from_tops([node for node in members if node.parent is None])
    if len(ordered) < len(members):
        seen = {id(node) for node in ordered}
        for node in members:
            if id(node) not in seen:
                if node.parent is not None:
                    node.parent.children.remove(node)
                    node.parent = None
                found = from_tops([node])
                ordered += found
                seen |= {id(one) for one in found}
    reconsider_kinds(ordered)
    return ordered


def from_tops(tops: list[Node]) -> list[Node]:
    ordered = list(tops)
    for node in ordered:
        ordered += node.children
    return ordered


def reconsider_kinds(ordered: list[Node]) -> None:
    for node in ordered:
        if node.said.merged and any(child.kind == "raw" for child in node.children):
            node.kind = "agent"
        if node.kind == "agent" and node.said.agent_is_named:
            top = node
            while top.parent is not None:
                top = top.parent
            if top.kind == "agent" and not top.said.agent_is_named and top.said.parent_span_id is None:
                top.kind = "workflow"


def inherit(node: Node) -> None:
    """From the span above, which has inherited already."""
    said, above = node.said, node.parent
    node.agent = said.agent if node.kind != "workflow" or said.agent_is_named else None
    node.user, node.session, node.workflow = said.user, said.session, said.workflow
    if above is None:
        return
    node.agent = node.agent or above.agent
    node.user = node.user or above.user
    if above.session and (node.session is None or c.GENERATED_ID.match(node.session)):
        node.session = above.session
    node.workflow = node.workflow or above.workflow
    node.call_above = above if above.is_call else above.call_above
    if node.is_call and node.call_above is not None and repeats(said, node.call_above.said):
        node.repeats = node.call_above


def repeats(inner: Said, outer: Said) -> bool:
    """Two response ids are two calls, but LiteLLM invents one of its own."""
    if c.LITELLM_SCOPE in (inner.scope, outer.scope):
        return True
    return not (inner.response_id and outer.response_id and inner.response_id != outer.response_id)


def share_over_trace(members: list[Node]) -> None:
    """Root first, then the oldest."""
    roots_first = sorted(members, key=lambda node: node.said.parent_span_id is not None)
    user = next((node.said.user for node in roots_first if node.said.user), None)
    session = next((node.said.session for node in roots_first if node.said.session), None)
    workflow = next((node.said.workflow for node in roots_first if node.said.workflow), None)
    for node in members:
        node.user = node.user or user
        node.session = node.session or session
        node.workflow = node.workflow or workflow


def end(said: Said) -> datetime:
    return said.timestamp + timedelta(milliseconds=said.latency_ms or 0)


def is_sdk_root(said: Said) -> bool:
    """Under LangChain's callbacks the Anthropic SDK knows no span above its own."""
    return said.scope == c.ANTHROPIC_SDK_SCOPE and said.parent_span_id is None


def pair_by_response_id(nodes: list[Node]) -> None:
    groups: dict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        if node.is_call and node.repeats is None and node.said.response_id:
            groups[node.said.response_id].append(node)
    for group in groups.values():
        while len(group) > 1:
            first, *others = sorted(group, key=lambda node: (is_sdk_root(node.said), age(node)))
            group = []
            for other in others:
                if overlap(first.said, other.said):
                    other.repeats = first
                else:
                    group.append(other)


def overlap(one: Said, other: Said) -> bool:
    """A response id that comes back later is an answer out of some cache, not the same call."""
    return one.timestamp <= end(other) + SLACK and other.timestamp <= end(one) + SLACK


def pair_failed_sdk_calls(nodes: list[Node]) -> None:
    """A failed call has no response id: the same model, within the time of the call around it."""
    failed = [n for n in nodes if n.kind == "llm" and n.repeats is None and n.said.status != "success"]
    for inner in failed:
        if not is_sdk_root(inner.said) or inner.said.response_id:
            continue
        around = [outer for outer in failed if contains_failed(outer.said, inner.said)]
        if around:
            inner.repeats = min(around, key=lambda node: (node.said.latency_ms or 0, age(node)))


def contains_failed(outer: Said, inner: Said) -> bool:
    return (
        not is_sdk_root(outer)
        and model_of(outer) == model_of(inner)
        and outer.timestamp - CONTAINED_SLACK <= inner.timestamp
        and end(inner) <= end(outer) + CONTAINED_SLACK
    )


def model_of(said: Said) -> str | None:
    return base_model(said.used_model or said.requested_model)


def pair_stream_logs(nodes: list[Node]) -> None:
    """Logfire tells of a stream twice: the request without usage, and a log with usage once it has ended."""
    logs = [node for node in nodes if node.kind == "usage_log"]
    if not logs:
        return
    requests = [node for node in nodes if is_stream_request(node.said)]
    distances = sorted(
        (
            (distance(request.said, log.said), age(request), age(log), request, log)
            for log in logs
            for request in requests
            if belongs(log.said, request.said)
        ),
        key=lambda pair: pair[:3],
    )
    taken: set[int] = set()
    for *_, request, log in distances:
        if log.repeats is None and id(request) not in taken:
            taken.add(id(request))
            log.repeats = request


def is_stream_request(said: Said) -> bool:
    return said.kind == "llm" and said.scope.startswith("logfire") and said.input_tokens is None


def belongs(log: Said, request: Said) -> bool:
    return log.requested_model == request.requested_model and distance(request, log) <= SLACK


def distance(request: Said, log: Said) -> timedelta:
    return abs(log.timestamp - end(request))


def resolved(node: Node, records: list[Node]) -> Resolved:
    said = node.said
    call, latency_ms = None, said.latency_ms
    operation = said.operation if node.kind == said.kind else c.ROW_OPERATIONS[node.kind]
    if node.repeats is not None or node.kind == "usage_log":
        operation = "other"
    elif node.is_call:
        call = filled(said, records)
        latency_ms = whole_latency_ms(said, records)
    return Resolved(
        said=said,
        operation=operation,
        agent_id=node.agent or node.workflow or said.service or "unknown",
        user_id=node.user,
        session_id=node.session,
        latency_ms=latency_ms,
        call=call,
    )


def filled(said: Said, records: list[Node]) -> Said:
    if not records:
        return said
    call = Said(**{name: getattr(said, name) for name in Said.__slots__})
    for name in FILLED:
        if getattr(call, name) is None:
            known = (getattr(record.said, name) for record in records)
            setattr(call, name, next((value for value in known if value is not None), None))
    return call


def whole_latency_ms(said: Said, records: list[Node]) -> float | None:
    """A stream goes on after the span of its request has ended."""
    if said.latency_ms is None or not said.scope.startswith("logfire"):
        return said.latency_ms
    last = max((end(record.said) for record in records), default=said.timestamp)
    return max(said.latency_ms, (last - said.timestamp) / timedelta(milliseconds=1))
