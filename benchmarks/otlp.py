"""Measures how fast OTLP is stored: gunicorn on one core, with key check, mapping, pricing and commit.

python -m benchmarks.otlp

gunicorn is pinned to core 0; the database and the client have the others. On a machine that does other work the
processor time per span says more than the rate: 200 µs of gunicorn are 5,000 spans/s of one core.

It measures twice: in an empty database, and in a new workspace beside one whose rows are all that the planner's
statistics know.
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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from observability.launcher import embedded

PORT = int(os.environ.get("BENCHMARK_PORT", "8210"))
CORE = 0
SPANS_PER_SECOND = 5_000
MEDIAN_MS = 250
SPANS_PER_TRACE = 10
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


def body(spans: int, seed: int) -> bytes:
    """Makes a body of agent runs as the GenAI conventions write them: one invoke_agent, five calls, four tools."""
    draw = random.Random(seed)  # noqa: S311
    now_ns = time.time_ns() - seed * 1_000_000
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


def deliver(bodies: list[bytes], key: str) -> list[float]:
    """Sends the bodies over one connection and returns the seconds of each."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT)
    headers = {"Content-Type": "application/x-protobuf", "Authorization": f"Bearer {key}"}
    seconds = []
    for body_bytes in bodies:
        began = time.perf_counter()
        while (answer := posted(connection, body_bytes, headers)) == "503":
            time.sleep(1)  # as exporters do; the second counts
        if answer:
            raise SystemExit(f"answered {answer}")
        seconds.append(time.perf_counter() - began)
    return seconds


def postmaster(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().splitlines()[0])


def posted(connection: http.client.HTTPConnection, body_bytes: bytes, headers: dict[str, str]) -> str:
    """Sends a body. Returns an empty text, or the error."""
    connection.request("POST", "/v1/traces", body_bytes, headers)
    response = connection.getresponse()
    answer = response.read()
    if response.status == 503:
        return "503"
    return "" if response.status == 200 and not answer else f"{response.status}: {answer!r}"


def manage(environment: dict[str, str], *arguments: str) -> str:
    result = subprocess.run(  # noqa: S603
        [sys.executable, "manage.py", *arguments], env=environment, check=True, capture_output=True, text=True
    )
    return result.stdout


def processor_seconds(pid: int) -> float:
    """Returns the processor time of the process and its children."""
    process = psutil.Process(pid)
    times = [member.cpu_times() for member in (process, *process.children(recursive=True))]
    return float(sum(cpu.user + cpu.system for cpu in times))


def measure(key: str, server: int, database: int) -> None:
    deliver([body(100, seed) for seed in range(20)], key)
    batches = [[body(100, 1_000 * (client + 1) + n) for n in range(150)] for client in range(4)]
    spans = sum(map(len, batches)) * 100
    used = [processor_seconds(pid) for pid in (server, database)]
    began = time.perf_counter()
    with ThreadPoolExecutor(len(batches)) as pool:
        list(pool.map(deliver, batches, [key] * len(batches)))
    rate = spans / (time.perf_counter() - began)
    print(
        f"100-span bodies, 4 connections, gunicorn on core {CORE}: {rate:,.0f} spans/s (target: {SPANS_PER_SECOND:,})"
    )
    served, stored = (
        (processor_seconds(pid) - before) / spans * 1e6 for pid, before in zip((server, database), used, strict=True)
    )
    print(f"processor time: gunicorn {served:.0f} µs/span, so {1e6 / served:,.0f} spans/s of a free core")
    print(f"                PostgreSQL {stored:.0f} µs/span")
    seconds = deliver([body(512, 10_000 + n) for n in range(40)], key)
    median_ms = statistics.median(seconds) * 1000
    print(f"512-span body, one connection: median {median_ms:.0f} ms (target: {MEDIAN_MS})")


def fill_other_workspaces(host: str, rows: int) -> None:
    with psycopg.connect(host=host, user="postgres", dbname="observability_analytics", autocommit=True) as connection:
        connection.execute(OTHERS, {"rows": rows})
        connection.execute("VACUUM ANALYZE traces")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.otlp", description=__doc__)
    parser.add_argument("--others", type=int, default=OTHER_ROWS, help="rows of another workspace")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory) / "postgres"
        with embedded.running(data):
            environment = os.environ | {
                "DATABASE_URL": embedded.url("observability", data),
                "ANALYTICS_DATABASE_URL": embedded.url("observability_analytics", data),
                "BIND": f"127.0.0.1:{PORT}",
                "WEB_WORKERS": "1",
                "SECRET_KEY": "benchmark-only-" * 5,
            }
            embedded.create_database("observability", data)
            embedded.create_database("observability_analytics", data)
            manage(environment, "migrate")
            manage(environment, "migrate", "--database=analytics")
            server = subprocess.Popen(
                [sys.executable, "-m", "gunicorn"],
                env=environment,
                preexec_fn=lambda: os.sched_setaffinity(0, {CORE}),
            )
            try:
                time.sleep(3)
                for others in (0, options.others):
                    if others:
                        fill_other_workspaces(embedded.socket_directory(data), others)
                    workspace_id = manage(environment, "create_workspace", "benchmark").strip()
                    key = manage(environment, "create_api_key", workspace_id, "benchmark").strip()
                    print(f"\nbeside {others:,} rows of another workspace:" if others else "in an empty database:")
                    measure(key, server.pid, postmaster(data))
            finally:
                server.terminate()
                server.wait()


if __name__ == "__main__":
    main()
