"""The stacks without a capture: each sends the same run in its own way, and the stored rows are the same."""

import json
import random
from decimal import Decimal
from typing import Any

import pytest

from tests.ingest.observed import agents, calls, observed
from tests.ingest.stacks import STACKS, Span, Stack
from tests.ingest.stored import calls_of, stored
from tests.ingest.test_captures import exactly
from tests.tenant import NOON, Tenant

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS.keys()),
]

TRACE = "0af7651916cd43dd8448eb211c80319c"
NOON_NS = int(NOON.timestamp()) * 10**9


def any_value(value: Any) -> dict[str, Any]:
    match value:
        case str():
            return {"stringValue": value}
        case bool():
            return {"boolValue": value}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [any_value(item) for item in value]}}
        case dict():
            return {"kvlistValue": {"values": pairs(value)}}
    return {"intValue": value}


def pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": any_value(value)} for key, value in attributes.items()]


def request_of(stack: Stack, number: int, span: Span) -> dict[str, Any]:
    json_span = {
        "traceId": TRACE,
        "spanId": span_id(number),
        "parentSpanId": span_id(span.parent) if span.parent else "",
        "name": span.name,
        "startTimeUnixNano": NOON_NS + number * 10**6,
        "endTimeUnixNano": NOON_NS + 10**9 - number * 10**6,
        "attributes": pairs(span.attributes),
        "events": [event | {"attributes": pairs(event["attributes"])} for event in span.events],
        "status": {"code": 2} if span.failed else {},
    }
    scope_spans = [{"scope": {"name": span.scope or stack.scope}, "spans": [json_span]}]
    resource = {"attributes": pairs({"service.name": "support-desk"})}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": scope_spans}]}


def send(tenant: Tenant, stack: Stack, order: list[int]) -> None:
    """Sends each span in its own request, so that spans inherit from stored spans only."""
    for number in order:
        body = json.dumps(request_of(stack, number, stack.run[number - 1]))
        response = tenant.client.post("/v1/traces", body, content_type="application/json")
        assert (response.status_code, response.content) == (200, b"{}")


def check(tenant: Tenant, stack: Stack) -> None:
    rows = stored(tenant.workspace.id)
    assert exactly(calls(rows)) == expected_calls(stack)
    assert [row.error_message for row in calls_of(rows) if row.status != "success"] == [stack.error_message]
    assert observed(rows)["tools"] == {stack.tool: 1}
    assert agents(rows, service="") == [stack.agent]
    assert {(row.user_id, row.session_id) for row in rows} == {(stack.user, stack.session)}


UNKNOWN_OF_FAILED = (
    *("first_token_ms", "input_tokens", "output_tokens"),
    *("cache_read_tokens", "reasoning_tokens", "cost_usd"),
)


def expected_calls(stack: Stack) -> list[dict[str, Any]]:
    of_both = {
        "operation": stack.operation,
        "agent_id": stack.agent,
        "user_id": stack.user,
        "session_id": stack.session,
        "environment": None,
        "release": None,
        "cache_write_tokens": None,
    }
    good = of_both | {
        "span_id": span_id(stack.good),
        "latency_ms": latency_ms(stack.good),
        "first_token_ms": stack.first_token_ms,
        "provider": stack.provider,
        "model": stack.model,
        "status": "success",
        "error_type": None,
        "input_tokens": 100,
        "output_tokens": 20,
        "cache_read_tokens": stack.cached,
        "reasoning_tokens": stack.reasoning,
        "cost_usd": Decimal(stack.cost),
        "cost_source": stack.cost_source,
    }
    bad = of_both | {
        "span_id": span_id(stack.bad),
        "latency_ms": latency_ms(stack.bad),
        "provider": stack.failed_provider,
        "model": stack.failed_model,
        "status": "error",
        "error_type": stack.error_type,
        "cost_source": "unknown",
    }
    unknown = dict.fromkeys(UNKNOWN_OF_FAILED)
    return [good, unknown | bad]


def span_id(number: int) -> str:
    return f"{number:016x}"


def latency_ms(number: int) -> float:
    """A span begins a millisecond later than the one before it, and ends a millisecond earlier."""
    return 1000 - 2.0 * number


def test_numbers_are_right_when_roots_come_last(tenant: Tenant, stack: Stack) -> None:
    send(tenant, stack, list(range(len(stack.run), 0, -1)))
    check(tenant, stack)


def test_numbers_are_right_when_spans_are_shuffled(tenant: Tenant, stack: Stack) -> None:
    order = list(range(1, len(stack.run) + 1))
    random.Random(5).shuffle(order)
    send(tenant, stack, order)
    check(tenant, stack)


def test_numbers_are_right_when_everything_is_sent_twice(tenant: Tenant, stack: Stack) -> None:
    order = list(range(1, len(stack.run) + 1))
    send(tenant, stack, order + order[::-1])
    check(tenant, stack)


def test_the_api_counts_each_call_once(tenant: Tenant, stack: Stack) -> None:
    send(tenant, stack, list(range(1, len(stack.run) + 1)))
    assert tenant.ask("usage/overview")["total_calls"] == 2
    [row] = [row for row in tenant.ask("cost/by-model")["data"] if row["model"] == stack.model]
    assert (row["input_tokens"], row["output_tokens"]) == (100, 20)
    assert row["cost_usd"] == float(stack.cost)
    [user] = tenant.ask("usage/top-users")["data"] or [None]
    assert (user and (user["user_id"], user["calls"], user["cost_usd"])) == (
        stack.user and (stack.user, 2, float(stack.cost))
    )
    [agent] = tenant.ask("usage/agent-distribution")["data"]
    assert (agent["agent_id"], agent["calls"], agent["cost_usd"]) == (stack.agent, 2, float(stack.cost))
    [failure] = tenant.ask("performance/errors")["data"]
    assert (failure["error_type"], failure["status"], failure["calls"]) == (stack.error_type, "error", 1)
