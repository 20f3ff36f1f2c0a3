"""Compares the API with a naive sum over all spans: agents repeat the sum of their calls, and wrappers repeat calls."""

import json
from typing import Any

import pytest

from tests.ingest.captures import as_captured, expected
from tests.ingest.stacks import STACKS
from tests.ingest.stored import stored
from tests.ingest.test_captures import EVENING, deliver
from tests.ingest.test_stacks import send
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__")

INPUT = (
    "gen_ai.usage.input_tokens",
    "llm.token_count.prompt",
    "ai.usage.inputTokens",
)


def naive_sum(tenant: Tenant) -> int:
    """Returns the input tokens of all spans, of every kind."""
    total = 0
    for row in stored(tenant.workspace.id):
        attributes: dict[str, Any] = json.loads(row.attributes)  # type: ignore[arg-type]
        total += next((int(attributes[name]) for name in INPUT if name in attributes), 0)
    return total


@pytest.mark.parametrize(
    ("stack", "factor"),
    [
        ("agent-framework", 2.0),
        ("vercel-ai-v7", 2.0),
        ("pydantic-ai", 1.78),
        ("langgraph-openinference", 1.66),
        ("otel-genai", 1.64),
        ("openinference", 1.62),
    ],
)
def test_a_naive_sum_over_a_capture_is_wrong(tenant: Tenant, settings: Any, stack: str, factor: float) -> None:
    settings.RETENTION_DAYS = 36_500
    for request in as_captured(stack):
        deliver(tenant.workspace.id, request)
    truth = expected(stack)["observable"]["tokens"]["input"]
    assert naive_sum(tenant) / truth == pytest.approx(factor, abs=0.15)
    by_model = tenant.ask("cost/by-model", limit=100, **EVENING)["data"]
    assert sum(row["input_tokens"] for row in by_model) / truth == 1.0


@pytest.mark.parametrize("stack", ["strands", "smolagents", "vercel-ai"])
def test_agents_of_some_stacks_repeat_the_sum(tenant: Tenant, stack: str) -> None:
    run = STACKS[stack]
    send(tenant, run, list(range(1, len(run.run) + 1)))
    truth = 100
    assert naive_sum(tenant) / truth == 3.0  # the call, and an agent with the sum of two calls
    by_model = tenant.ask("cost/by-model")["data"]
    assert sum(row["input_tokens"] for row in by_model) / truth == 1.0
