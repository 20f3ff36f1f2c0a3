"""Sentry's instrumentations."""

from ingest import fields
from ingest.client import Client

CLIENT = Client(
    rank=40,
    names={
        fields.CACHE_READ_TOKENS: ("gen_ai.usage.input_tokens.cached",),
        fields.REASONING_TOKENS: ("gen_ai.usage.output_tokens.reasoning",),
    },
)
