"""Measures how fast panels are answered while many pages are open: each asks for all of its panels every 8 seconds, and
spans arrive meanwhile.

python -m benchmarks.polls --pages 50 --seconds 60
"""

import argparse
import http.client
import statistics
import threading
import time
from contextlib import ExitStack

from analytics.catalogue import METRICS, PAGES, POLL_SECONDS
from benchmarks.pages import FILL, PORT, send_trace, serve

RANGES = ("1h", "24h", "7d", "30d")
SENT_EACH_SECOND = 5
LIMIT_MS = 1_000


class Reader(threading.Thread):
    """An open page: asks for its panels, and again when they are due."""

    def __init__(self, number: int, workspace_id: str, until: float) -> None:
        super().__init__(daemon=True)
        page, self.range = PAGES[number % len(PAGES)], RANGES[number % len(RANGES)]
        self.routes = [metric.route for metric in METRICS.values() if metric.domain == page.domain]
        self.headers = {"HX-Request": "true", "X-Workspace-ID": workspace_id}
        self.until = until
        self.times_ms: list[float] = []
        self.failures = 0

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
        while (began := time.monotonic()) < self.until:
            for route in self.routes:
                self.ask(connection, route)
            time.sleep(max(0.0, began + POLL_SECONDS - time.monotonic()))

    def ask(self, connection: http.client.HTTPConnection, route: str) -> None:
        began = time.perf_counter()
        query = "" if route == "cost/budget" else f"?range={self.range}"
        connection.request("GET", f"/api/v1/{route}{query}", headers=self.headers)
        response = connection.getresponse()
        response.read()
        self.times_ms.append((time.perf_counter() - began) * 1000)
        self.failures += response.status != 200


def measure(workspace_id: str, pages: int, seconds: int) -> bool:
    until = time.monotonic() + seconds
    readers = [Reader(number, workspace_id, until) for number in range(pages)]
    for reader in readers:
        reader.start()
        time.sleep(POLL_SECONDS / pages)
    while time.monotonic() < until:
        send_trace(workspace_id)
        time.sleep(1 / SENT_EACH_SECOND)
    for reader in readers:
        reader.join()
    times_ms = sorted(ms for reader in readers for ms in reader.times_ms)
    failures = sum(reader.failures for reader in readers)
    at_95 = statistics.quantiles(times_ms, n=20)[-1]
    print(f"{pages} open pages, {len(times_ms):,} panels in {seconds} s, {failures} failed")
    print(f"median {statistics.median(times_ms):.0f} ms, 95 % within {at_95:.0f} ms, worst {times_ms[-1]:.0f} ms")
    return not failures and at_95 < LIMIT_MS


def main() -> bool:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=60)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        return measure(serve(stack, (FILL,)), arguments.pages, arguments.seconds)


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
