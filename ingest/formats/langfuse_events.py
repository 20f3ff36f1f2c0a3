"""Langfuse's events (`POST /api/public/ingestion`): SDK 2, LiteLLM's callback, Dify, Flowise, Open WebUI and others.

An observation (span, generation, event, ...) is sent when it begins and again when it ends, each time as an event of a
batch. It becomes a span with the attributes that Langfuse's newer SDKs write, so that `clients/langfuse.py` reads both.
The trace becomes the root above its observations, with user and session. It begins with the first of them, because its
own time is often that of its sending. Ids are texts of any form.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from ingest.accepted_time import accepted_time, accepted_time_text, note_refused
from ingest.formats.json_values import object_at, parse_spans_json
from ingest.formats.scores import langfuse_score
from ingest.spans import Decoded, RejectedSpan, Rejection, Resource, Span
from ingest.values import token_count
from traces.text import ID_LENGTH, NAME_LENGTH, clean
from web.problems import Problem

SCOPE = "langfuse-sdk"
OBSERVATION_EVENT = re.compile(r"(?P<type>[a-z]+)-(create|update)")
OBSERVATION_TYPES = frozenset(
    ("agent", "chain", "embedding", "evaluator", "event", "generation", "guardrail", "retriever", "span", "tool")
)
LITELLM_EMBEDDINGS = ("litellm-embedding", "litellm-aembedding")
"""LiteLLM's callback sends embeddings as generations with these names."""
LITELLM_DEFAULT = re.compile(r"litellm-[a-z_]+")
"""LiteLLM's callback names a trace after the kind of its call where the application gives no name."""
NOTHING_TO_STORE = "a log of the SDK about itself; there is nothing to store"

USAGE_NAMES = {"promptTokens": "prompt_tokens", "completionTokens": "completion_tokens", "totalTokens": "total_tokens"}
COST_NAMES = {
    **{"inputCost": "input", "outputCost": "output", "totalCost": "total"},
    **{"input_cost": "input", "output_cost": "output", "total_cost": "total"},
}
PROVIDER_NAMES = ("ls_provider", "model_provider")
"""Keys of the metadata in which LangChain and Dify name the provider; Dify as `langgenius/openai/openai`."""


@dataclass(slots=True)
class Batch:
    """What the events of one request mean, and the answer to each."""

    decoded: Decoded
    successes: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)

    def succeed(self, event: "Event") -> None:
        self.successes.append({"id": event.id, "status": 201})

    def fail(self, event_id: str | None, rejection: Rejection) -> None:
        self.errors.append({"id": event_id, "status": 400, "message": rejection.text, "error": "Bad Request"})
        self.decoded.rejections.append(rejection)

    @property
    def answer(self) -> dict[str, Any]:
        return {"successes": self.successes, "errors": self.errors}


@dataclass(slots=True)
class Event:
    id: str | None
    type: str
    sent_at: str | None
    sent_ns: int
    body: dict[str, Any]

    @property
    def is_update(self) -> bool:
        return self.type.endswith("-update")


def decode(body: bytes, author: str | None) -> Batch:
    events = events_in(body)
    batch = Batch(Decoded([], []))
    arrived_ns = to_ns(datetime.now(UTC))
    groups: dict[tuple[str, str], list[Event]] = {}
    for item in events:
        try:
            event = event_of(item, arrived_ns)
            if event.type == "score-create":
                batch.decoded.scores.append(langfuse_score(event.body, event.sent_at, author))
                batch.succeed(event)
            elif event.type == "sdk-log":
                batch.successes.append({"id": event.id, "status": 200, "message": NOTHING_TO_STORE})
            else:
                groups.setdefault(span_key(event), []).append(event)
        except RejectedSpan as error:
            batch.fail(printable_id(item), error.rejection)
    for key, members in groups.items():
        members.sort(key=lambda event: (event.is_update, event.sent_ns))
        add_span(batch, key, members)
    return batch


def events_in(body: bytes) -> list[Any]:
    request = parse_spans_json(body)
    if not isinstance(request, dict) or not isinstance(request.get("batch"), list):
        raise Problem(400, 'The body must be {"batch": [..]}.')
    events: list[Any] = request["batch"]
    if len(events) > settings.MAX_SPANS_PER_REQUEST:
        raise Problem(413, f"More than {settings.MAX_SPANS_PER_REQUEST} events in a request; send smaller batches.")
    return events


def printable_id(item: Any) -> str | None:
    """Returns the id for the answer if it is a text. Some other JSON can be read but not written."""
    event_id = item.get("id") if isinstance(item, dict) else None
    return clean(event_id, ID_LENGTH) if isinstance(event_id, str) else None


# --- Events ---


def event_of(item: Any, arrived_ns: int) -> Event:
    if not isinstance(item, dict):
        raise RejectedSpan("format", "an event must be a JSON object")
    body, kind, sent_at = item.get("body"), item.get("type"), item.get("timestamp")
    if not isinstance(kind, str):
        raise RejectedSpan("value", "type must name the kind of the event, like generation-create")
    if not isinstance(body, dict):
        raise RejectedSpan("format", "body must be a JSON object")
    sent_ns = time_in(item, "timestamp")
    return Event(printable_id(item), kind, sent_at, arrived_ns if sent_ns is None else sent_ns, body)


def span_key(event: Event) -> tuple[str, str]:
    """Returns trace id and span id, after a check of everything else that could make the event worthless."""
    body = event.body
    own_id = id_in(body, "id") or event.id
    if not own_id:
        raise RejectedSpan("id", "body.id is missing")
    check_times(event)
    if event.type == "trace-create":
        return own_id, root_id(own_id)
    match = OBSERVATION_EVENT.fullmatch(event.type)
    if match is None or match["type"] not in OBSERVATION_TYPES | {"observation"}:
        raise RejectedSpan("value", f"the type {event.type[:64]!r} is not known, so it cannot be stored")
    trace_id = id_in(body, "traceId")
    if not trace_id and event.is_update:
        raise RejectedSpan("id", "body.traceId is missing: without it the observation cannot be found")
    return trace_id or own_id, own_id


def root_id(trace_id: str) -> str:
    """Returns the span id of the trace itself. LangChain's callback gives its first observation the id of the trace."""
    return clean(f"trace:{trace_id}", ID_LENGTH)


def id_in(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise RejectedSpan("value", f"{name} must be a text")
    return clean(value, ID_LENGTH) if value and value.strip() else None


def check_times(event: Event) -> None:
    """Checks the times of the body, and that of the event where the body does not say when it began."""
    earliest, latest = (to_ns(limit) for limit in accepted_time())
    body = event.body
    starts = {name: time_in(body, name) for name in ("startTime", "timestamp")}
    if set(starts.values()) == {None}:
        starts = {"the event's timestamp": event.sent_ns}
    for name, start_ns in starts.items():
        if start_ns is not None and not earliest <= start_ns <= latest:
            note_refused(start_ns / 1e9)
            raise RejectedSpan("time", f"{name} {accepted_time_text()}")
    time_in(body, "endTime")
    time_in(body, "completionStartTime")


def time_in(body: Mapping[str, Any], name: str) -> int | None:
    value = body.get(name)
    if value is None or value == "":
        return None
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise ValueError
        return to_ns(at)
    except (TypeError, ValueError, OverflowError):
        raise RejectedSpan("time", f"{name} must be ISO 8601 with an offset, like 2026-11-23T10:00:00Z") from None


def to_ns(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000) * 1000


# --- Spans ---


def add_span(batch: Batch, key: tuple[str, str], events: list[Event]) -> None:
    trace_id, span_id = key
    body = merged(event.body for event in events)
    if span_id == root_id(trace_id):
        batch.decoded.spans.append(trace_span(trace_id, body, events))
    else:
        add_observation(batch, key, body, events)
    for event in events:
        batch.succeed(event)


def merged(bodies: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns one body with everything that the bodies state. A later one wins; metadata is merged by key."""
    result: dict[str, Any] = {}
    for body in bodies:
        metadata = object_at(result, "metadata") | object_at(dict(body), "metadata")
        result |= {name: value for name, value in body.items() if value is not None}
        if metadata:
            result["metadata"] = metadata
    return result


def trace_span(trace_id: str, body: dict[str, Any], events: Sequence[Event]) -> Span:
    session_id = id_in_any(body, "sessionId")
    start_ns = time_in(body, "timestamp")
    attributes = {
        "traceloop.span.kind": "workflow",
        "gen_ai.workflow.name": workflow_name(text_in(body, "name"), session_id),
        "user.id": id_in_any(body, "userId"),
        "session.id": session_id,
        "langfuse.trace.tags": body.get("tags"),
        "langfuse.trace.input": body.get("input"),
        "langfuse.trace.output": body.get("output"),
        **common_attributes(body),
    }
    return Span(
        trace_id=trace_id,
        span_id=root_id(trace_id),
        parent_span_id=None,
        name=text_in(body, "name"),
        start_ns=events[0].sent_ns if start_ns is None else start_ns,
        end_ns=max(event.sent_ns for event in events),  # of two names of a trace the later one counts
        status=0,
        status_message="",
        attributes=known(attributes),
        scope=SCOPE,
        resource=resource_of(body),
        is_timeless=True,
    )


def workflow_name(name: str, session_id: str | None) -> str | None:
    """Returns the name of the trace without the session in it: Open WebUI names each trace `chat:<session>`."""
    if LITELLM_DEFAULT.fullmatch(name):
        return None
    return (name.replace(session_id, "").strip(" :/_-") if session_id else name) or None


def add_observation(batch: Batch, key: tuple[str, str], body: dict[str, Any], events: list[Event]) -> None:
    trace_id, span_id = key
    kind = observation_type(body, events)
    start_ns, end_ns = time_in(body, "startTime"), time_in(body, "endTime") or 0
    span = Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=id_in_any(body, "parentObservationId") or root_id(trace_id),
        name=text_in(body, "name"),
        start_ns=events[0].sent_ns if start_ns is None else start_ns,
        end_ns=end_ns or (start_ns if kind == "event" and start_ns else 0),
        status=0,
        status_message="",
        attributes=observation_attributes(kind, body),
        scope=SCOPE,
        resource=resource_of(body),
        # An update does not repeat when the observation began.
        is_timeless=start_ns is None and all(event.is_update for event in events),
    )
    batch.decoded.spans.append(span)


def observation_type(body: Mapping[str, Any], events: list[Event]) -> str:
    stated = str(body.get("type") or "").lower()
    kind = stated if stated in OBSERVATION_TYPES else events[0].type.partition("-")[0]
    return "embedding" if kind == "generation" and body.get("name") in LITELLM_EMBEDDINGS else kind


def observation_attributes(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    name = "langfuse.observation"
    attributes = {
        f"{name}.type": kind,
        f"{name}.model.name": body.get("model"),
        f"{name}.model.parameters": body.get("modelParameters"),
        f"{name}.usage_details": usage_details(body),
        f"{name}.cost_details": cost_details(body),
        f"{name}.completion_start_time": body.get("completionStartTime"),
        f"{name}.level": body.get("level"),
        f"{name}.status_message": body.get("statusMessage"),
        f"{name}.input": body.get("input"),
        f"{name}.output": body.get("output"),
        f"{name}.prompt.name": body.get("promptName"),
        f"{name}.prompt.version": body.get("promptVersion"),
        "gen_ai.provider.name": provider(object_at(body, "metadata")),
        **common_attributes(body),
    }
    return known(attributes)


def common_attributes(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "metadata": body.get("metadata"),
        "langfuse.release": body.get("release"),
        "langfuse.version": body.get("version"),
    }


def resource_of(body: Mapping[str, Any]) -> Resource:
    """Returns the environment. The SDK writes `default` where the application has set none."""
    environment = text_in(body, "environment")
    return Resource(environment=environment if environment not in ("", "default") else None)


def known(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value not in (None, "", {}, [])}


def text_in(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return clean(value, NAME_LENGTH) if isinstance(value, str) else ""


def id_in_any(body: Mapping[str, Any], name: str) -> str | None:
    """Returns a user, a session or a parent. Some clients send numbers."""
    value = body.get(name)
    is_usable = isinstance(value, (str, int)) and not isinstance(value, bool)
    return clean(str(value), ID_LENGTH) if is_usable and str(value).strip() else None


# --- Usage, cost and provider of a generation ---


def usage_details(body: dict[str, Any]) -> dict[str, Any] | None:
    details = counts_in(object_at(body, "usageDetails"))
    if details:
        return with_cache_inside(details)
    usage = object_at(body, "usage")
    if usage.get("unit") not in (None, "", "TOKENS"):
        return None  # characters, seconds, images ... are no tokens
    return counts_in({USAGE_NAMES.get(name, name): value for name, value in usage.items() if name not in COST_NAMES})


def counts_in(usage: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in usage.items() if value is not None and name != "unit"}


def with_cache_inside(details: dict[str, Any]) -> dict[str, Any]:
    """Renames input and output where their sum is the total: then they contain the other counts, as LiteLLM sends them.

    Otherwise the counts of usageDetails stand beside each other.
    """
    counts = [token_count(details.get(name)) for name in ("input", "output", "total")]
    if None in counts or sum(filter(None, counts[:2])) != counts[2] or len(details) == len(counts):
        return details
    renamed = {"input": "prompt_tokens", "output": "completion_tokens", "total": "total_tokens"}
    return {renamed.get(name, name): value for name, value in details.items()}


def cost_details(body: dict[str, Any]) -> dict[str, Any] | None:
    details = counts_in(object_at(body, "costDetails"))
    usage = object_at(body, "usage")
    return details or counts_in({COST_NAMES[name]: value for name, value in usage.items() if name in COST_NAMES})


def provider(metadata: Mapping[str, Any]) -> str | None:
    named = (metadata.get(name) for name in PROVIDER_NAMES)
    return next((value.rpartition("/")[2] for value in named if isinstance(value, str) and value), None)
