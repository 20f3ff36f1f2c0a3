"""Reads names of models: the name without provider and date, and the provider."""

import re
from functools import lru_cache

MODEL_DATE = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")
PROVIDER_OF_MODEL = (
    (re.compile(r"^(gpt-|chatgpt-|o[1-9](-|$)|text-embedding-|davinci|babbage|codex)"), "openai"),
    (re.compile(r"^claude"), "anthropic"),
    (re.compile(r"^(gemini|gemma|text-bison|chat-bison)"), "gcp.gemini"),
    (re.compile(r"^(mistral|mixtral|codestral|ministral|magistral|devstral)"), "mistral_ai"),
    (re.compile(r"^command"), "cohere"),
    (re.compile(r"^grok"), "x_ai"),
    (re.compile(r"^deepseek"), "deepseek"),
    (re.compile(r"^(anthropic|amazon|meta|cohere|ai21|mistral)\.\w"), "aws.bedrock"),
)


@lru_cache(maxsize=4096)
def base_model(name: str | None) -> str | None:
    """Returns the name without `provider/` and without the date of its release."""
    if not name:
        return None
    return MODEL_DATE.sub("", name.rpartition("/")[2]) or name


@lru_cache(maxsize=4096)
def inferred_provider(model: str) -> str | None:
    for pattern, provider in PROVIDER_OF_MODEL:
        if pattern.search(model):
            return provider
    return None
