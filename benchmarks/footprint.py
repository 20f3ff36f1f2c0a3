"""Measures what `make run` takes while nothing happens, how long it takes to start, and what questions leave behind.

python -m benchmarks.footprint --questions 100000
python -m benchmarks.footprint --checkout ../before --checkout .    # two versions by turns

Each checkout is copied, and starts with an empty database. The first start makes it.
"""

import argparse
import http.client
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.processes import Server, copy_checkout, launcher_command, running
from benchmarks.text_tables import machine, table
from workspaces.demo import DEMO_WORKSPACE_ID

PORT = int(os.environ.get("BENCHMARK_PORT", "8210"))
CLIENTS = 8
ROUTES = ("usage/overview", "usage/calls-over-time", "cost/overview", "cost/by-model", "performance/overview")


def questions(count: int, now: datetime) -> Iterator[str]:
    """Yields paths of reads. No two have the same route and window, so no cache has an answer."""
    for number in range(count):
        end = now - timedelta(seconds=number // len(ROUTES))
        window = urlencode({"start": (end - timedelta(hours=1)).isoformat(), "end": end.isoformat()})
        yield f"/api/v1/{ROUTES[number % len(ROUTES)]}?{window}"


def ask(paths: list[str]) -> int:
    """Asks one after the other over one connection. Returns how many were answered with 200."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    answered = 0
    for path in paths:
        try:
            answered += status(connection, path) == 200
        except http.client.RemoteDisconnected:
            # A server may close a connection between two requests: clients then ask again over another one.
            answered += status(connection, path) == 200
    connection.close()
    return answered


def status(connection: http.client.HTTPConnection, path: str) -> int:
    connection.request("GET", path, headers={"X-Workspace-ID": DEMO_WORKSPACE_ID})
    response = connection.getresponse()
    response.read()
    return response.status


def ask_all(count: int) -> None:
    paths = list(questions(count, datetime.now(UTC)))
    with ThreadPoolExecutor(CLIENTS) as pool:
        answered = sum(pool.map(ask, (paths[client::CLIENTS] for client in range(CLIENTS))))
    if answered != count:
        raise SystemExit(f"only {answered:,} of {count:,} questions were answered")


def measure(checkout: Path, folder: Path, options: argparse.Namespace) -> list[str]:
    """Starts a copy several times, and prints the processes of the last one. Returns a line of the table."""
    copy_checkout(checkout, folder)
    command, url, environment = launcher_command(PORT)
    seconds = []
    for start in range(options.starts):
        with running(command, url, folder, environment) as server:
            seconds.append(server.started_in)
            if start == options.starts - 1:
                megabytes = idle_memory_mb(server, options.settle)
                if options.questions:
                    ask_all(options.questions)
                asked = f"{server.memory_mb():.0f} MB" if options.questions else None
    first, *later = [f"{each:.1f} s" for each in seconds]
    return [str(checkout), first, " ".join(later), f"{megabytes:.0f} MB", asked or "-"]


def idle_memory_mb(server: Server, seconds: float) -> float:
    """Waits, prints the memory of each process, and returns the sum."""
    time.sleep(seconds)
    for command, megabytes in server.memory():
        print(f"{megabytes:8.1f} MB  {command[:100]}")
    return server.memory_mb()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.footprint", description=__doc__)
    parser.add_argument("--checkout", type=Path, action="append", help="a folder with the product; default this one")
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--settle", type=float, default=90, help="seconds after a start until memory is read")
    parser.add_argument("--questions", type=int, default=0, help="distinct ones that are asked then")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as parent:
        Path(parent).chmod(0o755)  # PostgreSQL of root runs as another user, who must reach its folder
        checkouts = [path.resolve() for path in options.checkout or [Path(__file__).parents[1]]]
        lines = [
            measure(checkout, Path(parent) / str(place), options) for place, checkout in enumerate(checkouts, start=1)
        ]
    asked = f"after {options.questions:,} questions"
    print(f"{machine()}\n\n{table(['', 'first start', 'later starts', 'idle', asked], lines, options.markdown)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
