"""Expensive bodies are refused within a second and 150 MB, and the next request is answered."""

import gzip
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
import pytest

from tests.faults.ledger import Batch, Caller, Ledger, total_calls
from tests.faults.product import FaultTenant, Product, running
from tests.ingest.test_large_bodies import BODY_BYTES, a_span, empties, field
from tests.servers import until

PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
GZIP = {"Content-Encoding": "gzip"}
MIB = 1024 * 1024
GROWTH_BYTES = 150 * MIB


@pytest.fixture(scope="module")
def fault_tenant(product: Product) -> FaultTenant:
    return product.tenants.pop()


class Peak:
    """Measures the most memory that the workers use together, every 2 ms."""

    def __init__(self, product: Product) -> None:
        self.workers = [psutil.Process(worker.pid) for worker in product.workers()]
        self.before = self.most = self.now()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def now(self) -> int:
        return sum(worker.memory_info().rss for worker in self.workers)

    def watch(self) -> None:
        while not self.ended.wait(0.002):
            self.most = max(self.most, self.now())

    def __enter__(self) -> "Peak":
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.ended.set()
        self.thread.join()

    @property
    def growth(self) -> int:
        return self.most - self.before


def a_million_empty_spans() -> bytes:
    return field(1, field(2, b"\x12\x00" * 1_000_000))


def nested(depth: int) -> bytes:
    return b'{"resourceSpans":' + b"[" * depth + b"]" * depth + b"}"


def deep_attribute(depth: int) -> bytes:
    value: Any = {"stringValue": "deep"}
    for _ in range(depth):
        value = {"arrayValue": {"values": [value]}}
    ids = {"traceId": "01" * 16, "spanId": "02" * 8, "startTimeUnixNano": str(time.time_ns())}
    span = ids | {"attributes": [{"key": "a", "value": value}]}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


HALF_A_HEAD = b"POST /v1/traces HTTP/1.1\r\n"
# With a key, or it would be refused before its body is waited for.
HALF_A_BODY = (
    HALF_A_HEAD + b"Host: localhost\r\nAuthorization: Bearer %(key)s\r\n"
    b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\nhalf"
)
# More than the system keeps for a client that does not read.
UNREAD_ANSWERS = 100 * b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST_REQUEST = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
HOSTILE = {
    "gzip of a million empty spans": (gzip.compress(a_million_empty_spans()), PROTOBUF | GZIP, 413),
    "a million empty spans": (a_million_empty_spans(), PROTOBUF, 413),
    "8 MiB of empty resources": (empties(1), PROTOBUF, 413),
    "8 MiB of empty attributes": (a_span(empties(9)), PROTOBUF, 413),
    "8 MiB of empty events": (a_span(empties(11)), PROTOBUF, 413),
    "gzip of 64 MiB of zeros": (gzip.compress(bytes(64 * MIB)), PROTOBUF | GZIP, 413),
    "a gzip of a gzip": (gzip.compress(gzip.compress(a_million_empty_spans())), PROTOBUF | GZIP, 400),
    "gzip, announced twice": (gzip.compress(b""), PROTOBUF | {"Content-Encoding": "gzip, gzip"}, 415),
    "10,000 members of a gzip": (gzip.compress(bytes(2_000)) * 10_000, PROTOBUF | GZIP, 413),
    "JSON 100,000 lists deep": (nested(100_000), JSON, 400),
    "JSON 4,000,000 lists deep": (nested(4_000_000), JSON, 413),
    "8 MiB of empty objects": (b'{"traces":[' + b",".join([b"{}"] * (BODY_BYTES // 3)) + b"]}", JSON, 413),
    "9 MiB": (bytes(9 * MIB), PROTOBUF, 413),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_body_is_refused_in_1_s_and_150_mb(product: Product, fault_tenant: FaultTenant, name: str) -> None:
    body, headers, expected = HOSTILE[name]
    path = "/api/v1/traces" if b'"traces"' in body[:20] else "/v1/traces"
    caller = Caller(product, fault_tenant, Ledger(name))
    with Peak(product) as peak:
        began = time.process_time(), cpu_seconds(product)
        status, _, answer = caller.call("POST", path, body, **headers)
        used = cpu_seconds(product) - began[1]
    assert status == expected, answer
    # Processor time: others may use the machine meanwhile.
    assert used < 1
    assert peak.growth < GROWTH_BYTES
    caller.close()  # as the server does where it refuses before all was sent
    good = Batch("otlp")
    assert caller.call("POST", good.path, good.body, **PROTOBUF)[0] == 200
    caller.close()


def cpu_seconds(product: Product) -> float:
    return sum(sum(worker.cpu_times()[:2]) for worker in product.workers())


def test_attributes_64_levels_deep_are_the_limit(product: Product, fault_tenant: FaultTenant) -> None:
    caller = Caller(product, fault_tenant, Ledger("deep"))
    assert caller.call("POST", "/v1/traces", deep_attribute(60), **JSON)[::2] == (200, b"{}")
    status, _, answer = caller.call("POST", "/v1/traces", deep_attribute(65), **JSON)
    caller.close()
    assert status == 200
    assert "nested deeper than 64 levels" in json.loads(answer)["partialSuccess"]["errorMessage"]


def test_a_batch_of_2000_distant_timestamps_is_stored(product: Product) -> None:
    fault_tenant = product.tenants.pop()
    start = datetime.now(UTC) - timedelta(days=399)
    items = [
        {"agent_id": f"agent {number}", "timestamp": (start + timedelta(hours=4 * number, minutes=number)).isoformat()}
        for number in range(2_000)
    ]
    caller = Caller(product, fault_tenant, Ledger("far apart"))
    with Peak(product) as peak:
        status, _, answer = caller.call("POST", "/api/v1/traces", json.dumps({"traces": items}).encode(), **JSON)
    caller.close()
    assert (status, json.loads(answer)["accepted"]) == (200, 2_000)
    assert peak.growth < GROWTH_BYTES


@pytest.mark.parametrize(
    "chunks", [b"zz\r\n{}\r\n0\r\n\r\n", b"-1\r\n", b"2\r\n{}xx0\r\n\r\n", b"0\r\nno trailer\r\n\r\n"]
)
def test_malformed_chunks_are_the_clients_fault(product: Product, fault_tenant: FaultTenant, chunks: bytes) -> None:
    head = HALF_A_HEAD + b"Host: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    with socket.create_connection(("127.0.0.1", product.port), timeout=15) as connection:
        connection.sendall(head + b"Authorization: Bearer %s\r\n\r\n" % fault_tenant.key.encode() + chunks)
        assert connection.recv(12) == b"HTTP/1.1 400"


@contextmanager
def connections(product: Product, count: int, sent: bytes) -> Iterator[None]:
    with ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", product.port))
            connection.sendall(sent)
        time.sleep(1)  # by now the first of those that were answered are being closed
        yield


@pytest.mark.parametrize("sent", [b"", LAST_REQUEST], ids=["silent", "answered, and never closed by the client"])
def test_idle_connections_block_no_thread(product: Product, sent: bytes) -> None:
    """There are 48 threads."""
    with connections(product, 200, sent):
        assert seconds_of_livez(product) < 1


@pytest.fixture(scope="module")
def four_threads() -> Iterator[Product]:
    with running(WEB_WORKERS="1", WEB_THREADS="4") as product:
        yield product


@pytest.mark.faults
def test_a_slow_body_with_a_key_occupies_its_thread_for_a_limited_time(four_threads: Product) -> None:
    body = HALF_A_BODY.replace(b"%(key)s", four_threads.tenants[0].key.encode())
    with connections(four_threads, 4, body):
        assert 10 - 3 < seconds_of_livez(four_threads) < 10 + 4


@pytest.mark.faults
def test_100_clients_that_read_nothing_stop_nobody_and_take_no_memory(four_threads: Product) -> None:
    with Peak(four_threads) as peak, connections(four_threads, 100, UNREAD_ANSWERS):
        assert seconds_of_livez(four_threads) < 2
        until(lambda: number_of_clients(four_threads) == 0, "clients that do not read are disconnected", 20)
    assert peak.growth < 100 * MIB


def number_of_clients(product: Product) -> int:
    [worker] = product.workers()
    return sum(connection.status == "ESTABLISHED" for connection in worker.net_connections())


def seconds_of_livez(product: Product) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", product.port, timeout=60)
    began = time.monotonic()
    connection.request("GET", "/livez")
    assert connection.getresponse().status == 200
    connection.close()
    return time.monotonic() - began


def test_a_busy_workspace_leaves_room_for_the_others(product: Product, fault_tenant: FaultTenant) -> None:
    """60 requests of one workspace wait for a lock; another workspace reads meanwhile."""
    busy = product.tenants.pop()
    ledger = Ledger("busy")
    statuses: list[int] = []
    batches = [Batch("json") for _ in range(60)]

    def send(batch: Batch) -> None:
        caller = Caller(product, busy, ledger)
        status, headers, _ = caller.call("POST", batch.path, batch.body, **JSON)
        caller.close()
        assert status == 200 or "Retry-After" in headers
        statuses.append(status)

    threads = [threading.Thread(target=send, args=[batch]) for batch in batches]
    with product.postgres.locked("traces"):
        for thread in threads:
            thread.start()
        time.sleep(2)
        other = Caller(product, fault_tenant, Ledger("other"))
        began = time.monotonic()
        assert other.call("GET", "/api/public/projects")[0] == 200
        assert time.monotonic() - began < 2
        other.close()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 429, 503}
    assert statuses.count(429) >= 60 - 2 * 16
    assert total_calls(product, busy) == 20 * statuses.count(200)


def scraped(product: Product) -> dict[str, float]:
    connection = http.client.HTTPConnection("127.0.0.1", product.port, timeout=10)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


def test_metrics_add_up_over_workers_and_a_reload(product: Product) -> None:
    fault_tenant = product.tenants.pop()
    before = scraped(product).get("observability_spans_accepted_total", 0)
    for _ in range(20):
        batch = Batch("otlp")
        caller = Caller(product, fault_tenant, Ledger("counted"))
        assert caller.call("POST", batch.path, batch.body, **PROTOBUF)[0] == 200
        caller.close()
    product.reload()
    after = scraped(product)
    assert after["observability_spans_accepted_total"] - before == 400
    assert after['observability_commit_seconds_count{database="analytics"}'] >= 20
    assert after['observability_pool_wait_seconds_count{database="default"}'] >= 20
    assert after["observability_cache_up"] == 1
