"""LangChain and LangGraph: the metadata of their runs, as LangSmith's SDK and OpenInference export it."""

from ingest import fields
from ingest.client import Client

CLIENT = Client(
    rank=120,
    names={
        fields.AGENT_IN_METADATA: ("langsmith.metadata.lc_agent_name", "metadata>lc_agent_name"),
        fields.USER: ("langsmith.metadata.user_id", "metadata>user_id"),
        fields.SESSION: (
            "langsmith.metadata.session_id",
            "langsmith.metadata.thread_id",
            "metadata>session_id",
            "metadata>thread_id",
        ),
    },
    usage_objects=("langsmith.metadata.usage_metadata",),
    frameworks=frozenset({"langchain"}),
)
