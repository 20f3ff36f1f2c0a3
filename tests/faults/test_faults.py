"""An acknowledged span is stored once, whatever fails meanwhile. `make test` runs the short form of most faults,
`make test-faults` all of them; a table at the end shows which requests were refused and delivered again."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import Any

import pytest

from tests.faults.ledger import Caller, Ledger, load, wait_for
from tests.faults.product import FaultTenant, Product, running

long = pytest.mark.faults


@contextmanager
def half_heads(product: Product, count: int) -> Iterator[None]:
    with ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", product.port)))
            connection.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\n")
        yield


@pytest.mark.parametrize("times", [2, pytest.param(20, marks=long)])
def test_a_killed_worker_loses_no_span(product: Product, times: int) -> None:
    with load(product, f"a worker killed {times} times") as clients:
        for _ in range(times):
            product.kill_a_worker()
            clients.flows(100)


@pytest.mark.parametrize("times", [1, pytest.param(5, marks=long)])
def test_a_reload_loses_no_span(product: Product, times: int) -> None:
    with load(product, f"reloaded {times} times") as clients:
        for _ in range(times):
            product.reload()
            clients.flows(100)
    # A worker that ends in order answers the requests that it has begun: at most idle connections are cut.
    assert set(clients.ledger.refused) <= {"cut"}


def test_a_stop_loses_no_span(product: Product) -> None:
    with load(product, "stopped and started"):
        product.stop()
        product.run()


def test_a_crashed_database_loses_no_span(product: Product) -> None:
    with load(product, "database killed and restarted"):
        product.postgres.crash()
        wait_for(1)
        product.postgres.run()


@pytest.mark.parametrize("seconds", [3, pytest.param(60, marks=long)])
def test_a_stopped_database_loses_no_span(product: Product, seconds: int) -> None:
    with load(product, f"database stopped for {seconds} s") as clients:
        product.postgres.stop()
        wait_for(seconds)
        product.postgres.run()
    assert clients.ledger.refused["503"] > 0


def test_a_stopped_redis_costs_only_speed(product: Product) -> None:
    with load(product, "Redis stopped and started") as clients:
        product.redis.stop()
        clients.flows()
        product.redis.run()
    only_costs_speed(clients)


def test_a_flushed_redis_costs_only_speed(product: Product) -> None:
    with load(product, "Redis flushed ten times") as clients:
        for _ in range(10):
            product.redis.run_command("FLUSHALL")
            clients.flows(40)
    only_costs_speed(clients)


@pytest.mark.parametrize("fault", ["hung", "read_only", "out_of_memory"])
def test_a_failing_redis_costs_only_speed(product: Product, fault: str) -> None:
    broken: AbstractContextManager[None] = getattr(product.redis, fault)()
    with load(product, f"Redis {fault.replace('_', ' ')}") as clients, broken:
        clients.flows(400)
    only_costs_speed(clients)


def only_costs_speed(clients: Any) -> None:
    assert clients.ledger.refused == {}
    assert set(clients.ledger.reads) == {200}


def test_a_batch_sent_three_times_at_once_and_again_later_is_stored_once(product: Product) -> None:
    with load(product, "each batch three times at once, and later", copies=3) as clients:
        clients.flows(400)


@pytest.mark.parametrize("seconds", [9, pytest.param(30, marks=long)])
def test_a_lock_on_traces_loses_no_span(product: Product, seconds: int) -> None:
    """Who has waited for 5 s is refused: only those that come in the first seconds of the lock."""
    with load(product, f"traces locked for {seconds} s") as clients, product.postgres.locked():
        wait_for(seconds)
    assert clients.ledger.refused["503"] > 0


@pytest.mark.parametrize("seconds", [0.5, pytest.param(11, marks=long)])
def test_a_slow_database_loses_no_span(product: Product, seconds: float) -> None:
    with load(product, f"each insert {seconds} s slower") as clients, product.postgres.slow(seconds):
        wait_for(25 if seconds > 10 else 3)
    assert bool(clients.ledger.refused["503"]) == (seconds > 10)


@pytest.mark.parametrize("seconds", [13, pytest.param(30, marks=long)])
def test_a_frozen_database_loses_no_span(product: Product, seconds: int) -> None:
    """statement_timeout does not fire on a server that hangs."""
    with load(product, f"database frozen for {seconds} s") as clients, product.postgres.frozen():
        wait_for(seconds)
    assert clients.ledger.refused["503"] > 0


@long
def test_clocks_that_differ_lose_no_span(product: Product) -> None:
    with load(product, "the server's clock two hours behind") as clients:
        with product.postgres.clock_ahead(7200):
            wait_for(10)
        clients.flows(100)
    assert clients.ledger.refused["503"] > 0


@long
def test_statistics_that_are_gone_slow_no_batch(product: Product) -> None:
    with load(product, "statistics gone") as clients:
        clients.flows(200)
        product.postgres.forget_statistics()
        clients.flows(400)
    assert clients.ledger.refused == {}


@long
def test_slow_heads_lose_no_span(product: Product) -> None:
    with load(product, "500 slow request heads") as clients, half_heads(product, 500):
        clients.flows(400)
    assert clients.ledger.refused == {}


@long
def test_an_exhausted_pool_loses_no_span() -> None:
    with running(DATABASE_POOL_SIZE="1", WEB_WORKERS="1") as small:
        with load(small, "a pool of one, held for 4 s at a time", copies=2) as clients:
            for _ in range(3):
                with small.postgres.locked():
                    wait_for(4)
                wait_for(1)
        assert clients.ledger.refused["503"] > 0
        assert "(pool)" in small.log_text()


@long
def test_no_request_after_a_restart_of_the_database_fails(product: Product) -> None:
    """Each pool has idle connections, which the restart ends."""
    tenant, path = product.tenants.pop(), "/api/v1/usage/overview?range=1h"
    with ThreadPoolExecutor(16) as many:
        ask = partial(first_status, product, tenant, path)
        assert set(many.map(ask, range(32))) == {200}
        product.postgres.stop()
        product.postgres.run()
        assert set(many.map(ask, range(32))) == {200}


def first_status(product: Product, tenant: FaultTenant, path: str, number: int) -> int:
    caller = Caller(product, tenant, Ledger("restart"))
    status, _, _ = caller.call("GET", f"{path}&limit={number + 1}")
    caller.close()
    return status
