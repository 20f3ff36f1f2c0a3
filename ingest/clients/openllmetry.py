"""OpenLLMetry (traceloop-sdk). It sends one span in a request, so that parents come long after their children."""

from ingest import fields
from ingest.client import Client, KindRule

KINDS = {"workflow": "workflow", "agent": "agent", "tool": "tool", "task": "chain"}

KIND_OF_REQUEST = {"chat": "llm", "completion": "llm", "embedding": "embedding", "rerank": "chain"}
"""The operation before there was `gen_ai.operation.name`."""
PROPERTIES = "traceloop.association.properties"

CLIENT = Client(
    rank=20,
    names={
        fields.PROVIDER: ((155, "llm.vendor"),),
        fields.REQUESTED_MODEL: ((155, "llm.request.model"),),
        fields.USED_MODEL: ((155, "llm.response.model"),),
        fields.TOTAL_TOKENS: ("llm.usage.total_tokens",),
        fields.INPUT_TOKENS: ((75, "llm.usage.prompt_tokens"),),
        fields.OUTPUT_TOKENS: ((75, "llm.usage.completion_tokens"),),
        fields.CACHE_READ_TOKENS: ("gen_ai.usage.cache_read_input_tokens",),
        fields.CACHE_WRITE_TOKENS: ("gen_ai.usage.cache_creation_input_tokens",),
        fields.REASONING_TOKENS: ("gen_ai.usage.reasoning_tokens",),
        fields.AGENT_OF_RUN: ("traceloop.entity.name",),
        fields.TOOL: ((75, "traceloop.entity.name"),),
        fields.USER: tuple(f"{PROPERTIES}.{name}" for name in ("user_id", "userId", "user.id")),
        fields.SESSION: tuple(
            f"{PROPERTIES}.{name}"
            for name in (
                *("session_id", "sessionId", "session.id", "conversation_id", "conversationId"),
                *("thread_id", "threadId", "chat_id", "chatId"),
            )
        ),
    },
    kinds=(
        KindRule.by_value(30, "traceloop.span.kind", KINDS),
        KindRule(55, lambda span: KIND_OF_REQUEST.get(str(span.attributes["llm.request.type"])), "llm.request.type"),
    ),
    contents=(r"traceloop\.entity\.(input|output)",),
    agent_suffixes=(".agent",),
)
