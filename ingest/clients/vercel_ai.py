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
        fields.USER: ("ai.telemetry.metadata.userId", "ai.settings.context.userId"),
        fields.SESSION: ("ai.telemetry.metadata.sessionId", "ai.settings.context.sessionId"),
    },
    kinds=(KindRule(60, kind, "ai.operationId"),),
    contents=(
        r"ai\.prompt",
        r"ai\.response\.(text|object|toolCalls|reasoning)",
        r"ai\.toolCall\.(args|result)",
        r"ai\.(value|values|embedding|embeddings)$",
    ),
    provider_suffixes=("chat", "responses", "messages", "embedding", "embeddings"),
    first_token_events=frozenset({"ai.stream.firstChunk"}),
)
