"""What Langfuse's SDK 2, LiteLLM, Dify, Flowise and Open WebUI send to `/api/public/ingestion` is stored by event."""

import json
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from tests.tenant import NOON, Tenant, iso
from tests.traces.test_rollups import assert_rollups_hold_the_rows
from traces.db import rows

pytestmark = pytest.mark.django_db(databases="__all__")

TRACE = "d127707594a72a04c678746102eb15b9"


def at(seconds: float) -> str:
    return iso(NOON + timedelta(seconds=seconds))


def event(kind: str, body: Any, **changes: Any) -> dict[str, Any]:
    name = body.get("id") if isinstance(body, dict) else "?"
    return {"id": f"{kind} {name}", "type": kind, "timestamp": at(60), "body": body} | changes


def a_trace(**changes: Any) -> dict[str, Any]:
    body = {"id": TRACE, "name": "support", "userId": "ada", "sessionId": "monday", "timestamp": at(60)}
    return event("trace-create", body | changes)


def a_generation(**changes: Any) -> dict[str, Any]:
    body = {
        "id": "g1",
        "traceId": TRACE,
        "name": "answer",
        "model": "gpt-4o",
        "startTime": at(0),
        "endTime": at(2),
        "usage": {"input": 1000, "output": 100, "unit": "TOKENS"},
    }
    return event("generation-create", body | changes)


def send(tenant: Tenant, *events: Any) -> dict[str, Any]:
    body = json.dumps({"batch": list(events), "metadata": {"sdk_name": "python"}})
    response = tenant.client.post("/api/public/ingestion", body, content_type="application/json")
    assert response.status_code == 207, response.content
    answer: dict[str, Any] = response.json()
    assert answer.keys() == {"successes", "errors"}
    return answer


def stored(tenant: Tenant) -> list[dict[str, Any]]:
    found = rows(
        "SELECT * FROM traces WHERE workspace_id = %(workspace_id)s ORDER BY timestamp, span_id",
        {"workspace_id": tenant.workspace.id},
    )
    return [row | {"attributes": json.loads(row["attributes"])} for row in found]


def the_call(tenant: Tenant) -> dict[str, Any]:
    [call] = [row for row in stored(tenant) if row["operation"] in ("chat", "embeddings")]
    return call


def test_a_batch_is_stored_as_one_call_below_its_trace(tenant: Tenant) -> None:
    answer = send(tenant, a_trace(), a_generation())
    assert [one["status"] for one in answer["successes"]] == [201, 201]
    call = the_call(tenant)
    assert (call["trace_id"], call["span_id"], call["parent_span_id"]) == (TRACE, "g1", f"trace:{TRACE}")
    assert (call["agent_id"], call["user_id"], call["session_id"]) == ("support", "ada", "monday")
    assert (call["model"], call["provider"], call["latency_ms"]) == ("gpt-4o", "openai", 2000)
    assert (call["input_tokens"], call["output_tokens"]) == (1000, 100)
    # 1,000 at 2.50 and 100 at 10 USD a million
    assert (call["cost_usd"], call["cost_source"]) == (Decimal("0.0035"), "genai-prices")


def test_a_call_that_took_no_time_is_a_call(tenant: Tenant) -> None:
    send(tenant, a_generation(endTime=at(0), usage={"input": 1200, "output": 80, "unit": "TOKENS"}))
    call = the_call(tenant)
    assert (call["latency_ms"], call["input_tokens"], call["output_tokens"]) == (0, 1200, 80)


def test_the_trace_is_a_run_that_begins_with_its_first_observation(tenant: Tenant) -> None:
    """Its own time is that of its sending: Dify sends a minute later."""
    send(tenant, a_trace(), a_generation())
    [root] = [row for row in stored(tenant) if row["parent_span_id"] is None]
    assert (root["operation"], root["name"], root["timestamp"]) == ("invoke_workflow", "support", NOON)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_any_order_of_the_requests_gives_the_same_rows(tenant: Tenant, order: tuple[int, ...]) -> None:
    events = [a_trace(), a_generation(), event("span-create", {"id": "s", "traceId": TRACE, "startTime": at(-1)})]
    for number in order:
        send(tenant, events[number])
    found = [(row["span_id"], row["operation"], row["user_id"], row["timestamp"]) for row in stored(tenant)]
    begins = NOON - timedelta(seconds=1)
    assert sorted(found) == [
        ("g1", "chat", "ada", NOON),
        ("s", "other", "ada", begins),
        (f"trace:{TRACE}", "invoke_workflow", "ada", begins),
    ]


def test_a_replay_stores_nothing_again(tenant: Tenant) -> None:
    for _ in range(3):
        assert send(tenant, a_trace(), a_generation())["errors"] == []
    assert len(stored(tenant)) == 2


def test_an_update_in_the_same_batch_completes_the_generation(tenant: Tenant) -> None:
    begun = a_generation(endTime=None, usage=None, metadata={"a": 1})
    ended = event(
        "generation-update",
        {"id": "g1", "traceId": TRACE, "endTime": at(3), "usage": {"input": 10, "output": 5}, "metadata": {"b": 2}},
    )
    send(tenant, begun, ended)
    call = the_call(tenant)
    assert (call["latency_ms"], call["input_tokens"], call["output_tokens"]) == (3000, 10, 5)
    assert call["attributes"]["metadata"] == {"a": 1, "b": 2}


def test_an_update_without_its_begin_is_stored_when_it_was_sent_and_lasts_unknown_long(tenant: Tenant) -> None:
    ended = event("generation-update", {"id": "g1", "traceId": TRACE, "model": "gpt-4o", "endTime": at(3)})
    send(tenant, ended)
    call = the_call(tenant)
    assert (call["timestamp"], call["latency_ms"]) == (NOON + timedelta(seconds=60), None)


@pytest.mark.parametrize(
    ("kind", "changes", "operation"),
    [
        ("span-create", {}, "other"),
        ("event-create", {}, "other"),
        ("agent-create", {"name": "planner"}, "invoke_agent"),
        ("tool-create", {"name": "search"}, "execute_tool"),
        ("generation-create", {"name": "litellm-aembedding", "model": "text-embedding-3-small"}, "embeddings"),
        ("observation-create", {"type": "GENERATION", "model": "gpt-4o"}, "chat"),
        ("observation-create", {"type": "SPAN"}, "other"),
    ],
)
def test_each_kind_of_observation_has_its_operation(
    tenant: Tenant, kind: str, changes: dict[str, Any], operation: str
) -> None:
    answer = send(tenant, event(kind, {"id": "o", "traceId": TRACE, "startTime": at(0)} | changes))
    assert answer == {"successes": [{"id": f"{kind} o", "status": 201}], "errors": []}
    [row] = stored(tenant)
    assert row["operation"] == operation


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"usage": {"input": 10, "output": 5, "total": 15}}, (10, 5)),
        ({"usage": {"promptTokens": 10, "completionTokens": 5, "totalTokens": 15}}, (10, 5)),  # Flowise
        ({"usage": {"prompt_tokens": 10, "completion_tokens": 5}}, (10, 5)),
        ({"usageDetails": {"input": 10, "output": 5}, "usage": {"input": 99, "output": 99}}, (10, 5)),
        ({"usageDetails": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}}, (10, 5)),
        # Dify's suggested questions are counted in characters.
        ({"usage": {"input": 10, "output": 5, "total": 15, "unit": "CHARACTERS"}}, (None, None)),
        ({"usage": {"unit": "TOKENS"}}, (None, None)),
        ({"usage": None}, (None, None)),
        ({"usage": "many"}, (None, None)),
    ],
)
def test_usage_is_read_in_every_shape(
    tenant: Tenant, usage: dict[str, Any], tokens: tuple[int | None, int | None]
) -> None:
    assert send(tenant, a_generation(usage=None) | {"body": a_generation(usage=None)["body"] | usage})["errors"] == []
    call = the_call(tenant)
    assert (call["input_tokens"], call["output_tokens"]) == tokens


@pytest.mark.parametrize(
    ("details", "input_tokens"),
    [
        # LiteLLM: the total says that the cached tokens are inside the input.
        ({"input": 100, "output": 10, "total": 110, "cache_read_input_tokens": 60}, 100),
        # Langfuse's own wrappers: they stand beside it.
        ({"input": 40, "output": 10, "total": 110, "cache_read_input_tokens": 60}, 100),
        ({"input": 40, "output": 10, "cache_read_input_tokens": 60}, 100),
    ],
)
def test_cached_tokens_are_part_of_the_input_once(tenant: Tenant, details: dict[str, int], input_tokens: int) -> None:
    send(tenant, a_generation(usage=None, usageDetails=details))
    call = the_call(tenant)
    assert (call["input_tokens"], call["cache_read_tokens"], call["output_tokens"]) == (input_tokens, 60, 10)


@pytest.mark.parametrize(
    "cost",
    [
        {"costDetails": {"input": 0.5, "output": 0.25, "total": 0.75}},
        {"usage": {"input": 1000, "output": 100, "totalCost": 0.75}},
        {"usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_cost": 0.75}},
    ],
)
def test_a_reported_cost_is_the_cost(tenant: Tenant, cost: dict[str, Any]) -> None:
    send(tenant, a_generation(**cost))
    call = the_call(tenant)
    assert (call["cost_usd"], call["cost_source"]) == (Decimal("0.75"), "reported")


def test_a_cost_of_nothing_is_unknown(tenant: Tenant) -> None:
    send(tenant, a_generation(model="acme-7b", usage={"input": 10, "output": 5, "totalCost": 0}))
    assert the_call(tenant)["cost_usd"] is None


def test_a_failed_generation_is_an_error_with_its_message(tenant: Tenant) -> None:
    send(tenant, a_generation(level="ERROR", statusMessage="Rate limit reached", usage=None))
    call = the_call(tenant)
    assert (call["status"], call["error_message"]) == ("error", "Rate limit reached")


@pytest.mark.parametrize(
    ("metadata", "provider"),
    [
        ({"ls_provider": "anthropic"}, "anthropic"),
        ({"model_provider": "langgenius/openai/openai"}, "openai"),  # Dify
        ({}, "openai"),  # inferred from the model
    ],
)
def test_the_provider_is_read_from_the_metadata(tenant: Tenant, metadata: dict[str, str], provider: str) -> None:
    send(tenant, a_generation(metadata=metadata))
    assert the_call(tenant)["provider"] == provider


@pytest.mark.parametrize(
    ("name", "agent"),
    [
        ("support", "support"),
        ("chat:monday", "chat"),  # Open WebUI
        ("monday", "unknown"),
        ("litellm-acompletion", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_trace_names_the_agent_if_its_name_is_one(tenant: Tenant, name: str | None, agent: str) -> None:
    send(tenant, a_trace(name=name), a_generation())
    assert the_call(tenant)["agent_id"] == agent


def test_an_observation_may_have_the_id_of_its_trace(tenant: Tenant) -> None:
    """LangChain's callback gives both the id of the run."""
    send(tenant, a_trace(), a_generation(id=TRACE))
    assert {row["span_id"] for row in stored(tenant)} == {TRACE, f"trace:{TRACE}"}


def test_time_to_the_first_token_is_stored(tenant: Tenant) -> None:
    send(tenant, a_generation(completionStartTime=at(0.5)))
    assert the_call(tenant)["first_token_ms"] == pytest.approx(500)


def test_contents_are_stored_only_where_they_may_be(tenant: Tenant) -> None:
    tenant.workspace.store_content = False
    tenant.workspace.save()
    send(tenant, a_trace(input="secret"), a_generation(input="secret", output="secret"))
    assert "secret" not in json.dumps([row["attributes"] for row in stored(tenant)])


BAD_EVENTS: dict[str, tuple[Any, str]] = {
    "no object": (7, "an event must be a JSON object"),
    "no type": ({"id": "x", "body": {}}, "type must name the kind"),
    "unknown type": (event("dataset-create", {"id": "x"}), "'dataset-create' is not known"),
    "no body": (event("generation-create", None), "body must be a JSON object"),
    "no id": (event("generation-create", {"traceId": TRACE}) | {"id": None}, "body.id is missing"),
    "a number as id": (a_generation(id=7), "id must be a text"),
    "update without trace": (event("span-update", {"id": "s", "endTime": at(1)}), "body.traceId is missing"),
    "no time": (a_generation(startTime="yesterday"), "startTime must be ISO 8601"),
    "no offset": (a_generation(endTime="2026-11-23T10:00:00"), "endTime must be ISO 8601"),
    "too old": (a_generation(startTime="2001-01-01T00:00:00Z"), "startTime must lie within the last 400 days"),
    "an old update": (
        event("generation-update", {"id": "g1", "traceId": TRACE}, timestamp="2001-01-01T00:00:00Z"),
        "the event's timestamp must lie within the last 400 days",
    ),
    "an old event about a trace without a time": (
        event("trace-create", {"id": TRACE}, timestamp="2001-01-01T00:00:00Z"),
        "the event's timestamp must lie within the last 400 days",
    ),
    "score without value": (event("score-create", {"id": "x", "traceId": TRACE, "name": "n"}), "value:"),
    "score of nothing": (event("score-create", {"id": "x", "name": "n", "value": 1}), "traceId: a score needs"),
}


@pytest.mark.parametrize(("bad", "reason"), BAD_EVENTS.values(), ids=BAD_EVENTS.keys())
def test_a_bad_event_is_named_and_the_others_are_stored(tenant: Tenant, bad: Any, reason: str) -> None:
    good = event("span-create", {"id": "good", "traceId": TRACE, "startTime": at(0)})
    answer = send(tenant, bad, good)
    [error] = answer["errors"]
    assert (error["id"], error["status"]) == (bad.get("id") if isinstance(bad, dict) else None, 400)
    assert reason in error["message"]
    assert answer["successes"] == [{"id": "span-create good", "status": 201}]
    assert [row["span_id"] for row in stored(tenant)] == ["good"]


def test_a_log_of_the_sdk_has_nothing_to_store_and_is_told_so(tenant: Tenant) -> None:
    [answer] = send(tenant, event("sdk-log", {"log": {"level": "info"}}))["successes"]
    assert (answer["status"], "nothing to store" in answer["message"]) == (200, True)
    assert stored(tenant) == []


def test_more_events_than_a_request_may_have_are_refused(tenant: Tenant) -> None:
    body = json.dumps({"batch": [{}] * 10_001})
    response = tenant.client.post("/api/public/ingestion", body, content_type="application/json")
    assert response.status_code == 413


@pytest.mark.parametrize("body", ["[]", "{}", '{"batch": {}}', "null"])
def test_a_body_without_a_batch_is_refused(tenant: Tenant, body: str) -> None:
    response = tenant.client.post("/api/public/ingestion", body, content_type="application/json")
    assert response.status_code == 400


def test_a_score_of_a_batch_belongs_to_its_call(tenant: Tenant) -> None:
    score = event("score-create", {"id": "s1", "traceId": TRACE, "observationId": "g1", "name": "ok", "value": 1})
    send(tenant, score, a_trace(), a_generation())
    [found] = rows("SELECT * FROM scores WHERE workspace_id = %(id)s", {"id": tenant.workspace.id})
    assert (found["agent_id"], found["model"], found["user_id"]) == ("support", "gpt-4o", "ada")


def an_update(sent: float, **body: Any) -> dict[str, Any]:
    return event("generation-update", {"id": "g1", "traceId": TRACE, **body}, timestamp=at(sent))


PARTS = (
    a_trace(),
    a_generation(endTime=None, usage=None),
    an_update(61, endTime=at(3), usage={"input": 10, "output": 5}),
    an_update(62, metadata={"step": "two"}),
)
ORDERS = list(permutations(range(len(PARTS))))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", [1, 2, 4])
def test_any_order_and_split_of_the_parts_of_a_call_gives_its_duration(
    tenant: Tenant, order: tuple[int, ...], size: int
) -> None:
    for first in range(0, len(order), size):
        send(tenant, *(PARTS[number] for number in order[first : first + size]))
    root, call = sorted(stored(tenant), key=lambda row: row["operation"], reverse=True)
    assert (call["timestamp"], call["latency_ms"], call["model"]) == (NOON, 3000, "gpt-4o")
    assert (call["input_tokens"], call["output_tokens"]) == (10, 5)
    assert (call["user_id"], call["agent_id"]) == ("ada", "support")
    assert (root["timestamp"], root["latency_ms"]) == (NOON, None)
    assert_rollups_hold_the_rows(tenant)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_last_end_counts(tenant: Tenant, order: tuple[int, ...]) -> None:
    parts = [a_generation(endTime=at(1)), an_update(61, endTime=at(4)), an_update(62, endTime=at(3))]
    for number in order:
        send(tenant, parts[number])
    assert the_call(tenant)["latency_ms"] == 4000


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_end_before_the_start_tells_no_duration(tenant: Tenant, order: tuple[int, int]) -> None:
    parts = [a_generation(endTime=None), an_update(61, endTime=at(-5))]
    for number in order:
        send(tenant, parts[number])
    assert (the_call(tenant)["timestamp"], the_call(tenant)["latency_ms"]) == (NOON, None)


def test_an_update_without_its_begin_has_no_duration(tenant: Tenant) -> None:
    send(tenant, an_update(0, endTime=at(3), model="gpt-4o", usage={"input": 10, "output": 5}))
    assert (the_call(tenant)["latency_ms"], the_call(tenant)["input_tokens"]) == (None, 10)


def test_a_trace_learns_its_user_later(tenant: Tenant) -> None:
    send(tenant, a_trace(userId=None, sessionId=None), a_generation())
    send(tenant, a_trace())
    call = the_call(tenant)
    assert (call["user_id"], call["session_id"]) == ("ada", "monday")


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("is_split", [True, False])
def test_the_later_name_of_a_trace_is_the_agent(tenant: Tenant, order: tuple[int, ...], is_split: bool) -> None:
    first = event("trace-create", {"id": TRACE, "name": "wrapper", "timestamp": at(0)}, timestamp=at(1))
    renamed = event("trace-create", {"id": TRACE, "name": "agent", "userId": "ada"}, timestamp=at(5))
    events = [first, renamed, a_generation()]
    for batch in [[events[place]] for place in order] if is_split else [[events[place] for place in order]]:
        assert send(tenant, *batch)["errors"] == []
    assert {(row["agent_id"], row["user_id"]) for row in stored(tenant)} == {("agent", "ada")}
    assert [row["latency_ms"] for row in stored(tenant) if row["operation"] != "chat"] == [None]
