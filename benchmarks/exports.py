"""Measures exports over HTTP: rows a second, the memory of the web server, and pages beside them.

python -m benchmarks.exports --rows 10m --read 2000000

gunicorn answers from a database of the benchmarks. One client reads calls as CSV, another asks for overviews of windows
that nobody has asked for, first alone and then beside the export.
"""

import argparse
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from statistics import median

import psutil

from benchmarks import data, databases
from benchmarks.queries import END
from observability.launcher import embedded

PORT = 8362
ROWS_PER_SECOND, GROWTH_MB, SLOWER = 50_000, 30, 1.3
QUESTIONS = ("usage/overview", "cost/trend", "performance/overview", "performance/errors")
ROUNDS, PAUSE_SECONDS = 25, 0.05
HEADERS = {"X-Workspace-ID": data.MAIN_WORKSPACE}
MEGABYTE = 1 << 20


@contextmanager
def web_server(database: str, directory: Path) -> Iterator[psutil.Process]:
    environment = os.environ | {
        "ANALYTICS_DATABASE_URL": embedded.url(database, directory / "postgres"),
        "BIND": f"127.0.0.1:{PORT}",
        "SECRET_KEY": "benchmark-only-" * 5,
        "STATEMENT_TIMEOUT_MS": "10000",
        "WEB_WORKERS": "1",
    }
    server = subprocess.Popen([sys.executable, "-m", "gunicorn"], env=environment)
    try:
        wait_until_it_answers()
        [worker] = psutil.Process(server.pid).children()
        yield worker
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def wait_until_it_answers() -> None:
    for _ in range(200):
        try:
            ask("/livez")
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("gunicorn did not start")


def ask(path: str) -> float:
    """Returns how many milliseconds the answer took."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    connection.request("GET", path, headers=HEADERS)
    response = connection.getresponse()
    response.read()
    connection.close()
    if response.status != 200:
        raise SystemExit(f"{path}: {response.status}")
    return (time.perf_counter() - began) * 1000


def pages_ms(seed: int) -> float:
    """Returns the median time of overviews whose windows nobody has asked for."""
    times = []
    for number in range(ROUNDS):
        end = END - timedelta(minutes=seed + number)
        window = f"start={(end - timedelta(days=30)).isoformat()}&end={end.isoformat()}".replace("+", "%2B")
        times += [ask(f"/api/v1/{question}?{window}") for question in QUESTIONS]
        time.sleep(PAUSE_SECONDS)
    return median(times)


class Reader(threading.Thread):
    """Reads an export until it has enough rows."""

    def __init__(self, wanted: int) -> None:
        super().__init__(daemon=True)
        self.wanted, self.rows, self.seconds = wanted, 0, 0.0

    def run(self) -> None:
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        start = f"{data.START:%Y-%m-%d}T00:00:00Z"
        end = END.isoformat().replace("+", "%2B")
        connection.request("GET", f"/api/v1/exports/calls.csv?start={start}&end={end}", headers=HEADERS)
        response = connection.getresponse()
        with suppress(http.client.IncompleteRead):  # the server stops while the second export runs
            while self.rows < self.wanted and (block := response.read(MEGABYTE)):
                self.rows += block.count(b"\n")
        self.seconds = time.perf_counter() - began
        connection.close()


def measure(worker: psutil.Process, wanted: int) -> bool:
    pages_ms(0)
    alone = pages_ms(1000)
    before = worker.memory_info().rss
    whole = Reader(wanted)
    whole.start()
    whole.join()
    grown = (worker.memory_info().rss - before) / MEGABYTE
    rate = whole.rows / whole.seconds
    print(f"{whole.rows:,} rows in {whole.seconds:.1f} s: {rate:,.0f} rows/s (bar {ROWS_PER_SECOND:,})")
    print(f"memory of the web server: {grown:+.1f} MB (bar {GROWTH_MB})")
    beside_it = Reader(10**9)
    beside_it.start()
    time.sleep(1)
    beside = pages_ms(2000)
    print(
        f"overviews: {alone:.1f} ms alone, {beside:.1f} ms beside an export: {beside / alone:.2f} times (bar {SLOWER})"
    )
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")
    return rate >= ROWS_PER_SECOND and grown <= GROWTH_MB and beside <= SLOWER * alone


def main() -> bool:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", choices=("1m", "10m"), default="1m")
    parser.add_argument("--read", type=int, default=2_000_000, help="how many rows are read")
    databases.add_arguments(parser)
    options = parser.parse_args()
    with databases.server(options.directory):
        loaded = databases.load({"1m": 1_000_000, "10m": 10_000_000}[options.rows], directory=options.directory)
        with web_server(loaded.database, options.directory) as worker:
            return measure(worker, options.read)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
