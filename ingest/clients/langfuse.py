"""The Langfuse SDKs. `formats/langfuse.py` answers their requests other than OTLP."""

from ingest import fields
from ingest.client import Client, KindRule

USAGE = "langfuse.observation.usage_details"
COSTS = "langfuse.observation.cost_details"
KINDS = {"generation": "llm", "embedding": "embedding", "tool": "tool", "agent": "agent"}

CLIENT = Client(
    rank=100,
    names={
        fields.USED_MODEL: ("langfuse.observation.model.name",),
        fields.REPORTED_COST_USD: ((135, f"{COSTS}>total"),),
        fields.SERVICE_TIER: ((170, "langfuse.observation.model.parameters>service_tier"),),
        fields.USER: ((11, "langfuse.user.id"), "langfuse.trace.user_id", "langfuse.trace.userId", "langfuse.userId"),
        fields.SESSION: (
            (11, "langfuse.session.id"),
            "langfuse.trace.session_id",
            "langfuse.trace.sessionId",
            "langfuse.sessionId",
        ),
        fields.FIRST_TOKEN_AT: ("langfuse.observation.completion_start_time",),
        fields.ENVIRONMENT: ("langfuse.environment",),
        fields.RELEASE: ("langfuse.release", "langfuse.trace.release"),
        fields.ERROR_MESSAGE: ("langfuse.observation.status_message",),
    },
    kinds=(KindRule.by_value(20, "langfuse.observation.type", KINDS),),
    contents=(r"langfuse\.(observation|trace)\.(input|output)",),
    usage_objects=(USAGE,),
    cost_objects=(COSTS,),
    trace_labels=(r"langfuse\.trace\.",),
    failure_values={"langfuse.observation.level": "ERROR"},
)
