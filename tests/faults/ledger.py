"""Runs clients that deliver as OTLP demands, and remember which spans were acknowledged."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.faults.product import FaultTenant, Product
from tests.servers import until

CLIENTS = 4
SPANS = 20
RETRIED = (429, 502, 503, 504)
LONGEST_SECONDS = 15
# A client's own patience: longer than any answer may take, so that it sees the ones that take too long.
TIMEOUT_SECONDS = 25
Key = tuple[str, str]


@dataclass
class Ledger:
    fault: str
    acknowledged: set[Key] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)
    """Answers other than 200, by status; `cut` if the connection ended without an answer."""
    reads: Counter[int] = field(default_factory=Counter)
    longest_seconds: float = 0
    wrong: list[str] = field(default_factory=list)
    stored: int = -1
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note_duration(self, seconds: float) -> None:
        with self.lock:
            self.longest_seconds = max(self.longest_seconds, seconds)

    def line(self) -> str:
        refused = ", ".join(f"{number} x {status}" for status, number in sorted(self.refused.items())) or "none"
        numbers = f"{len(self.acknowledged):>8,} {self.stored:>8,} {self.longest_seconds:>7.2f} s"
        return f"{self.fault:<44} {numbers}  {refused}"


HEADING = f"{'fault':<44} {'acknowl.':>8} {'stored':>8} {'longest':>9}  refused, then delivered again"


class Batch:
    """Spans with unique ids, in one of the three forms."""

    def __init__(self, form: str) -> None:
        self.form = form
        self.trace_id = random.randbytes(16).hex()
        self.span_ids = [random.randbytes(8).hex() for _ in range(SPANS)]
        self.at = datetime.now(UTC)
        self.body, self.path, self.content_type = getattr(self, form)()

    @property
    def keys(self) -> set[Key]:
        return {(self.trace_id, span_id) for span_id in self.span_ids}

    def json(self) -> tuple[bytes, str, str]:
        items = [
            {"agent_id": "a", "trace_id": self.trace_id, "span_id": span_id, "timestamp": self.at.isoformat()}
            for span_id in self.span_ids
        ]
        return json.dumps({"traces": items}).encode(), "/api/v1/traces", "application/json"

    def otlp_json(self) -> tuple[bytes, str, str]:
        start = int(self.at.timestamp() * 1e9)
        spans = [
            {
                "traceId": self.trace_id,
                "spanId": span_id,
                "name": "chat",
                "startTimeUnixNano": str(start),
                "endTimeUnixNano": str(start + 1_000_000),
                "attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}],
            }
            for span_id in self.span_ids
        ]
        request = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}
        return json.dumps(request).encode(), "/v1/traces", "application/json"

    def otlp(self) -> tuple[bytes, str, str]:
        request = ExportTraceServiceRequest()
        spans = request.resource_spans.add().scope_spans.add().spans
        for span_id in self.span_ids:
            span = spans.add(name="chat", trace_id=bytes.fromhex(self.trace_id), span_id=bytes.fromhex(span_id))
            span.start_time_unix_nano = int(self.at.timestamp() * 1e9)
            span.end_time_unix_nano = span.start_time_unix_nano + 1_000_000
            span.attributes.add(key="gen_ai.operation.name").value.string_value = "chat"
        return request.SerializeToString(), "/v1/traces", "application/x-protobuf"

    def is_whole(self, answer: bytes) -> bool:
        if self.form == "json":
            result = json.loads(answer)
            return bool(
                result["accepted"] + result["updated"] + result["duplicates"] == SPANS and not result["rejected"]
            )
        return answer in (b"", b"{}")


class Caller:
    """A client with one connection, which is opened again whenever it ends."""

    def __init__(self, product: Product, tenant: FaultTenant, ledger: Ledger) -> None:
        self.product, self.tenant, self.ledger = product, tenant, ledger
        self.connection: HTTPConnection | None = None

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any, bytes]:
        """Sends a request. The status is 0 if the connection ended without an answer."""
        began = time.monotonic()
        try:
            if self.connection is None:
                self.connection = HTTPConnection("127.0.0.1", self.product.port, timeout=TIMEOUT_SECONDS)
            self.connection.request(method, path, body, self.tenant.headers | headers)
            response = self.connection.getresponse()
            return response.status, response.headers, response.read()
        except (OSError, HTTPException):
            self.close()
            return 0, {}, b""
        finally:
            self.ledger.note_duration(time.monotonic() - began)

    def close(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None

    def deliver(self, batch: Batch, give_up: threading.Event) -> bool:
        """Sends the batch until it is acknowledged."""
        while not give_up.is_set():
            status, headers, answer = self.call("POST", batch.path, batch.body, **{"Content-Type": batch.content_type})
            if status == 200:
                with self.ledger.lock:
                    if not batch.is_whole(answer):
                        self.ledger.wrong.append(f"200 with {answer!r}")
                    self.ledger.acknowledged |= batch.keys
                return True
            with self.ledger.lock:
                self.ledger.refused[str(status) if status else "cut"] += 1
                if status and status not in RETRIED:
                    self.ledger.wrong.append(f"{status} with {answer[:200]!r}")
                    return False
                if status and "Retry-After" not in headers:
                    self.ledger.wrong.append(f"{status} without Retry-After: {answer[:200]!r}")
            give_up.wait(min(float(headers.get("Retry-After", 0.1)), 2) * random.uniform(0.1, 0.5))
        return False


class Load:
    """Four clients that send all the time, and one that reads."""

    def __init__(self, product: Product, tenant: FaultTenant, ledger: Ledger, copies: int) -> None:
        self.product, self.tenant, self.ledger, self.copies = product, tenant, ledger, copies
        self.ending, self.giving_up = threading.Event(), threading.Event()
        forms = ("otlp", "otlp", "otlp_json", "json")
        self.threads = [threading.Thread(target=self.send, args=[form]) for form in forms[:CLIENTS]]
        self.threads.append(threading.Thread(target=self.read))

    def send(self, form: str) -> None:
        callers = [Caller(self.product, self.tenant, self.ledger) for _ in range(self.copies)]
        sent: list[Batch] = []
        while not self.ending.is_set():
            batch = Batch(form)
            copies = [threading.Thread(target=caller.deliver, args=[batch, self.giving_up]) for caller in callers]
            for copy in copies:
                copy.start()
            for copy in copies:
                copy.join()
            sent.append(batch)
            if self.copies > 1:  # then the same batch again, later
                callers[0].deliver(random.choice(sent), self.giving_up)
        for caller in callers:
            caller.close()

    def read(self) -> None:
        caller = Caller(self.product, self.tenant, self.ledger)
        while not self.ending.wait(0.1):
            status, headers, _ = caller.call("GET", "/api/v1/usage/overview?range=1h")
            with self.ledger.lock:
                self.ledger.reads[status] += 1
                if status >= 500 and (status not in RETRIED or "Retry-After" not in headers):
                    self.ledger.wrong.append(f"a read answered {status}")
        caller.close()

    def flows(self, spans: int = 200) -> None:
        """Waits until this many more spans are acknowledged."""
        enough = len(self.ledger.acknowledged) + spans
        until(lambda: len(self.ledger.acknowledged) >= enough or bool(self.ledger.wrong), "clients get through", 90)


@contextmanager
def load(product: Product, fault: str, copies: int = 1) -> Iterator[Load]:
    """Runs clients before, during and after the block, and then compares acknowledged with stored spans."""
    tenant = product.tenants.pop()
    ledger = Ledger(fault)
    running = Load(product, tenant, ledger, copies)
    for thread in running.threads:
        thread.start()
    try:
        running.flows()
        yield running
        running.flows()
    finally:
        running.ending.set()
        for thread in running.threads:
            thread.join(60)
        running.giving_up.set()
    check(product, tenant, ledger)


def check(product: Product, tenant: FaultTenant, ledger: Ledger) -> None:
    with product.postgres.connect() as connection:
        query = "SELECT trace_id, span_id FROM traces WHERE workspace_id = %s"
        rows = connection.execute(query, [tenant.workspace_id]).fetchall()
    ledger.stored = len(rows)
    ledgers.append(ledger)
    assert ledger.wrong == []
    assert ledger.acknowledged - set(rows) == set(), "acknowledged, but not stored"
    assert set(rows) - ledger.acknowledged == set(), "stored, but never acknowledged, though retried to the end"
    assert len(rows) == len(set(rows)), "stored twice"
    assert total_calls(product, tenant) == len(rows)
    assert ledger.longest_seconds < LONGEST_SECONDS


def total_calls(product: Product, tenant: FaultTenant) -> int:
    """Returns the total of the API. The window is a new one, so the answer is not cached."""
    now = datetime.now(UTC)
    start, end = (quote((now + difference).isoformat()) for difference in (-timedelta(hours=1), timedelta(minutes=1)))
    caller = Caller(product, tenant, Ledger("the end"))
    status, _, answer = caller.call("GET", f"/api/v1/usage/overview?start={start}&end={end}")
    caller.close()
    assert status == 200, answer
    return int(json.loads(answer)["total_calls"])


ledgers: list[Ledger] = []


def wait_for(seconds: float, happens: Callable[[], bool] = lambda: False) -> None:
    """Waits this many seconds, or until the condition is true."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and not happens():
        time.sleep(0.05)
