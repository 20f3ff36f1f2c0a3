"""The facts that one span states. `resolve` finds the facts that only the whole trace shows."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from itertools import compress
from operator import attrgetter, ne
from typing import Any

from ingest.model_names import base_model
from ingest.operations import CALL_KINDS
from traces.row import Row, Status

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MAX_FIRST_TOKEN_MS = 1e9
"""Eleven days: more means a mistaken unit."""


@dataclass(slots=True)
class SpanFacts:
    trace_id: str
    span_id: str
    parent_span_id: str | None
    timestamp: datetime
    name: str
    status: Status
    error_type: str | None
    error_message: str | None
    # The rest is stored in the row's `span_facts`, so that the trace can be resolved again when more spans arrive.
    kind: str
    operation: str
    scope: str = ""
    """The library that recorded the call; empty for spans that record none."""
    latency_ms: float | None = None
    agent: str | None = None
    has_named_agent: bool = False
    """An attribute names the agent, not only the span's name."""
    workflow: str | None = None
    service: str | None = None
    user: str | None = None
    session: str | None = None
    resource_user: str | None = None
    """The user of the whole process, for traces in which no span names one."""
    resource_session: str | None = None
    environment: str | None = None
    release: str | None = None
    agent_version: str | None = None
    """The release of the agent, for its span and those below it."""
    resource_environment: str | None = None
    """The environment and the release of the process, for traces in which no span names one."""
    resource_release: str | None = None
    sdk_version: str | None = None
    """What the resource states as the version of the service, where it is the version of an SDK."""
    labels: dict[str, str] | None = None
    """Those that the sender gives as labels."""
    chosen_labels: dict[str, str] | None = None
    """Those in the attributes that the workspace has chosen. These three are read from the attributes: `labels`."""
    trace_labels: dict[str, str] | None = None
    """Those in attributes that speak of the whole trace."""
    resource_labels: dict[str, str] | None = None
    """Those on the process, for spans that have no others."""
    tool: str | None = None
    """The tool of a tool call, where the span's name is another."""
    provider: str | None = None
    requested_model: str | None = None
    used_model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    usage_details: dict[str, int | str] | None = None
    """As in the row: what the call used beside the five counts."""
    reported_cost_usd: str | None = None
    reported_parts: dict[str, str] | None = None
    """The parts of the reported cost in USD by class: input, output, cache_read, cache_write, audio, image, search."""
    first_token_ms: float | None = None
    first_token_at_us: int | None = None
    """When the first token came, in microseconds since 1970, where the client does not say after how long it came."""
    response_id: str | None = None
    holds_client_call: bool = False
    """A client wrote its last call into this span of the application."""
    is_presumed: bool = False
    """Only its name, or its model and usage under an operation that nobody knows, make it a call."""
    is_timeless: bool = False
    """The client does not say when it began: it begins with the first span of its trace."""
    lone_end_us: int | None = None
    """When the latest copy ended that does not say when it began, in microseconds since 1970. A copy that says it gives
    the latency: see `copies`."""
    ranks: dict[str, list[int]] | None = None
    """Of a span that came in several copies: how good the copies of its fields were. See `copies`."""

    @property
    def is_call(self) -> bool:
        return self.kind in CALL_KINDS

    @property
    def end(self) -> datetime:
        return self.timestamp + timedelta(milliseconds=self.latency_ms or 0)

    @property
    def tool_name(self) -> str | None:
        return self.tool or self.name or None

    @property
    def time_to_first_token_ms(self) -> float | None:
        if self.first_token_ms is not None or self.first_token_at_us is None or self.is_timeless:
            return self.first_token_ms
        elapsed_ms = (self.first_token_at_us - (self.timestamp - EPOCH) // MICROSECOND) / 1000
        return elapsed_ms if 0 <= elapsed_ms < MAX_FIRST_TOKEN_MS else None

    @property
    def model(self) -> str | None:
        return base_model(self.used_model or self.requested_model)

    @property
    def has_usage(self) -> bool:
        """The span states tokens or a cost."""
        return (self.input_tokens, self.output_tokens, self.reported_cost_usd) != (None, None, None)

    @property
    def cached_tokens(self) -> int:
        return (self.cache_read_tokens or 0) + (self.cache_write_tokens or 0)


ROW_COLUMNS = ("trace_id", "span_id", "parent_span_id", "timestamp", "name", "status", "error_type", "error_message")
"""Facts that are columns of the row. No later span corrects them, so they are read from the row again."""
READ_AGAIN = ("chosen_labels", "trace_labels", "resource_labels")
"""Facts that are read from the row's attributes, again when these have changed."""
STORED_FIELDS = [field for field in fields(SpanFacts) if field.name not in ROW_COLUMNS]
STORED_NAMES = tuple(field.name for field in STORED_FIELDS)
DEFAULTS = tuple(field.default for field in STORED_FIELDS)
stored_values = attrgetter(*STORED_NAMES)


def to_stored(facts: SpanFacts) -> dict[str, Any]:
    """Returns the facts for the row's `span_facts`, without facts that have their default."""
    values = stored_values(facts)
    return dict(compress(zip(STORED_NAMES, values, strict=True), map(ne, values, DEFAULTS)))


def from_row(row: Row) -> SpanFacts:
    columns = {name: getattr(row, name) for name in ROW_COLUMNS}
    columns["name"] = columns["name"] or ""
    return SpanFacts(**columns, **(row.span_facts or {}))
