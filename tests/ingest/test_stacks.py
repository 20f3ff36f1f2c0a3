"""The stacks without a capture: each sends the same run in its own way, and the stored rows are the same."""

import json
import random
from decimal import Decimal
from typing import Any

import pytest

from tests.ingest.observed import agents, observed
from tests.ingest.stacks import STACKS, Span, Stack
from tests.ingest.test_captures import stored
from tests.tenant import NOON, Tenant

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS.keys()),
]

TRACE = "0af7651916cd43dd8448eb211c80319c"
NOON_NS = int(NOON.timestamp()) * 10**9


def any_value(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"stringValue": value}
    return {"doubleValue": value} if isinstance(value, float) else {"intValue": value}


def pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": any_value(value)} for key, value in attributes.items()]


def request_of(stack: Stack, number: int, span: Span) -> dict[str, Any]:
    json_span = {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        "parentSpanId": f"{span.parent:016x}" if span.parent else "",
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
    good, bad = sorted(
        (row for row in rows if row.operation == stack.operation), key=lambda row: row.status != "success"
    )
    assert (good.model, good.provider, bad.model) == (stack.model, stack.provider, stack.failed_model)
    assert (good.input_tokens, good.output_tokens) == (100, 20)
    assert (good.cache_read_tokens, good.reasoning_tokens) == (stack.cached, stack.reasoning)
    assert (good.cost_usd, good.cost_source) == (Decimal(stack.cost), stack.cost_source)
    assert (bad.status, bad.error_type) == ("error", stack.error_type)
    assert (bad.cost_usd, bad.cost_source) == (None, "unknown")
    seen = observed(rows)
    assert (seen["llm_calls"], seen["llm_errors"], seen["tokens"]["input"], seen["tokens"]["output"]) == (2, 1, 100, 20)
    assert seen["tools"] == {stack.tool: 1}
    assert agents(rows, service="") == [stack.agent]
    assert seen["users"] == ([stack.user] if stack.user else [])
    assert seen["sessions"] == [stack.session]
    assert {(row.user_id, row.session_id) for row in rows} == {(stack.user, stack.session)}


def test_numbers_are_right_when_roots_come_last(tenant: Tenant, stack: Stack) -> None:
    send(tenant, stack, list(range(len(stack.run), 0, -1)))
    check(tenant, stack)


def test_numbers_are_right_when_spans_are_shuffled(tenant: Tenant, stack: Stack) -> None:
    order = list(range(1, len(stack.run) + 1))
    random.Random(5).shuffle(order)
    send(tenant, stack, order)
    check(tenant, stack)


def test_the_api_counts_each_call_once(tenant: Tenant, stack: Stack) -> None:
    send(tenant, stack, list(range(1, len(stack.run) + 1)))
    assert tenant.ask("usage/overview")["total_calls"] == 2
    [row] = [row for row in tenant.ask("cost/by-model")["data"] if row["model"] == stack.model]
    assert (row["input_tokens"], row["output_tokens"]) == (100, 20)
    assert row["cost_usd"] == pytest.approx(float(stack.cost))
