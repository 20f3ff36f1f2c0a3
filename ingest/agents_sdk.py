"""The OpenAI Agents SDK's own export: not OTLP, but the same spans in other words.

They are translated to the names of the conventions, so that everything behind sees spans of one kind.
"""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from ingest import bounds
from ingest.otlp import Refused, inner, listed
from ingest.spans import ERROR, Decoded, Span
from traces.text import ID_LENGTH, clean
from web.problems import Problem

KINDS = {
    "generation": "LLM",
    "response": "LLM",
    "transcription": "CHAIN",
    "speech": "CHAIN",
    "function": "TOOL",
    "agent": "AGENT",
    "handoff": "CHAIN",
    "guardrail": "GUARDRAIL",
}
SCOPE = "openai.agents"


def decode(body: bytes) -> Decoded:
    request = bounds.parsed_json(body)
    if not isinstance(request, dict) or not isinstance(request.get("data"), list):
        raise Problem(400, 'The body must be {"data": [trace or trace.span, ...]}.')
    items = listed(request["data"])
    if len(items) > settings.MAX_TRACES_PER_REQUEST:
        raise bounds.too_many_spans()
    decoded = Decoded([], [])
    arrived_ns = to_ns(datetime.now(UTC))
    for item in items:
        try:
            decoded.spans.append(span_of(item, arrived_ns))
        except Refused as reason:
            decoded.refused.append(str(reason))
    return decoded


def span_of(item: Any, arrived_ns: int) -> Span:
    if not isinstance(item, dict):
        raise Refused("an item must be a JSON object")
    if item.get("object") == "trace":
        return trace_span(item, arrived_ns)
    if item.get("object") != "trace.span":
        raise Refused('object must be "trace" or "trace.span"')
    return plain_span(item)


def trace_span(item: dict[str, Any], arrived_ns: int) -> Span:
    """A trace says who and what for, but not when."""
    trace_id = required_id(item, "id")
    metadata = inner(item, "metadata")
    return Span(
        trace_id=trace_id,
        span_id=trace_id,
        parent_span_id=None,
        name=str(item.get("workflow_name") or ""),
        start_ns=arrived_ns,
        end_ns=0,
        status=0,
        status_message="",
        attributes={
            "traceloop.span.kind": "workflow",
            "group_id": item.get("group_id"),
            "metadata": metadata,
        },
        scope=SCOPE,
        timeless=True,
    )


def plain_span(item: dict[str, Any]) -> Span:
    trace_id = required_id(item, "trace_id")
    data = inner(item, "span_data")
    error = inner(item, "error")
    parent_id = item.get("parent_id")
    return Span(
        trace_id=trace_id,
        span_id=required_id(item, "id"),
        # The trace itself is the root: user and session are its.
        parent_span_id=clean(str(parent_id), ID_LENGTH) if parent_id else trace_id,
        name=str(data.get("name") or data.get("type") or ""),
        start_ns=required_time(item, "started_at"),
        end_ns=required_time(item, "ended_at") if item.get("ended_at") else 0,
        status=ERROR if error else 0,
        status_message=message_of(error),
        attributes=attributes_of(data),
        scope=SCOPE,
    )


def message_of(error: dict[str, Any]) -> str:
    told = [error.get("message"), inner(error, "data").get("error")]
    return ": ".join(str(part) for part in told if part)


def attributes_of(data: dict[str, Any]) -> dict[str, Any]:
    kind = str(data.get("type") or "")
    attributes: dict[str, Any] = {"openinference.span.kind": KINDS.get(kind, "CHAIN")}
    named = {"function": "tool.name", "agent": "agent.name"}.get(kind)
    if named:
        attributes[named] = data.get("name")
    usage = inner(data, "usage")
    if usage:
        attributes["usage"] = usage
        attributes["gen_ai.usage.input_tokens"] = usage.get("input_tokens")
        attributes["gen_ai.usage.output_tokens"] = usage.get("output_tokens")
    attributes["llm.request.model_name"] = data.get("model")
    attributes["response_id"] = data.get("response_id")
    attributes["agent_name"] = inner(data, "data").get("agent_name")
    attributes["input.value"] = data.get("input")
    attributes["output.value"] = data.get("output")
    return {key: value for key, value in attributes.items() if value is not None}


def required_id(item: dict[str, Any], name: str) -> str:
    value = item.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(f"{name} must be a string")
    return clean(value, ID_LENGTH)


def required_time(item: dict[str, Any], name: str) -> int:
    try:
        return to_ns(datetime.fromisoformat(item.get(name) or "").astimezone(UTC))
    except (TypeError, ValueError, OverflowError):
        raise Refused(f"{name} must be ISO 8601") from None


def to_ns(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000
