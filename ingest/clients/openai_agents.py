"""The OpenAI Agents SDK: its own export (`formats/agents_sdk.py`), and Logfire's record of its runs."""

from collections.abc import Sequence

from ingest import fields
from ingest.client import Client, KindRule, Pairing
from ingest.nodes import Node
from ingest.spans import Span

NATIVE_SCOPE = "openai.agents"
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


def turn(span: Span) -> str | None:
    """Recognises the turn of a run. The JavaScript SDK states the usage of the turn's call only there."""
    is_turn = span.scope == NATIVE_SCOPE and span.attributes["sdk_span_type"] == "turn"
    return "turn" if is_turn and span.attributes.get("usage") else None


def pair_turns(nodes: Sequence[Node]) -> None:
    """Makes a turn a record of its call, if it has one that succeeded. A failed attempt before it used nothing."""
    for node in nodes:
        if node.kind == "turn":
            calls = [child for child in node.children if child.is_call and child.facts.status == "success"]
            if len(calls) == 1:
                node.repeats = calls[0]


CLIENT = Client(
    rank=90,
    names={
        fields.RESPONSE_ID: ("response_id",),
        fields.AGENT_BY_SCOPE: ("name",),
        fields.TOOL: ("name",),
        fields.SESSION: ((125, "group_id"),),
    },
    kinds=(KindRule(5, turn, "sdk_span_type"), KindRule(80, kind)),
    contents=(r"input$", r"output$", r"raw_input$", r"response$"),
    # Both stand in one trace, so that no link is needed to find the other.
    pairing=Pairing(link=lambda facts: None, wanted_links=lambda facts: (), pair=pair_turns),
    usage_objects=("usage",),
    agent_scopes=frozenset({LOGFIRE_SCOPE}),
    timeless_trace_ids=("trace_",),
)
