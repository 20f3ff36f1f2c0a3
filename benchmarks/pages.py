"""Measures how fast pages are drawn, in Chromium with an empty cache, and how far their content moves when they poll.

The pages show 30 days of demo data. Then it measures the page of a trace with 10,000 spans: its first paint, the time
until its tree can be used, the longest task that blocks it, and the median frame while it scrolls.

python -m benchmarks.pages
"""

import http.client
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from benchmarks.otlp import manage
from observability.launcher import embedded

PORT = 8310
PAGES = ("usage", "cost", "performance")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SERVED_MS, DRAWN_MS = 100, 1_500
VISITS = 5

FILL = """
import sys, uuid, datetime, django
django.setup()
from observability.launcher.demo import fill
fill(uuid.UUID(sys.argv[1]), datetime.datetime.now(datetime.UTC), 30)
"""
FILL_TRACE = """
import sys, uuid, datetime, json, django
django.setup()
from traces import writer
from traces.row import Row
workspace, at = uuid.UUID(sys.argv[1]), datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=3)
said = {"gen_ai.input.messages": json.dumps([{"role": "user", "content": "Weather in Oslo? " * 20}])}
def row(n):
    parent = f"s{(n - 1) // 8}" if n else None
    kind = {"operation": "execute_tool", "tool": "look"} if n % 3 else {"operation": "chat", "attributes": said}
    kind |= {"name": f"step {n}", "latency_ms": 9.0, "timestamp": at + datetime.timedelta(milliseconds=5 * n)}
    return Row(trace_id="long", span_id=f"s{n}", parent_span_id=parent, agent_id="guide", **kind)
for first in range(0, 10_000, 1_000):
    writer.store(workspace, [row(n) for n in range(first, first + 1_000)])
"""
WATCH_TRACE = """
window.longest_ms = 0;
new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => {
  window.longest_ms = Math.max(window.longest_ms, duration);
})).observe({ type: "longtask", buffered: true });
const look = () => {
  const tree = document.querySelector("#tree");
  const isUsable = tree && !tree.hasAttribute("aria-busy") && tree.querySelector("[role=treeitem]");
  if (isUsable) window.usable_ms = performance.now();
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
SCROLL = """
async () => {
  const tree = document.querySelector("#tree");
  const frames = [];
  let last = performance.now();
  for (let frame = 0; frame < 120; frame += 1) {
    tree.scrollTop += 200;
    await new Promise(requestAnimationFrame);
    frames.push(performance.now() - last);
    last = performance.now();
  }
  return frames.sort((a, b) => a - b)[60];
}
"""
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
TRACE_LIMITS_MS = {"first paint": 500, "usable": 1_000, "longest task": 200, "median frame": 35}
# Numbers in their columns and on the charts' axes change; everything else must stay.
WATCH = """
window.moved = 0;
new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
  const elements = entry.sources.map(({ node }) => (node?.nodeType === Node.TEXT_NODE ? node.parentElement : node));
  if (elements.some((element) => element && !element.closest(".chart, td.number"))) window.moved += entry.value;
})).observe({ type: "layout-shift", buffered: true });
const look = () => {
  const panels = [...document.querySelectorAll(".panel")];
  const charts = [...document.querySelectorAll(".chart")];
  const isDrawn = panels.length && panels.every((panel) => panel.getAttribute("aria-busy") === "false")
    && charts.every((chart) => chart.querySelector(".main-svg"));
  if (isDrawn) window.drawn_ms = performance.now();
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def served_ms(page: str, query: str) -> float:
    """Returns the time until the whole shell has arrived, over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT)
    times_ms = []
    for _ in range(20):
        began = time.perf_counter()
        connection.request("GET", f"/dashboard/{page}{query}")
        response = connection.getresponse()
        response.read()
        times_ms.append((time.perf_counter() - began) * 1000)
        if response.status != 200:
            raise SystemExit(f"{page} answered {response.status}")
    return statistics.median(times_ms)


def drawn_ms(browser: Browser, page: str, query: str) -> tuple[float, float]:
    """Returns the time until all panels and charts are drawn, in a new browser, and how far loading moved them."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        tab = context.new_page()
        tab.add_init_script(WATCH)
        tab.goto(f"http://127.0.0.1:{PORT}/dashboard/{page}{query}")
        tab.wait_for_function("() => window.drawn_ms", timeout=60_000)
        tab.wait_for_timeout(300)
        return tab.evaluate("window.drawn_ms"), tab.evaluate("window.moved")
    finally:
        context.close()


def moved_by_polls(browser: Browser, page: str, query: str, send: Any) -> float:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        tab = context.new_page()
        tab.add_init_script(WATCH)
        tab.goto(f"http://127.0.0.1:{PORT}/dashboard/{page}{query}")
        tab.wait_for_function("() => window.drawn_ms", timeout=60_000)
        tab.evaluate("window.moved = 0")
        for _ in range(3):
            send()
            tab.wait_for_timeout(1_500)
            tab.click("[data-refresh]")
            tab.wait_for_load_state("networkidle")
        return float(tab.evaluate("window.moved"))
    finally:
        context.close()


def send_trace(workspace_id: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", PORT)
    body = '{"agent_id": "newcomer", "provider": "openai", "model": "gpt-4o", "user_id": "ada", "latency_ms": 90000}'
    headers = {"Content-Type": "application/json", "X-Workspace-ID": workspace_id}
    connection.request("POST", "/api/v1/traces", body, headers)
    if connection.getresponse().status != 200:
        raise SystemExit("the trace was not taken")


def measure(browser: Browser, workspace_id: str) -> bool:
    query = f"?workspace={workspace_id}&range=30d"
    is_good = True
    print(f"{'':12} {'shell':>8} {'first visit':>12} {'cold browser':>13} {'moved loading':>14} {'moved polling':>14}")
    for page in PAGES:
        # At the first visit the caches of server and browser are empty.
        visits = [drawn_ms(browser, page, query) for _ in range(VISITS)]
        first, later = visits[0][0], statistics.median(drawn for drawn, _ in visits[1:])
        shell = served_ms(page, query)
        moved = max(moved for _, moved in visits)
        polled = moved_by_polls(browser, page, query, lambda: send_trace(workspace_id))
        print(f"{page:12} {shell:5.0f} ms {first:9.0f} ms {later:10.0f} ms {moved:14.4f} {polled:14.4f}")
        is_good &= shell < SERVED_MS and max(first, later) < DRAWN_MS and moved == polled == 0
    print(f"targets: shell below {SERVED_MS} ms, all drawn below {DRAWN_MS:,} ms, nothing moves")
    return is_good


def trace_ms(browser: Browser, workspace_id: str) -> dict[str, float]:
    """Returns the figures of one visit to the page of the long trace, with an empty cache."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    try:
        tab = context.new_page()
        tab.add_init_script(WATCH_TRACE)
        tab.goto(f"http://127.0.0.1:{PORT}/dashboard/traces/long?workspace={workspace_id}")
        tab.wait_for_function("() => window.usable_ms", timeout=60_000)
        tab.keyboard.press("End")
        tab.wait_for_timeout(2_000)
        frame_ms = tab.evaluate(SCROLL)
        read = (FIRST_PAINT, "window.usable_ms", "window.longest_ms")
        return dict(zip(TRACE_LIMITS_MS, [*map(tab.evaluate, read), frame_ms], strict=True))
    finally:
        context.close()


def measure_trace(browser: Browser, workspace_id: str) -> bool:
    visits = [trace_ms(browser, workspace_id) for _ in range(VISITS)]
    is_good = True
    print("a trace of 10,000 spans, median and worst of the visits")
    for name, limit_ms in TRACE_LIMITS_MS.items():
        times_ms = [visit[name] for visit in visits]
        print(f"{name:14} {statistics.median(times_ms):6.0f} ms {max(times_ms):6.0f} ms, at most {limit_ms:,} ms")
        is_good &= statistics.median(times_ms) <= limit_ms
    return is_good


def serve(stack: ExitStack, fills: Sequence[str]) -> str:
    """Starts a server with an empty database, fills a workspace by the scripts `fills`, and returns its id."""
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    data = Path(folder) / "postgres"
    stack.enter_context(embedded.running(data))
    environment = os.environ | {
        "DATABASE_URL": embedded.url("observability", data),
        "ANALYTICS_DATABASE_URL": embedded.url("observability_analytics", data),
        "BIND": f"127.0.0.1:{PORT}",
        "SECRET_KEY": "benchmark-only-" * 5,
        "STATIC_ROOT": f"{folder}/static",
        "DJANGO_SETTINGS_MODULE": "observability.settings",
    }
    for name in ("observability", "observability_analytics"):
        embedded.create_database(name, data)
    manage(environment, "migrate")
    manage(environment, "migrate", "--database=analytics")
    manage(environment, "collectstatic", "--no-input")
    workspace_id = manage(environment, "create_workspace", "pages").strip()
    environment["OPEN_WORKSPACE_IDS"] = workspace_id
    for fill in fills:
        subprocess.run([sys.executable, "-c", fill, workspace_id], env=environment, check=True)  # noqa: S603
    server = subprocess.Popen([sys.executable, "-m", "gunicorn"], env=environment)
    stack.callback(server.wait)
    stack.callback(server.terminate)
    time.sleep(4)
    return workspace_id


def main() -> bool:
    # When a signal ends it, it still stops its server and database.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    chromium = shutil.which("chromium")
    if not chromium:
        raise SystemExit("Install chromium.")
    with ExitStack() as stack:
        workspace_id = serve(stack, (FILL, FILL_TRACE))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        stack.callback(browser.close)
        are_good = [measure(browser, workspace_id), measure_trace(browser, workspace_id)]
        return all(are_good)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
