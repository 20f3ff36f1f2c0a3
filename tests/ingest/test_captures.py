"""The numbers of sixteen real clients are right in every order of their spans, however requests are split."""

import json
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.db import connections
from django.test import Client

from tests.factories import WorkspaceFactory
from tests.ingest.captures import STACKS, Request, as_captured, expected, expected_calls, one_span_each
from tests.ingest.observed import agents, calls, costs, driven_runs, models, observed, per_user, runs, tokens
from tests.ingest.stored import known_sum, stored
from tests.tenant import Tenant
from traces.row import Row

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.parametrize("stack", STACKS),
]

WITHOUT_USERS = ("openai-agents-genai",)
"""Captures that say nothing of users: the SDK does not export them."""
TIMES = ("latency_ms", "first_token_ms")
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
    assert_accepted(request, response)


def assert_accepted(request: Request, response: Any) -> None:
    """Fails if any part of the request was refused. A 207 answers each event of a batch."""
    if response.status_code == 207:
        answer = response.json()
        assert not answer["errors"], answer
        sent = {event["id"] for event in json.loads(request.plain)["batch"]}
        assert {event["id"] for event in answer["successes"]} == sent
    else:
        assert response.status_code == 200, response.content
    if not request.path.endswith("scores"):
        assert response.status_code == 207 or response.content in (b"", b"{}"), "a part was refused"


def send(tenant: Tenant, requests: list[Request]) -> None:
    for request in requests:
        deliver(tenant.workspace.id, request)


def check(tenant: Tenant, stack: str) -> None:
    described = expected(stack)
    observable = described["observable"]
    stored_rows = stored(tenant.workspace.id)
    seen = observed(stored_rows)
    generated = observable.get("sessions_extra_generated", 0)
    assert len(seen["sessions"]) == len(observable["sessions"]) + generated
    assert set(observable["sessions"]) <= set(seen.pop("sessions"))
    assert seen == {name: observable[name] for name in seen}
    assert agents(stored_rows, service=service_of(stack)) == observable["agents"]
    assert costs(stored_rows) == golden_costs(described)
    assert exactly(calls(stored_rows)) == exactly(expected_calls(stack))
    assert runs(stored_rows, service_of(stack)) == driven_runs(described["scenario"], stack not in WITHOUT_USERS)
    assert len({(row.environment, row.release) for row in stored_rows}) == 1, "a capture is of one process"
    assert len(stored_rows) == described["spans"] + (described["trace_ids"] if stack == "openai-agents-native" else 0)


def service_of(stack: str) -> str:
    return f"support-desk-{stack}"


def exactly(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rounds times to nanoseconds, which the wire counts and floats do not."""
    return [call | {name: call[name] and round(call[name], 6) for name in TIMES} for call in calls]


def golden_costs(described: dict[str, Any]) -> dict[str, Decimal | None]:
    """Returns the golden costs of the file, which come from the price list alone. Adds the cost that a client reports
    for a model that is not in the list."""
    golden = described["golden_cost_of_observable"]["per_model_usd"]
    priced = {model: None if usd is None else Decimal(repr(usd)) for model, usd in golden.items()}
    if described["stack"].startswith("langfuse"):
        priced["anthropic.claude-sonnet-4-5"] = Decimal(repr(described["cost_reported_by_client_usd"]))
    return {model: priced.get(model) for model in described["observable"]["models"]}


def test_numbers_are_right_as_captured(tenant: Tenant, stack: str) -> None:
    send(tenant, as_captured(stack))
    check(tenant, stack)


def test_the_api_reports_the_same_numbers(tenant: Tenant, stack: str) -> None:
    send(tenant, as_captured(stack))
    described = expected(stack)
    observable = described["observable"]
    by_model = tenant.ask("cost/by-model", limit=100, **EVENING)["data"]
    assert {row["model"] or "?": (row["calls"], row["input_tokens"], row["output_tokens"]) for row in by_model} == {
        model: (counts["calls"], counts["input"], counts["output"]) for model, counts in observable["models"].items()
    }
    golden = golden_costs(described)
    assert {row["model"] or "?": row["cost_usd"] for row in by_model} == {
        model: None if cost is None else float(cost) for model, cost in golden.items()
    }
    listed = expected_calls(stack)
    assert {(row["provider"], row["model"]) for row in by_model} == {
        (call["provider"] if call["model"] else None, call["model"]) for call in listed
    }
    assert sum(row["unpriced_calls"] for row in by_model) == sum(call["cost_usd"] is None for call in listed)
    assert tenant.ask("usage/overview", **EVENING)["total_calls"] == observable["llm_calls"] + observable["embeddings"]


def test_the_api_reports_the_same_users_and_agents(tenant: Tenant, stack: str) -> None:
    send(tenant, as_captured(stack))
    listed = expected_calls(stack)
    users = tenant.ask("usage/top-users", limit=100, **EVENING)["data"]
    assert by_name(users, "user_id", "calls", "cost_usd") == {
        user: (len(calls), cost_of(calls)) for user, calls in grouped(listed, "user_id").items() if user
    }
    found = tenant.ask("usage/agent-distribution", limit=100, **EVENING)["data"]
    acting = grouped(listed, "agent_id")
    assert by_name(found, "agent_id", "calls", "cost_usd") == {
        agent: (len(calls), cost_of(calls)) for agent, calls in acting.items()
    }
    assert {row["agent_id"]: row["avg_latency_ms"] for row in found} == {
        agent: pytest.approx(sum(call["latency_ms"] for call in calls) / len(calls)) for agent, calls in acting.items()
    }


def test_the_api_reports_the_same_errors_and_latencies(tenant: Tenant, stack: str) -> None:
    send(tenant, as_captured(stack))
    listed, observable = expected_calls(stack), expected(stack)["observable"]
    errors = tenant.ask("performance/errors", limit=100, **EVENING)
    assert errors["total_errors"] == observable["llm_errors"] + observable["llm_timeouts"]
    failed = [call for call in listed if call["status"] != "success"]
    assert {(group["error_type"], group["status"]): group["calls"] for group in errors["data"]} == Counter(
        (call["error_type"], call["status"]) for call in failed
    )
    minutes = tenant.ask("performance/throughput", granularity="minute", **EVENING)["data"]
    assert sum(minute["timeout"] for minute in minutes) == observable["llm_timeouts"]
    assert sum(minute["total"] for minute in minutes) == len(listed)
    latency = tenant.ask("performance/overview", **EVENING)["avg_latency_ms"]
    assert latency == pytest.approx(sum(call["latency_ms"] for call in listed) / len(listed))


def grouped(calls: list[dict[str, Any]], name: str) -> dict[Any, list[dict[str, Any]]]:
    return {value: [call for call in calls if call[name] == value] for value in {call[name] for call in calls}}


def by_name(rows: list[dict[str, Any]], name: str, *fields: str) -> dict[Any, tuple[Any, ...]]:
    return {row[name]: tuple(row[field] for field in fields) for row in rows}


def cost_of(calls: list[dict[str, Any]]) -> float | None:
    cost = known_sum(call["cost_usd"] for call in calls)
    return None if cost is None else float(cost)


def test_the_expected_calls_add_up_to_what_is_observable(stack: str) -> None:
    """The two are written down in files of their own: an error in either shows."""
    observable, listed = expected(stack)["observable"], [SimpleNamespace(**call) for call in expected_calls(stack)]
    assert models(listed) == observable["models"]
    assert per_user(listed) == observable["per_user"]
    assert tokens(listed) == observable["tokens"]
    assert Counter(call.status for call in listed if call.operation != "embeddings") == Counter(
        success=observable["llm_calls"] - observable["llm_errors"] - observable["llm_timeouts"],
        error=observable["llm_errors"],
        timeout=observable["llm_timeouts"],
    )
    assert {call.agent_id for call in listed} <= {*observable["agents"], service_of(stack)}
    assert {call.user_id for call in listed} - {None} <= set(observable["users"])
    assert sorted({call.environment for call in listed} - {None}) == observable["environments"]
    assert sorted({call.release for call in listed} - {None}) == observable["releases"]
    assert sum(call.first_token_ms is not None for call in listed) == observable["first_tokens"]
    assert costs(listed) == golden_costs(expected(stack))


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


def test_numbers_are_right_with_one_span_in_each_request_and_when_all_is_sent_again(tenant: Tenant, stack: str) -> None:
    send(tenant, one_span_each(stack))
    check(tenant, stack)
    send(tenant, as_captured(stack) + as_captured(stack))
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
