from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.steps import LONG_MS, cells, expect_card, open_page, wait_until_drawn
from tests.tenant import Tenant

pytestmark = [pytest.mark.django_db(databases="__all__", transaction=True), pytest.mark.usefixtures("always_renewed")]


def recently() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=1)


def test_all_panels_show_the_numbers_and_both_charts_are_drawn(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    tenant.calls(3, recently(), latency_ms=1000.0)
    tenant.calls(
        1,
        recently(),
        latency_ms=1000.0,
        status="error",
        error_type="rate_limit",
        error_message="slow down",
        user_id="ada",
    )
    open_page(page, live_server, tenant, "performance")
    wait_until_drawn(page)
    for label in ("p50 latency", "p95 latency", "p99 latency"):
        expect_card(page, label, "1.0 s")
    expect_card(page, "Error rate", "25 %")
    expect(page.locator("h1")).to_contain_text("p95 latency was 1.0 s in the last 24 hours")
    expect(page.locator("h1")).to_contain_text("25 % of 4 calls failed, most often rate_limit.")
    assert page.locator(".summary dd").all_inner_texts()[:3] == ["1.0 s", "75 %", "4"]
    name = "error Only rate_limit rate_limit"
    assert cells(page, "performance-errors", "rate_limit")[:6] == [name, "1", "25 %", "100 %", "1", "1"]
    expect(page.locator("#panel-performance-errors")).to_contain_text("slow down")
    expect(page.locator("#chart-performance-latency .scatterlayer .trace").first).to_be_attached()
    expect(page.locator("#chart-performance-throughput .barlayer .point").first).to_be_attached()
    assert complaints == []


def test_the_page_without_failures_says_so(page: Page, live_server: Any, tenant: Tenant) -> None:
    tenant.calls(1, recently(), latency_ms=100.0)
    open_page(page, live_server, tenant, "performance")
    expect(page.locator(".happy")).to_contain_text("No call failed in the last 24 hours.", timeout=LONG_MS)
    expect(page.locator("h1")).to_contain_text("the one call did not fail")


def test_an_empty_workspace_says_what_to_do(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    open_page(page, live_server, tenant, "performance")
    expect(page.locator("h1")).to_have_text("No calls in the last 24 hours.", timeout=LONG_MS)
    expect(page.locator("#first-trace-command")).to_be_visible()
    expect(page.locator(".happy")).to_have_count(0)
    assert complaints == []


def test_a_range_and_a_filter_change_the_numbers_and_stay_on_the_way_to_another_page(
    page: Page, live_server: Any, tenant: Tenant
) -> None:
    tenant.calls(1, recently(), agent_id="sales", latency_ms=200.0)
    tenant.calls(1, recently() - timedelta(days=2), agent_id="sales", latency_ms=400.0)
    tenant.calls(5, recently(), agent_id="support", latency_ms=900.0)
    open_page(page, live_server, tenant, "performance")
    expect_card(page, "p50 latency", "900 ms")
    page.locator("summary", has_text="Agent").click()
    page.locator(".filter input[type=search]").first.fill("SAL")
    expect(page.locator(".choices a", has_text="support")).to_have_count(0)
    page.locator(".choices a", has_text="sales").click()
    expect_card(page, "p50 latency", "200 ms")
    page.locator(".group a", has_text="7d").click()
    expect_card(page, "p50 latency", "300 ms")
    page.locator(".group a", has_text="daily").click()
    expect(page.locator(".group a", has_text="daily")).to_have_attribute("aria-current", "true")
    page.locator(".pages a", has_text="Usage").click()
    expect_card(page, "Total calls", "2")
    assert all(part in page.url for part in ("range=7d", "granularity=daily", "agent_id=sales"))
    page.locator(".remove").click()
    expect_card(page, "Total calls", "7")


def test_the_list_of_a_filter_is_reached_and_left_by_keys(page: Page, live_server: Any, tenant: Tenant) -> None:
    tenant.calls(1, recently(), model="small")
    tenant.calls(2, recently(), model="large")
    open_page(page, live_server, tenant, "performance")
    menu = page.locator("summary", has_text="Model")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".choices a", has_text="small")).to_be_visible(timeout=LONG_MS)
    expect(page.locator(".filter input[aria-label='Search: Model']")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".choices a", has_text="large")).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    expect(page.locator(".choices a", has_text="large")).to_be_hidden()


def test_enter_takes_the_only_choice_that_a_search_leaves(page: Page, live_server: Any, tenant: Tenant) -> None:
    tenant.calls(1, recently(), model="small")
    tenant.calls(2, recently(), model="large")
    open_page(page, live_server, tenant, "performance")
    page.locator("summary", has_text="Model").click()
    search = page.get_by_label("Search: Model")
    expect(page.locator(".choices a", has_text="small")).to_be_visible(timeout=LONG_MS)
    search.press("Enter")
    search.fill("a")  # both names contain it
    search.press("Enter")
    assert "model=" not in page.url
    search.fill("sm")
    expect(page.locator(".choices a", has_text="large")).to_have_count(0)
    search.press("Enter")
    page.wait_for_url("**model=small**")
    expect(page.locator(".filter.set summary")).to_have_text("Model: small")


def test_a_label_is_chosen_by_its_name_and_its_values_are_left_out_or_added(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    tenant.calls(1, recently(), labels={"customer": "acme"})
    tenant.calls(3, recently(), labels={"customer": "globex"})
    tenant.calls(5, recently())
    open_page(page, live_server, tenant, "usage")
    expect_card(page, "Total calls", "9")
    page.locator("summary", has_text="More").click()
    page.locator(".list button", has_text="customer").click(timeout=LONG_MS)
    page.get_by_label("All but acme").click(timeout=LONG_MS)
    expect_card(page, "Total calls", "8")
    chip = page.locator(".filter.set summary")
    expect(chip).to_have_text("customer: not acme")
    chip.click()
    page.get_by_label("acme too").click(timeout=LONG_MS)
    expect_card(page, "Total calls", "1")
    chip.click()
    page.get_by_label("globex too").click(timeout=LONG_MS)
    expect_card(page, "Total calls", "4")
    expect(chip).to_have_text("customer: acme, globex")
    page.locator(".remove").click()
    expect_card(page, "Total calls", "9")
    assert complaints == []


def test_a_custom_window_is_chosen_in_the_workspaces_zone(page: Page, live_server: Any, tenant: Tenant) -> None:
    tenant.workspace.time_zone = "Asia/Kolkata"
    tenant.workspace.save()
    tenant.calls(3, datetime(2026, 6, 1, 4, 45, tzinfo=UTC), latency_ms=100.0)  # 10:15 in Kolkata
    open_page(page, live_server, tenant, "performance")
    page.locator("summary", has_text="Custom").click()
    page.fill("[name=from]", "2026-06-01T10:00")
    page.fill("[name=to]", "2026-06-01T10:30")
    page.locator(".window-form button").click()
    expect(page.locator(".summary dd").nth(2)).to_have_text("3", timeout=LONG_MS)
    expect(page.locator("[aria-label='Time range'] summary")).to_contain_text("1 Jun, 10:00 to 10:30")
    expect(page.locator("footer")).to_contain_text("Times are in Asia/Kolkata")


def test_a_window_that_ends_before_it_starts_is_not_sent(page: Page, live_server: Any, tenant: Tenant) -> None:
    open_page(page, live_server, tenant, "performance", "&model=small")
    page.locator("summary", has_text="Custom").click()
    page.fill("[name=from]", "2026-06-01T10:00")
    page.fill("[name=to]", "2026-06-01T10:00")
    page.locator(".window-form button").click()
    expect(page.locator("#window-error")).to_have_text("To must be later than From")
    expect(page.locator("[name=to]")).to_be_focused()
    assert "model=small" in page.url
    page.fill("[name=to]", "2026-06-01T10:30")
    page.locator(".window-form button").click()
    page.wait_for_url("**start=2026-06-01**")
    assert "model=small" in page.url


def test_a_poll_keeps_an_open_table(page: Page, live_server: Any, tenant: Tenant) -> None:
    page.clock.install()
    tenant.calls(1, recently(), latency_ms=100.0)
    open_page(page, live_server, tenant, "performance")
    expect_card(page, "p50 latency", "100 ms")
    expect(page.locator("#chart-performance-throughput .barlayer")).to_be_attached(timeout=LONG_MS)
    page.locator("#table-performance-throughput summary").click()
    tenant.calls(1, recently(), latency_ms=300.0)
    page.clock.fast_forward(31_000)
    expect_card(page, "p50 latency", "200 ms")
    expect(page.locator("#table-performance-throughput tbody tr").last).to_contain_text("2", timeout=LONG_MS)
    expect(page.locator("#table-performance-throughput")).to_have_attribute("open", "")


def test_one_failing_panel_leaves_the_others_alone(page: Page, live_server: Any, tenant: Tenant) -> None:
    tenant.calls(1, recently(), latency_ms=100.0)

    def fail(route: Route) -> None:
        route.fulfill(status=503, body="<p>The database does not answer right now.</p>")

    page.route("**/performance/latency*", fail)
    open_page(page, live_server, tenant, "performance")
    panel = page.locator("#panel-performance-latency")
    expect(panel.locator(".panel-error")).to_contain_text("does not answer", timeout=LONG_MS)
    expect_card(page, "p50 latency", "100 ms")
    expect(page.locator(".panel-error:visible")).to_have_count(1)
    page.unroute("**/performance/latency*", fail)
    panel.locator("[data-retry]").click()
    expect(panel.locator(".panel-error")).to_be_hidden()
    expect(panel.locator(".main-svg").first).to_be_attached(timeout=LONG_MS)
