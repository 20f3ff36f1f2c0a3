"""Measures this product beside Phoenix and MLflow, each from its package, as a newcomer starts it.

python -m venv ../peers
../peers/bin/pip install arize-phoenix==20.26.1 mlflow==3.17.2
python -m benchmarks.peers --peers ../peers --spans 5000

Each gets the same bodies of 100 OTLP spans over four connections, into an empty database on this disk: the embedded
PostgreSQL here, SQLite there, as each starts without settings. Web servers have one process. Printed are:

- the spans a second, until all of them can be asked for;
- the memory (PSS) of the idle server with its database after its start, and the same after the spans;
- by how much the folder of the database has grown;
- the median time of a question for totals of all that was sent. Here it is the overview of usage, each time over
  another window, so that no cache answers; of Phoenix it is the counts, tokens and a percentile of its project; of
  MLflow the count of traces.

This product's figures are those of its web server and database; its worker, which sums in the background, is not run.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil

from benchmarks import otlp
from benchmarks.text_tables import machine, table

PORT = 8410
HOST = "127.0.0.1"
SPANS_OF_BODY = 100
START_SECONDS = 180
LONGEST_SECONDS = 900
"""After it a product that is still busy, or has lost spans, ends the benchmark."""
PHOENIX_TOTALS = (
    "{ projects { edges { node { recordCount traceCount tokenCountTotal latencyMsQuantile(probability: 0.95) } } } }"
)


Question = tuple[str, str, Any]
"""The method, path and body."""


def our_totals(number: int) -> Question:
    """Asks for another window each time, so that no answer is one that the cache has."""
    end = datetime.now(UTC)
    window = urlencode({"start": (end - timedelta(days=1, seconds=number)).isoformat(), "end": end.isoformat()})
    return "GET", f"/api/v1/usage/overview?{window}", None


def totals_of_phoenix(number: int) -> Question:
    return "POST", "/graphql", {"query": PHOENIX_TOTALS}


def totals_of_mlflow(number: int) -> Question:
    body = {"experiment_ids": ["0"], "view_type": "TRACES", "metric_name": "trace_count"}
    return "POST", "/api/3.0/mlflow/traces/metrics", body | {"aggregations": [{"aggregation_type": "COUNT"}]}


@dataclass
class Server:
    """A running product: how it takes spans, and how it is asked for totals."""

    name: str
    port: int
    processes: tuple[int, ...]
    folder: Path
    spans_stored: Callable[["Server"], int]
    totals: Callable[[int], Question]
    """Returns the n-th question for totals."""
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: bytes = b"", media_type: str = "application/json") -> bytes:
        ends = time.monotonic() + LONGEST_SECONDS
        while True:
            connection = http.client.HTTPConnection(HOST, self.port, timeout=120)
            try:
                connection.request(method, path, body or None, {"Content-Type": media_type} | self.headers)
                response = connection.getresponse()
                answer = response.read()
            finally:
                connection.close()
            if response.status == 200:
                return answer
            if response.status != 503 or time.monotonic() > ends:
                raise SystemExit(f"{self.name} answered {response.status}: {answer[:500]!r}")
            time.sleep(1)  # as exporters do; the second counts

    def answer(self, method: str, path: str, body: Any = None) -> Any:
        return json.loads(self.ask(method, path, json.dumps(body).encode() if body else b""))

    def memory_mib(self) -> float:
        """Returns the memory of all processes in MiB; what several share counts once (PSS)."""
        members = {process for pid in self.processes for process in otlp.processes(pid)}
        return float(sum(process.memory_full_info().pss for process in members)) / 1024**2

    def disk_mb(self) -> float:
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file()) / 1000**2


# --- The products ---


@contextmanager
def ours(port: int) -> Iterator[Server]:
    with otlp.running(Path.cwd(), port) as product:
        workspace_id = product.manage("create_workspace", "peers")
        key = product.manage("create_api_key", workspace_id, "peers", "--scopes", "ingest,read").split()[-1]
        yield Server(
            "this product",
            port,
            (product.server, product.database),
            Path(psutil.Process(product.database).cwd()),
            stored_here,
            our_totals,
            {"Authorization": f"Bearer {key}", "X-Workspace-ID": workspace_id},
        )


def stored_here(server: Server) -> int:
    """Returns twice the stored calls: every second span that the benchmark sends is a call."""
    calls: int = server.answer(*server.totals(0))["total_calls"]
    return calls * 2


@contextmanager
def phoenix(port: int, programs: Path) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as directory:
        settings = {"PHOENIX_HOST": HOST, "PHOENIX_PORT": str(port), "PHOENIX_GRPC_PORT": str(port + 100)}
        settings |= {"PHOENIX_WORKING_DIR": directory, "PHOENIX_TELEMETRY_ENABLED": "false"}
        with started([programs / "phoenix", "serve"], settings, port) as pid:
            yield Server("Phoenix", port, (pid,), Path(directory), stored_by_phoenix, totals_of_phoenix)


def stored_by_phoenix(server: Server) -> int:
    projects = server.answer(*server.totals(0))["data"]["projects"]["edges"]
    return sum(project["node"]["recordCount"] for project in projects)


@contextmanager
def mlflow(port: int, programs: Path) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as directory:
        address = ["--host", HOST, "--port", str(port), "--workers", "1"]
        storage = ["--backend-store-uri", f"sqlite:///{directory}/mlflow.db", "--artifacts-destination", directory]
        with started(
            [programs / "mlflow", "server", *address, *storage], {"MLFLOW_DISABLE_TELEMETRY": "true"}, port
        ) as pid:
            headers = {"x-mlflow-experiment-id": "0"}
            yield Server("MLflow", port, (pid,), Path(directory), stored_by_mlflow, totals_of_mlflow, headers)


def stored_by_mlflow(server: Server) -> int:
    """Returns ten spans for each stored trace: the benchmark sends ten in each."""
    [point] = server.answer(*server.totals(0))["data_points"]
    return int(point["values"]["COUNT"]) * otlp.SPANS_PER_TRACE


@contextmanager
def started(command: Sequence[str | Path], settings: dict[str, str], port: int) -> Iterator[int]:
    """Runs a server until the block ends. Yields its process id when it answers."""
    environment = os.environ | settings
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        wait_until_answers(server, port)
        yield server.pid
    finally:
        server.terminate()
        server.wait()


def wait_until_answers(server: subprocess.Popen[bytes], port: int) -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends and server.poll() is None:
        connection = http.client.HTTPConnection(HOST, port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.2)
        finally:
            connection.close()
    raise SystemExit(f"{server.args!r} did not start")


# --- The measurement ---


def measure(server: Server, spans: int, rounds: int) -> list[str]:
    time.sleep(10)
    idle, empty_mb = server.memory_mib(), server.disk_mb()
    bodies = [otlp.body(SPANS_OF_BODY, seed) for seed in range(spans // SPANS_OF_BODY)]
    began = time.perf_counter()
    with ThreadPoolExecutor(otlp.CLIENTS) as pool:
        list(pool.map(lambda body: server.ask("POST", "/v1/traces", body, "application/x-protobuf"), bodies))
    while (stored := server.spans_stored(server)) < len(bodies) * SPANS_OF_BODY:
        if time.perf_counter() - began > LONGEST_SECONDS:
            raise SystemExit(f"{server.name} has {stored:,} spans of {len(bodies) * SPANS_OF_BODY:,}")
        time.sleep(0.1)
    rate = stored / (time.perf_counter() - began)
    asked_ms = [milliseconds(server, number) for number in range(1, rounds + 1)]
    return [
        server.name,
        f"{rate:,.0f}",
        f"{idle:,.0f}",
        f"{server.memory_mib():,.0f}",
        f"{server.disk_mb() - empty_mb:,.1f}",
        f"{statistics.median(asked_ms):,.1f}",
    ]


def milliseconds(server: Server, number: int) -> float:
    began = time.perf_counter()
    server.answer(*server.totals(number))
    return (time.perf_counter() - began) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", type=Path, required=True, help="the environment with the packages of the others")
    parser.add_argument("--spans", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=15, help="how often the totals are asked for")
    options = parser.parse_args()
    programs = options.peers.resolve() / "bin"
    lines = []
    for product in (ours(PORT), phoenix(PORT + 1, programs), mlflow(PORT + 2, programs)):
        with product as server:
            lines.append(measure(server, options.spans, options.rounds))
            print(*lines[-1], flush=True)
    head = ["", "spans/s", "idle, MiB", "after, MiB", "disk, MB more", "totals, ms"]
    print(f"\n{machine()}, {options.spans:,} spans\n\n{table(head, lines, markdown=True)}")


if __name__ == "__main__":
    main()
