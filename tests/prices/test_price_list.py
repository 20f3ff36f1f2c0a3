"""A call has the price of exactly its model at exactly its provider, or none."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from benchmarks import prices as benchmark
from tests.ingest.test_otlp import JSON, a_span, post, request_of, stored
from tests.tenant import NOON, Tenant, iso

pytestmark = pytest.mark.django_db(databases="__all__")

MILLION = 1_000_000


def cost_of(tenant: Tenant, model: str, provider: str | None = None, **values: Any) -> Decimal | None:
    """Returns what a call with a million tokens in and a million out costs, sent as OTLP."""
    tokens = {"gen_ai.usage.input_tokens": MILLION, "gen_ai.usage.output_tokens": MILLION}
    named = {"gen_ai.provider.name": provider} if provider else {"gen_ai.provider.name": {}}
    attributes = tokens | named | {"gen_ai.request.model": model} | values
    post(tenant, request_of(a_span(1, attributes=attributes)))
    [cost_usd] = [row["cost_usd"] for row in stored(tenant)]
    return cost_usd


@pytest.mark.parametrize(
    ("provider", "model", "usd"),
    [
        ("groq", "openai/gpt-oss-120b", "0.75"),
        ("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo", "1.76"),
        ("openrouter", "anthropic/claude-3.5-sonnet", "18"),
        ("groq", "llama-3.3-70b-versatile", "1.38"),
        (None, "openrouter/openai/gpt-4o", "12.5"),
        ("gcp.vertex_ai", "claude-3-5-sonnet-v2@20241022", "18"),
        ("openai", "gpt-4o-mini", "0.75"),
        ("openai", "gpt-4o-2024-11-20", "12.5"),
        ("openai", "openai:gpt-4o", "12.5"),
        ("litellm", "bedrock/us.amazon.nova-pro-v1:0", "4"),
        ("azure", "azure/deployments/gpt-4o", "12.5"),
        (None, "models/gemini-2.5-flash", "2.8"),
        ("openai.responses", "gpt-4o", "12.5"),
        ("Azure OpenAI", "openai/gpt-4o", "12.5"),
        (None, "groq/openai/gpt-oss-120b", "0.75"),
        (None, "open-mistral-7b", "0.5"),
        (None, "mistral-large-latest", "8"),
        ("cerebras", "openai/gpt-oss-120b", "1.1"),
        ("cohere", "command-r-08-2024", "0.75"),
        ("openai", "gpt-4o-2026-11-20", "12.5"),
    ],
)
def test_a_model_is_found_by_its_whole_name(tenant: Tenant, provider: str | None, model: str, usd: str) -> None:
    assert cost_of(tenant, model, provider) == Decimal(usd)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("vllm", "gpt-4o"),
        ("ollama", "deepseek-r1:70b"),
        ("acme-gateway", "claude-sonnet-4-6"),
        ("openai", "hosted_vllm/gpt-4o"),
        (None, "vllm/gpt-4o"),
        (None, "acme/gpt-4o"),
        (None, "deepseek-r1:70b"),
        *((None, f"{maker}gpt-oss-{size}b") for maker in ("", "openai/", "litellm_proxy/") for size in (20, 120)),
        *((None, name) for name in ("gemma-3-27b-it", "mistral:7b", "mixtral-8x7b", "mistral-nemo", "deepseek-v3.2")),
        *((None, name) for name in ("kimi-k2", "glm-4-plus", "minimax-m2", "qwen3-32b", "llama-3.3-70b", "phi-4")),
        *(("openai", f"{other}/openai/gpt-oss-120b") for other in ("groq", "together", "litellm_proxy/groq")),
        *(("openai", f"{other}/gpt-4o") for other in ("azure", "deepseek", "meta-llama", "openrouter")),
        ("openai", "fireworks/gpt-oss-120b"),
        ("azure", "deepseek/gpt-4o"),
        ("mistral", "mistral-large-2402"),
        ("mistral", "mistral-large-2611"),  # the newest one that the list knows costs less than `mistral-large`
        *(("cohere", f"command-r{name}-2024") for name in ("-03", "-plus-04")),
        ("openai", "gpt-4o-2024-07-01"),
        ("openai", "gpt-4-0125"),
        *((None, f"{name}-acme") for name in ("claude-3-opus", "command-r", "deepseek-chat", "gpt-4.1", "grok-4")),
        *((None, name) for name in ("claude-opus-9", "gpt-5-ultra", "o3-super", "gemini-3.8-flash-cyber")),
        ("anthropic", "claude-sonnet-4-6-acme-tuned"),
        ("openai", "ft:gpt-4o-mini-2024-07-18:acme::x1"),
        ("openrouter", "acme/gpt-4o"),
        ("bedrock", "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc"),
    ],
)
def test_another_models_price_is_never_taken(tenant: Tenant, provider: str | None, model: str) -> None:
    assert cost_of(tenant, model, provider) is None
    assert tenant.ask("cost/overview")["unpriced_calls"] == 1


def test_a_call_is_unpriced_if_only_the_requested_model_names_another_provider(tenant: Tenant) -> None:
    assert cost_of(tenant, "groq/openai/gpt-oss-120b", "openai", **{"gen_ai.response.model": "gpt-oss-120b"}) is None


def test_what_stands_in_front_of_the_requested_model_is_the_provider(tenant: Tenant) -> None:
    used = {"gen_ai.response.model": "gpt-oss-120b"}
    assert cost_of(tenant, "groq/openai/gpt-oss-120b", **used) == Decimal("0.75")
    assert [row["provider"] for row in stored(tenant)] == ["groq"]


def test_dated_siblings_are_one_model(tenant: Tenant) -> None:
    for number, name in enumerate(("claude-3-5-sonnet@20241022", "claude-3-5-sonnet-20240620", "claude-3-5-sonnet"), 1):
        named = {"gen_ai.request.model": name, "gen_ai.provider.name": "vertex_ai"}
        post(tenant, request_of(a_span(number, attributes=named)))
    [line] = tenant.ask("cost/by-model")["data"]
    assert (line["provider"], line["model"], line["calls"]) == ("gcp.vertex_ai", "claude-3-5-sonnet", 3)


def test_the_price_is_that_of_the_calls_day(tenant: Tenant) -> None:
    before = benchmark.priced("openai", "o3", datetime(2025, 5, 1, tzinfo=UTC), {"input_tokens": MILLION})
    after = benchmark.priced("openai", "o3", datetime(2026, 5, 1, tzinfo=UTC), {"input_tokens": MILLION})
    assert (before.cost_usd, after.cost_usd) == (10, 2)


def test_the_price_of_every_listed_call_is_the_lists_own() -> None:
    wrong = {count.title: count.wrong for count in benchmark.counts() if count.wrong}
    assert wrong == {}


def test_listed_models_cost_the_same_when_they_are_posted(tenant: Tenant) -> None:
    models = list(benchmark.listed())[::97]
    tokens = {"input_tokens": 1000, "output_tokens": 100}
    items = [
        {"agent_id": "a", "provider": provider.id, "model": model.id, "timestamp": iso(NOON), **tokens}
        for provider, model in models
    ]
    body = json.dumps({"traces": items})
    assert tenant.client.post("/api/v1/traces", body, content_type=JSON).json()["accepted"] == len(items) > 20
    rows = [row for row in stored(tenant) if row["cost_usd"] is not None]
    posted = sorted((row["attributes"].get("model", row["model"]), row["cost_usd"]) for row in rows)
    counts = {"input_tokens": 1000, "output_tokens": 100}
    own = [(model.id, benchmark.priced(provider.id, model.id, NOON, counts).cost_usd) for provider, model in models]
    assert posted == sorted((name, cost_usd) for name, cost_usd in own if cost_usd is not None)
