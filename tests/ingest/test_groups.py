"""Requests that wait for one workspace are stored together; each gets its own answer, and its own failure."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import orjson
import pytest
from django.db import OperationalError, connections

from ingest import groups
from ingest import store as store_module
from ingest.formats import otlp_json
from tests.ingest.otlp_spans import Sent, agent, chat, send, stored, total_calls
from tests.tenant import NOON, Tenant, a_row
from traces import verify, writer
from traces.writer import StoreResult
from web import deadline
from web.postgres.base import DeadlinePassed

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

A_DAY = 24 * 3600


class Requests:
    """Stores spans in threads, as requests do."""

    def __init__(self, tenant: Tenant, pool: ThreadPoolExecutor) -> None:
        self.tenant, self.pool = tenant, pool
        self.waiting = -1

    def store(self, *spans: Sent) -> Future[StoreResult]:
        """Begins to store the spans, and returns when they wait for their turn."""
        future = self.pool.submit(self.run, spans)
        self.waiting += 1
        until = time.monotonic() + 20
        while len(groups._waiting.get(self.tenant.workspace.id, ())) < self.waiting:
            assert time.monotonic() < until, "the request does not wait"
            time.sleep(0.005)
        if not self.waiting:
            time.sleep(0.2)  # the first one waits for the lock in the database
        return future

    def run(self, spans: tuple[Sent, ...]) -> StoreResult:
        body = orjson.dumps({"resourceSpans": [span.request() for span in spans]})
        try:
            with deadline.at_most(20):
                return store_module.store_spans(self.tenant.workspace, otlp_json.decode(body))
        finally:
            connections.close_all()


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collects how many spans each transaction was to store."""
    sizes: list[int] = []
    resolve_and_store = store_module.resolve_and_store

    def count(cursor: Any, workspace_id: Any, new: Any, *args: Any) -> Any:
        sizes.append(len(new))
        return resolve_and_store(cursor, workspace_id, new, *args)

    monkeypatch.setattr(store_module, "resolve_and_store", count)
    return sizes


@contextmanager
def busy(tenant: Tenant) -> Iterator[Requests]:
    """Lets requests wait inside the block, because somebody else writes to the workspace."""
    with ThreadPoolExecutor(12) as pool, writer.writing(tenant.workspace.id):
        yield Requests(tenant, pool)


def test_requests_that_wait_are_stored_in_one_transaction(tenant: Tenant, transactions: list[int]) -> None:
    with busy(tenant) as requests:
        first = requests.store(chat(1))
        others = [requests.store(chat(10 * n, trace=n), chat(10 * n + 1, trace=n)) for n in range(2, 6)]
    assert first.result() == StoreResult(1, 0, 0)
    assert [other.result() for other in others] == [StoreResult(2, 0, 0)] * 4
    assert transactions == [1, 8]
    assert total_calls(tenant) == 9
    assert not groups._waiting
    assert not [found for found in verify.verify(tenant.workspace.id) if found.number]


def test_spans_of_one_trace_in_several_requests_are_resolved_together(tenant: Tenant) -> None:
    with busy(tenant) as requests:
        futures = [requests.store(chat(1, trace=9))]
        futures += [requests.store(chat(3, parent=2)), requests.store(agent(2, name="planner"))]
    assert [future.result().accepted for future in futures] == [1, 1, 1]
    assert [row["agent_id"] for row in stored(tenant) if row["trace_id"] == f"{1:032x}"] == ["planner", "planner"]


def test_a_span_in_two_requests_is_stored_once(tenant: Tenant, transactions: list[int]) -> None:
    with busy(tenant) as requests:
        futures = [requests.store(chat(1, trace=9))]
        futures += [requests.store(chat(1), chat(2)), requests.store(chat(1)), requests.store(chat(3))]
    assert [future.result() for future in futures] == [
        StoreResult(1, 0, 0),
        StoreResult(2, 0, 0),
        StoreResult(0, 0, 1),
        StoreResult(1, 0, 0),
    ]
    assert transactions == [1, 3, 1]
    assert total_calls(tenant) == 4


def test_each_request_is_told_what_was_stored_before(tenant: Tenant) -> None:
    send(tenant, chat(1), chat(2, tokens=None, end=None))
    with busy(tenant) as requests:
        requests.store(chat(1, trace=9))
        again = requests.store(chat(1), chat(3))
        learned = requests.store(chat(2, end=4))
    assert again.result() == StoreResult(1, 0, 1)
    assert learned.result() == StoreResult(0, 1, 0)


def test_a_request_that_cannot_be_stored_fails_alone(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_and_store = store_module.resolve_and_store

    def fail(cursor: Any, workspace_id: Any, new: Any, *args: Any) -> Any:
        result = resolve_and_store(cursor, workspace_id, new, *args)
        if (f"{1:032x}", f"{2:016x}") in new:
            raise OperationalError("canceling statement due to statement timeout")
        return result

    monkeypatch.setattr(store_module, "resolve_and_store", fail)
    with busy(tenant) as requests:
        futures = [requests.store(chat(n)) for n in range(1, 6)]
    failed = [future.exception() for future in futures]
    assert [type(error) for error in failed] == [type(None), OperationalError, *[type(None)] * 3]
    assert sorted(row["span_id"] for row in stored(tenant)) == [f"{n:016x}" for n in (1, 3, 4, 5)]
    assert total_calls(tenant) == 4
    assert not groups._waiting


def test_a_row_of_another_kind_with_the_same_key_is_counted_for_its_request(
    tenant: Tenant, transactions: list[int]
) -> None:
    writer.store(tenant.workspace.id, [a_row(NOON, trace_id=f"{1:032x}", span_id=f"{2:016x}")])
    with busy(tenant) as requests:
        futures = [requests.store(chat(n)) for n in (1, 2, 3)]
    assert [future.result() for future in futures] == [
        StoreResult(1, 0, 0),
        StoreResult(0, 0, 1),
        StoreResult(1, 0, 0),
    ]
    assert transactions == [1, 2, 1, 1]


def test_spans_of_long_ago_are_stored_apart(tenant: Tenant, transactions: list[int]) -> None:
    with busy(tenant) as requests:
        requests.store(chat(1))
        requests.store(chat(2))
        requests.store(chat(3, start=-9 * A_DAY, end=1 - 9 * A_DAY))
        requests.store(chat(4))
    assert transactions == [1, 2, 1]
    assert len(stored(tenant)) == 4


def test_a_group_has_a_limit(tenant: Tenant, transactions: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MAX_SPANS", 3)
    with busy(tenant) as requests:
        for n in range(1, 6):
            requests.store(chat(n))
    assert transactions == [1, 3, 1]


def test_requests_under_other_prices_are_stored_apart(tenant: Tenant, transactions: list[int]) -> None:
    with busy(tenant) as requests:
        requests.store(chat(1))
        requests.store(chat(2))
        tenant.workspace.epoch = tenant.workspace.id  # as after a change of a label or a price
        store_module.current_overrides.__globals__["cached_overrides"].cache_clear()
        requests.store(chat(3))
    assert transactions == [1, 1, 1]


def test_the_turn_comes_too_late_for_a_request_whose_time_is_over(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "remaining_seconds", lambda: 0.3)
    with ThreadPoolExecutor(3) as pool:
        with writer.writing(tenant.workspace.id):
            requests = Requests(tenant, pool)
            futures = [requests.pool.submit(requests.run, (chat(n),)) for n in (1, 2, 3)]
            failures = [future.exception() for future in futures]
        assert all(isinstance(failure, DeadlinePassed | OperationalError) for failure in failures)
    assert not groups._waiting
    assert not stored(tenant)
