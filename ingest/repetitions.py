"""Decides inside a trace which spans are calls: not those that repeat the call above them or hold other calls.

An API call can have several spans, one below the other: a framework's, an instrumentation's and the SDK's own.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ingest import client_rules
from ingest.nodes import Node, start_order
from ingest.same_call import are_other_models, contradict, have_different_ids, have_same_id, is_equal_usage
from ingest.span_facts import SpanFacts

OTHER_REQUESTS = frozenset({"tool", "handoff", "agent", "workflow"})
"""Kinds of spans that make requests of their own: a call below them is not the call above them."""


def find_repetitions(ordered: Sequence[Node]) -> None:
    """Sets the kind of wrappers and of agent runs that are calls, and `repeats` of spans that repeat a call.

    The nodes of the trace come parents first.
    """
    find_calls(ordered)
    below = calls_below(ordered)
    if below and find_sums(ordered, below):
        below = calls_below(ordered)
    for node in ordered if below else ():
        if id(node) in below:
            find_repetitions_of(node, below[id(node)])


def calls_below(ordered: Sequence[Node]) -> dict[int, list[Node]]:
    """Sets `call_above` of the nodes. Returns for each call the calls that are next below it."""
    below: dict[int, list[Node]] = defaultdict(list)
    for node in ordered:
        above = node.parent
        if above is not None and above.kind not in OTHER_REQUESTS:
            node.call_above = call = above if above.is_call else above.call_above
            if call is not None and node.is_call:
                below[id(call)].append(node)
    return below


# --- Which spans are calls ---


def find_calls(ordered: Sequence[Node]) -> None:
    """Makes wrappers of calls no calls, and makes a finished agent run with usage and without a call below a call."""
    above_calls: set[int] = set()
    runs = any(node.kind == "agent" and node.facts.has_usage for node in ordered)
    running = running_nodes(ordered) if runs else set()
    for node in reversed(ordered):
        is_above_calls = id(node) in above_calls
        if node.is_call:
            if is_above_calls and is_wrapper(node.facts):
                node.kind = "other"
        elif not is_above_calls:
            if node.kind != "agent" or not node.facts.has_usage or id(node) in running:
                continue
            node.kind = "llm"
        if node.parent is not None:
            above_calls.add(id(node.parent))


def running_nodes(ordered: Sequence[Node]) -> set[int]:
    """Returns the spans that have not ended, or that are below one which has not."""
    running: set[int] = set()
    for node in ordered:
        if node.facts.latency_ms is None or (node.parent is not None and id(node.parent) in running):
            running.add(id(node))
    return running


def is_wrapper(facts: SpanFacts) -> bool:
    """Returns whether a span above calls says nothing of its own that would make it a call."""
    return facts.is_presumed or not (facts.has_usage or facts.model or facts.response_id)


Total = tuple[int, int, int]
"""The number of calls that state tokens, their input tokens and their output tokens."""


def find_sums(ordered: Sequence[Node], below: Mapping[int, list[Node]]) -> bool:
    """Makes calls no calls that state the sum of several calls below them. Returns whether there are any.

    The innermost come first, because a wrapper with the sum may have another below it.
    """
    totals: dict[int, Total] = {}
    is_any = False
    for node in reversed(ordered):
        if id(node) not in below:
            continue
        counted = [total_of(inner, totals) for inner in below[id(node)]]
        number, input_tokens, output_tokens = (sum(values) for values in zip(*counted, strict=True))
        totals[id(node)] = number, input_tokens, output_tokens
        if number > 1 and (node.facts.input_tokens, node.facts.output_tokens) == (input_tokens, output_tokens):
            node.kind = "other"
            is_any = True
    return is_any


def total_of(node: Node, totals: Mapping[int, Total]) -> Total:
    """Returns the tokens of the call, or of the calls below it if it states none or their sum."""
    if node.facts.input_tokens is None or not node.is_call:
        return totals.get(id(node), (0, 0, 0))
    return 1, node.facts.input_tokens, node.facts.output_tokens or 0


# --- Which calls repeat the call above them ---


def find_repetitions_of(outer: Node, inner: list[Node]) -> None:
    """Makes at most one span of each scope a repetition of the call above: the one with the most facts in common.

    Other spans of this scope are calls of their own, like the attempts before the last one.
    """
    by_scope: dict[str, list[Node]] = defaultdict(list)
    for node in inner:
        if is_repetition(node, outer):
            by_scope[node.facts.scope].append(node)
    for candidates in by_scope.values():
        repetition = min(candidates, key=lambda node: likeness(node, outer))
        call = outer.call_node
        repetition.repeats = call
        call.scopes |= repetition.scopes


def is_repetition(inner: Node, outer: Node) -> bool:
    """Returns whether the two spans describe the same request."""
    if inner.kind == "raw":
        return True
    if (inner.kind == "embedding") != (outer.kind == "embedding") or have_different_ids(inner.facts, outer.facts):
        return False
    if inner.facts.scope and inner.facts.scope == outer.facts.scope:
        return repeats_in_scope(inner.facts, outer.facts)
    return have_same_id(inner.facts, outer.facts) or not (
        are_other_models(inner.facts, outer.facts) or contradict(inner.facts, outer.facts)
    )


def repeats_in_scope(inner: SpanFacts, outer: SpanFacts) -> bool:
    """Returns whether a library recorded one request twice. At most one of the two spans then has the usage."""
    if inner.kind not in client_rules.REPEATED_KINDS.get(inner.scope, ()):
        return False
    return not (inner.has_usage and outer.has_usage) and (inner.model, inner.status) == (outer.model, outer.status)


def likeness(inner: Node, outer: Node) -> tuple[object, ...]:
    """Returns a key that is the lower the more the spans have in common. Of the attempts of a call the last is its."""
    facts = inner.facts
    return (
        not have_same_id(facts, outer.facts),
        facts.status != outer.facts.status,
        not is_equal_usage(facts, outer.facts),
        not facts.has_usage,
        -facts.end.timestamp(),
        start_order(inner),
    )
