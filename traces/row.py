"""Rows of `traces`. Every way of ingesting makes them, and the writer takes nothing else."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

CALL_OPERATIONS = ("chat", "text_completion", "generate_content", "embeddings")
TOOL_OPERATION = "execute_tool"
COST_CLASSES = ("input", "output", "cache_read", "cache_write", "audio", "image", "search")
"""What the parts of a cost are for. Input and output are the tokens that no other class has."""
COST_COLUMN_OF = {name: f"{name}_cost_usd" for name in COST_CLASSES}
COST_COLUMNS = tuple(COST_COLUMN_OF.values())

Status = Literal["success", "error", "timeout"]


@dataclass(slots=True)
class Row:
    """One span. Token counts are inclusive: input holds cache reads and writes, output holds reasoning."""

    timestamp: datetime
    """Start of the span, with offset."""
    trace_id: str
    span_id: str
    operation: str
    """One of CALL_OPERATIONS, or invoke_agent, invoke_workflow, execute_tool, other."""
    agent_id: str
    parent_span_id: str | None = None
    name: str | None = None
    provider: str | None = None
    model: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    environment: str | None = None
    """Where it ran, like production or staging."""
    release: str | None = None
    """The version of what ran."""
    labels: dict[str, str] | None = None
    """At most `workspaces.label_limits.MAX_LABELS`; None instead of an empty object."""
    tool: str | None = None
    """The tool's name; None for rows that are no tool calls."""
    status: Status = "success"
    error_type: str | None = None
    error_message: str | None = None
    latency_ms: float | None = None
    first_token_ms: float | None = None
    """From the start of a call to its first token."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    usage_details: dict[str, int | str] | None = None
    """What a call used beside the five counts, by the price list's keys, and its service tier and speed."""
    cost_usd: Decimal | None = None
    """None: unpriced, which is not the same as 0 for a free call."""
    input_cost_usd: Decimal | None = None
    """The parts of cost_usd. None: nothing of it was used, or nobody knows how the cost is made up."""
    output_cost_usd: Decimal | None = None
    cache_read_cost_usd: Decimal | None = None
    cache_write_cost_usd: Decimal | None = None
    audio_cost_usd: Decimal | None = None
    image_cost_usd: Decimal | None = None
    search_cost_usd: Decimal | None = None
    cost_source: str | None = None
    """override, reported, genai-prices or unknown; None for rows that are no calls."""
    price_id: str | None = None
    """The price from which cost_usd was computed."""
    response_id: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    span_facts: dict[str, Any] | None = None
    """The facts that the span itself states, so that its trace can be resolved again. Rows that no other span corrects
    have no `kind` in it, only the cost that the client reported and the whole name of the model."""
    link: str | None = None
    """A text that all records of the same call share, even in other traces."""


COLUMNS: dict[str, str] = {
    "timestamp": "timestamptz",
    "trace_id": "text",
    "span_id": "text",
    "parent_span_id": "text",
    "operation": "text",
    "name": "text",
    "agent_id": "text",
    "provider": "text",
    "model": "text",
    "user_id": "text",
    "session_id": "text",
    "environment": "text",
    "release": "text",
    "labels": "jsonb",
    "tool": "text",
    "status": "text",
    "error_type": "text",
    "error_message": "text",
    "latency_ms": "float8",
    "first_token_ms": "float8",
    "input_tokens": "bigint",
    "output_tokens": "bigint",
    "cache_read_tokens": "bigint",
    "cache_write_tokens": "bigint",
    "reasoning_tokens": "bigint",
    "usage_details": "jsonb",
    "cost_usd": "numeric",
    **dict.fromkeys(COST_COLUMNS, "numeric"),
    "cost_source": "text",
    "price_id": "text",
    "response_id": "text",
    "attributes": "jsonb",
    "span_facts": "jsonb",
    "link": "text",
}
KEY_COLUMNS = ("trace_id", "span_id", "timestamp")
CORRECTED_COLUMNS = tuple(name for name in COLUMNS if name not in (*KEY_COLUMNS, "attributes", "span_facts", "link"))
"""The columns that later spans of the trace, and a repricing, may change."""
