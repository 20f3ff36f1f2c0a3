"""The pages of traces, sessions, users, agents and tools: axe, no layout shift, fitting tables, links and Back."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.steps import LONG_MS, open_page, wait_until_drawn
from tests.browser.test_accessibility import PHONE, WIDE, violations
from tests.browser.test_weight import SHIFTS
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

LISTS = ("traces", "sessions", "users", "agents", "tools")
ONES = ("traces/t1", "sessions/talk", "users/ada", "agents/support", "tools/look")
LONG_NAME = "a-name-that-is-as-long-as-a-sentence-and-then-some-more-of-it"
HIDDEN_PIXELS = "(({scrollWidth, clientWidth}) => scrollWidth - clientWidth)(document.querySelector('.scroll'))"
CUT = "[...document.querySelectorAll('td.number')].filter((cell) => cell.scrollWidth > cell.clientWidth).length"


def fill(tenant: Tenant) -> None:
    said = {"gen_ai.input.messages": json.dumps([{"role": "user", "content": "Weather in Oslo?"}])}
    person = {"user_id": "ada", "session_id": "talk", "release": LONG_NAME}
    usage = {"input_tokens": 22_137, "output_tokens": 1_701, "cost_usd": "0.0042", "latency_ms": 900.0}
    for number in range(1, 9):
        at = datetime.now(UTC) - timedelta(minutes=20 * number)
        one = {"trace_id": f"t{number}", "name": f"run {number} {LONG_NAME}", **person}
        tenant.calls(1, at, attributes=said, model=f"{LONG_NAME}-{number % 2}", **one, **usage)
        status = {"status": "error", "error_type": LONG_NAME, "error_message": "no answer"} if number % 2 else {}
        tool = {"operation": "execute_tool", "tool": "look", "model": None, "provider": None, "latency_ms": 30.0}
        tenant.calls(1, at, **one, **tool, **status)
    long_names = {"user_id": LONG_NAME, "session_id": LONG_NAME, "agent_id": LONG_NAME}
    tenant.calls(1, datetime.now(UTC) - timedelta(minutes=5), **long_names)


@pytest.mark.parametrize("name", [*LISTS, *ONES])
@pytest.mark.parametrize(("scheme", "viewport"), [("light", WIDE), ("dark", PHONE)], ids=["wide", "phone"])
def test_a_page_is_accessible_fits_the_screen_and_moves_nothing(
    page: Page,
    live_server: Any,
    tenant: Tenant,
    complaints: list[str],
    name: str,
    scheme: Any,
    viewport: ViewportSize,
) -> None:
    fill(tenant)
    page.add_init_script(SHIFTS)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size(viewport)
    open_page(page, live_server, tenant, name)
    wait_until_drawn(page)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.shifted") == []
    assert violations(page) == []
    expect(page.locator("h1")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []


@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_the_lists_usual_columns_are_read_without_scrolling(
    page: Page, live_server: Any, tenant: Tenant, width: int
) -> None:
    fill(tenant)
    page.set_viewport_size({"width": width, "height": 900})
    open_page(page, live_server, tenant, "traces")
    expect(page.locator("tbody tr")).to_have_count(9, timeout=LONG_MS)
    assert page.evaluate(HIDDEN_PIXELS) == 0
    assert page.evaluate(CUT) == 0
    assert {"Trace", "Duration", "Cost"} <= {*page.locator("thead th:visible").all_inner_texts()}


def test_a_tool_is_chosen_from_a_list(page: Page, live_server: Any, tenant: Tenant) -> None:
    fill(tenant)
    open_page(page, live_server, tenant, "traces")
    page.locator(".filter.tool summary").click()
    page.keyboard.type("loo")
    page.locator(".filter.tool .choice", has_text="look").click()
    page.wait_for_url("**tool=look**")
    expect(page.locator("#trace-count")).to_have_text("8 traces", timeout=LONG_MS)
    page.locator(".filter.tool .remove").click()
    expect(page.locator("#trace-count")).to_have_text("9 traces", timeout=LONG_MS)


def test_back_returns_to_the_row_that_was_read(page: Page, live_server: Any, tenant: Tenant) -> None:
    for number in range(45):
        tenant.calls(1, datetime.now(UTC) - timedelta(minutes=number + 1), trace_id=f"t{number}", name=f"run {number}")
    open_page(page, live_server, tenant, "traces")
    page.get_by_text("run 40", exact=True).scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    assert before > 200
    page.get_by_text("run 40", exact=True).click()
    page.wait_for_url("**/dashboard/traces/t40**")
    expect(page.locator("#detail .skeleton")).to_have_count(0, timeout=LONG_MS)
    page.go_back()
    expect(page.get_by_text("run 40", exact=True)).to_be_in_viewport(timeout=LONG_MS)
    assert page.evaluate("scrollY") == before


def test_a_short_list_has_a_short_card(page: Page, live_server: Any, tenant: Tenant) -> None:
    fill(tenant)
    open_page(page, live_server, tenant, "tools")
    expect(page.locator("tbody tr")).to_have_count(1, timeout=LONG_MS)
    card = page.locator("#panel-tools").bounding_box()
    assert card
    assert card["height"] < 250
