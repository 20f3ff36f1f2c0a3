"""Logfire. It hides values that look like secrets, among them `session.id`.

It records a stream in two spans: the request, which ends before the answer and has no usage, and a log with the usage
once the stream has ended. Without a span above them these are two traces.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from ingest import fields
from ingest.client import Client, KindRule, Pairing
from ingest.nodes import MAX_CALL_DURATION, SLACK, Node, start_order
from ingest.operations import KIND_OF_OPERATION
from ingest.span_facts import SpanFacts
from ingest.spans import Span
from traces.lookup import WantedLink

SCOPES = "logfire"
MAX_STREAM_SECONDS = 86_400


def kind(span: Span) -> str | None:
    """Recognises the log at the end of a stream."""
    operation = str(span.attributes.get("gen_ai.operation.name"))
    is_log = span.attributes["logfire.span_type"] == "log"
    return "usage_log" if is_log and KIND_OF_OPERATION.get(operation) == "llm" else None


def read_usage_log(facts: SpanFacts, span: Span) -> None:
    """Makes the log a span over its stream, by the duration that the log states."""
    duration = span.attributes.get("duration")
    if isinstance(duration, (int, float)) and 0 <= duration < MAX_STREAM_SECONDS:
        facts.timestamp = datetime.fromtimestamp(facts.timestamp.timestamp() - duration, UTC)
        facts.latency_ms = duration * 1000


# --- Pairing a log with the request of its stream ---


def is_stream_request(facts: SpanFacts) -> bool:
    return facts.kind == "llm" and facts.scope.startswith(SCOPES) and facts.input_tokens is None


def link(facts: SpanFacts) -> str | None:
    if facts.kind == "usage_log":
        return f"stream-log:{facts.requested_model}"
    return f"stream:{facts.requested_model}" if is_stream_request(facts) else None


def wanted_links(facts: SpanFacts) -> Iterator[WantedLink]:
    if facts.kind == "usage_log":
        start = facts.timestamp
        yield WantedLink(f"stream:{facts.requested_model}", start - MAX_CALL_DURATION, start + SLACK, start - SLACK)
    elif is_stream_request(facts):
        earliest = facts.end - SLACK
        yield WantedLink(f"stream-log:{facts.requested_model}", earliest, facts.end + SLACK, earliest)


def pair(nodes: Sequence[Node]) -> None:
    """Pairs each log with one request, the nearest pairs first."""
    logs = [node for node in nodes if node.kind == "usage_log"]
    requests = [node for node in nodes if is_stream_request(node.facts)] if logs else []
    requests.sort(key=end_of)
    candidates = (
        (request, log)
        for log in logs
        for request in requests_ending_at(log.facts.timestamp, requests)
        if request.facts.requested_model == log.facts.requested_model
    )
    paired: set[int] = set()
    for request, log in sorted(candidates, key=nearest_first):
        if log.repeats is None and id(request) not in paired:
            paired.add(id(request))
            log.repeats = request


def end_of(node: Node) -> datetime:
    return node.facts.end


def requests_ending_at(time: datetime, requests: Sequence[Node]) -> Sequence[Node]:
    """Returns those of the requests, which are sorted by end, that ended around this time."""
    first, last = bisect_left(requests, time - SLACK, key=end_of), bisect_right(requests, time + SLACK, key=end_of)
    return requests[first:last]


def nearest_first(
    candidate: tuple[Node, Node],
) -> tuple[timedelta, tuple[datetime, str, str], tuple[datetime, str, str]]:
    request, log = candidate
    return distance(request.facts, log.facts), start_order(request), start_order(log)


def distance(request: SpanFacts, log: SpanFacts) -> timedelta:
    return abs(log.timestamp - request.end)


CLIENT = Client(
    rank=80,
    names={fields.REQUESTED_MODEL: ("request_data>model",)},
    kinds=(KindRule(40, kind, "logfire.span_type"),),
    contents=(r"(request_data|response_data)$", r"logfire\.msg$"),
    readers={"usage_log": read_usage_log},
    pairing=Pairing(link, wanted_links, pair),
    usage_objects=("gen_ai.usage.raw",),
    placeholders=("[Scrubbed",),
    late_scopes=(SCOPES,),
    provider_scopes=(r"logfire\.(anthropic|google_genai|litellm|openai)",),
)
