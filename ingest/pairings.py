"""Finds spans that record the same call: by their response id, by their times, or in the way of one client.

These spans may be in several traces. Stored ones are found by the link in their row and by their start.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from ingest import client_rules
from ingest.client import Pairing
from ingest.nodes import MAX_CALL_DURATION, SLACK, Node, start_order
from ingest.operations import RECORD_KINDS
from ingest.same_call import FEW_IDS, are_other_models, contradict, is_equal_usage, is_provider_scope, own_id
from ingest.span_facts import SpanFacts
from traces.lookup import PROVIDER_ROOT, WantedLink, traces_of_links
from traces.write_cursor import WriteCursor

CONTAINED_SLACK = timedelta(milliseconds=50)
"""A span may begin or end this much outside the other span of the call."""
SEARCH_SLACK = CONTAINED_SLACK + timedelta(milliseconds=1)
"""The same for the search of stored spans. The database rounds times in another way."""
MAX_NEIGHBOURS = 50
"""With how many spans before or after it a span is compared."""
MAX_TRIES = 8
"""How many calls of a scope are tried for a record that lies in the time of all of them."""
MAX_SCOPES = 50
"""Calls of how many scopes are tried."""


def is_provider_root(facts: SpanFacts) -> bool:
    """Returns whether a provider's SDK, or its instrumentation, made the span without a span above it.

    A framework that reports by callbacks leaves no span above it, so that its own record is in another trace.
    """
    return facts.parent_span_id is None and is_provider_scope(facts.scope)


def may_be_one_call(first: SpanFacts, other: SpanFacts) -> bool:
    """Returns whether neither the models nor the tokens nor the times of the spans show that they are two calls."""
    return (
        abs(first.timestamp - other.timestamp) <= MAX_CALL_DURATION
        and not are_other_models(first, other)
        and not contradict(first, other)
    )


# --- Calls with the same response id ---


def response_link(facts: SpanFacts) -> str | None:
    return own_id(facts) if facts.is_call and not is_provider_root(facts) else None


def wanted_response(facts: SpanFacts) -> Iterator[WantedLink]:
    if facts.is_call and (response_id := own_id(facts)):
        start = facts.timestamp
        until = min(facts.end + SLACK, start + MAX_CALL_DURATION)
        yield WantedLink(response_id, start - MAX_CALL_DURATION, until, start - SLACK)


def pair_responses(nodes: Sequence[Node]) -> None:
    """Lets spans with the same id repeat one call, at most one span of each scope. Roots of SDKs come last.

    Ids are not unique, so model and tokens must not differ. The same id at a later time is an answer from a cache.
    """
    groups: dict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        if node.is_call and (response_id := own_id(node.facts)):
            groups[response_id].append(node)
    for group in groups.values():
        if len({node.facts.scope or id(node) for node in group}) > 1:
            pair_group(group)


def call_order(node: Node) -> tuple[object, ...]:
    """Returns a key for sorting records of a call: the first is the call, the others repeat it."""
    facts = node.facts
    return is_provider_root(facts), is_provider_scope(facts.scope), start_order(node)


def pair_group(group: list[Node]) -> None:
    """Pairs spans with the same id. The group is sorted by start, and each span is compared with its neighbours."""
    places = {id(node): place for place, node in enumerate(group)}
    order = {id(node): number for number, node in enumerate(sorted(group, key=call_order))}
    for first in sorted(group, key=lambda node: order[id(node)]):
        place = places[id(first)]
        near = group[max(0, place - MAX_NEIGHBOURS) : place + MAX_NEIGHBOURS]
        for other in sorted(near, key=lambda other: (distance(first, other), start_order(other))):
            if order[id(other)] > order[id(first)] and is_same_response(first.facts, other.facts):
                first.join(other)


def distance(first: Node, other: Node) -> timedelta:
    return abs(first.facts.timestamp - other.facts.timestamp)


def is_same_response(first: SpanFacts, other: SpanFacts) -> bool:
    return (
        first.timestamp <= other.end + SLACK
        and other.timestamp <= first.end + SLACK
        and may_be_one_call(first, other)
        and (not FEW_IDS.match(first.response_id or "") or is_equal_request(first, other))
    )


def is_equal_request(first: SpanFacts, other: SpanFacts) -> bool:
    return first.has_usage and is_equal_usage(first, other) and first.service == other.service


# --- Calls without a response id: streams and failed calls ---


def time_link(facts: SpanFacts) -> str | None:
    """Returns the link of a provider's root, or of a record without an id that such a root may repeat."""
    if not facts.is_call:
        return None
    return link_beginning(is_provider_root(facts)) + circumstances_of(facts)


def wanted_time(facts: SpanFacts) -> Iterator[WantedLink]:
    if not facts.is_call:
        return
    is_root = is_provider_root(facts)
    if (is_root or not own_id(facts)) and not is_paired_by_client(facts):
        link = link_beginning(not is_root) + circumstances_of(facts)
        tokens = facts.input_tokens, facts.output_tokens
        first, last = facts.timestamp - SEARCH_SLACK, facts.end + SEARCH_SLACK
        earliest, latest = facts.timestamp - MAX_CALL_DURATION, facts.timestamp + MAX_CALL_DURATION
        yield WantedLink(link, earliest, facts.timestamp + SEARCH_SLACK, facts.end - SEARCH_SLACK, None, *tokens)
        yield WantedLink(link, first, min(last, latest), first, last, *tokens)


def link_beginning(is_root: bool) -> str:
    return f"{PROVIDER_ROOT if is_root else 'call'}:"


def is_paired_by_client(facts: SpanFacts) -> bool:
    return any(pairing.link(facts) for pairing in client_rules.CLIENT_PAIRINGS)


def circumstances_of(facts: SpanFacts) -> str:
    """Returns what all records of a call without an id have in common. Each may leave out tokens or a model's name."""
    kind = "embedding" if facts.kind == "embedding" else "llm"
    return f"{kind}|{'success' if facts.status == 'success' else 'failure'}|{facts.service or ''}"


def request_of(facts: SpanFacts) -> tuple[object, ...]:
    """Returns what two records of a call have in common that say the same of it."""
    return circumstances_of(facts), facts.model, facts.status, facts.input_tokens, facts.output_tokens


def pair_times(nodes: Sequence[Node]) -> None:
    """Pairs calls of a provider's SDK with calls of other scopes, first inside each trace and then over all traces.

    Two records with the same facts are paired first, then pairs in which one record lacks some facts.
    """
    calls = [node for node in nodes if node.is_call and node.repeats is None]
    outer = [node for node in calls if not own_id(node.facts) and not is_provider_root(node.facts)]
    outer = [node for node in outer if not is_paired_by_client(node.facts)]
    if outer:
        inner = [node for node in calls if is_provider_scope(node.facts.scope) and not is_paired_by_client(node.facts)]
        pair_groups(inner, outer, lambda facts: (facts.trace_id, request_of(facts)))
        pair_groups(inner, outer, lambda facts: (facts.trace_id, circumstances_of(facts)))
        roots = [node for node in inner if is_provider_root(node.facts)]
        pair_groups(roots, outer, request_of)
        pair_groups(roots, outer, circumstances_of)


def pair_groups(inner: list[Node], outer: list[Node], group_of: Callable[[SpanFacts], object]) -> None:
    groups: dict[object, tuple[list[Node], list[Node]]] = defaultdict(lambda: ([], []))
    for place, nodes in enumerate((inner, outer)):
        for node in nodes:
            groups[group_of(node.facts)][place].append(node)
    for inner_group, outer_group in groups.values():
        pair_contained(inner_group, outer_group)
        pair_contained(inner_group, outer_group, is_reversed=True)


def pair_contained(inner: list[Node], outer: list[Node], is_reversed: bool = False) -> None:
    """Lets as many of `inner` as possible repeat one of `outer` whose time contains theirs; if reversed, is contained.

    Goes through the contained spans by their start. Calls that contain one of them in time may contain all later ones
    too, so it takes the call that ends first.
    """
    inner = [node for node in inner if node.repeats is None]
    scopes = frozenset(node.facts.scope for node in inner)
    outer = [node for node in outer if node.repeats is None and not scopes <= node.scopes]
    shorter, longer = (outer, inner) if is_reversed else (inner, outer)
    if not outer:
        return
    waiting = sorted(longer, key=start_order, reverse=True)
    candidates: dict[str, list[Node]] = defaultdict(list)
    for node in sorted(shorter, key=start_order):
        while waiting and waiting[-1].facts.timestamp <= node.facts.timestamp + CONTAINED_SLACK:
            begun = waiting.pop()
            insort(candidates[begun.facts.scope], begun, key=end_order)
        if node.repeats is None:
            pair_with_first(node, candidates, is_reversed)


def pair_with_first(node: Node, candidates: dict[str, list[Node]], is_reversed: bool) -> None:
    """Pairs the node with the candidate of another scope that ends first, but not before the node."""
    containing = [
        (other, others)
        for scope, others in islice(candidates.items(), MAX_SCOPES)
        if scope != node.facts.scope
        for other in islice(those_ending_later(node.facts, others), MAX_TRIES)
    ]
    for other, others in sorted(containing, key=lambda item: end_order(item[0])):
        call, repetition = (node, other) if is_reversed else (other, node)
        if call.repeats is None and repetition.repeats is None and call.join(repetition):
            others.remove(other)
            return


def those_ending_later(facts: SpanFacts, others: list[Node]) -> Iterator[Node]:
    """Yields those of the next candidates that do not end before the span and may record its call."""
    place = bisect_left(others, facts.end - CONTAINED_SLACK, key=lambda other: other.facts.end)
    return (other for other in others[place : place + MAX_NEIGHBOURS] if may_be_one_call(facts, other.facts))


def end_order(node: Node) -> tuple[datetime, tuple[datetime, str, str]]:
    return node.facts.end, start_order(node)


PAIRINGS: tuple[Pairing, ...] = (
    *client_rules.CLIENT_PAIRINGS,
    Pairing(response_link, wanted_response, pair_responses),
    Pairing(time_link, wanted_time, pair_times),
)
"""A span has the link of the first pairing that has one for it."""


def link_of(facts: SpanFacts) -> str | None:
    if facts.kind not in RECORD_KINDS:
        return None
    for pairing in PAIRINGS:
        if link := pairing.link(facts):
            return link
    return None


def wanted_links(facts: SpanFacts) -> Iterator[WantedLink]:
    if facts.kind in RECORD_KINDS:
        for pairing in PAIRINGS:
            yield from pairing.wanted_links(facts)


def linked_trace_ids(cursor: WriteCursor, workspace_id: UUID, spans: Iterable[SpanFacts]) -> set[str]:
    """Returns the stored traces that may hold another record of the calls of these spans."""
    return traces_of_links(cursor, workspace_id, (wanted for facts in spans for wanted in wanted_links(facts)))
