"""Panels are taken along as files, and charts are drawn as their reader chooses."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import LONG_MS, open_page, wait_until_drawn
from tests.tenant import Tenant

pytestmark = [pytest.mark.django_db(databases="__all__", transaction=True), pytest.mark.usefixtures("always_renewed")]

KINDS = "chart => [...new Set(chart.data.filter(one => one.visible !== false).map(one => one.type))]"
SHOWN = "chart => chart.data.filter(one => one.visible !== false).map(one => one.name)"
MAGIC = {"png": b"\x89PNG", "svg": b"<svg"}


@pytest.fixture(autouse=True)
def nothing_complained(complaints: list[str]) -> Iterator[None]:
    yield
    assert complaints == []


def some_calls(tenant: Tenant) -> None:
    at = datetime.now(UTC) - timedelta(minutes=5)
    tenant.calls(3, at, agent_id="support", latency_ms=100.0)
    tenant.calls(1, at, agent_id="sales", status="error", latency_ms=9000.0)


def taken(page: Page, panel: str, button: str) -> Path:
    page.locator(f"#panel-{panel} .take summary").click()
    with page.expect_download() as download:
        page.locator(f"#panel-{panel} .take button", has_text=button).click()
    return Path(download.value.path())


def test_a_panel_is_taken_along_as_rows_and_as_pictures(page: Page, live_server: Any, tenant: Tenant) -> None:
    some_calls(tenant)
    open_page(page, live_server, tenant, "usage")
    wait_until_drawn(page)
    rows = list(csv.DictReader(taken(page, "usage-agent-distribution", "CSV").read_text().splitlines()))
    assert [row["agent_id"] for row in rows] == ["support", "sales"]
    expect(page.locator("#panel-usage-agent-distribution [data-picture]").first).to_be_hidden()
    for kind, magic in MAGIC.items():
        assert taken(page, "usage-calls-over-time", kind.upper()).read_bytes().startswith(magic)


def test_the_form_of_a_chart_is_chosen_and_kept(page: Page, live_server: Any, tenant: Tenant) -> None:
    some_calls(tenant)
    open_page(page, live_server, tenant, "usage")
    wait_until_drawn(page)
    chart = page.locator("#chart-calls-over-time")
    assert chart.evaluate(KINDS) == ["bar"]
    page.locator("#panel-usage-calls-over-time .take summary").click()
    page.locator("#panel-usage-calls-over-time [data-kind=area]").click()
    assert chart.evaluate(KINDS) == ["scatter"]
    page.reload()
    wait_until_drawn(page)
    assert chart.evaluate("chart => chart.data[0].stackgroup") == "all"
    expect(page.locator("[data-kind=area][aria-pressed=true]").first).to_be_attached()


def test_a_click_in_the_legend_shows_one_series_and_another_all(page: Page, live_server: Any, tenant: Tenant) -> None:
    some_calls(tenant)
    open_page(page, live_server, tenant, "performance")
    wait_until_drawn(page)
    chart = page.locator("#chart-performance-latency")
    legend = page.locator("#panel-performance-latency .legend")
    legend.get_by_text("p50").click()
    assert chart.evaluate(SHOWN) == ["p50"]
    expect(legend.get_by_text("p50")).to_have_attribute("aria-pressed", "true")
    page.locator("[data-refresh]").click()  # a poll leaves it
    page.wait_for_load_state("networkidle")
    assert chart.evaluate(SHOWN) == ["p50"]
    legend.get_by_text("p50").click()
    assert chart.evaluate(SHOWN) == ["p50", "p95", "p99"]
    page.locator("#panel-performance-latency .take summary").click()
    page.locator("#panel-performance-latency [data-log]").click(timeout=LONG_MS)
    assert chart.evaluate("chart => chart.layout.yaxis.type") == "log"
