"""Measures how fast OTLP is stored: gunicorn on one core, with key check, mapping, pricing and commit.

python -m benchmarks.otlp
python -m benchmarks.otlp --against /path/to/another/checkout --rounds 3

gunicorn is pinned to core 0, and PostgreSQL and the client to core 1; in the cases "one core" PostgreSQL is on core 0
too. With `--against` the same bodies go by turns to the server of this checkout and to that of another one, each with
a database of its own, so that other work of the machine affects both alike. On a machine that does other work the
processor time of a span says more than the rate: 200 us of gunicorn are at most 5,000 spans/s of one core.
"""

import argparse
import http.client
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import psutil
import psycopg
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from observability.launcher import embedded

PORT = int(os.environ.get("BENCHMARK_PORT", "8210"))
SERVER_CORE, OTHER_CORE = {0}, {1}
SPANS_PER_TRACE = 10
CLIENTS = 4
OTHER_ROWS = 500_000
OTHERS = """
INSERT INTO traces (workspace_id, timestamp, trace_id, span_id, operation, agent_id, status, link, span_facts)
SELECT
    '0000000b-0000-4000-8000-000000000001',
    now() - interval '1 day' * number / %(rows)s,
    md5(number::text),
    left(md5(number::text), 16),
    'chat',
    'agent',
    'success',
    number::text,
    '{"kind": "llm"}'
FROM generate_series(1, %(rows)s) AS number
"""
PROMPT = '[{"role": "user", "parts": [{"type": "text", "content": "' + "What is the weather? " * 20 + '"}]}]'


def body(spans: int, seed: int, age: timedelta = timedelta()) -> bytes:
    """Makes a body of agent runs as the GenAI conventions write them: one invoke_agent, five calls, four tools.

    They began `age` ago.
    """
    draw = random.Random(seed)  # noqa: S311
    now_ns = time.time_ns() - seed * 1_000_000 - int(age.total_seconds() * 1e9)
    resource_spans = ResourceSpans()
    resource_spans.resource.attributes.extend(attributes({"service.name": "support-desk"}))
    scope_spans = ScopeSpans()
    scope_spans.scope.name = "opentelemetry.instrumentation.genai.openai"
    for _ in range(spans // SPANS_PER_TRACE + (spans % SPANS_PER_TRACE > 0)):
        scope_spans.spans.extend(trace(draw, now_ns))
    del scope_spans.spans[spans:]
    resource_spans.scope_spans.append(scope_spans)
    return ExportTraceServiceRequest(resource_spans=[resource_spans]).SerializeToString()


TOOL_CALL: dict[str, str | int] = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather"}


def trace(draw: random.Random, now_ns: int) -> list[Span]:
    trace_id, root = draw.randbytes(16), draw.randbytes(8)
    run: dict[str, str | int] = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": f"agent-{draw.randrange(8)}",
    }
    run |= {"user.id": f"user-{draw.randrange(500)}", "session.id": f"session-{draw.randrange(2000)}"}
    spans = [span(trace_id, root, b"", "invoke_agent", now_ns, run)]
    for step in range(1, SPANS_PER_TRACE):
        values = call(draw) if step % 2 else dict(TOOL_CALL)
        spans.append(span(trace_id, draw.randbytes(8), root, "chat", now_ns + step * 10_000_000, values))
    return spans[::-1]


def call(draw: random.Random) -> dict[str, str | int]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.response.id": f"chatcmpl-{draw.randbytes(12).hex()}",
        "gen_ai.usage.input_tokens": draw.randrange(100, 4000),
        "gen_ai.usage.output_tokens": draw.randrange(10, 500),
        "gen_ai.usage.cache_read.input_tokens": draw.randrange(100),
        "gen_ai.usage.reasoning.output_tokens": draw.randrange(10),
        "gen_ai.request.temperature": "0.2",
        "gen_ai.input.messages": PROMPT,
        "gen_ai.output.messages": PROMPT,
        "server.address": "api.openai.com",
        "server.port": 443,
    }


def span(
    trace_id: bytes, span_id: bytes, parent: bytes, name: str, start_ns: int, values: dict[str, str | int]
) -> Span:
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent,
        name=name,
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns + 9_000_000,
        attributes=attributes(values),
    )


def attributes(values: dict[str, str | int]) -> list[KeyValue]:
    pairs = []
    for key, value in values.items():
        pair = KeyValue(key=key)
        if isinstance(value, str):
            pair.value.string_value = value
        else:
            pair.value.int_value = value
        pairs.append(pair)
    return pairs


class Case(NamedTuple):
    """What is sent in one measurement."""

    name: str
    spans: int
    """In a body."""
    bodies: int
    """Of each connection."""
    age: timedelta = timedelta()
    """How long ago the spans began. More than some hours ago, their hours are closed."""
    on_one_core: bool = False
    others: bool = False
    """Beside many rows of another workspace."""


CASES = (
    Case("100", 100, 50),
    Case("512", 512, 10),
    Case("1", 1, 250),
    Case("backfill", 100, 50, age=timedelta(days=10)),
    Case("one core", 100, 50, on_one_core=True),
    Case("others", 100, 50, others=True),
)


class Figures(NamedTuple):
    """What one measurement found."""

    spans_per_second: float
    server_us: float
    """Processor time of gunicorn for a span."""
    database_us: float
    """The same of PostgreSQL."""


@dataclass
class Product:
    """A running server with its database."""

    checkout: Path
    host: str
    """The folder of the database's socket."""
    environment: dict[str, str]
    server: int
    database: int
    """The processes' ids."""
    port: int
    has_others: bool = False

    def manage(self, *arguments: str) -> str:
        return manage(self.environment, *arguments, checkout=self.checkout).strip()

    def new_key(self) -> str:
        """Returns the key of a new workspace, in which the current hour has spans and all before are closed."""
        workspace_id = self.manage("create_workspace", "benchmark")
        key = self.manage("create_api_key", workspace_id, "benchmark").split()[-1]
        deliver([body(100, seed) for seed in range(20)], self.port, key)
        return key

    def fill_others(self, rows: int) -> None:
        if not self.has_others:
            fill_other_workspaces(self.host, rows)
            self.has_others = True

    def measure(self, case: Case, batches: Sequence[Sequence[bytes]]) -> Figures:
        key = self.new_key()
        pin(self.database, SERVER_CORE if case.on_one_core else OTHER_CORE)
        spans = case.spans * sum(map(len, batches))
        used = [processor_seconds(pid) for pid in (self.server, self.database)]
        began = time.perf_counter()
        with ThreadPoolExecutor(len(batches)) as pool:
            list(pool.map(deliver, batches, [self.port] * len(batches), [key] * len(batches)))
        rate = spans / (time.perf_counter() - began)
        served, stored = (
            (processor_seconds(pid) - before) / spans * 1e6
            for pid, before in zip((self.server, self.database), used, strict=True)
        )
        return Figures(rate, served, stored)


def deliver(bodies: Sequence[bytes], port: int, key: str) -> None:
    """Sends the bodies over one connection, one after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Content-Type": "application/x-protobuf", "Authorization": f"Bearer {key}"}
    for body_bytes in bodies:
        while (answer := posted(connection, body_bytes, headers)) == "503":
            time.sleep(1)  # as exporters do; the second counts
        if answer:
            raise SystemExit(f"answered {answer}")


def posted(connection: http.client.HTTPConnection, body_bytes: bytes, headers: dict[str, str]) -> str:
    """Sends a body. Returns an empty text, or the error."""
    connection.request("POST", "/v1/traces", body_bytes, headers)
    response = connection.getresponse()
    answer = response.read()
    if response.status == 503:
        return "503"
    return "" if response.status == 200 and not answer else f"{response.status}: {answer!r}"


def postmaster(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().splitlines()[0])


def manage(environment: dict[str, str], *arguments: str, checkout: Path | None = None) -> str:
    result = subprocess.run(  # noqa: S603
        [sys.executable, "manage.py", *arguments],
        env=environment,
        cwd=checkout,
        check=True,
        capture_output=True,
        text=True,
    )
    return result.stdout


def processes(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def processor_seconds(pid: int) -> float:
    """Returns the processor time of the process and its children."""
    times = [member.cpu_times() for member in processes(pid)]
    return float(sum(cpu.user + cpu.system for cpu in times))


def pin(pid: int, cores: set[int]) -> None:
    """Pins the process and its children, and those that it starts later, to the cores."""
    for process in processes(pid):
        for thread in process.threads():
            os.sched_setaffinity(thread.id, cores)


def fill_other_workspaces(host: str, rows: int) -> None:
    with psycopg.connect(host=host, user="postgres", dbname="observability_analytics", autocommit=True) as connection:
        connection.execute(OTHERS, {"rows": rows})
        connection.execute("VACUUM ANALYZE traces")


@contextmanager
def running(checkout: Path, port: int) -> Iterator[Product]:
    """Runs the server of the checkout on an empty database."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        data = Path(directory) / "postgres"
        stack.enter_context(embedded.running(data))
        environment = os.environ | {
            "DATABASE_URL": embedded.url("observability", data),
            "ANALYTICS_DATABASE_URL": embedded.url("observability_analytics", data),
            "BIND": f"127.0.0.1:{port}",
            "WEB_WORKERS": "1",
            "LOG_LEVEL": "WARNING",
            "SECRET_KEY": "benchmark-only-" * 5,
        }
        embedded.create_database("observability", data)
        embedded.create_database("observability_analytics", data)
        manage(environment, "migrate", checkout=checkout)
        manage(environment, "migrate", "--database=analytics", checkout=checkout)
        server = subprocess.Popen([sys.executable, "-m", "gunicorn"], env=environment, cwd=checkout)
        try:
            time.sleep(3)
            pin(server.pid, SERVER_CORE)
            host = embedded.socket_directory(data)
            yield Product(checkout, host, environment, server.pid, postmaster(data), port)
        finally:
            server.terminate()
            server.wait()


def round_of(case: Case, products: Sequence[Product], number: int, rows: int) -> list[Figures]:
    """Measures the case with each of the servers. The one that is first changes with each round."""
    batches = [
        [body(case.spans, 10_000 * (client + 1) + n, case.age) for n in range(case.bodies)] for client in range(CLIENTS)
    ]
    figures: dict[int, Figures] = {}
    for index in range(len(products)) if number % 2 == 0 else reversed(range(len(products))):
        if case.others:
            products[index].fill_others(rows)
        figures[index] = products[index].measure(case, batches)
    return [figures[index] for index in range(len(products))]


def report(case: Case, products: Sequence[Product], rounds: Sequence[Sequence[Figures]]) -> None:
    """Prints the medians of all rounds, and those of the first server by those of the second."""
    medians = [
        Figures(*(statistics.median(values) for values in zip(*of_product, strict=True)))
        for of_product in zip(*rounds, strict=True)
    ]
    for product, figures in zip(products, medians, strict=True):
        rate, served, stored = figures
        print(
            f"{case.name:10} {rate:8,.0f} spans/s  gunicorn {served:6.1f} us/span  PostgreSQL {stored:6.1f} us/span"
            f"  {product.checkout}",
            flush=True,
        )
    if len(medians) > 1:
        rate, served, stored = (one / other for one, other in zip(*medians, strict=True))
        print(
            f"{'':10} {rate:8.2f} times    gunicorn {served:6.2f} times    PostgreSQL {stored:6.2f} times", flush=True
        )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.otlp", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [case.name for case in CASES]
    parser.add_argument("--cases", nargs="+", choices=names, default=names)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--others", type=int, default=OTHER_ROWS, help="rows of another workspace")
    parser.add_argument("--against", type=Path, help="the folder of another version, which is measured by turns")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    checkouts = [Path.cwd(), *([options.against.resolve()] if options.against else [])]
    os.sched_setaffinity(0, OTHER_CORE)
    with ExitStack() as stack:
        products = [stack.enter_context(running(checkout, PORT + n)) for n, checkout in enumerate(checkouts)]
        print(f"load {os.getloadavg()[0]:.1f}, {CLIENTS} connections, medians of {options.rounds} rounds", flush=True)
        for case in (case for case in CASES if case.name in options.cases):
            rounds = [round_of(case, products, number, options.others) for number in range(options.rounds)]
            report(case, products, rounds)
        print(f"load {os.getloadavg()[0]:.1f}", flush=True)


if __name__ == "__main__":
    main()
