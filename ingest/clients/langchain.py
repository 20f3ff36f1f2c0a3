"""LangChain and LangGraph: the metadata of their runs, as LangSmith's SDK and OpenInference export it."""

from ingest import fields
from ingest.client import Client

CLIENT = Client(
    rank=120,
    names={
        fields.AGENT_IN_METADATA: ("langsmith.metadata.lc_agent_name", "metadata>lc_agent_name"),
        fields.REPORTED_COST_USD: ((150, "langsmith.metadata.usage_metadata>total_cost"),),
        fields.USER: ("langsmith.metadata.user_id", "langsmith.metadata.userId", "metadata>user_id", "metadata>userId"),
        fields.SESSION: (
            "langsmith.metadata.session_id",
            "langsmith.metadata.sessionId",
            "langsmith.metadata.thread_id",
            "langsmith.metadata.conversation_id",
            "metadata>session_id",
            "metadata>sessionId",
            "metadata>thread_id",
            "metadata>threadId",
            "metadata>conversation_id",
            "metadata>conversationId",
        ),
    },
    usage_objects=("langsmith.metadata.usage_metadata",),
)
