"""Kinds of spans, and the operations of their rows.

A kind is one of: llm, raw (a provider's answer that repeats a call), embedding, usage_log (the log that ends a stream),
turn (the span above a call, which has its usage), tool, handoff, agent, workflow, chain, other. `ingest/clients/`
defines how each client's kinds are recognised.
"""

import re

from ingest.spans import Span
from traces.text import NAME_LENGTH, clean

CALL_KINDS = frozenset({"llm", "raw", "embedding"})
RECORD_KINDS = CALL_KINDS | {"usage_log", "turn"}
"""Kinds of spans that record something about a call."""

KIND_OF_OPERATION = {
    "chat": "llm",
    "text_completion": "llm",
    "generate_content": "llm",
    "completion": "llm",
    "responses": "llm",
    "embeddings": "embedding",
    "embedding": "embedding",
    "execute_tool": "tool",
    "invoke_agent": "agent",
    "create_agent": "agent",
    "invoke_workflow": "workflow",
}
OPERATION_OF_KIND = {
    "llm": "chat",
    "embedding": "embeddings",
    "tool": "execute_tool",
    "agent": "invoke_agent",
    "workflow": "invoke_workflow",
}
NO_CALL_WORDS = frozenset(
    {
        *(
            "agent",
            "agents",
            "chain",
            "cycle",
            "evaluate",
            "evaluation",
            "evaluator",
            "fetch",
            "guardrail",
            "guardrails",
        ),
        *("memory", "memories", "plan", "planner", "planning", "rank", "ranking", "rerank", "reranker", "reranking"),
        *("retrieval", "retrieve", "retriever", "step", "task", "tool", "tools", "workflow"),
    }
)
"""Words of operations that are no model calls even if they have a model and usage, which they repeat."""
CALL_WORDS = frozenset(
    {"chat", "complete", "completion", "completions", "generate", "generation", "inference", "llm", "responses"}
)
"""Words of operations that are model calls whatever else their name says: `chat_with_tools`, `generate_step`."""
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
LLM_OPERATIONS = frozenset({"chat", "text_completion", "generate_content"})
OPERATION_IN_NAME = re.compile(
    r"^(chat|text_completion|generate_content|embeddings|execute_tool|invoke_agent) .", re.DOTALL
)
"""A span's name by the conventions: the operation, then the model, tool or agent."""
CALLS_IN_NAME = LLM_OPERATIONS | {"embeddings"}


def is_presumed_call(kind: str, span: Span, is_model_in_name: bool) -> bool:
    """Returns whether only its name, or its model and usage under an unknown operation, make the span a call."""
    operation = span.attributes.get("gen_ai.operation.name")
    return kind == "llm" and (is_model_in_name if operation is None else str(operation) not in KIND_OF_OPERATION)


def may_be_call(operation: str) -> bool:
    """Returns whether an operation that nobody knows is a call if it has a model and usage."""
    words = {word.lower() for word in WORD.findall(operation)}
    return not words & NO_CALL_WORDS or bool(words & CALL_WORDS)


def operation_of(kind: str, span: Span) -> str:
    """Returns the operation of the span's row: chat, embeddings, invoke_agent, ..., other."""
    if kind not in ("llm", "raw"):
        return OPERATION_OF_KIND.get(kind, "other")
    operation = str(span.attributes.get("gen_ai.operation.name"))
    if operation not in LLM_OPERATIONS:
        match = OPERATION_IN_NAME.match(span.name)
        operation = match[1] if match else ""
    return operation if operation in LLM_OPERATIONS else "chat"


def model_in_name(name: str) -> str | None:
    """Returns the model in a name like `chat gpt-4o`."""
    match = OPERATION_IN_NAME.match(name)
    if match is None or match[1] not in CALLS_IN_NAME:
        return None
    return clean(name[len(match[1]) + 1 :], NAME_LENGTH)
