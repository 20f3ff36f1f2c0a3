"""Finds facts that only the whole trace shows: repeated calls, and the agent, user, session, environment, release and
labels of each span.

`resolve` is a pure function of all spans that have arrived: any order of arrival, and any split of the spans into
requests, gives the same rows.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from operator import attrgetter

from ingest import client_rules
from ingest.labels import joined, own_labels
from ingest.nodes import Node, scope_set, start_order
from ingest.operations import OPERATION_OF_KIND
from ingest.pairings import PAIRINGS
from ingest.repetitions import find_repetitions
from ingest.same_call import are_other_models, contradict
from ingest.span_facts import SpanFacts

MODEL_FIELDS = ("requested_model", "used_model", "provider")
TOKEN_FIELDS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
CALL_FIELDS = (*MODEL_FIELDS, *TOKEN_FIELDS, "response_id", "reported_cost_usd", "reported_parts")
"""Facts about a call that another record of it can add."""
SHARED = tuple(map(attrgetter, ("user", "session", "workflow", "environment")))
RESOURCE_ENVIRONMENT = attrgetter("resource_environment")


@dataclass(slots=True)
class ResolvedSpan:
    facts: SpanFacts
    operation: str
    agent_id: str
    user_id: str | None
    session_id: str | None
    environment: str | None
    release: str | None
    labels: dict[str, str] | None
    latency_ms: float | None
    call: SpanFacts | None
    """All facts about the call, from every span that records it, if the span counts as a call; else None."""


def resolve(spans: Iterable[SpanFacts]) -> list[ResolvedSpan]:
    nodes = sorted((Node(facts, facts.kind, scopes=scope_set(facts.scope)) for facts in spans), key=start_order)
    traces: dict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        traces[node.facts.trace_id].append(node)
    for members in traces.values():
        resolve_trace(members)
    for pairing in PAIRINGS:
        pairing.pair(nodes)
    repetitions: dict[int, list[Node]] = defaultdict(list)
    for node in nodes:
        if node.repeats is not None:
            repetitions[id(node.call_node)].append(node)
    return [resolved(node, repetitions.get(id(node), [])) for node in nodes]


# --- Inside a trace ---


def resolve_trace(members: list[Node]) -> None:
    ordered = parents_first(members)
    set_places(ordered)
    reconsider_kinds(ordered)
    for node in ordered:
        inherit(node)
    find_repetitions(ordered)
    share_over_trace(members)


def parents_first(members: list[Node]) -> list[Node]:
    """Links the spans to their parents and sorts them, parents first. A cycle is cut at its oldest span."""
    link_parents(members)
    ordered = descendants([node for node in members if node.parent is None])
    if len(ordered) < len(members):
        seen = {id(node) for node in ordered}
        for node in members:
            if id(node) not in seen:
                cut_from_parent(node)
                nodes = descendants([node])
                ordered += nodes
                seen |= {id(member) for member in nodes}
    return ordered


def link_parents(members: list[Node]) -> None:
    by_id: dict[str, Node] = {}
    for node in members:
        by_id.setdefault(node.facts.span_id, node)
    for node in members:
        parent = by_id.get(node.facts.parent_span_id or "")
        if parent is not None and parent is not node:
            node.parent = parent
            parent.children.append(node)


def cut_from_parent(node: Node) -> None:
    if node.parent is not None:
        node.parent.children.remove(node)
        node.parent = None


def descendants(tops: list[Node]) -> list[Node]:
    """Returns the nodes and all nodes below them, level by level."""
    ordered = list(tops)
    for node in ordered:
        ordered += node.children
    return ordered


def set_places(ordered: list[Node]) -> None:
    """Numbers the nodes so that those below a node have the numbers after its own."""
    sizes: dict[int, int] = {}
    for node in reversed(ordered):
        sizes[id(node)] = 1 + sum(sizes[id(child)] for child in node.children)
    following = 0
    for node in ordered:
        if node.parent is None:
            node.place = following
            following += sizes[id(node)]
        node.last_place = node.place + sizes[id(node)] - 1
        place = node.place + 1
        for child in node.children:
            child.place = place
            place += sizes[id(child)]


def reconsider_kinds(ordered: list[Node]) -> None:
    """Sets two kinds that only the trace shows.

    A span into which a client wrote its calls is an agent run. An unnamed agent above named ones is a workflow.
    """
    for node in ordered:
        if node.facts.holds_client_call and any(child.kind == "raw" for child in node.children):
            node.kind = "agent"
        if node.kind == "agent" and node.facts.has_named_agent:
            top = top_of(node)
            if top.kind == "agent" and not top.facts.has_named_agent and top.facts.parent_span_id is None:
                top.kind = "workflow"


def top_of(node: Node) -> Node:
    while node.parent is not None:
        node = node.parent
    return node


def inherit(node: Node) -> None:
    """Takes what the span above has and the span does not say: agent, user, session, workflow, environment, release
    and each label.

    The span above has inherited already.
    """
    facts, above = node.facts, node.parent
    node.agent = facts.agent if node.kind != "workflow" or facts.has_named_agent else None
    node.user, node.session, node.workflow = facts.user, facts.session, facts.workflow
    node.environment, node.release = facts.environment, facts.release or facts.agent_version
    node.labels = own_labels(facts)
    if above is None:
        return
    node.agent = node.agent or above.agent
    node.user = node.user or above.user
    if above.session and (node.session is None or client_rules.GENERATED_SESSION.match(node.session)):
        node.session = above.session
    node.workflow = node.workflow or above.workflow
    node.environment = node.environment or above.environment
    node.release = node.release or above.release
    node.labels = joined(node.labels, above.labels)


def share_over_trace(members: list[Node]) -> None:
    """Gives spans without a value that of the root, or else that of the oldest span that has one.

    Where no span has one, the resource is asked: for user, session and labels only the span's own, for environment and
    release then that of any other span.
    """
    facts = [node.facts for node in sorted(members, key=has_parent)]
    user, session, workflow, environment = (first_known(map(fact, facts)) for fact in SHARED)
    release = first_known(map(release_of_trace, facts))
    process_environment = first_known(map(RESOURCE_ENVIRONMENT, facts))
    sdk_versions = {span.sdk_version for span in facts}
    process_release = first_known(release_of_process(span, sdk_versions) for span in facts)
    labels = joined(*map(labels_of_trace, facts))
    for node in members:
        own = node.facts
        node.user = node.user or user or own.resource_user
        node.session = node.session or session or own.resource_session
        node.workflow = node.workflow or workflow
        node.environment = node.environment or environment or own.resource_environment or process_environment
        node.release = node.release or release or release_of_process(own, sdk_versions) or process_release
        node.labels = joined(node.labels, labels, own.resource_labels)


def first_known(values: Iterable[str | None]) -> str | None:
    return next(filter(None, values), None)


def has_parent(node: Node) -> bool:
    return node.facts.parent_span_id is not None


def release_of_trace(facts: SpanFacts) -> str | None:
    """Returns the release that the span states for its whole trace. An agent's version is not that of others."""
    return facts.release or (None if facts.parent_span_id else facts.agent_version)


def labels_of_trace(facts: SpanFacts) -> dict[str, str] | None:
    """Returns the labels that the span states for its whole trace: all labels of a root, and only some of others."""
    return facts.trace_labels if facts.parent_span_id else own_labels(facts)


def release_of_process(facts: SpanFacts, sdk_versions: set[str | None]) -> str | None:
    """Returns the release on the span's resource. Spans of an SDK show that it is not the SDK's own version."""
    release = facts.resource_release
    return None if release in sdk_versions else release


# --- The result ---


def resolved(node: Node, repetitions: list[Node]) -> ResolvedSpan:
    facts = node.facts
    call, latency_ms = None, facts.latency_ms
    operation = facts.operation if node.kind == facts.kind else OPERATION_OF_KIND.get(node.kind, "other")
    if node.repeats is not None or node.kind == "usage_log":
        operation = "other"
    elif node.is_call:
        call = call_facts(facts, repetitions)
        latency_ms = latency_of_call(facts, repetitions)
    return ResolvedSpan(
        facts=facts,
        operation=operation,
        agent_id=node.agent or node.workflow or facts.service or "unknown",
        user_id=node.user,
        session_id=node.session,
        environment=node.environment,
        release=node.release,
        labels=node.labels,
        latency_ms=latency_ms,
        call=call,
    )


def call_facts(facts: SpanFacts, repetitions: list[Node]) -> SpanFacts:
    """Returns the facts of the call. Missing facts come from the other spans that record it.

    Tokens and the name of the model belong together, so both come from one record if the call has no tokens.
    """
    if not repetitions:
        return facts
    call = replace(facts)
    records = [node.facts for node in repetitions]
    with_tokens = next((record for record in records if states_tokens(record)), None)
    if with_tokens is not None and not states_tokens(call):
        take(call, with_tokens, TOKEN_FIELDS)
        if with_tokens.model and (call.model is None or are_other_models(call, with_tokens)):
            take(call, with_tokens, MODEL_FIELDS)
            call.provider = call.provider or facts.provider
    records = [record for record in records if not contradict(call, record) and not are_other_models(call, record)]
    for name in CALL_FIELDS:
        if getattr(call, name) is None:
            values = (getattr(record, name) for record in records)
            setattr(call, name, next((value for value in values if value is not None), None))
    call.usage_details = merged_details([call, *records])
    first_tokens = (record.time_to_first_token_ms for record in (call, *records))
    call.first_token_ms = next((ms for ms in first_tokens if ms is not None), None)
    return call


def states_tokens(facts: SpanFacts) -> bool:
    return (facts.input_tokens, facts.output_tokens) != (None, None)


def take(call: SpanFacts, record: SpanFacts, names: Sequence[str]) -> None:
    for name in names:
        setattr(call, name, getattr(record, name))


def merged_details(records: Sequence[SpanFacts]) -> dict[str, int | str] | None:
    """Returns all that the records of a call say it used beside its counts. The first record that says it counts."""
    details: dict[str, int | str] = {}
    for record in records:
        details = (record.usage_details or {}) | details
    return details or None


def latency_of_call(facts: SpanFacts, repetitions: list[Node]) -> float | None:
    """Returns the latency of the call. In `late_scopes` a stream continues after the span of its request has ended."""
    if facts.latency_ms is None or not facts.scope.startswith(client_rules.LATE_SCOPES):
        return facts.latency_ms
    last = max((node.facts.end for node in repetitions), default=facts.timestamp)
    return max(facts.latency_ms, (last - facts.timestamp) / timedelta(milliseconds=1))
