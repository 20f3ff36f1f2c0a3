"""OpenInference, and the frameworks that it instruments: LangChain, LlamaIndex, smolagents, CrewAI and others."""

import re

from ingest import fields
from ingest.client import Client, KindRule
from ingest.spans import Span

KINDS = {
    "LLM": "llm",
    "EMBEDDING": "embedding",
    "TOOL": "tool",
    "AGENT": "agent",
    "CHAIN": "chain",
    "RETRIEVER": "chain",
    "RERANKER": "chain",
    "GUARDRAIL": "chain",
    "EVALUATOR": "chain",
}
# A response of the Responses API also holds the ids of its messages (`msg_...`), often before its own.
RESPONSE_ID = re.compile(r'^(?s:.)*?"id":\s*"(?:(?=resp_)|(?=chatcmpl-|msg_)(?!(?s:.)*"id":\s*"resp_))([^"]+)"')


def kind(span: Span) -> str:
    """Returns the kind that the span names, with two exceptions.

    The OpenAI Agents SDK's handoff from one agent to another is not a tool call. LlamaIndex marks the preparation of a
    call as a call.
    """
    named = KINDS.get(str(span.attributes["openinference.span.kind"]).upper(), "chain")
    if named == "tool" and span.name.startswith("handoff to ") and not span.attributes.get("tool.name"):
        return "handoff"
    if named == "llm" and span.name.endswith("_prepare_chat_with_tools"):
        return "other"
    return named


CLIENT = Client(
    rank=60,
    names={
        fields.PROVIDER: ("llm.provider", "llm.system"),
        fields.REQUESTED_MODEL: (
            "llm.request.model_name",
            (75, "llm.invocation_parameters>model"),
            (85, "embedding.model_name"),
        ),
        fields.USED_MODEL: ("llm.response.model_name", (105, "llm.model_name")),
        fields.INPUT_TOKENS: ("llm.token_count.prompt",),
        fields.OUTPUT_TOKENS: ("llm.token_count.completion",),
        fields.CACHE_READ_TOKENS: (
            "llm.token_count.prompt_details.cache_read",
            "llm.token_count.prompt_details.cache_input",
        ),
        fields.CACHE_WRITE_TOKENS: ("llm.token_count.prompt_details.cache_write",),
        fields.REASONING_TOKENS: ("llm.token_count.completion_details.reasoning",),
        fields.TOTAL_TOKENS: ("llm.token_count.total",),
        fields.SERVICE_TIER: ((160, "llm.invocation_parameters>service_tier"),),
        fields.REPORTED_COST_USD: ("llm.cost.total",),
        fields.AGENT: ("agent.name",),
        fields.AGENT_OF_RUN: ("graph.node.id",),
        fields.TOOL: ("tool.name",),
    },
    kinds=(KindRule(10, kind, "openinference.span.kind"),),
    contents=(
        r"(input|output)\.value",
        r"llm\.(input|output)_messages",
        r"llm\.prompts",
        r"embedding\.(text|embeddings)",
        r"retrieval\.documents",
        r"crew_",
        r"task_",
    ),
    agent_suffixes=(".run", "._execute_core"),
    trace_labels=(r"tag\.tags$",),
    first_token_events=frozenset({"First Token Stream Event"}),
    provider_scopes=(
        r"openinference\.instrumentation\."
        r"(openai|anthropic|bedrock|google_genai|groq|litellm|mistralai|portkey|together|vertexai)",
        r"@arizeai/openinference-instrumentation-(openai|anthropic|bedrock|google-genai|mistralai)",
    ),
    # LlamaIndex records a call that it may try again, and each attempt.
    repeated_kinds={"openinference.instrumentation.llama_index": frozenset({"llm"})},
    response_id_patterns={"output.value": RESPONSE_ID},
)
