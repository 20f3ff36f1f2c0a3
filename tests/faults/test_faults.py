"""Acknowledged means stored, once, whatever happens meanwhile. `make test` runs the short form of most faults,
`make test-faults` all of them; a table at the end tells what was refused and delivered again."""

from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.faults.ledger import during, load
from tests.faults.product import Product, running

long = pytest.mark.faults


@pytest.mark.parametrize("times", [2, pytest.param(20, marks=long)])
def test_a_worker_killed(product: Product, times: int) -> None:
    with load(product, f"a worker killed {times} times") as clients:
        for _ in range(times):
            product.kill_a_worker()
            clients.flows(100)


@pytest.mark.parametrize("times", [1, pytest.param(5, marks=long)])
def test_a_reload_under_load(product: Product, times: int) -> None:
    with load(product, f"reloaded {times} times") as clients:
        for _ in range(times):
            product.reload()
            clients.flows(100)
    # A worker that ends in order answers what it has begun: at most idle connections are cut.
    assert set(clients.ledger.refused) <= {"cut"}


def test_a_stop_under_load(product: Product) -> None:
    with load(product, "stopped and started"):
        product.stop()
        product.run()


def test_a_database_crash(product: Product) -> None:
    with load(product, "database killed and restarted"):
        product.postgres.crash()
        during(1)
        product.postgres.run()


@pytest.mark.parametrize("seconds", [3, pytest.param(60, marks=long)])
def test_a_database_stopped(product: Product, seconds: int) -> None:
    with load(product, f"database stopped for {seconds} s") as clients:
        product.postgres.stop()
        during(seconds)
        product.postgres.run()
    assert clients.ledger.refused["503"] > 0


def test_redis_stopped(product: Product) -> None:
    with load(product, "Redis stopped and started") as clients:
        product.redis.stop()
        clients.flows()
        product.redis.run()
    only_costs_speed(clients)


def test_redis_flushed(product: Product) -> None:
    with load(product, "Redis flushed ten times") as clients:
        for _ in range(10):
            product.redis.tell("FLUSHALL")
            clients.flows(40)
    only_costs_speed(clients)


@pytest.mark.parametrize("fault", ["hung", "read_only", "out_of_memory"])
def test_redis_without_its_wits(product: Product, fault: str) -> None:
    broken: AbstractContextManager[None] = getattr(product.redis, fault)()
    with load(product, f"Redis {fault.replace('_', ' ')}") as clients, broken:
        clients.flows(400)
    only_costs_speed(clients)


def only_costs_speed(clients: Any) -> None:
    assert clients.ledger.refused == {}
    assert set(clients.ledger.reads) == {200}


def test_every_batch_three_times_at_once_and_again_later(product: Product) -> None:
    with load(product, "each batch three times at once, and later", copies=3) as clients:
        clients.flows(400)


@pytest.mark.parametrize("seconds", [6, pytest.param(30, marks=long)])
def test_a_lock_on_traces(product: Product, seconds: int) -> None:
    with load(product, f"traces locked for {seconds} s") as clients, product.postgres.locked():
        during(seconds)
    assert clients.ledger.refused["503"] > 0


@pytest.mark.parametrize("seconds", [0.5, pytest.param(11, marks=long)])
def test_a_slow_database(product: Product, seconds: float) -> None:
    with load(product, f"each insert {seconds} s slower") as clients, product.postgres.slow(seconds):
        during(25 if seconds > 10 else 3)
    assert bool(clients.ledger.refused["503"]) == (seconds > 10)


@pytest.mark.parametrize("seconds", [13, pytest.param(30, marks=long)])
def test_a_frozen_database(product: Product, seconds: int) -> None:
    """statement_timeout does not fire on a server that hangs."""
    with load(product, f"database frozen for {seconds} s") as clients, product.postgres.frozen():
        during(seconds)
    assert clients.ledger.refused["503"] > 0


@long
def test_an_exhausted_pool() -> None:
    with running(DATABASE_POOL_SIZE="1", WEB_WORKERS="1") as small:
        with load(small, "a pool of one, held for 4 s at a time", copies=2) as clients:
            for _ in range(3):
                with small.postgres.locked():
                    during(4)
                during(1)
        assert clients.ledger.refused["503"] > 0
        assert "(pool)" in small.written()
