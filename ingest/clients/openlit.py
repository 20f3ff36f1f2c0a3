"""OpenLIT. It writes a cost of 0 where it has no price, and the tool's name on the chat that asks for the tool."""

from ingest import fields
from ingest.client import Client

CLIENT = Client(
    rank=130,
    names={
        fields.REPORTED_COST_USD: ("gen_ai.usage.cost", "gen_ai.usage.total_cost"),
        fields.USER: ("gen_ai.request.user",),
    },
    contents=(r"gen_ai\.tool\.args",),
    excludes_cache=lambda span: span.scope == "openlit.instrumentation.anthropic",
    provider_scopes=(
        r"openlit\.instrumentation\."
        r"(ai21|anthropic|azure_ai_inference|bedrock|cohere|google_ai_studio|groq|litellm|mistral|ollama|openai|premai"
        r"|reka|together|vertexai|vllm)",
    ),
)
