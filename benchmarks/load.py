"""Measures ingestion and dashboards at once: 1,000 spans a second in OTLP while 20 people read pages.

python -m benchmarks.load [seconds, default 120] [busy: beside a worker with 10 jobs a second]

A time begins when a request was due, not when it could be sent. Otherwise a slow server would seem fast.
"""

import http.client
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg

from benchmarks.otlp import body, manage
from observability.launcher import embedded

PORT = 8361
REDIS_PORT = 6401
SPANS_PER_SECOND = 1_000
SPANS_PER_BODY = 100
CLIENTS = 4
READERS = 20
POLL_SECONDS = 30
PAGES = {
    "usage": ("overview", "calls-over-time", "agent-distribution", "top-users"),
    "cost": ("overview", "trend", "by-model", "budget"),
    "performance": ("overview", "latency", "throughput", "errors"),
}
INGEST_P95_MS, CACHED_P95_MS, GROWTH_PERCENT = 150, 50, 10
JOBS_PER_SECOND = 10
JOBS = """
INSERT INTO procrastinate_jobs (queue_name, task_name, scheduled_at, args)
SELECT
    'default',
    (ARRAY['traces.delete_old_traces', 'traces.close_hours', 'traces.analyze_tables'])[1 + number %% 3],
    now() + make_interval(secs => number / %(per_second)s::float8),
    jsonb_build_object('due_at', now()) || CASE WHEN number %% 3 = 0 THEN '{"subject": "UTC"}' ELSE '{}' END::jsonb
FROM generate_series(1, %(jobs)s) AS number
"""
# A real client delivers again after any other answer; here that is a failure.
ACKNOWLEDGED = 200


@dataclass
class Measurements:
    ingest: list[float] = field(default_factory=list)
    hits: list[float] = field(default_factory=list)
    computed: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    memory: list[int] = field(default_factory=list)
    acknowledged: int = 0
    cores: float = 0
    """The cores that gunicorn and PostgreSQL used. Other work of the machine hardly changes this number."""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Sender(threading.Thread):
    def __init__(self, measured: Measurements, key: str, bodies: Sequence[bytes], starts: float, every: float) -> None:
        super().__init__()
        self.measured, self.key, self.bodies, self.starts, self.every = measured, key, bodies, starts, every

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
        headers = {"Content-Type": "application/x-protobuf", "Authorization": f"Bearer {self.key}"}
        for number, next_body in enumerate(self.bodies):
            due = self.starts + number * self.every
            time.sleep(max(due - time.monotonic(), 0))
            connection.request("POST", "/v1/traces", next_body, headers)
            response = connection.getresponse()
            answer = response.read()
            with self.measured.lock:
                self.measured.ingest.append(time.monotonic() - due)
                self.measured.statuses[f"ingest {response.status}"] += 1
                if response.status == ACKNOWLEDGED and not answer:
                    self.measured.acknowledged += SPANS_PER_BODY


class Reader(threading.Thread):
    """Reads one page: all its panels at once, and again every 30 s."""

    def __init__(self, measured: Measurements, headers: dict[str, str], page: str, starts: float, ends: float) -> None:
        super().__init__()
        self.measured, self.headers, self.page, self.starts, self.ends = measured, headers, page, starts, ends

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
        due = self.starts
        while due < self.ends:
            time.sleep(max(due - time.monotonic(), 0))
            for panel in PAGES[self.page]:
                self.look(connection, panel)
            due += POLL_SECONDS

    def look(self, connection: http.client.HTTPConnection, panel: str) -> None:
        began = time.monotonic()
        connection.request("GET", f"/api/v1/{self.page}/{panel}?range=24h", headers=self.headers)
        response = connection.getresponse()
        response.read()
        with self.measured.lock:
            self.measured.statuses[f"panel {response.status}"] += 1
            durations = self.measured.hits if response.headers["X-Cache"] == "hit" else self.measured.computed
            durations.append(time.monotonic() - began)


def cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for parent in processes for process in (parent, *parent.children()))


def put_load(
    measured: Measurements,
    server: psutil.Process,
    postgres: psutil.Process,
    key: str,
    workspace_id: str,
    seconds: int,
) -> None:
    total = seconds * SPANS_PER_SECOND // SPANS_PER_BODY
    every = CLIENTS * SPANS_PER_BODY / SPANS_PER_SECOND
    print(f"making {total:,} bodies …", flush=True)
    bodies = [body(SPANS_PER_BODY, seed) for seed in range(total)]
    headers = {"Authorization": f"Bearer {key}", "X-Workspace-ID": workspace_id, "HX-Request": "true"}
    starts = time.monotonic() + 1
    threads: list[threading.Thread] = [
        Sender(measured, key, bodies[client::CLIENTS], starts + client * every / CLIENTS, every)
        for client in range(CLIENTS)
    ]
    pages = list(PAGES)
    threads += [
        Reader(measured, headers, pages[number % 3], starts + number * POLL_SECONDS / READERS, starts + seconds)
        for number in range(READERS)
    ]
    print(f"{SPANS_PER_SECOND:,} spans/s and {READERS} readers for {seconds} s …", flush=True)
    before, began = cpu_seconds([server, postgres]), time.monotonic()
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        measured.memory.append(sum(worker.memory_info().rss for worker in server.children()))
        time.sleep(1)
    measured.cores = (cpu_seconds([server, postgres]) - before) / (time.monotonic() - began)


def p95_ms(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1] * 1000 if len(seconds) > 1 else float("nan")


def print_results(measured: Measurements, stored: int, seconds: int) -> bool:
    # The first quarter fills caches and pools.
    quarter = max(len(measured.memory) // 4, 1)
    early, late = (
        statistics.fmean(part) for part in (measured.memory[quarter : 2 * quarter], measured.memory[-quarter:])
    )
    growth = (late / early - 1) * 100
    errors = sum(count for status, count in measured.statuses.items() if status.split()[1] >= "500")
    checks = [
        (f"acknowledged {measured.acknowledged:,} spans, stored {stored:,}", measured.acknowledged == stored),
        (f"sent in full: {seconds * SPANS_PER_SECOND:,} spans", stored == seconds * SPANS_PER_SECOND),
        (f"answers 5xx: {errors}", errors == 0),
        (
            f"ingest p95 {p95_ms(measured.ingest):.0f} ms (target {INGEST_P95_MS})",
            p95_ms(measured.ingest) <= INGEST_P95_MS,
        ),
        (
            f"cached panels p95 {p95_ms(measured.hits):.0f} ms (target {CACHED_P95_MS})",
            p95_ms(measured.hits) <= CACHED_P95_MS,
        ),
        (
            f"memory of the workers {late / 2**20:.0f} MB, {growth:+.1f} % (target {GROWTH_PERCENT})",
            growth <= GROWTH_PERCENT,
        ),
    ]
    for words, is_met in checks:
        print(f"{'ok    ' if is_met else 'MISSED'} {words}")
    ingest_ms = [seconds * 1000 for seconds in measured.ingest]
    print(f"       ingest median {statistics.median(ingest_ms):.0f} ms, longest {max(ingest_ms):.0f} ms")
    hits, computed = len(measured.hits), len(measured.computed)
    print(f"       {hits} panels cached, {computed} computed: p95 {p95_ms(measured.computed):.0f} ms")
    load = os.getloadavg()[0]
    print(f"       {measured.cores:.2f} cores used by gunicorn and PostgreSQL; the machine's load {load:.1f}")
    print(f"       {dict(measured.statuses)}")
    return all(is_met for _, is_met in checks)


@contextmanager
def redis(folder: str) -> Iterator[str]:
    command = ["redis-server", "--port", str(REDIS_PORT), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        yield f"redis://127.0.0.1:{REDIS_PORT}/0"
    finally:
        server.terminate()
        server.wait()


def wait_until_it_answers() -> None:
    for _ in range(120):
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
        try:
            connection.request("GET", "/livez")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.5)
        else:
            return
        finally:
            connection.close()
    raise SystemExit("the server does not start")


@contextmanager
def busy_worker(environment: dict[str, str], host: str, seconds: int) -> Iterator[None]:
    """Runs a worker that always has jobs: old traces are looked for, hours closed and statistics looked at."""
    jobs = {"jobs": seconds * JOBS_PER_SECOND, "per_second": JOBS_PER_SECOND}
    worker = subprocess.Popen([sys.executable, "manage.py", "worker"], env=environment)
    with psycopg.connect(host=host, user="postgres", dbname="observability", autocommit=True) as connection:
        connection.execute(JOBS, jobs)
        try:
            yield
            [(left,)] = connection.execute("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'").fetchall()
            print(f"       {jobs['jobs'] - left:,} jobs ran, {left:,} wait", flush=True)
        finally:
            worker.terminate()
            worker.wait()


def main(seconds: int, is_busy: bool) -> bool:
    if not shutil.which("redis-server"):
        raise SystemExit("Two workers share their cache in Redis: install redis-server.")
    measured = Measurements()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        data, static = Path(folder) / "postgres", Path(folder) / "static"
        static.mkdir()
        stack.enter_context(embedded.running(data))
        environment = os.environ | {
            "DATABASE_URL": embedded.url("observability", data),
            "ANALYTICS_DATABASE_URL": embedded.url("observability_analytics", data),
            "REDIS_URL": stack.enter_context(redis(folder)),
            "BIND": f"127.0.0.1:{PORT}",
            "WEB_WORKERS": "2",
            "SECRET_KEY": "benchmark-only-" * 5,
            "STATIC_ROOT": str(static),
        }
        for name in ("observability", "observability_analytics"):
            embedded.create_database(name, data)
        manage(environment, "migrate")
        manage(environment, "migrate", "--database=analytics")
        workspace_id = manage(environment, "create_workspace", "load").strip()
        key = manage(environment, "create_api_key", workspace_id, "load", "--scopes=ingest,read").strip()
        server = subprocess.Popen([sys.executable, "-m", "gunicorn"], env=environment)
        stack.callback(server.wait)
        stack.callback(server.send_signal, signal.SIGTERM)
        wait_until_it_answers()
        postmaster = int((data / "postmaster.pid").read_text().split()[0])
        host = embedded.socket_directory(data)
        with busy_worker(environment, host, seconds) if is_busy else nullcontext():
            put_load(measured, psutil.Process(server.pid), psutil.Process(postmaster), key, workspace_id, seconds)
        with psycopg.connect(host=host, user="postgres", dbname="observability_analytics") as connection:
            query = "SELECT count(*), pg_database_size(current_database()) FROM traces"
            stored, size = connection.execute(query).fetchone() or (0, 0)
        print(f"       {size / max(stored, 1) / 1024:.1f} kB of disk a span, with rollups and 900 letters of prompts")
    return print_results(measured, stored, seconds)


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    sys.exit(0 if main(numbers[0] if numbers else 120, is_busy="busy" in sys.argv) else 1)
