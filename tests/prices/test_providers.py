"""One provider has one name, however clients, filters and overrides spell it."""

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from prices.models import PriceOverride
from prices.providers import provider_name, provider_of_model
from tests.ingest.test_otlp import JSON, a_span, override, post, request_of, stored
from tests.servers import environment_of_a_server
from tests.tenant import NOON, Tenant, iso

pytestmark = pytest.mark.django_db(databases="__all__")

GEMINI = {"gen_ai.operation.name": "generate_content", "gen_ai.request.model": "gemini-2.5-flash"}
SPELLINGS = ("gemini", "google", "gcp.gemini")
ROOT = Path(__file__).resolve().parents[2]


def three_spellings(tenant: Tenant) -> None:
    for number, spelling in enumerate(SPELLINGS, 1):
        span = a_span(number, attributes=GEMINI | {"gen_ai.provider.name": spelling})
        post(tenant, request_of(span | {"traceId": f"{number:032x}"}))


def test_three_spellings_are_one_line_and_keep_their_raw_value(tenant: Tenant) -> None:
    three_spellings(tenant)
    [line] = tenant.ask("cost/by-model")["data"]
    assert (line["provider"], line["model"], line["calls"]) == ("gcp.gemini", "gemini-2.5-flash", 3)
    assert [row["attributes"]["gen_ai.provider.name"] for row in stored(tenant)] == list(SPELLINGS)


@pytest.mark.parametrize("spelling", [*SPELLINGS, "Google_GenAI", "google-gla"])
def test_a_filter_accepts_every_spelling(tenant: Tenant, spelling: str) -> None:
    three_spellings(tenant)
    tenant.calls(1, provider="openai")
    assert tenant.ask("usage/calls-over-time", provider=spelling)["total_calls"] == 3
    assert tenant.ask("usage/calls-over-time", provider="vertex_ai")["total_calls"] == 0


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_override_accepts_every_spelling(tenant: Tenant, spelling: str) -> None:
    override(tenant, provider=spelling, model_pattern="gemini-*")
    assert PriceOverride.objects.get().provider == "gcp.gemini"
    PriceOverride.objects.update(provider=spelling)  # as an earlier version stored it
    three_spellings(tenant)
    assert {row["cost_usd"] for row in stored(tenant)} == {Decimal("0.02")}


def test_an_override_for_a_framework_is_refused(tenant: Tenant) -> None:
    with pytest.raises(ValidationError, match="litellm is no provider"):
        PriceOverride(provider="litellm").clean()


def test_json_keeps_the_raw_spelling_only_if_it_differs(tenant: Tenant) -> None:
    items = [{"agent_id": "a", "provider": name, "timestamp": iso(NOON)} for name in ("Gemini", "openai", "acme")]
    tenant.client.post("/api/v1/traces", json.dumps({"traces": items}), content_type=JSON)
    rows = sorted((row["provider"], row["attributes"].get("provider")) for row in stored(tenant))
    assert rows == [("acme", None), ("gcp.gemini", "Gemini"), ("openai", None)]


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("vertex_ai", "gcp.vertex_ai"),
        ("amazon-bedrock", "aws.bedrock"),
        ("az.ai.openai", "azure.ai.openai"),
        ("xai.chat", "x_ai"),
        ("mistral", "mistral_ai"),
        ("Acme", "acme"),
        ("vllm", "vllm"),
        ("langchain", None),
        *((spelling, "openai") for spelling in ("text-completion-openai", "ChatOpenAI", "OpenAIEmbeddings")),
        *((spelling, "azure.ai.openai") for spelling in ("azure_text", "Azure OpenAI", "AzureChatOpenAI")),
        *((spelling, "gcp.vertex_ai") for spelling in ("Vertex AI", "ChatVertexAI")),
        *((f"vertex_ai-{kind}", "gcp.vertex_ai") for kind in ("anthropic_models", "language-models", "zai_models")),
        *((spelling, "aws.bedrock") for spelling in ("Amazon Bedrock", "BedrockChat", "ChatBedrockConverse")),
        *((spelling, "aws.sagemaker") for spelling in ("sagemaker", "aws.sagemaker", "SagemakerEndpoint")),
        *(("ChatAnthropic", "anthropic"), ("OllamaLLM", "ollama"), ("ChatDatabricks", "databricks")),
        *(("ChatLiteLLM", None), ("my-chatbot", "my-chatbot"), ("chatgpt", "chatgpt")),
        ("LiteLLM", None),
        ("  ", None),
        (None, None),
    ],
)
def test_spellings_have_a_name(spelling: str | None, name: str | None) -> None:
    assert provider_name(spelling) == name


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-4o", "openai"),
        ("litellm_proxy/claude-sonnet-4-6", "anthropic"),
        ("us.anthropic.claude-3-haiku-20240307-v1:0", "aws.bedrock"),
        ("mistral.mistral-large-2402-v1:0", "aws.bedrock"),
        ("groq/llama-3.3-70b-versatile", "groq"),
        ("google_genai:gemini-2.5-flash", "gcp.gemini"),
        ("vllm/gpt-4o", "vllm"),
        ("acme/gpt-4o", None),
        ("gpt-oss-120b", None),
        ("openai/gpt-oss-120b", None),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", None),
        ("groq/openai/gpt-oss-120b", "groq"),
        ("openai.gpt-oss-120b-1:0", "aws.bedrock"),
        ("gemma3:27b", None),
    ],
)
def test_the_name_of_a_model_names_its_provider(model: str, provider: str | None) -> None:
    assert provider_of_model(model) == provider


def test_a_worker_that_prices_nothing_does_not_hold_the_price_list() -> None:
    """It takes 6 MB of the 200 that `make run` may take when nothing arrives."""
    program = "import sys, django; django.setup(); import jobs.worker; print('genai_prices' in sys.modules)"
    command, environment = [sys.executable, "-c", program], environment_of_a_server(0)
    assert subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE).stdout == b"False\n"
