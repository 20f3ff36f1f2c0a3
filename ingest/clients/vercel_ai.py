"""The Vercel AI SDK: version 6 with names of its own, version 7 (`@ai-sdk/otel`) mostly with those of the conventions.

The outer spans (`ai.generateText`, `ai.streamText`) repeat the sum of their calls, so they are agent runs. Node's
exporters send JSON in chunks, without Content-Length.
"""

import re

from ingest import fields
from ingest.client import Client, KindRule
from ingest.spans import Span

KINDS = (
    (re.compile(r"\.do(Generate|Stream)$"), "llm"),
    (re.compile(r"\.doEmbed$"), "embedding"),
    (re.compile(r"^ai\.toolCall$"), "tool"),
    (re.compile(r"^ai\.(generate|stream)"), "agent"),
)


def kind(span: Span) -> str:
    operation_id = str(span.attributes["ai.operationId"])
    return next((kind_name for pattern, kind_name in KINDS if pattern.search(operation_id)), "chain")


METADATA = "ai.response.providerMetadata"
CONTEXTS = ("ai.telemetry.metadata.", "ai.settings.context.")

CLIENT = Client(
    rank=70,
    names={
        fields.PROVIDER: ("ai.model.provider",),
        fields.REQUESTED_MODEL: ("ai.model.id",),
        fields.USED_MODEL: ("ai.response.model",),
        fields.INPUT_TOKENS: ("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"),
        fields.OUTPUT_TOKENS: ("ai.usage.outputTokens", "ai.usage.completionTokens"),
        fields.CACHE_READ_TOKENS: ("ai.usage.cachedInputTokens", "ai.usage.inputTokenDetails.cacheReadTokens"),
        fields.CACHE_WRITE_TOKENS: ("ai.usage.inputTokenDetails.cacheWriteTokens",),
        fields.REASONING_TOKENS: ("ai.usage.reasoningTokens", "ai.usage.outputTokenDetails.reasoningTokens"),
        fields.RESPONSE_ID: ("ai.response.id",),
        fields.FIRST_TOKEN_MS: ("ai.response.msToFirstChunk",),
        fields.AGENT_IN_METADATA: ((125, "ai.telemetry.functionId"),),
        fields.TOOL: ("ai.toolCall.name",),
        fields.TOTAL_TOKENS: ("ai.usage.totalTokens",),
        fields.SERVICE_TIER: (f"{METADATA}>openai>serviceTier", f"{METADATA}>azure>serviceTier"),
        fields.USER: tuple(place + name for name in ("userId", "user_id") for place in CONTEXTS),
        fields.SESSION: tuple(
            place + name
            for name in (
                *("sessionId", "session_id", "conversationId", "conversation_id"),
                *("threadId", "thread_id", "chatId", "chat_id"),
            )
            for place in CONTEXTS
        ),
    },
    # The deepest object of a provider comes first: the one around it repeats a part of it.
    usage_objects=(
        *(f"{METADATA}>{name}>usage" for name in ("anthropic", "bedrock", "openrouter")),
        *(f"{METADATA}>{name}>usageMetadata" for name in ("google", "vertex")),
        *(f"{METADATA}>{name}" for name in ("anthropic", "bedrock", "openai", "azure", "xai", "deepseek")),
    ),
    kinds=(KindRule(60, kind, "ai.operationId"),),
    contents=(
        r"ai\.prompt",
        r"ai\.response\.(text|object|toolCalls|reasoning)",
        r"ai\.toolCall\.(args|result)",
        r"ai\.(value|values|embedding|embeddings)$",
    ),
    provider_suffixes=(
        *("chat", "responses", "messages", "completion", "embedding", "embeddings"),
        *("image", "speech", "transcription"),
    ),
    repeated_kinds={scope: frozenset({"embedding"}) for scope in ("ai", "gen_ai")},
    first_token_events=frozenset({"ai.stream.firstChunk"}),
)
