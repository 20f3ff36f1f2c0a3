"""The Langfuse SDKs. `formats/langfuse.py` answers their requests other than OTLP."""

from ingest import fields
from ingest.client import Client, KindRule

USAGE = "langfuse.observation.usage_details"
KINDS = {"generation": "llm", "embedding": "embedding", "tool": "tool", "agent": "agent"}

CLIENT = Client(
    rank=100,
    names={
        fields.USED_MODEL: ("langfuse.observation.model.name",),
        fields.INPUT_TOKENS: (f"{USAGE}>prompt_tokens",),
        fields.OUTPUT_TOKENS: (f"{USAGE}>completion_tokens", f"{USAGE}>output", f"{USAGE}>output_tokens"),
        fields.REPORTED_COST_USD: ((135, "langfuse.observation.cost_details>total"),),
        fields.FIRST_TOKEN_AT: ("langfuse.observation.completion_start_time",),
        fields.ENVIRONMENT: ("langfuse.environment",),
        fields.ERROR_MESSAGE: ("langfuse.observation.status_message",),
    },
    kinds=(KindRule.by_value(20, "langfuse.observation.type", KINDS),),
    contents=(r"langfuse\.(observation|trace)\.(input|output)",),
    usage_objects=(USAGE,),
    summed_usage=(USAGE,),
    failure_values={"langfuse.observation.level": "ERROR"},
)
