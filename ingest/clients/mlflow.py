"""MLflow. Each of its attributes is JSON in a text, also a plain text: `"CHAT_MODEL"` with the quotes.

The input tokens of its Anthropic and Bedrock integrations do not contain the cached ones; the total is always the sum
of input and output.
"""

from ingest import fields
from ingest.client import Client, KindRule
from ingest.spans import Span
from ingest.values import unquoted

USAGE = "mlflow.chat.tokenUsage"
COSTS = "mlflow.llm.cost"
KINDS = {
    "LLM": "llm",
    "CHAT_MODEL": "llm",
    "EMBEDDING": "embedding",
    "TOOL": "tool",
    "AGENT": "agent",
    "WORKFLOW": "workflow",
}
EXCLUDING_FORMATS = frozenset({"anthropic", "bedrock"})


def kind(span: Span) -> str:
    return KINDS.get(unquoted(str(span.attributes["mlflow.spanType"])).upper(), "chain")


def excludes_cache(span: Span) -> bool:
    message_format = span.attributes.get("mlflow.message.format")
    return message_format is not None and unquoted(str(message_format)) in EXCLUDING_FORMATS


CLIENT = Client(
    rank=180,
    names={
        fields.PROVIDER: ("mlflow.llm.provider",),
        fields.REQUESTED_MODEL: ("mlflow.llm.model", "mlflow.spanInputs>model"),
        fields.USED_MODEL: ("mlflow.spanOutputs>model",),
        fields.INPUT_TOKENS: (f"{USAGE}>input_tokens",),
        fields.OUTPUT_TOKENS: (f"{USAGE}>output_tokens",),
        fields.CACHE_READ_TOKENS: (f"{USAGE}>cache_read_input_tokens",),
        fields.CACHE_WRITE_TOKENS: (f"{USAGE}>cache_creation_input_tokens",),
        fields.TOTAL_TOKENS: (f"{USAGE}>total_tokens",),
        fields.RESPONSE_ID: ("mlflow.spanOutputs>id",),
        fields.REPORTED_COST_USD: (f"{COSTS}>total_cost",),
        fields.USER: ("mlflow.trace.user", "mlflow.traceTag.mlflow.trace.user"),
        fields.SESSION: ("mlflow.trace.session", "mlflow.traceTag.mlflow.trace.session"),
    },
    # One rule of the conventions is tried before: MLflow also exports spans with both.
    kinds=(KindRule(58, kind, "mlflow.spanType"),),
    contents=(r"mlflow\.span(Inputs|Outputs)$", r"mlflow\.chat\.(messages|tools)$"),
    # The provider's whole answer. It has the parts that MLflow's own object leaves out.
    usage_objects=("mlflow.spanOutputs>usage",),
    cost_objects=(COSTS,),
    excludes_cache=excludes_cache,
)
