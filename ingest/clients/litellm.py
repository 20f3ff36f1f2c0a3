"""LiteLLM's OpenTelemetry callbacks.

A child span `raw_gen_ai_request` repeats each call with the provider's own answer, in attributes `llm.<provider>.*`
that hold the repr of Python objects. LiteLLM invents response ids of its own (`chatcmpl-...`, even for Anthropic).
Without USE_OTEL_LITELLM_REQUEST_SPAN it writes its calls into the application's span, and each call replaces
the one before: then the calls are only in the raw children.
"""

import re
from collections.abc import Mapping
from typing import Any

from ingest import fields
from ingest.client import Client, KindRule
from ingest.span_facts import SpanFacts
from ingest.spans import Span
from ingest.usage import usage_of
from ingest.usage_facts import take_text, take_usage
from ingest.values import structure
from traces.text import ID_LENGTH, NAME_LENGTH, clean

SCOPE = "litellm"
RAW_USAGE = re.compile(r"^llm\.(\w+)\.usage$")


def kind(span: Span) -> str | None:
    return "raw" if span.scope == SCOPE and raw_provider(span.attributes) else None


def raw_provider(attributes: Mapping[str, Any]) -> str:
    """Returns the provider in `llm.<provider>.usage`; empty if there is no such attribute."""
    return next((match[1] for name in attributes if (match := RAW_USAGE.match(name))), "")


def read_raw(facts: SpanFacts, span: Span) -> None:
    provider = raw_provider(span.attributes)
    model, response_id, user = (span.attributes.get(f"llm.{provider}.{name}") for name in ("model", "id", "user"))
    facts.provider = provider
    facts.used_model = clean(str(model), NAME_LENGTH) if model else None
    facts.response_id = clean(str(response_id), ID_LENGTH) if response_id else None
    if facts.user is None and user:
        facts.user = clean(str(user), ID_LENGTH)
    if usage := usage_of(structure(span.attributes[f"llm.{provider}.usage"])):
        facts.input_tokens = facts.output_tokens = None
        take_usage(facts, usage)
    take_text(facts, "service_tier", str(span.attributes.get(f"llm.{provider}.service_tier") or ""))


CLIENT = Client(
    rank=140,
    names={
        fields.REPORTED_COST_USD: ((55, "gen_ai.cost.total_cost"), (55, "litellm.cost.total")),
        fields.USER: (
            "llm.user",
            (142, "metadata.user_api_key_end_user_id"),
            (142, "litellm.metadata.user_api_key_end_user_id"),
        ),
        fields.ERROR_CODE: ("error.code",),
        fields.CLIENT_CALL: ("litellm.call_id",),
    },
    kinds=(KindRule(70, kind),),
    contents=(r"llm\.\w+\.(messages|choices|content|input)$", r"error\.stack_trace"),
    readers={"raw": read_raw},
    usage_objects=("metadata.usage_object",),
    invented_id_scopes=frozenset({SCOPE}),
    client_call_scopes=frozenset({SCOPE}),
)
