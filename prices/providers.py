"""The names of providers: one name in the product, all spellings that clients use, and the id on the price list.

The product's name is OpenTelemetry's value of `gen_ai.provider.name` where there is one, else the price list's id.
A server of one's own is a provider without prices.
"""

import re
from functools import cache, lru_cache
from typing import NamedTuple

from prices.open_weights import has_open_weights


class Provider(NamedTuple):
    name: str
    list_id: str | None
    """Its id on the price list. None: the list has no prices of it."""
    spellings: tuple[str, ...] = ()
    """Other names for it. Case, spaces, hyphens and underscores do not matter."""


PROVIDERS = (
    Provider(
        "openai",
        "openai",
        ("text-completion-openai", "aiohttp_openai", "openai_responses", "openai_chat_completions"),
    ),
    Provider("anthropic", "anthropic", ("anthropic_text",)),
    Provider(
        "gcp.gemini",
        "google",
        (
            *("gemini", "google", "google_ai", "google_genai", "google_ai_studio", "google-gla", "palm"),
            *("google.generative-ai", "google_generative_ai", "gcp.gen_ai", "google_gemini"),
        ),
    ),
    Provider(
        "gcp.vertex_ai",
        "google",
        (
            *("vertex_ai", "vertex", "vertex_ai_beta", "google_vertexai", "google_vertex", "google.vertex"),
            *("google_anthropic_vertex", "anthropic_vertex"),
        ),
    ),
    Provider(
        "aws.bedrock",
        "aws",
        (
            *("bedrock", "aws_bedrock", "amazon_bedrock", "bedrock_converse", "amazon_bedrock_converse"),
            *("bedrock_mantle", "amazon.bedrock", "aws", "amazon", "anthropic-bedrock"),
        ),
    ),
    Provider("aws.sagemaker", None, ("sagemaker", "aws_sagemaker", "amazon_sagemaker", "sagemaker_endpoint")),
    Provider(
        "azure.ai.openai",
        "azure",
        ("azure", "az.ai.openai", "azure_openai", "azure-openai-responses", "azure_text", "azure_openai_service"),
    ),
    Provider(
        "azure.ai.inference",
        "azure",
        (
            *("az.ai.inference", "azure_ai", "azure_ai_inference", "azure_ai_foundry"),
            "AzureAIChatCompletionsModel",
        ),
    ),
    Provider("x_ai", "x-ai", ("xai", "x.ai", "grok")),
    Provider("mistral_ai", "mistral", ("mistral", "mistral.ai", "codestral", "text-completion-codestral")),
    Provider("cohere", "cohere"),
    Provider("deepseek", "deepseek", ("deepseek-ai",)),
    Provider("groq", "groq", ("groqcloud",)),
    Provider("perplexity", "perplexity", ("pplx", "perplexity_ai")),
    Provider("together", "together", ("together_ai", "together.ai")),
    Provider("fireworks", "fireworks", ("fireworks_ai", "fireworks_ai-embedding-models")),
    Provider("openrouter", "openrouter", ("openrouter.ai",)),
    Provider("moonshotai", "moonshotai", ("moonshot", "moonshot.ai")),
    Provider("zai", "zai", ("z.ai", "zai-org")),
    Provider("minimax", "minimax", ("minimax_ai",)),
    Provider("voyageai", "voyageai", ("voyage",)),
    Provider("github-copilot", "github-copilot", ("copilot",)),
    Provider("ollama", None),
    Provider("vllm", None, ("hosted_vllm", "vllm-openai")),
    Provider("lm_studio", None),
    Provider("llama.cpp", None, ("llama-cpp", "llamafile")),
    Provider("sglang", None),
    Provider("huggingface", None, ("hf", "tgi", "HuggingFaceEndpoint", "HuggingFacePipeline")),
    Provider("ibm.watsonx.ai", None, ("watsonx", "ibm_watsonx", "watsonx_text")),
)
FRAMEWORK_SPELLINGS = (
    *("", "none", "null", "undefined", "unknown", "n/a", "other", "custom", "default"),
    *("litellm", "litellm_proxy", "litellm_proxy_server", "vercel", "gateway", "ai-gateway"),
    *("vercel_ai_gateway", "portkey", "helicone", "kong", "langfuse", "aisuite"),
    *("langchain", "langgraph", "strands-agents", "strands", "microsoft.agent_framework", "crewai", "dspy"),
    *("gcp.vertex.agent", "google_adk", "llama_index", "haystack", "agno"),
    *("smolagents", "pydantic-ai", "semantic_kernel", "autogen", "mlflow"),
    *("openai-agents", "vercel-ai", "ai-sdk", "instructor", "mirascope", "traceloop"),
)
"""What frameworks and proxies send as the provider. The model's name says more."""
SEPARATORS = re.compile(r"[\s_-]+")
API_SUFFIX = re.compile(r"\.(?:chat|responses|messages|completions?|embeddings?|image|speech|transcription)$")
"""The part of an API, as the AI SDK adds it: `openai.responses`."""
CLASS_PARTS = (re.compile(r"chat|embeddings?$"), re.compile(r"llm$"))
"""What LangChain's classes add to a provider, without separators: `AzureChatOpenAI`, `OllamaLLM`, `openai-chat`."""
VERTEX_AI_MODELS = re.compile(r"vertexai\w+models")
"""LiteLLM's kinds of models on Vertex AI, without separators: `vertex_ai-anthropic_models`."""


def folded(spelling: str) -> str:
    """Returns the spelling in lower case and without separators: `Azure OpenAI` and `azure_openai` are one."""
    return SEPARATORS.sub("", spelling.lower())


BY_SPELLING = {folded(spelling): one for one in PROVIDERS for spelling in (one.name, *one.spellings)}
FRAMEWORKS = frozenset(map(folded, FRAMEWORK_SPELLINGS))


@cache
def listed() -> dict[str, str]:
    """Returns the ids of the price list, each by its folded spelling."""
    # It takes 6 MB, which a process that prices nothing need not hold.
    from genai_prices.data_snapshot import get_snapshot

    return {folded(provider.id): provider.id for provider in get_snapshot().providers}


@lru_cache(maxsize=4096)
def provider_name(spelling: str | None) -> str | None:
    """Returns the product's name for a provider; None for what names none.

    What nobody knows stays as it is, in lower case.
    """
    text = (spelling or "").strip().lower()
    text = text if is_known(text) else API_SUFFIX.sub("", text)
    for key in (folded(text), *(part.sub("", folded(text)) for part in CLASS_PARTS)):
        if key in BY_SPELLING:
            return BY_SPELLING[key].name
        if key in listed():
            return listed()[key]
        if key in FRAMEWORKS:
            return None
    return "gcp.vertex_ai" if VERTEX_AI_MODELS.fullmatch(folded(text)) else text


def list_id(spelling: str) -> str | None:
    """Returns the id on the price list; None for a provider that the list does not know."""
    known = BY_SPELLING.get(folded(spelling))
    return known.list_id if known else listed().get(folded(spelling))


def is_known(spelling: str) -> bool:
    return folded(spelling) in BY_SPELLING or folded(spelling) in listed()


def is_framework(spelling: str) -> bool:
    return folded(spelling) in FRAMEWORKS


# --- The provider in the name of a model ---

BEDROCK_REGIONS = r"(?:us|eu|apac|jp|au|ca|in|sa|me|af|uk|us-gov|global)\."
BEDROCK_VENDORS = (
    r"(?:anthropic|amazon|meta|cohere|ai21|mistral|deepseek|openai|qwen|writer|stability|moonshotai|zai|nvidia)\."
)
"""Stand in front of a model's name at Bedrock."""
BEDROCK_MODEL = re.compile(rf"(?:{BEDROCK_REGIONS})?(?:{BEDROCK_VENDORS})\w")
PROVIDER_OF_MODEL = (
    (re.compile(r"gpt-|chatgpt-|o[1-9](-|$)|text-embedding-(3|ada)|davinci|babbage|codex"), "openai"),
    (re.compile(r"claude"), "anthropic"),
    (re.compile(r"gemini|text-bison|chat-bison"), "gcp.gemini"),
    (re.compile(r"(?:open-)?mi[sx]tral|codestral|ministral|magistral|devstral|pixtral|voxtral"), "mistral_ai"),
    (re.compile(r"command"), "cohere"),
    (re.compile(r"grok"), "x_ai"),
    (re.compile(r"deepseek"), "deepseek"),
)
"""Beginnings of names that only their makers use. Open weights are excepted before."""
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


def provider_of_models(*names: str | None) -> str | None:
    """Returns the provider that one of the names says in front of the model, else the one that a name says itself."""
    given = [name for name in names if name]
    rules = (provider_in_front, provider_of_model)
    return next((provider for rule in rules for name in given if (provider := rule(name))), None)


@lru_cache(maxsize=4096)
def provider_of_model(model: str) -> str | None:
    """Returns the provider that the name of a model says: by its path, its first segment, or the name itself.

    Nobody knows who serves `acme/gpt-4o` or open weights, and at which price.
    """
    name = without_frameworks(model.strip().lower())
    if BEDROCK_MODEL.match(name) and "/" not in name:
        return "aws.bedrock"
    if "/" in name or has_open_weights(name):
        return provider_in_front(name)
    in_front = provider_in_front(name)
    return in_front or next((provider for pattern, provider in PROVIDER_OF_MODEL if pattern.match(name)), None)


def provider_in_front(model: str) -> str | None:
    """Returns the provider that stands in front of the model: `groq/...`, `openai:...`, or the path of an API."""
    name = without_frameworks(model.strip().lower())
    for beginning, provider in PROVIDER_OF_PATH:
        if name.startswith(beginning):
            return provider
    if has_open_weights(name):
        return None
    first = re.split("[/:]", name, maxsplit=1)[0]
    return provider_name(first) if first != name and is_known(first) else None


def without_frameworks(name: str) -> str:
    """Returns the name without leading segments that name no provider: `litellm_proxy/gpt-4o`."""
    first, separator, rest = name.partition("/")
    while separator and (is_framework(first) or first in PATH_SEGMENTS):
        name = rest
        first, separator, rest = name.partition("/")
    return name
