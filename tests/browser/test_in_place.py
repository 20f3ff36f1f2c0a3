"""Filters, windows and order change in place: the page is not loaded again, focus and scrolling stay, nothing moves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import ARGUMENTS
from tests.browser.steps import LONG_MS, expect_card, open_page, wait_until_drawn
from tests.browser.test_weight import SHIFTS
from tests.tenant import Tenant
from tests.tools import tool

pytestmark = [pytest.mark.django_db(databases="__all__", transaction=True), pytest.mark.usefixtures("always_renewed")]

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)
DAYS = f"&start={NOON - timedelta(hours=12):%Y-%m-%dT%H:%M:%SZ}&end={NOON + timedelta(hours=12):%Y-%m-%dT%H:%M:%SZ}"
CHART = "#chart-calls-over-time"


@pytest.fixture(autouse=True)
def nothing_complained(complaints: list[str]) -> Iterator[None]:
    yield
    assert [line for line in complaints if "422" not in line] == []


def mark(page: Page) -> None:
    """Leaves a mark that a page which is loaded again has lost."""
    page.evaluate("window.isTheSame = true")


def is_the_same(page: Page) -> bool:
    return bool(page.evaluate("window.isTheSame === true"))


def focused(page: Page) -> Locator:
    return page.locator(":focus")


def middle_of(page: Page, hour: int) -> tuple[float, float]:
    """Returns the middle of the column of an hour in the chart of the 24 hours around NOON."""
    area = page.locator(f"{CHART} .nsewdrag")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box
    return box["x"] + box["width"] * (hour + 0.5) / 24, box["y"] + box["height"] / 2


def test_ranges_and_filters_change_in_place_with_focus_and_scrolling(
    page: Page, live_server: Any, tenant: Tenant
) -> None:
    page.add_init_script(SHIFTS.replace(".chart,", ".bar, tbody, .nothing, .chart,"))  # they change
    tenant.calls(2, NOON, agent_id="support", user_id="ada")
    tenant.calls(1, datetime.now(UTC) - timedelta(hours=2), agent_id="sales", user_id="bob")
    open_page(page, live_server, tenant, "usage")
    wait_until_drawn(page)
    mark(page)
    page.mouse.wheel(0, 240)
    page.wait_for_function("() => scrollY > 200")
    scrolled = page.evaluate("scrollY")
    seven_days = page.locator("#time-range a", has_text="7d").bounding_box()
    assert seven_days
    page.mouse.click(seven_days["x"] + 5, seven_days["y"] + 5)  # without Playwright's own scrolling
    expect_card(page, "Total calls", "3")
    wait_until_drawn(page)
    expect(focused(page)).to_have_text("7d")
    assert page.evaluate("scrollY") == scrolled
    page.locator("#filter-agent_id summary").focus()
    page.keyboard.press("Enter")
    page.locator(".choices a", has_text="sales").click(timeout=LONG_MS)
    expect_card(page, "Total calls", "1")
    expect(focused(page)).to_have_text("Agent: sales")
    page.locator("#filter-agent_id .remove").click()
    expect_card(page, "Total calls", "3")
    expect(focused(page)).to_have_text("Agent")
    page.locator("#panel-usage-agent-distribution tr", has_text="support").locator(".row-link").press("Enter")
    expect_card(page, "Total calls", "2")
    wait_until_drawn(page)
    assert page.evaluate("document.activeElement !== document.body")
    page.go_back()
    expect_card(page, "Total calls", "3")
    assert is_the_same(page)
    assert page.evaluate("window.shifted") == []


def test_a_click_narrows_a_drag_sets_the_window_and_reset_and_back_undo_both(
    page: Page, live_server: Any, tenant: Tenant
) -> None:
    for hour, count in ((-1, 1), (0, 2), (1, 4)):
        tenant.calls(count, NOON + timedelta(hours=hour, minutes=5))
    open_page(page, live_server, tenant, "usage", DAYS)
    wait_until_drawn(page)
    mark(page)
    page.mouse.click(*middle_of(page, 12))
    expect_card(page, "Total calls", "2")
    page.locator(".leave").click()
    expect_card(page, "Total calls", "7")
    wait_until_drawn(page)
    page.mouse.click(*middle_of(page, 3))  # an hour without a call
    expect_card(page, "Total calls", "0")
    page.go_back()
    expect_card(page, "Total calls", "7")
    wait_until_drawn(page)
    x, y = middle_of(page, 11)
    page.mouse.move(x - 5, y)
    page.mouse.down()
    page.mouse.move(middle_of(page, 12)[0] + 5, y, steps=5)
    page.mouse.up()
    expect_card(page, "Total calls", "3")
    page.locator(".leave").click()
    expect_card(page, "Total calls", "7")
    assert is_the_same(page)


def test_the_first_tap_shows_the_figures_and_the_second_narrows(
    browser: Browser, live_server: Any, tenant: Tenant
) -> None:
    tenant.calls(2, NOON + timedelta(minutes=5))
    tenant.calls(1, NOON + timedelta(hours=3))
    # The browser without windows sends no moves of a mouse with a tap, as phones do.
    with browser.browser_type.launch(executable_path=tool("chromium"), args=ARGUMENTS) as whole:
        phone = whole.new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
        open_page(phone, live_server, tenant, "usage", DAYS)
        wait_until_drawn(phone)
        address = phone.url
        phone.touchscreen.tap(*middle_of(phone, 12))
        expect(phone.locator(f"{CHART} .hoverlayer")).to_contain_text("2", timeout=LONG_MS)
        assert phone.url == address
        phone.touchscreen.tap(*middle_of(phone, 12))
        expect_card(phone, "Total calls", "2")


def test_a_list_is_searched_and_sorted_in_place(page: Page, live_server: Any, tenant: Tenant) -> None:
    tenant.calls(2, NOON, agent_id="support")
    tenant.calls(1, NOON, agent_id="sales")
    open_page(page, live_server, tenant, "agents", DAYS)
    rows = page.locator("tbody th")
    expect(rows.first).to_contain_text("support", timeout=LONG_MS)
    mark(page)
    page.locator("thead a", has_text="Calls").press("Enter")
    expect(rows.first).to_contain_text("sales", timeout=LONG_MS)
    expect(focused(page)).to_have_text("Calls")
    page.get_by_label("Find agents").fill("supp")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1, timeout=LONG_MS)
    expect(page.get_by_label("Find agents")).to_be_focused()
    assert is_the_same(page)
