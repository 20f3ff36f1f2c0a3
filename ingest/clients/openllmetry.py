"""OpenLLMetry (traceloop-sdk). It sends one span in a request, so that parents come long after their children."""

from ingest import fields
from ingest.client import Client, KindRule
from ingest.spans import Span

KINDS = {"workflow": "workflow", "agent": "agent", "tool": "tool", "task": "chain"}
REQUEST_KINDS = {"chat": "llm", "completion": "llm", "embedding": "embedding", "rerank": "chain"}


def kind_of_request(span: Span) -> str | None:
    """Reads the operation of versions before `gen_ai.operation.name`."""
    return REQUEST_KINDS.get(str(span.attributes["llm.request.type"]))


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
        KindRule(55, kind_of_request, "llm.request.type"),
    ),
    contents=(r"traceloop\.entity\.(input|output)",),
    provider_scopes=(
        r"opentelemetry\.instrumentation\."
        r"(alephalpha|anthropic|bedrock|cohere|google_generativeai|groq|mistralai|ollama|openai(\.v[01])?|replicate"
        r"|sagemaker|together|vertexai|voyageai|watsonx|writer)",
        r"@traceloop/instrumentation-(anthropic|azure|bedrock|cohere|google-generativeai|openai|together|vertexai)",
    ),
    agent_suffixes=(".agent",),
)
