"""The OpenAI Agents SDK: its own export (`formats/agents_sdk.py`), and Logfire's record of its runs."""

from ingest import fields
from ingest.client import Client, KindRule
from ingest.spans import Span

LOGFIRE_SCOPE = "logfire.openai_agents"
LOGFIRE_KINDS = (
    ("Agent run", "agent"),
    ("Function", "tool"),
    ("Chat completion", "llm"),
    ("Responses API", "llm"),
)


def kind(span: Span) -> str | None:
    if span.scope != LOGFIRE_SCOPE:
        return None
    template = str(span.attributes.get("logfire.msg_template", ""))
    return next((kind_name for beginning, kind_name in LOGFIRE_KINDS if template.startswith(beginning)), "chain")


CLIENT = Client(
    rank=90,
    names={
        fields.RESPONSE_ID: ("response_id",),
        fields.AGENT_BY_SCOPE: ("name",),
        fields.TOOL: ("name",),
        fields.SESSION: ((125, "group_id"),),
    },
    kinds=(KindRule(80, kind),),
    contents=(r"input$", r"output$", r"raw_input$", r"response$"),
    usage_objects=("usage",),
    agent_scopes=frozenset({LOGFIRE_SCOPE}),
    timeless_trace_ids=("trace_",),
)
