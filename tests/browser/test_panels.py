"""Panels keep their place, sort their rows, show whole names to the keyboard, and show new calls on every range."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from analytics import cache as answers
from analytics.catalogue import METRICS, PAGES, POLL_SECONDS
from tests.browser.steps import LONG_MS, card, expect_card, open_page, wait_until_drawn
from tests.browser.test_weight import SHIFTS
from tests.tenant import Tenant
from traces.filters import RANGES

pytestmark = [pytest.mark.django_db(databases="__all__", transaction=True), pytest.mark.usefixtures("always_renewed")]

LONG_ID = "an-agent-of-a-team-with-a-name-that-ends-in-its-number-0001"
TALL, NARROW = ViewportSize(width=1440, height=2400), ViewportSize(width=1024, height=900)
# The bar's own chips, the legend and the words of what was chosen change; nothing else may.
CHANGES = ".chart, .bar, .facts, .legend, .change, .nothing, .empty, .happy, .budget-line, tbody,"
STAYS = SHIFTS.replace(".chart,", CHANGES)


@pytest.fixture(autouse=True)
def nothing_complained(complaints: list[str]) -> Iterator[None]:
    yield
    assert [line for line in complaints if "net::" not in line and "htmx:" not in line] == []


def fill(tenant: Tenant) -> None:
    now = datetime.now(UTC)
    for hours in range(1, 20):
        at = now - timedelta(hours=hours)
        tenant.calls(hours % 3 + 1, at, agent_id=f"agent-{hours % 4}", user_id=f"user-{hours % 5}", latency_ms=900.0)
        tenant.calls(1, at, status="error", error_type="rate_limit", latency_ms=90_000.0, cost_usd="0.5")


@pytest.mark.parametrize("name", [page.domain for page in PAGES])
def test_nothing_moves_while_a_page_loads_polls_and_changes(
    page: Page, live_server: Any, tenant: Tenant, name: str
) -> None:
    page.add_init_script(STAYS)
    page.set_viewport_size(TALL)
    fill(tenant)
    open_page(page, live_server, tenant, name)
    wait_until_drawn(page)
    tenant.calls(5, datetime.now(UTC), agent_id="new-agent", user_id="new-user", model="new-model", cost_usd="90")
    page.locator(".live [data-refresh]").click()
    wait_until_drawn(page)
    page.locator("#time-range a", has_text="7d").click()
    wait_until_drawn(page)
    page.locator("#filter-agent_id summary").click()
    page.locator(".choice", has_text="agent-1").click(timeout=LONG_MS)
    wait_until_drawn(page)
    assert page.evaluate("window.shifted") == []


def test_nothing_moves_while_pages_load_on_a_narrow_screen(page: Page, live_server: Any, tenant: Tenant) -> None:
    page.add_init_script(SHIFTS)
    page.set_viewport_size(NARROW)
    fill(tenant)
    for name in ["usage", "cost", "performance", "agents", "traces", "query", "insights"]:
        open_page(page, live_server, tenant, name)
        expect(page.locator(".skeleton, .panel[aria-busy=true]")).to_have_count(0, timeout=LONG_MS)
        assert page.evaluate("window.shifted") == [], name


def test_a_table_of_one_row_takes_little_room(page: Page, live_server: Any, tenant: Tenant) -> None:
    tenant.calls(1, datetime.now(UTC), user_id="ada")
    open_page(page, live_server, tenant, "usage")
    wait_until_drawn(page)
    box = page.locator("#panel-usage-top-users .panel-body").bounding_box()
    assert box
    assert box["height"] < 200


def test_rows_are_sorted_by_keys_and_stay_so_after_a_poll(page: Page, live_server: Any, tenant: Tenant) -> None:
    now = datetime.now(UTC)
    for agent, calls, latency_ms in (("many", 4, 10.0), ("slow", 2, 2000.0), ("few", 1, 300.0)):
        tenant.calls(calls, now, agent_id=agent, latency_ms=latency_ms)
    open_page(page, live_server, tenant, "usage")
    wait_until_drawn(page)
    table = page.locator("#panel-usage-agent-distribution table")
    agents = table.locator("tbody .above")
    head = table.get_by_role("button", name="Latency")
    assert agents.all_inner_texts() == ["many", "slow", "few"]
    head.focus()
    page.keyboard.press("Enter")
    assert agents.all_inner_texts() == ["slow", "few", "many"]
    expect(head.locator("..")).to_have_attribute("aria-sort", "descending")
    tenant.calls(1, now, agent_id="slowest", latency_ms=9000.0)
    page.locator(".live [data-refresh]").click()
    expect(agents.first).to_have_text("slowest", timeout=LONG_MS)
    assert agents.all_inner_texts() == ["slowest", "slow", "few", "many"]
    head.press("Enter")
    assert agents.all_inner_texts() == ["many", "few", "slow", "slowest"]
    head.press("Enter")
    assert agents.first.inner_text() == "many"
    expect(head).to_be_focused()
    page.locator("#panel-usage-agent-distribution .to-list").click()
    page.wait_for_url("**/dashboard/agents?**")


def test_the_keyboard_sees_the_whole_of_a_name_that_is_cut(page: Page, live_server: Any, tenant: Tenant) -> None:
    tenant.calls(1, datetime.now(UTC), agent_id=LONG_ID)
    open_page(page, live_server, tenant, "usage")
    wait_until_drawn(page)
    name = page.locator("#panel-usage-agent-distribution .above")
    expect(name).not_to_have_text(LONG_ID)
    page.locator("#panel-usage-agent-distribution .row-link").focus()
    page.keyboard.press("Tab")
    expect(name).to_be_focused()
    tip = page.locator("#tip")
    expect(tip).to_have_text(LONG_ID)
    expect(tip).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()


def test_one_banner_says_that_the_server_cannot_be_reached(page: Page, live_server: Any, tenant: Tenant) -> None:
    tenant.calls(1, datetime.now(UTC))
    open_page(page, live_server, tenant, "usage")
    wait_until_drawn(page)
    page.context.set_offline(True)
    page.locator(".live [data-refresh]").click()
    banner = page.locator("#offline")
    expect(banner).to_contain_text("The server cannot be reached. What you see is from", timeout=LONG_MS)
    expect(page.locator(".panel-error:visible")).to_have_count(1)
    page.context.set_offline(False)
    banner.get_by_role("button", name="Retry").click()
    expect(banner).to_be_hidden(timeout=LONG_MS)
    expect(page.locator(".panel.stale")).to_have_count(0, timeout=LONG_MS)


def test_p99_can_be_hidden_and_stays_so(page: Page, live_server: Any, tenant: Tenant) -> None:
    fill(tenant)
    open_page(page, live_server, tenant, "performance")
    wait_until_drawn(page)
    shown = "() => document.querySelector('#chart-performance-latency').data.map((one) => [one.name, one.visible])"
    panel = page.locator("#panel-performance-latency")
    panel.locator(".take summary").click()
    panel.get_by_role("button", name="Hide p99").click()
    assert ["p99", False] in page.evaluate(shown)
    page.reload()
    wait_until_drawn(page)
    assert ["p99", False] in page.evaluate(shown)
    assert ["p95", True] in page.evaluate(shown)


def test_a_new_call_is_on_the_open_page_on_every_range(page: Page, live_server: Any, tenant: Tenant) -> None:
    page.clock.install()
    open_page(page, live_server, tenant, "usage")
    for calls, name in enumerate([*RANGES, "Today", "This month so far"], start=1):
        if name in RANGES:
            page.locator("#time-range > a", has_text=name).click()
        else:
            page.locator("#time-range summary").click()
            page.get_by_role("link", name=name, exact=True).click()
        wait_until_drawn(page)
        expect_card(page, "Total calls", str(calls - 1))
        tenant.calls(1, datetime.now(UTC))
        page.clock.fast_forward(POLL_SECONDS * 1000 + 1000)
        expect(card(page, "Total calls")).to_have_text(str(calls), timeout=15_000)  # a rarer poll would take longer


def test_a_page_asks_often_enough_to_show_a_new_call_within_ten_seconds() -> None:
    slower = {route: metric.panel.poll_seconds for route, metric in METRICS.items() if metric.panel.poll_seconds > 8}
    assert slower == {"cost/budget": 60}
    assert POLL_SECONDS <= 8
    assert answers.LATEST_SECONDS <= 8
