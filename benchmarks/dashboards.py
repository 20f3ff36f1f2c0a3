"""Measures a dashboard of 20 panels over many rows: each panel in the database, and all of them cold and warm.

python -m benchmarks.dashboards --rows 10m

One panel of them fails. A browser asks for six panels at once, and so do the readings of the whole.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

from django.db import connections

from benchmarks import data, databases
from benchmarks.text_tables import machine, table

WORKSPACE = UUID(data.MAIN_WORKSPACE)
END = data.END.replace(tzinfo=UTC)
AT_ONCE = 6
COLD_MS, WARM_MS, DATABASE_MS = 1_500, 800, 150
ROUNDS = 5
FAILING = "unanswered"
PANELS: tuple[dict[str, Any], ...] = (
    {"kind": "number", "measures": ["cost_usd"], "compare": "previous"},
    {"kind": "number", "measures": ["calls", "error_rate"], "compare": "previous"},
    {"kind": "number", "measures": ["p95_latency_ms"], "compare": "previous"},
    {"kind": "number", "measures": ["unique_users"]},
    {"kind": "stepped", "measures": ["cost_usd"], "compare": "previous"},
    {"kind": "line", "measures": ["p50_latency_ms", "p95_latency_ms"]},
    {"kind": "line", "measures": ["p95_latency_ms"], "by": ["model"]},
    {"kind": "stacked_area", "measures": ["cost_usd"], "by": ["model"], "compare": "previous"},
    {"kind": "stacked_bars", "measures": ["calls"], "by": ["status"], "compare": "previous"},
    {"kind": "bars", "measures": ["cost_usd"], "by": ["agent_id"]},
    {"kind": "horizontal_bars", "measures": ["cost_usd"], "by": ["label.customer"], "compare": "previous"},
    {"kind": "horizontal_bars", "measures": ["errors"], "by": ["error_type"]},
    {"kind": "donut", "measures": ["calls"], "by": ["agent_id"]},
    {"kind": "donut", "measures": ["cost_usd"], "by": ["provider"]},
    {"kind": "table", "measures": ["cost_usd", "calls", "error_rate"], "by": ["agent_id", "model"]},
    {"kind": "heat_map"},
    {"kind": "errors"},
    {"kind": "traces"},
    {"kind": "text", "text": "On call: https://example.com"},
    {"kind": "line", "measures": ["cost_usd", "calls"], "title": FAILING},
)


def a_dashboard() -> Any:
    from django.utils import timezone

    from dashboards import checking
    from dashboards.changes import fill
    from dashboards.models import Dashboard

    panels = [
        panel | {"id": f"p{number}", "place": {"x": number % 3 * 4, "y": number // 3 * 6, "width": 4, "height": 6}}
        for number, panel in enumerate(PANELS)
    ]
    window = {"start": (END - timedelta(days=30)).isoformat(), "end": END.isoformat()}
    dashboard = Dashboard(workspace_id=WORKSPACE)
    fill(dashboard, checking.parse({"name": "Benchmark", "range": window, "panels": panels}), "", timezone.now())
    return dashboard


def ask(dashboard: Any, number: int) -> None:
    from django.test import Client

    headers = {"X-Workspace-ID": str(WORKSPACE), "HX-Request": "true"}
    response = Client(SERVER_NAME="localhost", headers=headers).get(
        f"/api/v1/dashboards/{dashboard.pk}/panels/p{number}"
    )
    expected = 422 if PANELS[number].get("title") == FAILING else 200
    if response.status_code != expected:
        raise SystemExit(f"panel {PANELS[number]} answered {response.status_code}: {response.content[:300]!r}")


@contextmanager
def database_clock() -> Iterator[list[float]]:
    """Yields a list to which the milliseconds of each statement on traces are added."""
    times_ms: list[float] = []

    def timed(execute: Any, *arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            times_ms.append((time.perf_counter() - began) * 1000)

    with connections["analytics"].execute_wrapper(timed):
        yield times_ms


def in_database(dashboard: Any) -> list[list[str]]:
    """Returns for each panel its milliseconds in the database, the median of some cold answers, and its statements."""
    from django.core.cache import cache

    lines = []
    for number, panel in enumerate(PANELS):
        found = []
        for _ in range(ROUNDS):
            cache.clear()
            with database_clock() as times_ms:
                ask(dashboard, number)
            found.append((sum(times_ms), len(times_ms)))
        milliseconds, statements = sorted(found)[ROUNDS // 2]
        words = " by ".join(filter(None, (", ".join(panel.get("measures", [])), ", ".join(panel.get("by", [])))))
        lines.append([f"{panel['kind']} {words}".strip(), f"{milliseconds:.0f}", str(statements)])
    return lines


def whole(dashboard: Any, is_cold: bool) -> float:
    """Returns the median time in which a browser has the answers of all panels."""
    from django.core.cache import cache

    def ask_and_close(number: int) -> None:
        ask(dashboard, number)
        connections.close_all()

    times_ms = []
    for _ in range(ROUNDS):
        if is_cold:
            cache.clear()
        began = time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(ask_and_close, range(len(PANELS))))
        times_ms.append((time.perf_counter() - began) * 1000)
    return sorted(times_ms)[ROUNDS // 2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dashboards", description=__doc__)
    databases.add_arguments(parser)
    parser.add_argument("--rows", type=databases.count, default="10m")
    options = parser.parse_args()
    with databases.server(options.directory, options.database):
        loaded = databases.load(options.rows, options.fresh, options.directory)
        connections.settings["analytics"]["NAME"] = loaded.database  # of the threads
        dashboard = a_dashboard()
        try:
            whole(dashboard, is_cold=False)
            lines = in_database(dashboard)
            cold_ms, warm_ms = whole(dashboard, is_cold=True), whole(dashboard, is_cold=False)
        finally:
            dashboard.delete()
    print(f"{machine()}. {options.rows:,} rows, 30 days, {len(PANELS)} panels, {AT_ONCE} at once.\n")
    print(table(["Panel", "ms in the database", "Statements"], lines, options.markdown))
    print(f"\nAll panels: {cold_ms:.0f} ms cold, {warm_ms:.0f} ms warm")
    slowest = max(float(line[1]) for line in lines)
    return 0 if cold_ms <= COLD_MS and warm_ms <= WARM_MS and slowest <= DATABASE_MS else 1


if __name__ == "__main__":
    sys.exit(main())
