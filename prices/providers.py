"""The names of providers: one name in the product, all spellings that clients use, and the id on the price list.

The product's name is OpenTelemetry's value of `gen_ai.provider.name` where there is one, else the price list's id.
A server of one's own is a provider without prices.
"""

import re
from functools import lru_cache
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
    Provider("ollama", None, ("ollama_chat", "ollama-chat", "chatollama")),
    Provider("vllm", None, ("hosted_vllm", "hosted-vllm", "vllm-openai")),
    Provider("lm_studio", None, ("lmstudio", "lm-studio")),
    Provider("llama.cpp", None, ("llamacpp", "llama-cpp", "llama_cpp", "llamafile")),
    Provider("sglang", None),
    Provider("huggingface", None, ("hugging_face", "hugging-face", "hf", "tgi")),
    Provider("ibm.watsonx.ai", None, ("watsonx", "ibm_watsonx", "ibm-watsonx", "watsonx_text")),
)
FRAMEWORKS = frozenset(
    {
        *("", "-", "none", "null", "undefined", "unknown", "n/a", "other", "custom", "default"),
        *("litellm", "litellm_proxy", "litellm-proxy", "litellm_proxy_server", "vercel", "gateway", "ai-gateway"),
        *("vercel_ai_gateway", "vercel-ai-gateway", "portkey", "helicone", "kong", "langfuse", "aisuite"),
        *("langchain", "langgraph", "strands-agents", "strands", "microsoft.agent_framework", "crewai", "dspy"),
        *("gcp.vertex.agent", "google_adk", "google-adk", "llama_index", "llamaindex", "haystack", "agno"),
        *("smolagents", "pydantic-ai", "pydantic_ai", "semantic_kernel", "semantic-kernel", "autogen", "mlflow"),
        *("openai-agents", "openai_agents", "vercel-ai", "ai-sdk", "instructor", "mirascope", "traceloop"),
    }
)
"""What frameworks and proxies send as the provider. The model's name says more."""

BY_SPELLING = {spelling: one for one in PROVIDERS for spelling in (one.name, *one.spellings)}
LISTED = frozenset(provider.id for provider in get_snapshot().providers)
API_SUFFIX = re.compile(r"\.(?:chat|responses|messages|completions?|embeddings?|image|speech|transcription)$")
"""The part of an API, as the AI SDK adds it: `openai.responses`."""


@lru_cache(maxsize=4096)
def provider_name(spelling: str | None) -> str | None:
    """Returns the product's name for a provider; None for what names none.

    What nobody knows stays as it is, in lower case.
    """
    text = (spelling or "").strip().lower()
    text = text if text in BY_SPELLING else API_SUFFIX.sub("", text)
    if text in FRAMEWORKS:
        return None
    known = BY_SPELLING.get(text)
    return known.name if known else text


def list_id(name: str) -> str | None:
    """Returns the id on the price list; None for a provider that the list does not know."""
    known = BY_SPELLING.get(name)
    if known:
        return known.list_id
    return name if name in LISTED else None


def is_known(spelling: str) -> bool:
    return spelling in BY_SPELLING or spelling in LISTED


# --- The provider in the name of a model ---

BEDROCK_REGIONS = r"(?:us|eu|apac|jp|au|ca|in|sa|me|af|uk|us-gov|global)\."
BEDROCK_VENDORS = (
    r"(?:anthropic|amazon|meta|cohere|ai21|mistral|deepseek|openai|qwen|writer|stability|moonshotai|zai|nvidia)\."
)
"""Stand in front of a model's name at Bedrock."""
PROVIDER_OF_MODEL = (
    (re.compile(rf"^(?:{BEDROCK_REGIONS})?(?:{BEDROCK_VENDORS})\w"), "aws.bedrock"),
    (re.compile(r"gpt-oss|gemma"), None),  # open weights, which anybody serves and the makers hardly do
    (re.compile(r"^(gpt-|chatgpt-|o[1-9](-|$)|text-embedding-(3|ada)|davinci|babbage|codex)"), "openai"),
    (re.compile(r"^claude"), "anthropic"),
    (re.compile(r"^(gemini|text-bison|chat-bison)"), "gcp.gemini"),
    (re.compile(r"^(mistral|mixtral|codestral|ministral|magistral|devstral)"), "mistral_ai"),
    (re.compile(r"^command"), "cohere"),
    (re.compile(r"^grok"), "x_ai"),
    (re.compile(r"^deepseek"), "deepseek"),
)
PROVIDER_OF_PATH = (
    ("arn:aws", "aws.bedrock"),
    ("projects/", "gcp.vertex_ai"),
    ("publishers/", "gcp.vertex_ai"),
    ("accounts/fireworks/", "fireworks"),
    ("@cf/", "cloudflare"),
)
"""Beginnings of names that are paths in a provider's API."""
PATH_SEGMENTS = frozenset({"models", "deployments", "engines", "responses", "chat", "converse", "invoke"})
"""Segments of paths that name no provider: `models/gemini-2.5-flash`, `azure/deployments/gpt-4o`."""


@lru_cache(maxsize=4096)
def provider_of_model(model: str) -> str | None:
    """Returns the provider that the name of a model says: by its path, its first segment, or the name itself.

    Nobody knows who serves `acme/gpt-4o`, and at which price.
    """
    name = without_frameworks(model.strip().lower())
    for beginning, provider in PROVIDER_OF_PATH:
        if name.startswith(beginning):
            return provider
    first, separator, _ = name.partition("/")
    if separator:
        return provider_name(first) if is_known(first) else None
    first, colon, _ = name.partition(":")
    if colon and is_known(first):
        return provider_name(first)
    return next((provider for pattern, provider in PROVIDER_OF_MODEL if pattern.search(name)), None)


def without_frameworks(name: str) -> str:
    """Returns the name without leading segments that name no provider: `litellm_proxy/gpt-4o`."""
    first, separator, rest = name.partition("/")
    while separator and (first in FRAMEWORKS or first in PATH_SEGMENTS):
        name = rest
        first, separator, rest = name.partition("/")
    return name
