"""Reads one span: its kind, agent, user and session. `read_call` and `failures` read the rest."""

from datetime import datetime, timedelta
from functools import lru_cache

from ingest import client_rules, fields
from ingest.attributes import Attributes
from ingest.failures import read_failure
from ingest.operations import RECORD_KINDS, operation_of
from ingest.read_call import read_call
from ingest.span_facts import EPOCH, SpanFacts
from ingest.spans import NS_PER_MS, Span
from ingest.values import MAX_LATENCY_MS
from traces.text import ID_LENGTH, NAME_LENGTH, clean

USAGE_OR_COST = (
    *(fields.INPUT_TOKENS, fields.OUTPUT_TOKENS, fields.TOTAL_TOKENS, fields.USAGE),
    *(fields.REPORTED_COST_USD, fields.REPORTED_COSTS),
)


def read_span(span: Span, attributes: Attributes) -> SpanFacts:
    kind = kind_of(span, attributes)
    agent, has_named_agent = agent_of(kind, span, attributes)
    facts = SpanFacts(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        timestamp=from_nanoseconds(span.start_ns),
        name=tool_name(span, attributes) if kind == "tool" else clean(span.name, NAME_LENGTH),
        status="success",
        error_type=None,
        error_message=None,
        kind=kind,
        operation=operation_of(kind, span),
        latency_ms=latency_of(span),
        agent=agent,
        has_named_agent=has_named_agent,
        workflow=attributes.text(fields.WORKFLOW),
        service=span.resource.service or attributes.text(fields.SERVICE, ID_LENGTH),
        user=attributes.identifier(fields.USER),
        session=attributes.identifier(fields.SESSION),
        resource_user=span.resource.user,
        resource_session=span.resource.session,
        environment=attributes.identifier(fields.ENVIRONMENT),
        release=attributes.identifier(fields.RELEASE),
        agent_version=attributes.identifier(fields.AGENT_VERSION),
        resource_environment=span.resource.environment,
        holds_client_call=attributes.has(fields.CLIENT_CALL) and span.scope not in client_rules.CLIENT_CALL_SCOPES,
        is_timeless=span.is_timeless,
        lone_end_us=span.end_ns // 1000 if span.is_timeless and span.end_ns else None,
    )
    read_resource_release(facts, span)
    if kind in RECORD_KINDS:
        facts.scope = clean_scope(span.scope)
        read_call(facts, span, attributes)
    elif kind == "agent":
        read_agent_usage(facts, span, attributes)
    read_failure(facts, span, attributes)
    return facts


def read_resource_release(facts: SpanFacts, span: Span) -> None:
    resource = span.resource
    if resource.version and any(states_own(span) for states_own in client_rules.STATES_OWN_VERSION):
        facts.sdk_version = resource.version
    facts.resource_release = resource.release or (None if facts.sdk_version else resource.version)


def kind_of(span: Span, attributes: Attributes) -> str:
    """Returns the kind by the first rule that recognises the span."""
    for name, _ in attributes.places.get(fields.KIND, ()):
        if attributes.values[name] and (kind := client_rules.KIND_BY_ATTRIBUTE[name](span)):
            return kind
    for rule in client_rules.OTHER_KINDS:
        if kind := rule(span):
            return kind
    return "other"


def from_nanoseconds(nanoseconds: int) -> datetime:
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return EPOCH + timedelta(0, seconds, rest // 1000)


def latency_of(span: Span) -> float | None:
    """Returns None for a span without an end, or whose end cannot be right."""
    latency_ms = (span.end_ns - span.start_ns) / NS_PER_MS
    return latency_ms if not span.is_timeless and 0 <= latency_ms <= MAX_LATENCY_MS else None


@lru_cache(maxsize=4096)
def clean_scope(scope: str) -> str:
    return clean(scope, NAME_LENGTH)


def read_agent_usage(facts: SpanFacts, span: Span, attributes: Attributes) -> None:
    """Reads the usage and cost of an agent run. They count if no span below it is a call: see `resolve`."""
    if any(map(attributes.has, USAGE_OR_COST)):
        read_call(facts, span, attributes)


def agent_of(kind: str, span: Span, attributes: Attributes) -> tuple[str | None, bool]:
    """Returns the agent, and whether an attribute names it. The name of an agent's span is used last."""
    name = agent_attribute(kind, span, attributes)
    if name is not None:
        return name or None, True
    if kind != "agent":
        return None, False
    name = clean(client_rules.AGENT_PREFIX.sub("", span.name), ID_LENGTH)
    return client_rules.AGENT_SUFFIX.sub("", name) or None, False


def agent_attribute(kind: str, span: Span, attributes: Attributes) -> str | None:
    name = attributes.text(fields.AGENT, ID_LENGTH)
    if name is None and kind == "agent":
        name = attributes.text(fields.AGENT_OF_RUN, ID_LENGTH)
        name = client_rules.AGENT_SUFFIX.sub("", name) if name else None
    if name is None:
        name = attributes.text(fields.AGENT_IN_METADATA, ID_LENGTH)
    if name is None and kind == "agent" and span.scope in client_rules.AGENT_SCOPES:
        name = attributes.text(fields.AGENT_BY_SCOPE, ID_LENGTH)
    return name


def tool_name(span: Span, attributes: Attributes) -> str:
    name = None
    if span.attributes.get("gen_ai.operation.name") == "execute_tool":
        name = attributes.text(fields.TOOL_OF_OPERATION)
    return name or attributes.text(fields.TOOL) or clean(span.name.removeprefix("execute_tool "), NAME_LENGTH)
