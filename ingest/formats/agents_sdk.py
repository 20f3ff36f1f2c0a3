"""The OpenAI Agents SDK's own export, which is not OTLP.

Its spans get the attribute names of the conventions, so that all later code reads one form of span.
"""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from ingest.formats.json_values import object_at, parse_spans_json, too_many_spans
from ingest.spans import STATUS_ERROR, Decoded, RejectedSpan, Span
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
    request = parse_spans_json(body)
    if not isinstance(request, dict) or not isinstance(request.get("data"), list):
        raise Problem(400, 'The body must be {"data": [trace or trace.span, ...]}.')
    items = request["data"]
    if len(items) > settings.MAX_SPANS_PER_REQUEST:
        raise too_many_spans()
    decoded = Decoded([], [])
    arrived_ns = to_ns(datetime.now(UTC))
    for item in items:
        try:
            decoded.spans.append(span_of(item, arrived_ns))
        except RejectedSpan as error:
            decoded.rejections.append(error.rejection)
    return decoded


def span_of(item: Any, arrived_ns: int) -> Span:
    if not isinstance(item, dict):
        raise RejectedSpan("format", "an item must be a JSON object")
    if item.get("object") == "trace":
        return trace_span(item, arrived_ns)
    if item.get("object") != "trace.span":
        raise RejectedSpan("value", 'object must be "trace" or "trace.span"')
    return plain_span(item)


def trace_span(item: dict[str, Any], arrived_ns: int) -> Span:
    """Returns the trace as the root of its spans. It has user and session, but no time."""
    trace_id = required_id(item, "id")
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
            "metadata": object_at(item, "metadata"),
        },
        scope=SCOPE,
        is_timeless=True,
    )


def plain_span(item: dict[str, Any]) -> Span:
    trace_id = required_id(item, "trace_id")
    data = object_at(item, "span_data")
    error = object_at(item, "error")
    parent_id = item.get("parent_id")
    return Span(
        trace_id=trace_id,
        span_id=required_id(item, "id"),
        # A span without a parent stands below the trace, from which it inherits user and session.
        parent_span_id=clean(str(parent_id), ID_LENGTH) if parent_id else trace_id,
        name=str(data.get("name") or data.get("type") or ""),
        start_ns=required_time(item, "started_at"),
        end_ns=required_time(item, "ended_at") if item.get("ended_at") else 0,
        status=STATUS_ERROR if error else 0,
        status_message=message_of(error),
        attributes=attributes_of(data),
        scope=SCOPE,
    )


def message_of(error: dict[str, Any]) -> str:
    parts = [error.get("message"), object_at(error, "data").get("error")]
    return ": ".join(str(part) for part in parts if part)


def attributes_of(data: dict[str, Any]) -> dict[str, Any]:
    kind = str(data.get("type") or "")
    attributes: dict[str, Any] = {"openinference.span.kind": KINDS.get(kind, "CHAIN")}
    name_attribute = {"function": "tool.name", "agent": "agent.name"}.get(kind)
    if name_attribute:
        attributes[name_attribute] = data.get("name")
    custom = object_at(data, "data")
    attributes["sdk_span_type"] = custom.get("sdk_span_type")
    usage = object_at(data, "usage") or object_at(custom, "usage")
    if usage:
        attributes["usage"] = usage
    attributes["llm.request.model_name"] = data.get("model")
    attributes["response_id"] = data.get("response_id")
    attributes["agent_name"] = custom.get("agent_name")
    attributes["input.value"] = data.get("input")
    attributes["output.value"] = data.get("output")
    return {key: value for key, value in attributes.items() if value is not None}


def required_id(item: dict[str, Any], name: str) -> str:
    value = item.get(name)
    if not isinstance(value, str) or not value:
        raise RejectedSpan("id", f"{name} must be a string")
    return clean(value, ID_LENGTH)


def required_time(item: dict[str, Any], name: str) -> int:
    try:
        return to_ns(datetime.fromisoformat(item.get(name) or "").astimezone(UTC))
    except (TypeError, ValueError, OverflowError):
        raise RejectedSpan("time", f"{name} must be ISO 8601") from None


def to_ns(time: datetime) -> int:
    return int(time.timestamp()) * 1_000_000_000 + time.microsecond * 1000
