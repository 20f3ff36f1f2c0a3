"""The answers of the API about one trace, and their types, from which the API document is made."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from analytics.scores import ListedScore
from explorer import trace
from explorer.content import Message, content_of
from explorer.latency import Activity, latency_split
from explorer.summaries import Status, TraceSummary
from explorer.trace import SPAN_COLUMNS, SameCall
from explorer.visible import events_of, links_of, own_attributes
from prices.arithmetic import cost_lines, price_source
from workspaces.content import ContentRight

PREVIEW_LENGTH = 200


class ContentState(TypedDict):
    visible: bool
    reason: Annotated[str | None, Field(description="Why content is left out, if it is.")]
    stored: Annotated[bool, Field(description="False: of spans that arrive now, no content is stored.")]


class SpanSummary(TypedDict):
    """A span without its attributes."""

    timestamp: Annotated[datetime, Field(description="Its start.")]
    span_id: str
    parent_span_id: str | None
    operation: str
    name: str | None
    agent_id: str
    provider: str | None
    model: str | None
    user_id: str | None
    session_id: str | None
    environment: str | None
    release: str | None
    labels: dict[str, str] | None
    tool: str | None
    status: Status
    error_type: str | None
    error_message: str | None
    latency_ms: float | None
    first_token_ms: float | None
    input_tokens: Annotated[int | None, Field(description="With what the cache read and wrote.")]
    output_tokens: Annotated[int | None, Field(description="With reasoning.")]
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    usage_details: dict[str, Any] | None
    cost_usd: Annotated[float | None, Field(description="Null: no price is known, or the span is no call.")]
    input_cost_usd: float | None
    output_cost_usd: float | None
    cache_read_cost_usd: float | None
    cache_write_cost_usd: float | None
    audio_cost_usd: float | None
    image_cost_usd: float | None
    search_cost_usd: float | None
    cost_source: str | None
    price_id: str | None
    response_id: str | None


class ListedSpan(SpanSummary):
    preview: Annotated[
        str | None,
        Field(description="The first 200 characters of what the span was asked, of the first 500 spans. Content."),
    ]


class TraceAnswer(TraceSummary):
    content: ContentState
    scores: list[ListedScore]
    latency_split_ms: Annotated[
        dict[Activity, float], Field(description="What the time was spent on; adds up to `latency_ms`.")
    ]
    spans: list[ListedSpan]
    next_cursor: Annotated[str | None, Field(description="Give it as `cursor` for the next spans; null on the last.")]


class SaidPart(TypedDict):
    type: Literal["text", "reasoning", "tool_call", "tool_result", "media", "json"]
    text: Annotated[str, Field(description="Arguments and results as text or JSON; of media only what it is.")]
    name: Annotated[str | None, Field(description="The tool.")]
    call_id: str | None
    is_cut: Annotated[bool, Field(description="True: the text was longer when it was sent.")]


class SaidMessage(TypedDict):
    role: Literal["system", "user", "assistant", "tool"]
    parts: list[SaidPart]


class SpanEvent(TypedDict):
    name: str
    offset_ms: Annotated[float | None, Field(description="After the start of the span.")]
    attributes: Annotated[dict[str, Any], Field(description="Content.")]


class SpanLink(TypedDict):
    trace_id: str
    span_id: str


class CostPart(TypedDict):
    label: str
    units: int | None
    unit: str
    usd_per_unit: Annotated[float | None, Field(description="Per million tokens, or per search.")]
    cost_usd: float


class CostExplanation(TypedDict):
    source: str
    description: str
    valid_at: datetime | None
    lines: list[CostPart]


class SpanAnswer(SpanSummary):
    trace_id: str
    content: ContentState
    input: Annotated[list[SaidMessage], Field(description="Content.")]
    output: Annotated[list[SaidMessage], Field(description="Content.")]
    attributes: Annotated[dict[str, Any], Field(description="Without content, only numbers and short texts.")]
    events: list[SpanEvent]
    links: list[SpanLink]
    other_records: Annotated[list[SameCall], Field(description="Other spans that record the same call.")]
    cost: Annotated[CostExplanation | None, Field(description="How the cost is made up; null if it is no call.")]


def trace_answer(
    workspace_id: UUID, summary: TraceSummary, spans: list[dict[str, Any]], right: ContentRight, cursor: str | None
) -> TraceAnswer:
    previews = previews_of(workspace_id, summary["trace_id"]) if right.is_granted else {}
    return {
        **summary,
        "content": content_state(right),
        "scores": trace.scores(workspace_id, summary["trace_id"]),
        "latency_split_ms": latency_split(trace.tree_spans(workspace_id, summary)),
        "spans": [{**as_summary(span), "preview": previews.get(span["span_id"])} for span in spans],  # type: ignore[typeddict-item]
        "next_cursor": cursor,
    }


def previews_of(workspace_id: UUID, trace_id: str) -> dict[str, str]:
    found = {}
    for row in trace.contents(workspace_id, trace_id):
        content = content_of(row["attributes"], row["operation"], row["tool"])
        said = [part.text for message in content.inputs[-1:] for part in message.parts]
        if said:
            found[row["span_id"]] = " ".join(said)[:PREVIEW_LENGTH]
    return found


def content_state(right: ContentRight) -> ContentState:
    return {"visible": right.is_granted, "reason": right.reason or None, "stored": right.is_stored}


def as_summary(span: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the columns of the span. Its money becomes JSON numbers."""
    return {name: span[name] for name in SPAN_COLUMNS}


def span_answer(workspace_id: UUID, trace_id: str, span: Mapping[str, Any], right: ContentRight) -> SpanAnswer:
    attributes: dict[str, Any] = span["attributes"]
    content = content_of(attributes if right.is_granted else {}, span["operation"], span["tool"] or span["name"])
    return {
        **as_summary(span),  # type: ignore[typeddict-item]
        "trace_id": trace_id,
        "content": content_state(right),
        "input": said(content.inputs),
        "output": said(content.outputs),
        "attributes": own_attributes(attributes, right.is_granted),
        "events": events_of(attributes, right.is_granted),
        "links": links_of(attributes),
        "other_records": trace.other_records(workspace_id, trace_id, span),
        "cost": cost_explanation(workspace_id, span) if span["cost_source"] else None,
    }


def said(messages: Iterable[Message]) -> list[SaidMessage]:
    return [
        {
            "role": message.role,
            "parts": [
                {
                    "type": part.kind,
                    "text": part.text,
                    "name": part.name,
                    "call_id": part.call_id,
                    "is_cut": part.is_cut,
                }
                for part in message.parts
            ],
        }
        for message in messages
    ]


def cost_explanation(workspace_id: UUID, span: Mapping[str, Any]) -> CostExplanation:
    return {**price_source(workspace_id, span)._asdict(), "lines": [line._asdict() for line in cost_lines(span)]}  # type: ignore[typeddict-item]
