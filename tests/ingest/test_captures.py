"""Sixteen real clients: whatever the order and the cut of their requests, every number is right."""

import random
from decimal import Decimal
from typing import Any

import pytest

from analytics.db import rows
from ingest.rows import Row
from tests.given import Given
from tests.ingest.captures import STACKS, Request, as_captured, expected, one_span_each
from tests.ingest.observed import agents, costs, observed

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.parametrize("stack", STACKS),
]


@pytest.fixture(autouse=True)
def _captured_yesterday(settings: Any) -> None:
    """The captures are of November 2026: a retention this long lets them in for years."""
    settings.RETENTION_DAYS = 36_500


def send(given: Given, requests: list[Request]) -> None:
    for request in requests:
        headers = {"Content-Encoding": request.encoding} if request.encoding else {}
        response = given.client.post(request.path, request.body, content_type=request.content_type, headers=headers)
        assert response.status_code == 200, response.content
        if request.is_trace:
            assert response.content in (b"", b"{}"), "a span was refused"


def stored(given: Given) -> list[Row]:
    found = rows(
        """
        SELECT
            timestamp, trace_id, span_id, parent_span_id, operation, name, agent_id, provider, model, user_id,
            session_id, status, error_type, error_message, latency_ms, input_tokens, output_tokens,
            cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_usd, cost_source, price_id, response_id,
            attributes, said, link
        FROM traces
        WHERE workspace_id = %(workspace_id)s
        ORDER BY trace_id, span_id
        """,
        {"workspace_id": given.workspace.id},
    )
    return [Row(**row) for row in found]


def check(given: Given, stack: str) -> None:
    described = expected(stack)
    observable = described["observable"]
    kept = stored(given)
    seen = observed(kept)
    generated = observable.get("sessions_extra_generated", 0)
    assert len(seen["sessions"]) == len(observable["sessions"]) + generated
    assert set(observable["sessions"]) <= set(seen.pop("sessions"))
    assert seen == {name: observable[name] for name in seen}
    assert agents(kept, service=f"support-desk-{stack}") == observable["agents"]
    assert listed_costs(kept) == golden_costs(described)
    assert len(kept) == described["spans"] + (described["trace_ids"] if stack == "openai-agents-native" else 0)


def listed_costs(kept: list[Row]) -> dict[str, Decimal | None]:
    """One capture reports the cost of a call that no list has: golden numbers leave it out."""
    return {model: None if model == "anthropic.claude-sonnet-4-5" else cost for model, cost in costs(kept).items()}


def golden_costs(described: dict[str, Any]) -> dict[str, Decimal | None]:
    golden = described["golden_cost_of_observable"]["per_model_usd"]
    priced = {model: None if usd is None else Decimal(repr(usd)) for model, usd in golden.items()}
    return {model: priced.get(model) for model in described["observable"]["models"]}


def test_as_captured(given: Given, stack: str) -> None:
    send(given, as_captured(stack))
    check(given, stack)


def test_one_span_a_request(given: Given, stack: str) -> None:
    send(given, one_span_each(stack))
    check(given, stack)


def test_parents_before_children(given: Given, stack: str) -> None:
    send(given, one_span_each(stack)[::-1])
    check(given, stack)


@pytest.mark.parametrize("seed", [1, 2])
def test_shuffled(given: Given, stack: str, seed: int) -> None:
    send(given, random.Random(seed).sample(one_span_each(stack), k=len(one_span_each(stack))))
    check(given, stack)


def test_everything_twice(given: Given, stack: str) -> None:
    send(given, one_span_each(stack) + as_captured(stack) + as_captured(stack))
    check(given, stack)
