"""24 of the largest questions at once make a worker grow by 100 MB at most, and it gives the memory back."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from tests.faults.ledger import Caller, Ledger
from tests.faults.product import FaultTenant, Product, running
from tests.faults.test_bounded_work import Peak, seconds_of_livez

MIB = 1024 * 1024
AT_ONCE = 24
LIVEZ_SECONDS = 3
"""All these questions take longer together, and a thread that waited for them would too."""
WINDOW_START = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=25)


class Attack(NamedTuple):
    model: Callable[[int], str]
    series: int
    is_panel: bool
    hours: float


def escaped(characters: int) -> Callable[[int], str]:
    """Returns names that are six times as long in JSON."""
    return lambda number: f"{number:03}" + "\x01" * characters


ATTACKS = {
    "refused": Attack(escaped(240), 12, False, 23.9),
    "refused panels": Attack(escaped(240), 12, True, 23.9),
    "nearly refused": Attack(escaped(12), 12, False, 23.9),
    "panels, nearly refused": Attack(escaped(12), 12, True, 23.9),
    "usual names": Attack("model {}".format, 12, False, 23.9),
    "usual panels": Attack("model {}".format, 12, True, 23.9),
    "few long names": Attack(escaped(240), 1, False, 16),
    "panels of few points with long names": Attack(escaped(240), 1, True, 16),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Product]:
    with running(WEB_WORKERS="1") as product:
        yield product


@pytest.fixture
def one_worker(server: Product) -> Product:
    """Has a new worker, whose memory no test has used yet."""
    server.reload()
    return server


def fill(product: Product, tenant: FaultTenant, attack: Attack) -> None:
    items = [
        {
            "agent_id": "a",
            "provider": "p",
            "model": attack.model(number),
            "timestamp": (WINDOW_START + timedelta(minutes=number)).isoformat(),
        }
        for number in range(attack.series + 1)
    ]
    caller = Caller(product, tenant, Ledger("fill"))
    body = json.dumps({"traces": items}).encode()
    assert caller.call("POST", "/api/v1/traces", body, **{"Content-Type": "application/json"})[0] == 200
    caller.close()


def questions(attack: Attack) -> Iterator[str]:
    """Yields questions that differ, so that none is answered from the cache."""
    for number in range(AT_ONCE):
        start = WINDOW_START + timedelta(seconds=number)
        window = f"start={start:%Y-%m-%dT%H:%M:%SZ}&end={start + timedelta(hours=attack.hours):%Y-%m-%dT%H:%M:%SZ}"
        yield f"/api/v1/cost/trend?{window}&granularity=minute&limit={attack.series}"


def ask_at_once(product: Product, tenants: list[FaultTenant], attack: Attack) -> Counter[int]:
    statuses: Counter[int] = Counter()

    def ask(number: int, question: str) -> None:
        caller = Caller(product, tenants[number % len(tenants)], Ledger("large"))
        statuses[caller.call("GET", question, **({"HX-Request": "true"} if attack.is_panel else {}))[0]] += 1
        caller.close()

    threads = [threading.Thread(target=ask, args=asked) for asked in enumerate(questions(attack))]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    assert seconds_of_livez(product) < LIVEZ_SECONDS
    for thread in threads:
        thread.join()
    return statuses


@pytest.mark.faults
@pytest.mark.parametrize("name", ATTACKS)
def test_large_questions_at_once_take_100_mb(one_worker: Product, name: str) -> None:
    attack, tenants = ATTACKS[name], [one_worker.tenants.pop() for _ in range(2)]
    for tenant in tenants:
        fill(one_worker, tenant, attack)
    usual = Caller(one_worker, tenants[0], Ledger("warm"))
    for headers in ({}, {"HX-Request": "true"}):
        assert usual.call("GET", "/api/v1/cost/trend?range=1h", **headers)[0] == 200
    usual.close()
    with Peak(one_worker) as peak:
        statuses = ask_at_once(one_worker, tenants, attack)
    assert set(statuses) <= {200, 422, 429, 503}
    assert peak.growth < 100 * MIB
    # What it keeps does not add up.
    for _ in range(4):
        ask_at_once(one_worker, tenants, attack)
    assert peak.now() - peak.before < 100 * MIB
