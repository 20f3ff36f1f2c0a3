"""Finds spans that record the same call: by their response id, by their times, or in the way of one client.

These spans may be in several traces. Stored ones are found by the link in their row and by their start.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from ingest import client_rules
from ingest.client import Pairing
from ingest.nodes import MAX_CALL_DURATION, SLACK, Node, start_order
from ingest.operations import RECORD_KINDS
from ingest.span_facts import SpanFacts
from traces.lookup import WantedLink, traces_of_links
from traces.write_cursor import WriteCursor

CONTAINED_SLACK = timedelta(milliseconds=50)
"""An SDK's span of a failed call may begin or end this much outside the other span of the call."""


def link_of(facts: SpanFacts) -> str | None:
    if facts.kind not in RECORD_KINDS:
        return None
    for pairing in PAIRINGS:
        if link := pairing.link(facts):
            return link
    return None


def wanted_link(facts: SpanFacts) -> WantedLink | None:
    if facts.kind not in RECORD_KINDS:
        return None
    for pairing in PAIRINGS:
        if link := pairing.wanted_link(facts):
            return link
    return None


def linked_trace_ids(cursor: WriteCursor, workspace_id: UUID, spans: Iterable[SpanFacts]) -> set[str]:
    """Returns the stored traces that may hold another record of the calls of these spans."""
    return traces_of_links(cursor, workspace_id, filter(None, map(wanted_link, spans)))


# --- Calls with the same response id ---


def response_link(facts: SpanFacts) -> str | None:
    return facts.response_id if facts.is_call else None


def wanted_response(facts: SpanFacts) -> WantedLink | None:
    if not facts.is_call or not facts.response_id:
        return None
    start = facts.timestamp
    return WantedLink(facts.response_id, start - MAX_CALL_DURATION, facts.end + SLACK, start - SLACK)


def pair_responses(nodes: Sequence[Node]) -> None:
    """Makes the oldest of overlapping spans with the same id the call. Roots of SDKs come after all others."""
    groups: dict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        if node.is_call and node.repeats is None and node.facts.response_id:
            groups[node.facts.response_id].append(node)
    for group in groups.values():
        while len(group) > 1:
            first, *others = sorted(group, key=lambda node: (is_sdk_root(node.facts), start_order(node)))
            group = []
            for other in others:
                if overlap(first.facts, other.facts):
                    other.repeats = first
                else:
                    group.append(other)


def overlap(first: SpanFacts, other: SpanFacts) -> bool:
    """Returns whether two spans can record one call. The same id at a later time means an answer from a cache."""
    return first.timestamp <= other.end + SLACK and other.timestamp <= first.end + SLACK


def is_sdk_root(facts: SpanFacts) -> bool:
    """Returns whether a provider's own SDK made the span without a span above it."""
    return facts.scope in client_rules.SDK_SCOPES and facts.parent_span_id is None


# --- Failed calls, which have no response id ---


def may_be_sdk_call(facts: SpanFacts) -> bool:
    """Returns whether the failed call can have a second record by a provider's own SDK."""
    return facts.status != "success" and facts.kind == "llm" and facts.provider in client_rules.SDK_PROVIDERS


def failed_link(facts: SpanFacts) -> str | None:
    if not may_be_sdk_call(facts):
        return None
    return f"{'sdk-failed' if is_sdk_root(facts) else 'failed'}:{facts.model}"


def wanted_failed(facts: SpanFacts) -> WantedLink | None:
    """Returns the link of a call that contains the time of an SDK's root; for other calls the link of such a root."""
    if not may_be_sdk_call(facts):
        return None
    start, end, slack = facts.timestamp, facts.end, CONTAINED_SLACK
    if is_sdk_root(facts):
        return WantedLink(f"failed:{facts.model}", start - MAX_CALL_DURATION, start + slack, end - slack)
    return WantedLink(f"sdk-failed:{facts.model}", start - slack, end + slack, start)


def pair_failed(nodes: Sequence[Node]) -> None:
    """Makes the root of an SDK repeat the shortest failed call that has the same model and contains its time."""
    failed = [node for node in nodes if node.kind == "llm" and node.repeats is None and node.facts.status != "success"]
    for inner in failed:
        if not is_sdk_root(inner.facts) or inner.facts.response_id:
            continue
        outer = [node for node in failed if contains_failed(node.facts, inner.facts)]
        if outer:
            inner.repeats = min(outer, key=lambda node: (node.facts.latency_ms or 0, start_order(node)))


def contains_failed(outer: SpanFacts, inner: SpanFacts) -> bool:
    return (
        not is_sdk_root(outer)
        and outer.model == inner.model
        and outer.timestamp - CONTAINED_SLACK <= inner.timestamp
        and inner.end <= outer.end + CONTAINED_SLACK
    )


PAIRINGS: tuple[Pairing, ...] = (
    *client_rules.CLIENT_PAIRINGS,
    Pairing(response_link, wanted_response, pair_responses),
    Pairing(failed_link, wanted_failed, pair_failed),
)
"""For each span the first pairing that has a link for it is used."""
