"""The names of providers: one name in the product, all spellings that clients use, and the id on the price list.

The product's name is OpenTelemetry's value of `gen_ai.provider.name` where there is one, else the price list's id.
"""

from typing import NamedTuple

from genai_prices.data_snapshot import get_snapshot


class Provider(NamedTuple):
    name: str
    list_id: str | None
    """Its id on the price list. None: the list has no prices of it."""
    spellings: tuple[str, ...] = ()
    """Other names for it, in lower case."""


PROVIDERS = (
    Provider("openai", "openai", ("open_ai", "open-ai")),
    Provider("anthropic", "anthropic"),
    Provider(
        "gcp.gemini",
        "google",
        (
            *("gemini", "google", "google_ai", "google-ai", "google_genai", "google-genai", "google_ai_studio"),
            *("google-ai-studio", "google-gla", "google.generative-ai", "google_generative_ai", "googleai"),
            *("gcp.gen_ai", "google_gemini", "google-gemini"),
        ),
    ),
    Provider(
        "gcp.vertex_ai",
        "google",
        (
            *("vertex_ai", "vertex-ai", "vertexai", "vertex", "vertex_ai_beta", "google_vertexai", "google_vertex"),
            *("google-vertex", "google.vertex", "google-vertex-ai", "google_vertex_ai", "google_anthropic_vertex"),
        ),
    ),
    Provider(
        "aws.bedrock",
        "aws",
        (
            *("bedrock", "aws_bedrock", "aws-bedrock", "amazon_bedrock", "amazon-bedrock", "bedrock_converse"),
            *("bedrock-converse", "amazon.bedrock", "aws", "amazon", "anthropic-bedrock", "anthropic_bedrock"),
        ),
    ),
    Provider(
        "azure.ai.openai",
        "azure",
        ("azure", "az.ai.openai", "azure_openai", "azure-openai", "azureopenai", "azure-openai-responses"),
    ),
    Provider(
        "azure.ai.inference",
        "azure",
        ("az.ai.inference", "azure_ai", "azure-ai", "azure_ai_inference", "azure-ai-inference", "azure_ai_foundry"),
    ),
    Provider("x_ai", "x-ai", ("xai", "x-ai", "x.ai", "grok")),
    Provider("mistral_ai", "mistral", ("mistral", "mistralai", "mistral-ai", "mistral.ai")),
    Provider("cohere", "cohere", ("cohere_chat", "cohere-chat")),
    Provider("deepseek", "deepseek", ("deep_seek", "deep-seek", "deepseek-ai")),
    Provider("groq", "groq", ("groqcloud",)),
    Provider("perplexity", "perplexity", ("pplx", "perplexity_ai", "perplexity-ai")),
    Provider("together", "together", ("together_ai", "together-ai", "togetherai", "together.ai")),
    Provider("fireworks", "fireworks", ("fireworks_ai", "fireworks-ai", "fireworksai")),
    Provider("openrouter", "openrouter", ("open_router", "open-router", "openrouter.ai")),
    Provider("moonshotai", "moonshotai", ("moonshot", "moonshot_ai", "moonshot-ai", "moonshot.ai")),
    Provider("zai", "zai", ("z-ai", "z.ai", "z_ai")),
    Provider("voyageai", "voyageai", ("voyage", "voyage_ai", "voyage-ai")),
    Provider("github-copilot", "github-copilot", ("github_copilot", "copilot")),
    Provider("ibm.watsonx.ai", None, ("watsonx", "ibm_watsonx", "ibm-watsonx", "watsonx_text")),
)
NOT_PROVIDERS = frozenset(
    {
        *("", "none", "null", "undefined", "unknown"),
        *("litellm", "litellm_proxy", "langchain", "strands-agents", "microsoft.agent_framework", "crewai"),
        *("gcp.vertex.agent", "llama_index", "llamaindex", "haystack", "dspy", "agno", "smolagents", "vercel"),
    }
)
"""What frameworks and proxies send as the provider. The model's name says more."""

BY_SPELLING = {spelling: one for one in PROVIDERS for spelling in (one.name, *one.spellings)}


def provider_name(spelling: str | None) -> str | None:
    """The product's name for a provider; None for what names none. What nobody knows stays as it is, in lower case."""
    text = (spelling or "").strip().lower()
    if text in NOT_PROVIDERS:
        return None
    known = BY_SPELLING.get(text)
    return known.name if known else text


def list_id(name: str) -> str | None:
    """The id on the price list; None for a provider that the list does not know."""
    known = BY_SPELLING.get(name)
    if known:
        return known.list_id
    return name if name in LISTED else None


LISTED = frozenset(provider.id for provider in get_snapshot().providers)
