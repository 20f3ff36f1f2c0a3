"""The numbers of sixteen real clients are right in every order of their spans, however requests are split."""

import random
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.db import connections
from django.test import Client

from tests.factories import WorkspaceFactory
from tests.ingest.captures import STACKS, Request, as_captured, expected, one_span_each
from tests.ingest.observed import agents, costs, observed
from tests.tenant import Tenant
from traces.db import rows
from traces.row import Row

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.parametrize("stack", STACKS),
]

EVENING = {"start": "2026-11-22T22:00:00Z", "end": "2026-11-23T00:00:00Z"}
"""The window in which all captures were taken."""


@pytest.fixture(autouse=True)
def _captured_yesterday(settings: Any) -> None:
    """The captures are of November 2026. With this long retention they are accepted for years."""
    settings.RETENTION_DAYS = 36_500


def deliver(workspace_id: UUID, request: Request) -> None:
    client = Client(headers={"X-Workspace-ID": str(workspace_id)})
    headers = {"Content-Encoding": request.encoding} if request.encoding else {}
    response = client.post(request.path, request.body, content_type=request.content_type, headers=headers)
    assert response.status_code == 200, response.content
    if request.is_trace:
        assert response.content in (b"", b"{}"), "a span was refused"


def send(tenant: Tenant, requests: list[Request]) -> None:
    for request in requests:
        deliver(tenant.workspace.id, request)


def stored(workspace_id: UUID) -> list[Row]:
    found = rows(
        """
        SELECT
            timestamp, trace_id, span_id, parent_span_id, operation, name, agent_id, provider, model, user_id,
            session_id, status, error_type, error_message, latency_ms, input_tokens, output_tokens,
            cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_usd, cost_source, price_id, response_id,
            attributes, span_facts, link
        FROM traces
        WHERE workspace_id = %(workspace_id)s
        ORDER BY trace_id, span_id
        """,
        {"workspace_id": workspace_id},
    )
    return [Row(**row) for row in found]


def check(tenant: Tenant, stack: str) -> None:
    described = expected(stack)
    observable = described["observable"]
    stored_rows = stored(tenant.workspace.id)
    seen = observed(stored_rows)
    generated = observable.get("sessions_extra_generated", 0)
    assert len(seen["sessions"]) == len(observable["sessions"]) + generated
    assert set(observable["sessions"]) <= set(seen.pop("sessions"))
    assert seen == {name: observable[name] for name in seen}
    assert agents(stored_rows, service=f"support-desk-{stack}") == observable["agents"]
    assert costs(stored_rows) == golden_costs(described)
    assert len(stored_rows) == described["spans"] + (described["trace_ids"] if stack == "openai-agents-native" else 0)


def golden_costs(described: dict[str, Any]) -> dict[str, Decimal | None]:
    """Returns the golden costs of the file, which come from the price list alone. Adds the cost that a client reports
    for a model that is not in the list."""
    golden = described["golden_cost_of_observable"]["per_model_usd"]
    priced = {model: None if usd is None else Decimal(repr(usd)) for model, usd in golden.items()}
    if described["stack"] == "langfuse":
        priced["anthropic.claude-sonnet-4-5"] = Decimal(repr(described["cost_reported_by_client_usd"]))
    return {model: priced.get(model) for model in described["observable"]["models"]}


def test_numbers_are_right_as_captured(tenant: Tenant, stack: str) -> None:
    send(tenant, as_captured(stack))
    check(tenant, stack)


def test_the_api_reports_the_same_numbers(tenant: Tenant, stack: str) -> None:
    send(tenant, as_captured(stack))
    described = expected(stack)
    observable = described["observable"]
    calls = observable["llm_calls"] + observable["embeddings"]
    by_model = tenant.ask("cost/by-model", limit=100, **EVENING)["data"]
    assert {row["model"] or "?": row["calls"] for row in by_model} == {
        model: counts["calls"] for model, counts in observable["models"].items()
    }
    assert {row["model"] or "?": (row["input_tokens"], row["output_tokens"]) for row in by_model} == {
        model: (counts["input"], counts["output"]) for model, counts in observable["models"].items()
    }
    golden = golden_costs(described)
    assert {row["model"] or "?": row["cost_usd"] for row in by_model} == {
        model: None if cost is None else pytest.approx(float(cost), abs=1e-12) for model, cost in golden.items()
    }
    assert tenant.ask("usage/overview", **EVENING)["total_calls"] == calls
    assert tenant.ask("performance/errors", **EVENING)["total_errors"] == (
        observable["llm_errors"] + observable["llm_timeouts"]
    )
    minutes = tenant.ask("performance/throughput", granularity="minute", **EVENING)["data"]
    assert sum(minute["timeout"] for minute in minutes) == observable["llm_timeouts"]
    assert sum(minute["total"] for minute in minutes) == calls
    users = tenant.ask("usage/top-users", limit=100, **EVENING)["data"]
    assert {row["user_id"]: row["calls"] for row in users} == calls_of_users(tenant)
    assert {row["user_id"] for row in users} == set(observable["per_user"]) - {"None"}
    by_agent = tenant.ask("usage/agent-distribution", limit=100, **EVENING)["data"]
    assert {row["agent_id"] for row in by_agent} <= {*observable["agents"], f"support-desk-{stack}"}


def calls_of_users(tenant: Tenant) -> dict[str, int]:
    """Returns the calls of each user, with embeddings, which are not in `per_user` of the captures."""
    operations = ("chat", "text_completion", "generate_content", "embeddings")
    users = [row.user_id for row in stored(tenant.workspace.id) if row.operation in operations and row.user_id]
    return {user: users.count(user) for user in users}


def test_numbers_are_right_with_one_span_in_each_request(tenant: Tenant, stack: str) -> None:
    send(tenant, one_span_each(stack))
    check(tenant, stack)


def test_numbers_are_right_when_children_come_a_minute_before_their_parents(tenant: Tenant, stack: str) -> None:
    """In that minute answers are cached although the roots are still missing."""
    singles = one_span_each(stack)
    roots = [single for single in singles if single.is_root]
    send(tenant, [single for single in singles if not single.is_root])
    tenant.ask("usage/overview", **EVENING)
    send(tenant, roots)
    check(tenant, stack)
    cache.clear()


def test_numbers_are_right_when_parents_come_before_children(tenant: Tenant, stack: str) -> None:
    send(tenant, one_span_each(stack)[::-1])
    check(tenant, stack)


def test_a_shuffled_delivery_stores_the_same_rows(tenant: Tenant, settings: Any, stack: str) -> None:
    send(tenant, random.Random(1).sample(one_span_each(stack), k=len(one_span_each(stack))))
    check(tenant, stack)
    assert rows_of(tenant.workspace.id) == rows_as_captured(settings, stack)


def test_numbers_are_right_when_everything_is_sent_twice(tenant: Tenant, stack: str) -> None:
    send(tenant, one_span_each(stack) + as_captured(stack) + as_captured(stack))
    check(tenant, stack)


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_concurrent_repeated_deliveries_store_the_same_rows(tenant: Tenant, settings: Any, stack: str) -> None:
    traces = [request for request in as_captured(stack) if request.is_trace]
    requests = one_span_each(stack) + traces + traces
    random.Random(3).shuffle(requests)

    def deliver_and_disconnect(request: Request) -> None:
        try:
            deliver(tenant.workspace.id, request)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(deliver_and_disconnect, requests))
    check(tenant, stack)
    assert rows_of(tenant.workspace.id) == rows_as_captured(settings, stack)


def rows_as_captured(settings: Any, stack: str) -> list[dict[str, Any]]:
    """Returns the rows of another workspace that got the requests once and in their order."""
    other = WorkspaceFactory()
    settings.OPEN_WORKSPACE_IDS |= {other.id}
    for request in as_captured(stack):
        deliver(other.id, request)
    return rows_of(other.id)


def rows_of(workspace_id: UUID) -> list[dict[str, Any]]:
    return [
        {name: getattr(row, name) for name in Row.__slots__ if name not in ("attributes", "span_facts")}
        for row in stored(workspace_id)
    ]
