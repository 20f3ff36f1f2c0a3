"""What one span says of itself, by the tables of `conventions`. What only its trace can tell is in `attribution`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from ingest import conventions as c
from ingest.attributes import MOST_TOKENS, Attributes, structure, whole
from ingest.kinds import kind_of, litellm_raw_provider, operation_of
from ingest.spans import ERROR, Span
from traces.row import Status
from traces.text import ID_LENGTH, MESSAGE_LENGTH, NAME_LENGTH, clean

CALL_KINDS = frozenset({"llm", "raw", "embedding"})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Costs are sums of float prices on the client: 0.00032279999999999997 means 0.0003228.
COST_PLACES = Decimal("1e-12")


@dataclass(slots=True)
class Said:
    trace_id: str
    span_id: str
    parent_span_id: str | None
    timestamp: datetime
    name: str
    status: Status
    error_type: str | None
    error_message: str | None
    # The rest is kept beside the row (`traces.said`), so that the trace can be resolved again.
    kind: str
    operation: str
    scope: str = ""
    """Only of those whose spans are treated apart."""
    latency_ms: float | None = None
    agent: str | None = None
    agent_is_named: bool = False
    """By an attribute, not only by the span's name."""
    workflow: str | None = None
    service: str | None = None
    user: str | None = None
    session: str | None = None
    provider: str | None = None
    requested_model: str | None = None
    used_model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    reported_cost_usd: str | None = None
    response_id: str | None = None
    service_tier: str | None = None
    merged: bool = False
    """LiteLLM wrote its last call over this span of the application."""
    timeless: bool = False
    """Its client does not say when it began: with the first of its spans."""

    @property
    def is_call(self) -> bool:
        return self.kind in CALL_KINDS


# --- The whole of it ---


def said(span: Span, attributes: Attributes) -> Said:
    kind = kind_of(span)
    result = Said(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        timestamp=moment(span.start_ns),
        name=clean(span.name, NAME_LENGTH),
        status="success",
        error_type=None,
        error_message=None,
        kind=kind,
        operation=operation_of(kind, span),
        scope=span.scope if span.scope in c.SCOPES_APART or span.scope.startswith("logfire") else "",
        latency_ms=(span.end_ns - span.start_ns) / 1e6 if span.end_ns >= span.start_ns else None,
        workflow=attributes.text(c.WORKFLOW),
        service=span.resource.service or attributes.text(c.SERVICE, ID_LENGTH),
        user=attributes.text(c.USER, ID_LENGTH),
        session=attributes.text(c.SESSION, ID_LENGTH),
        merged="litellm.call_id" in span.attributes and span.scope != c.LITELLM_SCOPE,
        timeless=span.timeless,
    )
    name_agent(result, span, attributes)
    if kind == "tool":
        result.name = tool_name(span, attributes)
    if kind in CALL_KINDS or kind == "usage_log":
        describe_call(result, span, attributes)
    judge(result, span, attributes)
    return result


def moment(nanoseconds: int) -> datetime:
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return EPOCH + timedelta(0, seconds, rest // 1000)


def name_agent(result: Said, span: Span, attributes: Attributes) -> None:
    is_agent = result.kind == "agent"
    name = attributes.text(c.AGENT, ID_LENGTH)
    if name is None and is_agent:
        name = attributes.text(c.AGENT_ON_AGENT_SPANS, ID_LENGTH)
        name = c.AGENT_SPAN_NAME_SUFFIX.sub("", name) if name else None
    if name is None:
        name = attributes.text(c.AGENT_IN_METADATA, ID_LENGTH)
    if name is None and is_agent and span.scope == c.LOGFIRE_AGENTS_SCOPE:
        name = attributes.text(c.LOGFIRE_AGENT, ID_LENGTH)
    result.agent_is_named = name is not None
    if name is None and is_agent:
        name = clean(c.AGENT_SPAN_NAME_PREFIX.sub("", span.name), ID_LENGTH)
        name = c.AGENT_SPAN_NAME_SUFFIX.sub("", name)
    result.agent = name or None


def tool_name(span: Span, attributes: Attributes) -> str:
    name = None
    if span.attributes.get("gen_ai.operation.name") == "execute_tool":
        name = attributes.text(c.TOOL_BY_OPERATION)
    return name or attributes.text(c.TOOL) or clean(span.name.removeprefix("execute_tool "), NAME_LENGTH)


def describe_call(result: Said, span: Span, attributes: Attributes) -> None:
    result.requested_model = attributes.text(c.REQUESTED_MODEL)
    result.used_model = attributes.text(c.USED_MODEL)
    result.response_id = response_id(attributes)
    result.service_tier = attributes.text(c.SERVICE_TIER)
    result.reported_cost_usd = reported_cost(attributes)
    result.input_tokens = attributes.count(c.INPUT_TOKENS)
    if result.input_tokens is None:
        result.input_tokens = additive_input(attributes)
    result.output_tokens = attributes.count(c.OUTPUT_TOKENS)
    result.cache_read_tokens = attributes.count(c.CACHE_READ_TOKENS)
    result.cache_write_tokens = attributes.count(c.CACHE_WRITE_TOKENS)
    result.reasoning_tokens = attributes.count(c.REASONING_TOKENS)
    providers: Iterable[Any] = attributes.all(c.PROVIDER)
    if result.kind == "raw":
        providers = [describe_raw(result, attributes)]
    if result.requested_model is None:
        result.requested_model = model_in_name(span.name)
    if not result.input_tokens and not result.output_tokens:
        # No call is without tokens: SDKs write 0 where a stream told nothing.
        result.input_tokens = result.output_tokens = None
    include_cache(result, span)
    result.provider = provider_of(providers, result.used_model or result.requested_model)
    if result.kind == "usage_log":
        begin_with_the_stream(result, attributes)


def model_in_name(name: str) -> str | None:
    named = c.NAMED_KINDS.match(name)
    if named is None or named[1] in ("execute_tool", "invoke_agent"):
        return None
    return clean(name[len(named[1]) + 1 :], NAME_LENGTH)


def describe_raw(result: Said, attributes: Attributes) -> str:
    """LiteLLM's `llm.<provider>.*`, the provider's own answer as a Python repr."""
    provider = litellm_raw_provider(attributes.values) or ""
    told = {name: attributes.values.get(f"llm.{provider}.{name}") for name in ("model", "id", "user")}
    result.used_model = clean(str(told["model"]), NAME_LENGTH) if told["model"] else None
    result.response_id = clean(str(told["id"]), ID_LENGTH) if told["id"] else None
    if result.user is None and told["user"]:
        result.user = clean(str(told["user"]), ID_LENGTH)
    usage = Attributes({"usage": structure(attributes.values[f"llm.{provider}.usage"])})
    result.input_tokens = usage.count(c.RAW_INPUT_TOKENS)
    result.output_tokens = usage.count(c.RAW_OUTPUT_TOKENS)
    result.cache_read_tokens = usage.count(c.CACHE_READ_TOKENS)
    result.cache_write_tokens = usage.count(c.CACHE_WRITE_TOKENS)
    result.reasoning_tokens = usage.count(c.REASONING_TOKENS)
    # Anthropic's own counting leaves the cache out; the OpenAI shape includes it.
    if provider == "anthropic" and usage.inside("usage", ("prompt_tokens",)) is None:
        result.input_tokens = None if result.input_tokens is None else result.input_tokens + cached(result)
    return provider


def additive_input(attributes: Attributes) -> int | None:
    """Langfuse's own usage_details count nothing twice: input + cache_read_input_tokens + ..."""
    details = None
    if "langfuse.observation.usage_details" in attributes.values:
        details = attributes.inside("langfuse.observation.usage_details", ())
    if not isinstance(details, dict):
        return None
    counts = [whole(value) for key, value in details.items() if "input" in key or "cache" in key]
    known = [count for count in counts if count is not None]
    return min(sum(known), MOST_TOKENS) if known else None


def cached(result: Said) -> int:
    return (result.cache_read_tokens or 0) + (result.cache_write_tokens or 0)


def include_cache(result: Said, span: Span) -> None:
    if result.input_tokens is not None and (span.scope == c.EXCLUSIVE_SCOPE or cached(result) > result.input_tokens):
        result.input_tokens += cached(result)


def reported_cost(attributes: Attributes) -> str | None:
    for value in attributes.all(c.REPORTED_COST_USD):
        try:
            cost = Decimal(str(value))
        except InvalidOperation:
            continue
        if cost.is_finite() and 0 < cost < c.MOST_COST_USD:
            exponent = cost.as_tuple().exponent
            if isinstance(exponent, int) and exponent < -12:
                cost = cost.quantize(COST_PLACES).normalize()
            return f"{cost:f}" if cost else None
    return None


def response_id(attributes: Attributes) -> str | None:
    found = attributes.text(c.RESPONSE_ID, ID_LENGTH)
    if found is None and isinstance(output := attributes.values.get(c.OUTPUT), str):
        match = c.RESPONSE_ID_IN_OUTPUT.search(output)
        found = clean(match[1], ID_LENGTH) if match else None
    return found


def begin_with_the_stream(result: Said, attributes: Attributes) -> None:
    """Logfire's log at the end of a stream becomes a span over it, as it says how long the stream took."""
    duration = attributes.values.get("duration")
    if isinstance(duration, (int, float)) and 0 <= duration < c.LONGEST_STREAM_SECONDS:
        result.timestamp = datetime.fromtimestamp(result.timestamp.timestamp() - duration, UTC)
        result.latency_ms = duration * 1000


# --- Providers and models ---


@lru_cache(maxsize=4096)
def base_model(name: str | None) -> str | None:
    """Without `provider/` and the date it was released on."""
    if not name:
        return None
    return c.MODEL_DATE.sub("", name.rpartition("/")[2]) or name


def provider_of(given: Iterable[Any], model: str | None) -> str | None:
    for value in given:
        if isinstance(value, str):
            provider = c.PROVIDER_SUFFIX.sub("", value.strip().lower())
            provider = c.PROVIDER_NAMES.get(provider, provider)
            if provider not in c.FRAMEWORKS:
                return clean(provider, NAME_LENGTH)
    return inferred_provider(base_model(model) or "")


@lru_cache(maxsize=4096)
def inferred_provider(model: str) -> str | None:
    for pattern, provider in c.PROVIDER_OF_MODEL:
        if pattern.search(model):
            return provider
    return None


# --- Failures ---


def judge(result: Said, span: Span, attributes: Attributes) -> None:
    exception = exception_of(span)
    if not has_failed(result, span, exception):
        return
    type_ = error_type(span, attributes, exception or {})
    message = error_message(span, attributes, exception or {})
    told = (
        str(span.attributes.get("error.type", "")),
        str((exception or {}).get("exception.type", "")),
        type_ or "",
        (message or "").partition("Traceback")[0][: c.TIMEOUT_TOLD_WITHIN],
    )
    result.status = "timeout" if any(c.TIMED_OUT.search(text) for text in told) else "error"
    result.error_type = type_
    result.error_message = clean(message, MESSAGE_LENGTH) if message else None


def exception_of(span: Span) -> dict[str, Any] | None:
    for event in reversed(span.events):
        if event.name == "exception":
            return event.attributes
    return None


def has_failed(result: Said, span: Span, exception: dict[str, Any] | None) -> bool:
    if span.status == ERROR or span.attributes.get("langfuse.observation.level") == "ERROR":
        return True
    return result.kind == "llm" and exception is not None and not result.output_tokens


def error_type(span: Span, attributes: Attributes, exception: dict[str, Any]) -> str | None:
    found = attributes.text(c.ERROR_TYPE)
    if found is None or found == "_OTHER":
        found = Attributes(exception).text(c.EXCEPTION_TYPE) or found
    if found is None:
        found = attributes.text(c.ERROR_CODE)
    return c.CLASS_REPR.sub(r"\1", found) if found else None


def error_message(span: Span, attributes: Attributes, exception: dict[str, Any]) -> str | None:
    messages = (
        span.status_message,
        str(exception.get("exception.message") or ""),
        *map(str, attributes.all(c.ERROR_MESSAGE)),
    )
    for message in messages:
        if message:
            return message.partition("Traceback")[0].strip() or message
    return None
