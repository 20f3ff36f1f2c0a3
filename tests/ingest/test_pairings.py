"""One call that two libraries record, mostly in two traces, counts once; two calls are never taken for one."""

import itertools
import json
import random
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ingest.resolve import resolve
from ingest.span_facts import SpanFacts
from tests.factories import WorkspaceFactory
from tests.ingest.otlp_spans import (
    ANTHROPIC,
    LANGCHAIN,
    OPENAI,
    OPENINFERENCE,
    Sent,
    calls,
    chat,
    send,
    stored,
    total_calls,
)
from tests.ingest.test_repetitions import final
from tests.tenant import NOON, Tenant
from traces import lookup

pytestmark = pytest.mark.django_db(databases="__all__")

Call = tuple[str, int | None, int | None]
GPT = ("gpt-4o", 100, 20)
FAILED = ("gpt-4o", None, None)


def used(model: str) -> dict[str, str]:
    return {"gen_ai.response.model": model}


def framework(number: int = 1, **values: Any) -> Sent:
    """Returns LangChain's record of a call: a root without a response id, from 0 to 1 second."""
    return chat(number, **{"scope": LANGCHAIN, "trace": number} | values)


def provider(number: int = 2, **values: Any) -> Sent:
    """Returns the record of the SDK's instrumentation in a trace of its own, within that time."""
    return chat(number, **{"scope": OPENINFERENCE, "trace": number, "start": 0.1, "end": 0.9} | values)


def failed(span: Any, number: int, **values: Any) -> Sent:
    sent: Sent = span(number, **{"tokens": None, "failed": True} | values)
    return sent


PAIRS: dict[str, tuple[list[Sent], list[Call]]] = {
    "a stream": ([framework(), provider(response_id="chatcmpl-1")], [GPT]),
    "a stream without usage": ([framework(tokens=None), provider(tokens=None, response_id="chatcmpl-1")], [FAILED]),
    "a failed call": ([failed(framework, 1), failed(provider, 2)], [FAILED]),
    "a failed call of another library": ([failed(framework, 1), failed(provider, 2, scope=OPENAI)], [FAILED]),
    "a failed call of the SDK itself": ([failed(framework, 1), failed(provider, 2, scope=ANTHROPIC)], [FAILED]),
    "a call with an id": ([framework(response_id="resp_a1"), provider(response_id="resp_a1")], [GPT]),
    "an id, the usage in one of them": (
        [framework(response_id="resp_a1", tokens=None), provider(response_id="resp_a1")],
        [GPT],
    ),
    "an id, the model in one of them": (
        [framework(response_id="resp_a1"), provider(response_id="resp_a1", model=None)],
        [GPT],
    ),
    "an id that a library invents": (
        [framework(scope="litellm", response_id="chatcmpl-a"), provider(response_id="chatcmpl-b")],
        [GPT],
    ),
    "the dated name of the model": ([framework(), provider(model="gpt-4o-2024-08-06")], [GPT]),
    "the requested model in one, both names in the other": (
        [
            framework(scope="langsmith", model="gpt-3.5-turbo", response_id="chatcmpl-a1"),
            provider(model="gpt-3.5-turbo", response_id="chatcmpl-a1", attributes=used("gpt-3.5-turbo-0125")),
        ],
        [("gpt-3.5-turbo-0125", 100, 20)],
    ),
    "the name of a deployment": (
        [framework(model="support-eu"), provider(model="support-eu", attributes=used("gpt-4o-2024-08-06"))],
        [GPT],
    ),
    "the latest of a model": (
        [framework(model="mistral-large-latest"), provider(model="mistral-large-2411")],
        [("mistral-large-latest", 100, 20)],
    ),
    "a preview of a model": (
        [framework(model="gemini-2.5-flash"), provider(model="gemini-2.5-flash-preview-09-2025")],
        [("gemini-2.5-flash", 100, 20)],
    ),
    "a stream, the usage in one of them": (
        [framework(tokens=None), provider(response_id="chatcmpl-a1")],
        [GPT],
    ),
    "a stream, the usage in the other": ([framework(), provider(tokens=None, response_id="chatcmpl-a1")], [GPT]),
    "a failed call, in one of them a time-out": (
        [failed(framework, 1), failed(provider, 2, attributes={"error.type": "timeout"})],
        [FAILED],
    ),
    "an id of few, of two services": (
        [
            framework(response_id="chatcmpl-7", tokens=None, service="x"),
            framework(2, scope="llama", response_id="chatcmpl-7", tokens=None, service="y"),
        ],
        [FAILED, FAILED],
    ),
    "an id of few, the usage in one of them": (
        [framework(response_id="chatcmpl-7", tokens=None), provider(response_id="chatcmpl-7")],
        [GPT, FAILED],
    ),
    "an id of few, the same usage": (
        [framework(response_id="chatcmpl-7"), provider(response_id="chatcmpl-7")],
        [GPT],
    ),
    "an id that two services record": (
        [framework(response_id="chatcmpl-a1"), provider(response_id="chatcmpl-a1", service="gateway")],
        [GPT],
    ),
    "an id, an hour apart": (
        [
            framework(response_id="chatcmpl-a1", end=7300),
            provider(response_id="chatcmpl-a1", start=3700, end=7200),
        ],
        [GPT, GPT],
    ),
    "a stream, an hour apart": ([framework(end=7300), provider(start=3700, end=7200)], [GPT, GPT]),
    "two records in one trace": ([framework(trace=9), provider(trace=9)], [GPT]),
    "three records": (
        [
            framework(),
            provider(trace=9, response_id="c-a1"),
            chat(3, 2, start=0.2, end=0.8, trace=9, response_id="c-a1"),
        ],
        [GPT],
    ),
    "a record that ends later": ([framework(), provider(start=-0.02, end=1.5)], [GPT]),
    "one library twice": ([provider(1), provider(2)], [GPT, GPT]),
    "one library with one id": ([provider(1, response_id="c-1"), provider(2, response_id="c-1")], [GPT, GPT]),
    "one library with one id, in part": (
        [provider(1, response_id="c-1"), provider(2, response_id="c-1", tokens=None)],
        [GPT, FAILED],
    ),
    "two frameworks": ([framework(1), framework(2, scope="pydantic-ai")], [GPT, GPT]),
    "another model": ([framework(), provider(model="o3")], [GPT, ("o3", 100, 20)]),
    "other usage": ([framework(), provider(tokens=(300, 20))], [GPT, ("gpt-4o", 300, 20)]),
    "other usage under one id": (
        [framework(response_id="chatcmpl-7"), provider(response_id="chatcmpl-7", tokens=(300, 20))],
        [GPT, ("gpt-4o", 300, 20)],
    ),
    "another model under one id": (
        [framework(response_id="chatcmpl-7"), provider(response_id="chatcmpl-7", model="o3")],
        [GPT, ("o3", 100, 20)],
    ),
    "another service": ([framework(), provider(service="billing")], [GPT, GPT]),
    "another time": ([framework(), provider(start=2, end=3)], [GPT, GPT]),
    "times that only overlap": ([framework(), provider(start=0.5, end=1.5)], [GPT, GPT]),
    "one failed": ([failed(framework, 1), provider()], [FAILED, GPT]),
    "two calls of each": ([framework(1), framework(3), provider(2), provider(4)], [GPT, GPT]),
    "one call more of the SDK": ([framework(), provider(2), provider(3)], [GPT, GPT]),
    "the same id for two calls of each": (
        [
            framework(1, response_id="c-1"),
            framework(3, start=0.2, end=1.2, response_id="c-1"),
            provider(2, response_id="c-1"),
            provider(4, start=0.3, end=1.1, response_id="c-1"),
        ],
        [GPT, GPT],
    ),
}


def shuffled(spans: list[Sent]) -> list[tuple[Sent, ...]]:
    every = list(itertools.permutations(spans))
    return every if len(every) <= 6 else random.Random(14).sample(every, 8)


@pytest.mark.parametrize(("spans", "expected"), PAIRS.values(), ids=PAIRS.keys())
def test_two_records_count_once_in_every_order(
    tenant: Tenant, settings: Any, spans: list[Sent], expected: list[Call]
) -> None:
    send(tenant, *spans)
    assert calls(tenant) == sorted(expected, key=str)
    assert total_calls(tenant) == len(expected)
    rows = final(tenant)
    for order in shuffled(spans):
        other = Tenant(WorkspaceFactory(), tenant.client)
        settings.OPEN_WORKSPACE_IDS |= {other.workspace.id}
        tenant.client.defaults["HTTP_X_WORKSPACE_ID"] = str(other.workspace.id)
        for span in (*order, *order[:1]):
            send(other, span)
        assert final(other) == rows


def test_the_record_with_the_user_is_the_call(tenant: Tenant) -> None:
    send(tenant, provider(response_id="chatcmpl-1"))
    send(tenant, framework(attributes={"user.id": "alice"}))
    assert [(row["user_id"], row["operation"]) for row in stored(tenant)] == [("alice", "chat"), (None, "other")]
    [user] = tenant.ask("usage/top-users")["data"]
    assert (user["user_id"], user["calls"]) == ("alice", 1)


def test_the_id_of_a_response_is_read_beside_the_ids_of_its_messages(tenant: Tenant) -> None:
    answer = json.dumps({"content": [{"id": "msg_1"}], "response_metadata": {"id": "resp_1"}})
    model = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "output.value": answer}
    send(tenant, Sent(1, attributes=model, scope=LANGCHAIN))
    assert [row["response_id"] for row in stored(tenant)] == ["resp_1"]


# --- Many at once ---


def refused(count: int, scope: str, first: int, is_inner: bool) -> list[Sent]:
    """Returns calls that run at the same time, one in each trace. All fail: none has a response id."""
    draw, inner = random.Random(6), 0.001 if is_inner else 0.0
    times = [(draw.random(), 1 + draw.random()) for _ in range(count)]
    return [
        failed(chat, first + number, trace=first + number, scope=scope, start=start + inner, end=end - inner)
        for number, (start, end) in enumerate(times)
    ]


def batches(spans: list[Sent], size: int) -> list[list[Sent]]:
    random.Random(1).shuffle(spans)
    return [spans[first : first + size] for first in range(0, len(spans), size)]


@pytest.mark.parametrize("scope", [LANGCHAIN, OPENINFERENCE])
def test_500_parallel_failed_calls_of_one_library_stay_500(tenant: Tenant, scope: str) -> None:
    for batch in batches(refused(500, scope, 1, is_inner=False), 50):
        send(tenant, *batch)
    assert total_calls(tenant) == 500
    assert tenant.ask("performance/errors")["total_errors"] == 500


@pytest.mark.parametrize(("count", "size"), [(500, 1000), (200, 20)])
def test_parallel_failed_calls_that_two_libraries_record_stay_as_many(tenant: Tenant, count: int, size: int) -> None:
    spans = refused(count, LANGCHAIN, 1, is_inner=False) + refused(count, OPENINFERENCE, 1001, is_inner=True)
    for batch in batches(spans, size):
        send(tenant, *batch)
    assert total_calls(tenant) == count
    assert tenant.ask("performance/errors")["total_errors"] == count
    assert sum(row["operation"] == "other" for row in stored(tenant)) == count


def test_a_call_of_a_stream_loads_few_of_the_others(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(3)
    spans: list[Sent] = []
    for number in range(1, 501):
        start = number / 2
        end = start + 2 + 4 * draw.random()
        spans.append(framework(number, tokens=None, start=start, end=end))
        spans.append(
            provider(1000 + number, tokens=None, start=start + 0.1, end=end - 0.1, response_id=f"chatcmpl-{number:04}")
        )
    send(tenant, *spans[:499], *spans[500:])
    loaded: list[int] = []

    def counted(cursor: Any, workspace_id: Any, trace_ids: set[str], within: Any) -> Any:
        loaded.append(len(trace_ids))
        return spans_of_traces(cursor, workspace_id, trace_ids, within)

    spans_of_traces = lookup.spans_of_traces
    monkeypatch.setattr(lookup, "spans_of_traces", counted)
    send(tenant, spans[499])
    assert sum(loaded) < 150
    assert len(loaded) < 15
    assert total_calls(tenant) == 500


def records_of_one_call(count: int) -> list[SpanFacts]:
    return [
        replace(
            plain_call(number, trace_id="t"),
            parent_span_id=str(number - 1) if number else None,
            scope=f"library {number % 2}",
            response_id="chatcmpl-a1b2c3d4",
        )
        for number in range(count)
    ]


def streams_of_logfire(count: int) -> list[SpanFacts]:
    requests = [
        replace(plain_call(number, trace_id=f"r{number}"), scope="logfire.openai", requested_model="gpt-4o")
        for number in range(count)
    ]
    logs = [
        replace(
            request,
            trace_id=f"l{number}",
            kind="usage_log",
            input_tokens=5,
            timestamp=request.end,
        )
        for number, request in enumerate(requests)
    ]
    return requests + logs


def test_ten_times_the_records_of_one_call_below_each_other_take_no_hundred_times_the_time() -> None:
    few = min(seconds_to_resolve(records_of_one_call(300), calls=1) for _ in range(3))
    assert seconds_to_resolve(records_of_one_call(3000), calls=1) < 40 * few


def test_ten_times_the_streams_of_logfire_take_no_hundred_times_the_time() -> None:
    few = min(seconds_to_resolve(streams_of_logfire(200), calls=200) for _ in range(3))
    assert seconds_to_resolve(streams_of_logfire(2000), calls=2000) < 40 * few


def plain_call(number: int, trace_id: str) -> SpanFacts:
    return SpanFacts(
        trace_id=trace_id,
        span_id=str(number),
        parent_span_id=None,
        timestamp=NOON + timedelta(seconds=number / 10),
        name="call",
        status="success",
        error_type=None,
        error_message=None,
        kind="llm",
        operation="chat",
        latency_ms=1000,
    )


def seconds_to_resolve(spans: list[SpanFacts], calls: int) -> float:
    began = time.process_time()
    assert sum(span.call is not None for span in resolve(spans)) == calls
    return time.process_time() - began


def test_ids_that_a_server_draws_from_few_swallow_no_call(tenant: Tenant) -> None:
    """Ollama names its responses chatcmpl-0 to chatcmpl-998."""
    draw = random.Random(2)
    drawn = [
        chat(
            number,
            tokens=None,
            trace=number,
            scope=(LANGCHAIN, OPENINFERENCE)[number % 2],
            start=number / 10,
            end=number / 10 + 2,
            response_id=f"chatcmpl-{draw.randrange(50)}",
        )
        for number in range(1, 601)
    ]
    for batch in batches(drawn, 100):
        send(tenant, *batch)
    assert total_calls(tenant) == 600
