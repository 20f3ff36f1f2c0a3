"""What kind of span it is: INGEST rules in their order, by the tables of `conventions`."""

from collections.abc import Mapping
from typing import Any

from ingest import conventions as c
from ingest.spans import Span


def kind_of(span: Span) -> str:
    """llm, raw (LiteLLM's repetition of a call), embedding, usage_log, tool, handoff, agent, workflow, chain, other."""
    attributes = span.attributes
    if attributes.get("openinference.span.kind"):
        return openinference_kind(span)
    if attributes.get("langfuse.observation.type"):
        return c.LANGFUSE_KINDS.get(str(attributes["langfuse.observation.type"]), "chain")
    if attributes.get("traceloop.span.kind"):
        return c.TRACELOOP_KINDS.get(str(attributes["traceloop.span.kind"]), "chain")
    if attributes.get("gen_ai.operation.name"):
        kind = c.OPERATION_KINDS.get(str(attributes["gen_ai.operation.name"]), "chain")
        return "usage_log" if kind == "llm" and attributes.get("logfire.span_type") == "log" else kind
    if attributes.get("ai.operationId"):
        return vercel_kind(str(attributes["ai.operationId"]))
    if span.scope == c.LITELLM_SCOPE and litellm_raw_provider(attributes):
        return "raw"
    if span.scope == c.LOGFIRE_AGENTS_SCOPE:
        return logfire_agents_kind(str(attributes.get("logfire.msg_template", "")))
    if named := c.NAMED_KINDS.match(span.name):
        return c.OPERATION_KINDS[named[1]]
    if attributes.get("gen_ai.request.model") and (
        attributes.get("gen_ai.system") or attributes.get("gen_ai.provider.name")
    ):
        return "llm"
    return "other"


def openinference_kind(span: Span) -> str:
    kind = c.OPENINFERENCE_KINDS.get(str(span.attributes["openinference.span.kind"]).upper(), "chain")
    if kind == "tool" and span.name.startswith("handoff to ") and not span.attributes.get("tool.name"):
        return "handoff"
    if kind == "llm" and span.name.endswith("_prepare_chat_with_tools"):
        return "other"
    return kind


def vercel_kind(operation_id: str) -> str:
    for pattern, kind in c.VERCEL_KINDS:
        if pattern.search(operation_id):
            return kind
    return "chain"


def logfire_agents_kind(template: str) -> str:
    for beginning, kind in c.LOGFIRE_AGENTS_KINDS:
        if template.startswith(beginning):
            return kind
    return "chain"


def litellm_raw_provider(attributes: Mapping[str, Any]) -> str | None:
    for name in attributes:
        if raw := c.LITELLM_RAW_USAGE.match(name):
            return raw[1]
    return None


def operation_of(kind: str, span: Span) -> str:
    """As a row: chat, embeddings, invoke_agent, ..., other."""
    if kind not in ("llm", "raw"):
        return c.ROW_OPERATIONS.get(kind, "other")
    named = str(span.attributes.get("gen_ai.operation.name"))
    if named not in c.CALL_NAMES:
        match = c.NAMED_KINDS.match(span.name)
        named = match[1] if match else ""
    return named if named in c.CALL_NAMES else "chat"
