"""Pydantic AI. It invents a conversation id for a run without one, even if the run is part of another run."""

from ingest import fields
from ingest.client import Client

CLIENT = Client(
    rank=50,
    names={
        fields.CACHE_READ_TOKENS: ("gen_ai.usage.details.cache_read_tokens", "gen_ai.usage.details.cached_tokens"),
        fields.CACHE_WRITE_TOKENS: ("gen_ai.usage.details.cache_write_tokens",),
        fields.REASONING_TOKENS: ("gen_ai.usage.details.reasoning_tokens",),
        fields.REPORTED_COST_USD: ("operation.cost",),
        fields.AGENT: ((65, "agent_name"),),
    },
    contents=(
        r"(pydantic_ai\.)?all_messages",
        r"(events|final_result|tool_arguments|tool_response)$",
    ),
    generated_session=r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}",
)
