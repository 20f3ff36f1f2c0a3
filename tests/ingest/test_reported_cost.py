"""The cost that a client reports: its total, the sum of its parts, and the parts by class."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.ingest.test_otlp import a_span, post, request_of, stored
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__")


def reported(tenant: Tenant, attributes: dict[str, Any]) -> tuple[Decimal | None, dict[str, str] | None]:
    """Returns the reported cost of a call with these attributes, and its parts."""
    values = {name: {"doubleValue": value} if isinstance(value, float) else value for name, value in attributes.items()}
    post(tenant, request_of(a_span(attributes=values)))
    [row] = stored(tenant)
    facts = json.loads(row["span_facts"])
    return row["cost_usd"] if row["cost_source"] == "reported" else None, facts.get("reported_parts")


LANGFUSE = "langfuse.observation.cost_details"

COSTS: dict[str, tuple[dict[str, Any], str, dict[str, str]]] = {
    "Langfuse's parts without a total": (
        {LANGFUSE: '{"input": 0.003, "output": 0.002}'},
        "0.005",
        {"input": "0.003", "output": "0.002"},
    ),
    "Langfuse's parts beside each other": (
        {LANGFUSE: '{"input": 0.003, "cache_read_input_tokens": 0.001, "output": 0.002, "output_reasoning": 0.004}'},
        "0.010",
        {"input": "0.003", "cache_read": "0.001", "output": "0.006"},
    ),
    "a total decides": (
        {LANGFUSE: '{"input": 0.003, "input_cached_tokens": 0.001, "output": 0.002, "total": 0.005}'},
        "0.005",
        {"input": "0.002", "cache_read": "0.001", "output": "0.002"},
    ),
    "a total with more than its parts": (
        {LANGFUSE: '{"input": 0.003, "output": 0.003, "total": 0.00609}'},
        "0.00609",
        {"input": "0.003", "output": "0.003"},
    ),
    "LiteLLM's, whose input contains the cache": (
        {
            "gen_ai.cost.input_cost": 0.003,
            "gen_ai.cost.cache_read_cost": 0.001,
            "gen_ai.cost.cache_creation_cost": 0.0005,
            "gen_ai.cost.output_cost": 0.002,
            "gen_ai.cost.reasoning_cost": 0.001,
            "gen_ai.cost.tool_usage_cost": 0.01,
        },
        "0.015",
        {"input": "0.0015", "cache_read": "0.001", "cache_write": "0.0005", "output": "0.002", "search": "0.01"},
    ),
    "OpenInference's": (
        {"llm.cost.prompt": 0.003, "llm.cost.completion": 0.002, "llm.cost.prompt_details.audio": 0.001},
        "0.005",
        {"input": "0.002", "audio": "0.001", "output": "0.002"},
    ),
    "OpenInference's details alone": (
        {"llm.cost.prompt_details.input": 0.003, "llm.cost.completion_details.output": 0.002},
        "0.005",
        {"input": "0.003", "output": "0.002"},
    ),
    "plain names": (
        {"gen_ai.usage.input_cost": 0.003, "gen_ai.usage.output_cost": 0.002},
        "0.005",
        {"input": "0.003", "output": "0.002"},
    ),
    "MLflow's": (
        {"mlflow.llm.cost": '{"input_cost": 0.003, "output_cost": 0.002, "total_cost": 0.005}'},
        "0.005",
        {"input": "0.003", "output": "0.002"},
    ),
}


@pytest.mark.parametrize(("attributes", "cost", "parts"), COSTS.values(), ids=COSTS)
def test_parts_of_a_cost_are_added_and_kept_by_class(
    tenant: Tenant, attributes: dict[str, Any], cost: str, parts: dict[str, str]
) -> None:
    assert reported(tenant, attributes) == (Decimal(cost), parts)


def test_a_cost_of_one_side_is_not_the_cost_of_the_call(tenant: Tenant) -> None:
    assert reported(tenant, {"gen_ai.usage.input_cost": 0.003}) == (None, None)


def test_the_cost_of_an_embedding_is_that_of_its_input(tenant: Tenant) -> None:
    embedding = {"gen_ai.operation.name": "embeddings", "gen_ai.usage.input_cost": 0.003}
    assert reported(tenant, embedding) == (Decimal("0.003"), {"input": "0.003"})


def test_parts_that_are_more_than_the_total_are_left_out(tenant: Tenant) -> None:
    discounted = {"gen_ai.cost.input_cost": 0.003, "gen_ai.cost.output_cost": 0.003, "gen_ai.cost.total_cost": 0.004}
    assert reported(tenant, discounted) == (Decimal("0.004"), None)


@pytest.mark.parametrize(
    "costs", ['{"input": 0, "output": 0}', '{"input": "NaN", "output": -1}', '{"input": true}', "[1, 2]", "none"]
)
def test_costs_of_nothing_are_unknown(tenant: Tenant, costs: str) -> None:
    assert reported(tenant, {LANGFUSE: costs}) == (None, None)
