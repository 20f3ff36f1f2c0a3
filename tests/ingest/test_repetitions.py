"""Calls below calls: which of them repeat the call above, and which are calls of their own."""

import itertools
import json
import random
from typing import Any

import pytest

from tests.factories import WorkspaceFactory
from tests.ingest.otlp_spans import (
    ANTHROPIC,
    LANGCHAIN,
    OPENAI,
    Sent,
    agent,
    calls,
    chat,
    send,
    stored,
    tool,
    total_calls,
)
from tests.ingest.otlp_spans import usage as tokens
from tests.tenant import Tenant
from traces.db import rows

pytestmark = pytest.mark.django_db(databases="__all__")

GPT = ("gpt-4o", 100, 20)
MINI = ("gpt-4o-mini", 50, 10)


def mini(number: int, parent: int | None = None, **values: Any) -> Sent:
    return chat(number, parent, **{"tokens": (50, 10), "model": "gpt-4o-mini"} | values)


def embedding(number: int, parent: int | None = None, **values: Any) -> Sent:
    return chat(number, parent, operation="embeddings", model="text-embedding-3-small", **values)


TRACES: dict[str, tuple[list[Sent], list[tuple[str, int | None, int | None]]]] = {
    "two libraries, the same usage": ([chat(1, scope=LANGCHAIN), chat(2, 1)], [GPT]),
    "three libraries": ([chat(1, scope="pydantic-ai"), chat(2, 1), chat(3, 2, scope=ANTHROPIC)], [GPT]),
    "the inner one has the usage": ([chat(1, tokens=None, scope=LANGCHAIN), chat(2, 1)], [GPT]),
    "the outer one has the usage": ([chat(1, scope=LANGCHAIN), chat(2, 1, tokens=None)], [GPT]),
    "a chain between": ([chat(1, scope=LANGCHAIN), Sent(2, 1), chat(3, 2)], [GPT]),
    "other usage": ([chat(1, scope=LANGCHAIN), chat(2, 1, (300, 20))], [GPT, ("gpt-4o", 300, 20)]),
    "other usage under the same id": (
        [chat(1, scope=LANGCHAIN, response_id="msg_1"), chat(2, 1, (100, 21), response_id="msg_1")],
        [GPT],
    ),
    "other response id": (
        [chat(1, scope=LANGCHAIN, response_id="resp_1"), chat(2, 1, response_id="resp_2")],
        [GPT, GPT],
    ),
    "ids of two forms": ([chat(1, scope=LANGCHAIN, response_id="run-1"), chat(2, 1, response_id="chatcmpl-1")], [GPT]),
    "one library, both with usage": ([chat(1), chat(2, 1)], [GPT, GPT]),
    "one library, usage only inside": ([chat(1, tokens=None), chat(2, 1)], [GPT]),
    "a tool between": ([chat(1, scope=LANGCHAIN), tool(2, 1), chat(3, 2)], [GPT, GPT]),
    "an agent between": ([chat(1, scope=LANGCHAIN), agent(2, 1), chat(3, 2)], [GPT, GPT]),
    "a tool and an agent between": ([chat(1), tool(2, 1), agent(3, 2), mini(4, 3)], [GPT, MINI]),
    "an embedding below a chat": (
        [chat(1, scope=LANGCHAIN), embedding(2, 1)],
        [GPT, ("text-embedding-3-small", 100, 20)],
    ),
    "two attempts below one call": (
        [
            chat(1, end=9, scope=LANGCHAIN),
            chat(2, 1, tokens=None, start=1, end=2, failed=True),
            chat(3, 1, start=3, end=4),
        ],
        [GPT, ("gpt-4o", None, None)],
    ),
    "an app's span named like a call": ([Sent(1, name="chat turn"), chat(2, 1), mini(3, 1)], [GPT, MINI]),
    "a wrapper without model and usage": (
        [Sent(1, attributes={"langfuse.observation.type": "generation"}), chat(2, 1), mini(3, 1)],
        [GPT, MINI],
    ),
    "a wrapper above one call of the same library": (
        [Sent(1, attributes={"langfuse.observation.type": "generation"}, scope=OPENAI), chat(2, 1)],
        [GPT],
    ),
    "a wrapper above an agent": ([Sent(1, name="chat with us"), agent(2, 1), chat(3, 2)], [GPT]),
    "a wrapper with the sum": ([chat(1, tokens=(150, 30)), chat(2, 1), mini(3, 1)], [GPT, MINI]),
    "a wrapper with a model and no usage": ([chat(1, tokens=None, scope="app"), chat(2, 1), chat(3, 1)], [GPT, GPT]),
    "an operation that nobody knows": ([chat(1, operation="infer"), Sent(2, 1)], [GPT]),
    "an unknown operation above a call": ([chat(1, operation="infer"), chat(2, 1)], [GPT]),
    "an operation that is no call": ([chat(1, operation="agent_step"), chat(2, 1)], [GPT]),
    "the responses API": ([chat(1, operation="responses")], [GPT]),
    "a failed call of the responses API": (
        [chat(1, operation="responses", tokens=None, failed=True)],
        [("gpt-4o", None, None)],
    ),
    "an agent that is all there is": (
        [agent(1, attributes={"gen_ai.request.model": "gpt-4o"} | tokens(100, 20)), tool(2, 1)],
        [GPT],
    ),
    "an agent above its calls": ([agent(1, attributes=tokens(150, 30)), chat(2, 1), mini(3, 1)], [GPT, MINI]),
    "an agent in an agent": (
        [
            agent(1, attributes=tokens(100, 20)),
            agent(2, 1, attributes={"gen_ai.request.model": "gpt-4o"} | tokens(100, 20)),
        ],
        [GPT],
    ),
    "an agent that still runs": ([agent(1, end=None, attributes=tokens(100, 20))], []),
    "an agent of a run that still runs": ([Sent(1, end=None), agent(2, 1, attributes=tokens(100, 20))], []),
}


def orders(spans: list[Sent]) -> list[tuple[Sent, ...]]:
    """Returns all orders of up to three spans, else six of them."""
    every = list(itertools.permutations(spans))
    return every if len(every) <= 6 else random.Random(14).sample(every, 6)


@pytest.mark.parametrize(("spans", "expected"), TRACES.values(), ids=TRACES.keys())
def test_each_request_counts_once_in_every_order(
    tenant: Tenant, settings: Any, spans: list[Sent], expected: list[tuple[str, int | None, int | None]]
) -> None:
    send(tenant, *spans)
    assert calls(tenant) == sorted(expected, key=str)
    assert total_calls(tenant) == len(expected)
    rows = final(tenant)
    for order in orders(spans):
        other = Tenant(WorkspaceFactory(), tenant.client)
        settings.OPEN_WORKSPACE_IDS |= {other.workspace.id}
        tenant.client.defaults["HTTP_X_WORKSPACE_ID"] = str(other.workspace.id)
        for span in (*order, *order[:1]):
            send(other, span)
        assert final(other) == rows


def final(tenant: Tenant) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in row.items() if name not in ("workspace_id", "user_number")}
        for row in stored(tenant)
    ]


def test_a_call_that_comes_late_makes_the_run_above_it_a_run_again(tenant: Tenant) -> None:
    run = agent(1, attributes={"gen_ai.request.model": "gpt-4o"} | tokens(100, 20))
    send(tenant, run)
    assert tenant.ask("usage/overview")["total_calls"] == 1
    send(tenant, chat(2, 1))
    assert calls(tenant) == [GPT]
    assert tenant.ask("usage/overview", operation="invoke_agent")["total_calls"] == 1
    [by_model] = tenant.ask("cost/by-model")["data"]
    assert (by_model["calls"], by_model["input_tokens"]) == (1, 100)


def test_the_cost_of_a_run_without_calls_is_counted(tenant: Tenant) -> None:
    claude = {
        "openinference.span.kind": "AGENT",
        "llm.model_name": "claude-sonnet-4-6",
        "llm.token_count.prompt": 1200,
        "llm.token_count.completion": 900,
        "llm.cost.total": 0.42,
    }
    send(tenant, Sent(1, name="ClaudeAgent.query", attributes=claude))
    assert tenant.ask("cost/overview")["total_spend_usd"] == 0.42


@pytest.mark.parametrize("name", ["usage_details", "cost_details"])
def test_the_usage_object_of_a_run_without_calls_is_counted(tenant: Tenant, name: str) -> None:
    used = {"usage_details": {"input": 100, "output": 20}, "cost_details": {"input": 0.0003, "output": 0.00015}}
    run = {
        "langfuse.observation.type": "agent",
        "langfuse.observation.model.name": "gpt-4o",
        f"langfuse.observation.{name}": json.dumps(used[name]),
    }
    send(tenant, Sent(1, name="support", attributes=run))
    assert tenant.ask("usage/overview")["total_calls"] == 1
    assert tenant.ask("cost/overview")["total_spend_usd"] == pytest.approx(0.00045)


def test_an_embedding_of_an_old_library_is_an_embedding(tenant: Tenant) -> None:
    old = {"llm.request.type": "embedding", "gen_ai.system": "OpenAI", "gen_ai.request.model": "text-embedding-3-small"}
    send(tenant, Sent(1, attributes=old | {"gen_ai.usage.prompt_tokens": 8}, name="openai.embeddings"))
    assert [row["operation"] for row in stored(tenant)] == ["embeddings"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_call_has_what_each_of_its_records_says_it_used(tenant: Tenant, order: tuple[int, int]) -> None:
    outer, inner = chat(1, scope=LANGCHAIN), chat(2, 1)
    outer.attributes["openai.response.service_tier"] = "flex"
    inner.attributes["gen_ai.usage.audio.input_tokens"] = 40
    for place in order:
        send(tenant, (outer, inner)[place])
    [call] = rows("SELECT usage_details FROM traces WHERE operation = 'chat'", {})
    assert json.loads(call["usage_details"]) == {"service_tier": "flex", "input_audio_tokens": 40}
