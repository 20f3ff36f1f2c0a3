"""Charts are split, and costs are switched, by mouse, by keys and on a phone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.steps import LONG_MS, cells, expect_card, open_page, wait_until_drawn
from tests.tenant import Tenant

pytestmark = [pytest.mark.django_db(databases="__all__", transaction=True), pytest.mark.usefixtures("always_renewed")]

SUMMARY = ".split summary"
COSTS = "#panel-cost-by-model"


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    context.set_default_timeout(LONG_MS)
    yield context.new_page()
    context.close()


def calls(tenant: Tenant) -> None:
    at = datetime.now(UTC) - timedelta(seconds=1)
    timed = {"latency_ms": 100.0, "first_token_ms": 10.0, "output_tokens": 5, "input_tokens": 50}
    tenant.calls(2, at, release="41", cost_usd="1", labels={"customer": "acme"}, user_id="ada", **timed)
    tenant.calls(1, at, release="42", cost_usd="3", labels={"customer": "globex"}, user_id="bob", **timed)


def legend(page: Page, panel: str) -> list[str]:
    names: list[str] = page.locator(f"#panel-{panel} .legend li").all_inner_texts()
    return [name.strip() for name in names]


def test_charts_are_split_by_keys_and_stay_so_on_other_pages(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    calls(tenant)
    open_page(page, live_server, tenant, "performance")
    wait_until_drawn(page)
    page.locator(SUMMARY).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".split .choice", has_text="Release")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_label("Search: Split charts by")).to_be_focused()
    page.keyboard.type("rel")
    expect(page.locator(".split .choice", has_text="Agent")).to_have_count(0, timeout=LONG_MS)
    page.keyboard.press("Enter")
    page.wait_for_url("**split=release**")
    wait_until_drawn(page)
    expect(page.locator(SUMMARY)).to_have_text("Split by release")
    for panel in ("latency", "first-token", "tokens-per-second", "throughput"):
        assert sorted(legend(page, f"performance-{panel}")) == ["41", "42"], panel
    page.locator(".pages a", has_text="Usage").click()
    wait_until_drawn(page)
    expect(page.locator("#panel-usage-calls-over-time h2")).to_have_text("Calls over time by release")
    page.locator(SUMMARY).click()
    page.locator(".split .choice", has_text="Nothing").click(timeout=LONG_MS)
    expect(page.locator("#panel-usage-calls-over-time h2")).to_have_text("Calls over time", timeout=LONG_MS)
    page.go_back()
    expect(page.locator(SUMMARY)).to_have_text("Split by release")
    assert complaints == []


def test_a_name_in_the_legend_narrows_the_page_which_stays_split(page: Page, live_server: Any, tenant: Tenant) -> None:
    calls(tenant)
    open_page(page, live_server, tenant, "usage", "&split=label.customer")
    wait_until_drawn(page)
    page.locator("#panel-usage-calls-over-time .legend a", has_text="acme").click()
    expect_card(page, "Total calls", "2")
    expect(page.locator(".filter.set summary")).to_have_text("customer: acme")
    expect(page.locator(SUMMARY)).to_have_text("Split by customer")
    wait_until_drawn(page)
    assert legend(page, "usage-calls-over-time") == ["acme"]


def test_a_click_on_a_bar_of_a_split_chart_narrows_to_its_bucket(page: Page, live_server: Any, tenant: Tenant) -> None:
    calls(tenant)
    open_page(page, live_server, tenant, "cost", "&split=release")
    wait_until_drawn(page)
    page.locator("#panel-cost-trend details:not(.menu) summary").click()
    page.locator("#panel-cost-trend tbody tr a").last.click()
    expect(page.locator(".leave")).to_be_visible(timeout=LONG_MS)
    assert "split=release" in page.url
    assert "measures" not in page.url
    page.locator(".leave").click()
    expect(page.locator(".group a[aria-current]").first).to_have_text("24h")
    assert "split=release" in page.url
    assert "granularity" not in page.url


def test_costs_are_switched_by_keys_and_the_panel_stays_in_view(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    calls(tenant)
    open_page(page, live_server, tenant, "cost")
    wait_until_drawn(page)
    page.locator(f"{COSTS} .cost-by a", has_text="Model").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**cost_by=user_id**")
    expect(page.locator(f"{COSTS} h2")).to_have_text("Cost by user", timeout=LONG_MS)
    expect(page.locator(COSTS)).to_be_in_viewport()
    expect(page.locator(f"{COSTS} .cost-by [aria-current]")).to_have_text("User")
    assert cells(page, "cost-by-model", "bob")[1:4] == ["$3.00", "60 %", "$3.00"]
    page.keyboard.press("Tab")
    assert page.evaluate(f"document.querySelector('{COSTS}').contains(document.activeElement)")
    page.locator(f"{COSTS} summary", has_text="Label").click()
    page.locator(f"{COSTS} .choice", has_text="customer").click(timeout=LONG_MS)
    expect(page.locator(f"{COSTS} h2")).to_have_text("Cost by customer", timeout=LONG_MS)
    page.locator(f"{COSTS} tbody a", has_text="globex").click()
    expect_card(page, "Spend", "$3.00")
    expect(page.locator(f"{COSTS} h2")).to_have_text("Cost by customer", timeout=LONG_MS)
    assert complaints == []


def test_a_poll_keeps_the_open_table_of_a_split_chart(page: Page, live_server: Any, tenant: Tenant) -> None:
    page.clock.install()
    calls(tenant)
    open_page(page, live_server, tenant, "performance", "&split=release")
    wait_until_drawn(page)
    table = page.locator("#panel-performance-throughput details:not(.menu)")
    table.locator("summary").click()
    tenant.calls(5, datetime.now(UTC) - timedelta(seconds=1), release="43")
    page.clock.fast_forward(31_000)
    expect(page.locator("#panel-performance-throughput .legend")).to_contain_text("43", timeout=LONG_MS)
    expect(table).to_have_attribute("open", "")


@pytest.mark.parametrize("name", ["usage", "cost", "performance"])
def test_on_a_phone_a_split_page_never_scrolls_sideways(
    phone: Page, live_server: Any, tenant: Tenant, name: str
) -> None:
    calls(tenant)
    open_page(phone, live_server, tenant, name, "&split=label.customer&cost_by=label.customer")
    wait_until_drawn(phone)
    assert phone.evaluate("document.documentElement.scrollWidth") == 390


def test_on_a_phone_costs_are_switched_to_a_label(phone: Page, live_server: Any, tenant: Tenant) -> None:
    calls(tenant)
    open_page(phone, live_server, tenant, "cost")
    wait_until_drawn(phone)
    phone.locator(f"{COSTS} summary", has_text="Label").tap()
    phone.locator(f"{COSTS} .choice", has_text="customer").tap(timeout=LONG_MS)
    expect(phone.locator(f"{COSTS} h2")).to_have_text("Cost by customer", timeout=LONG_MS)
    phone.locator(".bar-switch").tap()
    phone.locator(SUMMARY).tap()
    phone.locator(".split .choice", has_text="Release").tap(timeout=LONG_MS)
    expect(phone.locator("#panel-cost-trend h2")).to_have_text("Cost over time by release", timeout=LONG_MS)
