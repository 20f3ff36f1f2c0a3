"""A span that comes several times, each time with other facts, ends as one row with everything known."""

import itertools
import json
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ingest.copies import merge_attributes, merge_facts
from ingest.span_facts import SpanFacts
from tests.factories import WorkspaceFactory
from tests.ingest.otlp_spans import Sent, agent, calls, chat, send, stored, total_calls, usage
from tests.ingest.test_repetitions import final
from tests.tenant import NOON, Tenant, iso
from tests.traces.test_rollups import assert_rollups_hold_the_rows
from traces.engines import postgresql
from traces.write_cursor import WriteCursor

pytestmark = pytest.mark.django_db(databases="__all__")

DAYS = 86_400

COPIES: dict[str, tuple[list[Sent], dict[str, Any]]] = {
    "opened, then complete": (
        [chat(1, tokens=None, end=None), chat(1, end=2)],
        {"input_tokens": 100, "latency_ms": 2000, "cost_usd": Decimal("0.00045")},
    ),
    "the user came with the first copy only": (
        [chat(1, tokens=None, end=None, attributes={"user.id": "alice"}), chat(1)],
        {"user_id": "alice", "input_tokens": 100},
    ),
    "the user came with the last copy only": (
        [chat(1, tokens=None), chat(1, attributes={"user.id": "alice"})],
        {"user_id": "alice", "input_tokens": 100},
    ),
    "usage in two parts": (
        [
            chat(1, tokens=None, attributes={"gen_ai.usage.input_tokens": 100}),
            chat(1, tokens=None, attributes={"gen_ai.usage.output_tokens": 20}, end=3),
        ],
        {"input_tokens": 100, "output_tokens": 20, "latency_ms": 3000},
    ),
    "another start": (
        [chat(1, start=0, end=1), chat(1, start=0.5, end=2)],
        {"timestamp": NOON + timedelta(seconds=0.5), "latency_ms": 1500},
    ),
    "another day": (
        [chat(1, start=-2 * DAYS, end=None, tokens=None), chat(1)],
        {"timestamp": NOON, "input_tokens": 100},
    ),
    "it fails at its end": (
        [chat(1, tokens=None, end=None), chat(1, tokens=None, failed=True)],
        {"status": "error", "error_message": "RateLimitError: slow down"},
    ),
    "the same end, more usage": ([chat(1, model="o3", tokens=None), chat(1)], {"model": "gpt-4o", "input_tokens": 100}),
    "the same end and usage": ([chat(1, tokens=(100, 20)), chat(1, tokens=(100, 30))], {"output_tokens": 30}),
    "the reasoning belongs to its output": (
        [chat(1, tokens=(100, 50), attributes={"gen_ai.usage.reasoning_tokens": 40}), chat(1, tokens=(100, 30), end=2)],
        {"input_tokens": 100, "output_tokens": 30, "reasoning_tokens": None, "cost_usd": Decimal("0.00055")},
    ),
    "the cache belongs to its input": (
        [
            chat(1, tokens=(1000, 20), attributes={"gen_ai.usage.cache_read.input_tokens": 900}),
            chat(1, tokens=(100, 20), end=2),
        ],
        {"input_tokens": 100, "cache_read_tokens": None, "cost_usd": Decimal("0.00045")},
    ),
    "the audio belongs to its input": (
        [chat(1, attributes={"gen_ai.usage.audio.input_tokens": 60}), chat(1, end=2)],
        {"input_tokens": 100, "usage_details": None, "cost_usd": Decimal("0.00045")},
    ),
    "the tier that was asked for is not the answer's": (
        [chat(1, tokens=None, end=None, attributes={"openai.request.service_tier": "priority"}), chat(1)],
        {"usage_details": None, "cost_usd": Decimal("0.00045")},
    ),
    "the parts of a cost belong to it": (
        [
            chat(
                1, attributes={"gen_ai.cost.total_cost": 5, "gen_ai.cost.input_cost": 4, "gen_ai.cost.output_cost": 1}
            ),
            chat(1, end=2, attributes={"gen_ai.cost.total_cost": 3}),
        ],
        {"cost_usd": Decimal(3), "input_cost_usd": None, "output_cost_usd": None},
    ),
    "it fails, and succeeds at a later end": (
        [chat(1, failed=True), chat(1, end=2)],
        {"status": "success", "error_message": None, "latency_ms": 2000},
    ),
    "it succeeds, and fails at a later end": (
        [chat(1), chat(1, end=2, failed=True)],
        {"status": "error", "error_message": "RateLimitError: slow down"},
    ),
    "no call at first": ([Sent(1, end=None, scope="openai"), chat(1)], {"operation": "chat", "input_tokens": 100}),
    "three copies, each with its own": (
        [
            chat(1, tokens=None, end=None, attributes={"user.id": "alice", "session.id": "one"}),
            chat(1, tokens=None, end=1, attributes={"session.id": "two", "gen_ai.usage.input_tokens": 7}),
            chat(1, tokens=None, end=2, attributes={"gen_ai.usage.output_tokens": 20}),
        ],
        {"user_id": "alice", "session_id": "two", "input_tokens": 7, "output_tokens": 20, "latency_ms": 2000},
    ),
}


@pytest.mark.parametrize(("copies", "expected"), COPIES.values(), ids=COPIES.keys())
def test_copies_end_as_one_row_in_every_order(
    tenant: Tenant, settings: Any, copies: list[Sent], expected: dict[str, Any]
) -> None:
    send(tenant, *copies)
    [row] = stored(tenant)
    assert {name: row[name] for name in expected} == expected
    rows = final(tenant)
    for order in itertools.permutations(copies):
        other = Tenant(WorkspaceFactory(), tenant.client)
        settings.OPEN_WORKSPACE_IDS |= {other.workspace.id}
        tenant.client.defaults["HTTP_X_WORKSPACE_ID"] = str(other.workspace.id)
        for copy in (*order, *order):
            send(other, copy)
        assert final(other) == rows
        assert total_calls(other) == 1
        assert_rollups_hold_the_rows(other)


def test_the_sums_follow_a_copy_with_more(tenant: Tenant) -> None:
    send(tenant, chat(9, trace=2, attributes={"user.id": "bob"}))
    send(tenant, chat(1, tokens=None, end=None, start=-DAYS))
    send(tenant, chat(1, end=2, attributes={"user.id": "alice"}))
    [by_model] = tenant.ask("cost/by-model")["data"]
    assert (by_model["calls"], by_model["input_tokens"], by_model["cost_usd"]) == (2, 200, pytest.approx(0.0009))
    assert {row["user_id"]: row["calls"] for row in tenant.ask("usage/top-users")["data"]} == {"alice": 1, "bob": 1}
    day_before = {"start": iso(NOON - timedelta(days=2)), "end": iso(NOON - timedelta(hours=12))}
    assert tenant.ask("usage/overview", **day_before)["total_calls"] == 0
    assert_rollups_hold_the_rows(tenant)


def test_attributes_of_all_copies_are_kept(tenant: Tenant) -> None:
    send(tenant, chat(1, tokens=None, end=None, attributes={"step": "first", "plan": "b"}))
    send(tenant, chat(1, attributes={"step": "last"}))
    [row] = stored(tenant)
    assert (row["attributes"]["step"], row["attributes"]["plan"]) == ("last", "b")
    assert row["attributes"]["gen_ai.usage.input_tokens"] == 100


def test_a_copy_that_knows_no_more_is_a_duplicate(tenant: Tenant) -> None:
    complete = chat(1, attributes={"user.id": "alice"})
    send(tenant, complete)
    before = final(tenant)
    send(tenant, chat(1, tokens=None, end=None))
    send(tenant, complete)
    assert final(tenant) == before


def test_children_take_the_user_that_a_copy_of_their_root_brings(tenant: Tenant) -> None:
    send(tenant, agent(1, end=None), chat(2, 1))
    send(tenant, agent(1, attributes={"user.id": "alice"}))
    assert {row["user_id"] for row in stored(tenant)} == {"alice"}
    assert [row["user_id"] for row in tenant.ask("usage/top-users")["data"]] == ["alice"]


# --- Any copies, merged in any order and grouping ---


DRAWN_DETAILS: list[dict[str, int | str] | None] = [
    *(None, {"service_tier": "flex"}, {"input_audio_tokens": 1, "output_audio_tokens": 1}),
    *({"cache_write_1h_tokens": 1, "service_tier": "batch"}, {"output_audio_tokens": 2, "web_searches": 1}),
]


def random_copy(draw: random.Random) -> tuple[SpanFacts, dict[str, Any]]:
    maybe = [None, None, "a", "b"]
    facts = SpanFacts(
        trace_id="t",
        span_id="s",
        parent_span_id=draw.choice([None, "p"]),
        timestamp=datetime(2026, 11, 1, 12, draw.randrange(2), tzinfo=UTC),
        name=draw.choice(["", "x", "y"]),
        status=draw.choice(["success", "error", "timeout"]),  # type: ignore[arg-type]
        error_type=draw.choice(maybe),
        error_message=None,
        kind=draw.choice(["llm", "other", "chain"]),
        operation=draw.choice(["chat", "other"]),
        latency_ms=draw.choice([None, 0.0, 60_000.0]),
        agent=draw.choice(maybe),
        has_named_agent=draw.random() < 0.5,
        user=draw.choice(maybe),
        input_tokens=draw.choice([None, 1, 2]),
        output_tokens=draw.choice([None, 1, 2]),
        cache_read_tokens=draw.choice([None, 1]),
        reasoning_tokens=draw.choice([None, 1]),
        usage_details=draw.choice(DRAWN_DETAILS),
        reported_cost_usd=draw.choice([None, "3", "5"]),
        reported_parts=draw.choice([None, {"input": "4", "output": "1"}]),
    )
    return facts, {name: draw.choice(["u", "v"]) for name in ("k", "l") if draw.random() < 0.6}


def random_update(draw: random.Random) -> tuple[SpanFacts, dict[str, Any]]:
    """A copy that says when the span ended at most, not when it began."""
    facts, attributes = random_copy(draw)
    ends = [None, *(datetime(2026, 11, 1, 12, minute, tzinfo=UTC) for minute in range(4))]
    facts.is_timeless, facts.latency_ms = True, None
    if end := draw.choice(ends):
        facts.lone_end_us = round(end.timestamp()) * 1_000_000
    return facts, attributes


def merge(
    one: tuple[SpanFacts, dict[str, Any]], other: tuple[SpanFacts, dict[str, Any]]
) -> tuple[SpanFacts, dict[str, Any]]:
    facts = merge_facts(one[0], other[0])
    return facts, merge_attributes(one[1], one[0], other[1], other[0], facts)


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("updates", range(5))
def test_any_order_and_grouping_gives_the_same_span(seed: int, updates: int) -> None:
    draw = random.Random(seed)
    copies = [random_copy(draw) for _ in range(4 - updates)] + [random_update(draw) for _ in range(updates)]
    results = []
    for order in itertools.permutations(copies):
        first, second, third, fourth = order
        results += [
            merge(merge(merge(first, second), third), fourth),
            merge(merge(first, second), merge(third, fourth)),
        ]
        results += [merge(results[-1], draw.choice(order))]
    assert all(result == results[0] for result in results)


# --- Traces that last for weeks ---


@pytest.fixture
def _months(settings: Any) -> None:
    settings.RETENTION_DAYS = 90


LONG = [
    agent(1, start=-30 * DAYS, end=60, attributes={"user.id": "alice", "session.id": "s"}),
    agent(2, 1, name="planner", start=-30 * DAYS, end=-30 * DAYS + 1),
    chat(3, 2, start=-30 * DAYS, end=-30 * DAYS + 1),
    chat(4, 1, start=-15 * DAYS, end=-15 * DAYS + 1),
    chat(5, 1, start=0, end=1),
]


@pytest.mark.usefixtures("_months")
@pytest.mark.parametrize("seed", range(8))
def test_a_trace_may_last_for_30_days(tenant: Tenant, seed: int) -> None:
    for span in random.Random(seed).sample(LONG, k=len(LONG)):
        send(tenant, span)
    assert {row["user_id"] for row in stored(tenant)} == {"alice"}
    agents = [row["agent_id"] for row in stored(tenant) if row["operation"] == "chat"]
    assert agents == ["planner", "support", "support"]


@pytest.mark.usefixtures("_months")
def test_a_child_comes_30_days_after_a_short_root(tenant: Tenant) -> None:
    send(tenant, agent(1, start=-30 * DAYS, end=-30 * DAYS + 1, attributes={"user.id": "alice"}))
    send(tenant, chat(2, 1))
    send(tenant, chat(3, 2, tokens=(1, 1)))
    assert {(row["agent_id"], row["user_id"]) for row in stored(tenant)} == {("support", "alice")}


# --- JSON items ---


def post(tenant: Tenant, *items: dict[str, Any]) -> Any:
    response = tenant.client.post("/api/v1/traces", json.dumps({"traces": items}), content_type="application/json")
    return response.json()


NAMED = {"agent_id": "a", "trace_id": "t", "span_id": "s"}
AT_NOON = NAMED | {"timestamp": iso(NOON), "provider": "openai", "model": "gpt-4o"}
USED = {"input_tokens": 100, "output_tokens": 20, "latency_ms": 2000.0}

ITEMS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "completed": ([AT_NOON, AT_NOON | USED], {"input_tokens": 100, "cost_usd": Decimal("0.00045")}),
    "completed without the time": ([AT_NOON, NAMED | USED], {"timestamp": NOON, "input_tokens": 100}),
    "completed without the operation": (
        [AT_NOON | {"operation": "embeddings"}, NAMED | {"input_tokens": 5, "latency_ms": 3.0}],
        {"operation": "embeddings", "input_tokens": 5},
    ),
    "with another start": (
        [AT_NOON | USED, AT_NOON | {"timestamp": iso(NOON + timedelta(hours=1)), "user_id": "alice"}],
        {"timestamp": NOON, "user_id": "alice", "input_tokens": 100},
    ),
    "the cost comes later": ([AT_NOON | USED, NAMED | {"cost_usd": 0.5}], {"cost_usd": Decimal("0.5")}),
    "it failed": ([AT_NOON | USED, NAMED | {"status": "error", "error_type": "x"}], {"status": "error"}),
}


@pytest.mark.parametrize(("copies", "expected"), ITEMS.values(), ids=ITEMS.keys())
def test_a_json_item_is_completed_later(tenant: Tenant, copies: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    for order in (copies, copies[::-1]):
        items = [item | {"trace_id": f"{order is copies}"} for item in order]
        first, second = (post(tenant, item) for item in items)
        assert (first["accepted"], second["accepted"]) == (1, 0)
        assert second["updated"] + second["duplicates"] == 1
        assert {post(tenant, item)["updated"] for item in items} == {0}
    for row in stored(tenant):
        assert {name: row[name] for name in expected} == expected
    assert len(stored(tenant)) == 2


def test_the_answer_counts_what_learned(tenant: Tenant) -> None:
    post(tenant, AT_NOON, AT_NOON | {"span_id": "2"})
    answer = post(tenant, AT_NOON | USED, AT_NOON | {"span_id": "2"}, AT_NOON | {"span_id": "3"})
    assert answer == {"accepted": 1, "updated": 1, "duplicates": 1, "rejected": []}
    assert calls(tenant) == sorted([("gpt-4o", 100, 20), *[("gpt-4o", None, None)] * 2], key=str)
    assert total_calls(tenant) == 3
    assert tenant.ask("cost/overview")["total_spend_usd"] == pytest.approx(0.00045)


def test_two_copies_in_one_request_are_one_span(tenant: Tenant) -> None:
    assert post(tenant, AT_NOON, NAMED | USED) == {"accepted": 1, "updated": 0, "duplicates": 1, "rejected": []}
    assert calls(tenant) == [("gpt-4o", 100, 20)]


def test_items_of_one_trace_are_different_spans(tenant: Tenant) -> None:
    assert post(tenant, *({"agent_id": "a", "trace_id": "t"} for _ in range(3)))["accepted"] == 3


def test_a_request_of_which_nothing_is_stored_is_refused(tenant: Tenant) -> None:
    response = tenant.client.post("/api/v1/traces", json.dumps({"model": "x"}), content_type="application/json")
    assert response.status_code == 422
    [rejected] = response.json()["rejected"]
    assert (rejected["index"], response.json()["accepted"]) == (0, 0)
    good_and_bad = json.dumps({"traces": [{"agent_id": "a"}, {}]})
    assert tenant.client.post("/api/v1/traces", good_and_bad, content_type="application/json").status_code == 200


def test_usage_of_a_copy_with_its_own_price_is_priced_again(tenant: Tenant) -> None:
    send(tenant, chat(1, tokens=None, attributes=usage(100, 20) | {"gen_ai.usage.output_tokens": 10}))
    send(tenant, chat(1, tokens=(100, 20), end=5))
    assert [row["cost_usd"] for row in stored(tenant)] == [Decimal("0.00045")]


def test_spans_that_move_together_are_moved_by_one_statement(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    statements: list[str] = []
    execute = WriteCursor.execute

    def noted(cursor: WriteCursor, query: Any, *args: Any, **options: Any) -> WriteCursor:
        statements.append(query)
        return execute(cursor, query, *args, **options)

    user = {"user.id": "alice"}
    send(tenant, *(chat(number, start=-DAYS, end=None, tokens=None, attributes=user) for number in range(1, 21)))
    monkeypatch.setattr(WriteCursor, "execute", noted)
    send(tenant, *(chat(number, start=0, attributes=user) for number in range(1, 21)))
    assert {row["timestamp"] for row in stored(tenant)} == {NOON}
    assert statements.count(postgresql.MOVE) == 1
    assert all(statements.count(sql) <= 2 for sql in postgresql.REMOVE_USERS)
    assert_rollups_hold_the_rows(tenant)
