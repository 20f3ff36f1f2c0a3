"""OpenLLMetry (traceloop-sdk). It sends one span in a request, so that parents come long after their children."""

from ingest import fields
from ingest.client import Client, KindRule

KINDS = {"workflow": "workflow", "agent": "agent", "tool": "tool", "task": "chain"}

CLIENT = Client(
    rank=20,
    names={
        fields.INPUT_TOKENS: ((75, "llm.usage.prompt_tokens"),),
        fields.OUTPUT_TOKENS: ((75, "llm.usage.completion_tokens"),),
        fields.CACHE_READ_TOKENS: ("gen_ai.usage.cache_read_input_tokens",),
        fields.CACHE_WRITE_TOKENS: ("gen_ai.usage.cache_creation_input_tokens",),
        fields.REASONING_TOKENS: ("gen_ai.usage.reasoning_tokens",),
        fields.AGENT_OF_RUN: ("traceloop.entity.name",),
        fields.TOOL: ((75, "traceloop.entity.name"),),
        fields.USER: ("traceloop.association.properties.user_id",),
        fields.SESSION: ("traceloop.association.properties.session_id",),
    },
    kinds=(KindRule.by_value(30, "traceloop.span.kind", KINDS),),
    contents=(r"traceloop\.entity\.(input|output)",),
    agent_suffixes=(".agent",),
)
