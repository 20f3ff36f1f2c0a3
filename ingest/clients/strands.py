"""Strands Agents. Its agent spans repeat the sum of their calls."""

from ingest import fields
from ingest.client import Client
from ingest.spans import Span


def server_time_in_ms(span: Span) -> bool:
    return span.attributes.get("gen_ai.system") == "strands-agents" or "strands" in span.scope


CLIENT = Client(
    rank=30,
    names={fields.CACHE_WRITE_TOKENS: ("gen_ai.usage.cache_write_input_tokens",)},
    contents=(r"system_prompt",),
    server_time_in_ms=server_time_in_ms,
)
