"""Checks the size of a page's files, and which hosts it loads them from."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from analytics.catalogue import PAGES
from tests.browser.steps import open_page, wait_until_drawn
from tests.tenant import Tenant

SHIFTS = """
window.shifted = []; window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    window.shift += entry.value;
    for (const { node, previousRect, currentRect } of entry.sources) {
      const element = node?.nodeType === Node.TEXT_NODE ? node.parentElement : node;
      if (!element || element.closest(".chart, td.number")) continue;
      window.shifted.push([element.outerHTML.slice(0, 60), previousRect.toJSON(), currentRect.toJSON()]);
    }
  }
}).observe({ type: "layout-shift", buffered: true });
"""
STATIC = Path(__file__).resolve().parents[2] / "static"
# Files that only the pages of one part load.
OF_ONE_PART = {
    *("admin.css", "dashboards.css", "dashboards.js", "jobs.css", "mail.css", "print.css", "print.js"),
    *("settings.css", "settings.js", "trace.css"),
}


def test_own_styles_and_scripts_are_below_90_kB_together() -> None:
    own = {path.name: path.stat().st_size for path in STATIC.rglob("*") if path.suffix in (".css", ".js")}
    assert {"app.css", "app.js", "charts.js"} <= own.keys()
    assert sum(size for name, size in own.items() if name not in OF_ONE_PART) < 90_000
    assert sum(size for name, size in own.items() if name in OF_ONE_PART) < 45_000


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_pages_use_no_other_host_and_load_plotly_once(page: Page, live_server: Any, tenant: Tenant) -> None:
    tenant.calls(1, datetime.now(UTC), cost_usd="1", latency_ms=10.0)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    for name in [page.domain for page in PAGES]:
        open_page(page, live_server, tenant, name)
        wait_until_drawn(page)
    assert {urlsplit(url).netloc for url in requested if not url.startswith("data:")} == {
        urlsplit(live_server.url).netloc
    }
    # The development server sends no cache headers; what production sends is pinned where its settings are tested.
    assert all(requested.count(url) <= 3 for url in requested if "plotly.min" in url)


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_loading_and_polling_move_nothing(page: Page, live_server: Any, tenant: Tenant) -> None:
    page.add_init_script(SHIFTS)
    tenant.calls(2, datetime.now(UTC), user_id="ada", cost_usd="1", latency_ms=10.0)
    for name in [page.domain for page in PAGES]:
        open_page(page, live_server, tenant, name)
        wait_until_drawn(page)
        tenant.calls(98, datetime.now(UTC), user_id="bob", agent_id="sales", cost_usd="1000", latency_ms=99_999.0)
        page.locator("[data-refresh]").click()
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(300)
        assert page.evaluate("window.shifted") == [], name
        # Figures themselves may grow to the left in their columns, and on a chart's axes.
        assert page.evaluate("window.shift") < 0.0001, name
