"""Strands Agents. Its agent spans repeat the sum of their calls.

Its telemetry replaces `service.version` by the version of Strands.
"""

from ingest import fields
from ingest.client import Client
from ingest.spans import Span


def is_of_strands(span: Span) -> bool:
    return span.attributes.get("gen_ai.system") == "strands-agents" or "strands" in span.scope


CLIENT = Client(
    rank=30,
    names={fields.CACHE_WRITE_TOKENS: ("gen_ai.usage.cache_write_input_tokens",)},
    contents=(r"system_prompt",),
    server_time_in_ms=is_of_strands,
    states_own_version=is_of_strands,
)
