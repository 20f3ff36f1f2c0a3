"""At 390 pixels a page scrolls down and never sideways; content that does not fit scrolls in its own card."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from analytics.catalogue import PAGES
from ingest.store import store_scores
from tests.browser.steps import LONG_MS, open_page, wait_until_drawn
from tests.tenant import Tenant
from traces.scores import Score

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)
WIDTH = 390
LONG_NAME = "an_agent_whose_name_is_as_long_as_a_sentence_and_then_some_more_of_it"
"""Without a place where a browser would break a line."""
OVERHANGING = """
() => [...document.querySelectorAll("body *")].filter((element) => {
  const { width, right } = element.getBoundingClientRect();
  return width && right > 391 && !element.closest(".scroll, .legend, pre, .js-plotly-plot, .spark, .unseen");
}).map((element) => element.outerHTML.slice(0, 80))
"""


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": WIDTH, "height": 844}, has_touch=True, is_mobile=True)
    context.set_default_timeout(LONG_MS)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", [page.domain for page in PAGES])
def test_nothing_is_wider_than_the_screen(phone: Page, live_server: Any, tenant: Tenant, name: str) -> None:
    now = datetime.now(UTC)
    tenant.calls(2, now, agent_id=LONG_NAME, model=LONG_NAME, user_id=LONG_NAME, cost_usd="12345", latency_ms=99_999.0)
    tenant.calls(1, now, status="error", error_type=LONG_NAME, error_message=LONG_NAME * 3)
    open_page(phone, live_server, tenant, name, f"&agent_id={LONG_NAME}&model={LONG_NAME}" if name == "usage" else "")
    wait_until_drawn(phone)
    assert phone.evaluate(OVERHANGING) == []
    assert phone.evaluate("document.documentElement.scrollWidth") == WIDTH


@pytest.mark.parametrize(
    ("name", "tables"),
    [
        (
            "usage",
            {
                "usage-agent-distribution": ["Agent", "Calls", "Share"],
                "usage-top-users": ["User", "Calls", "Cost"],
                "usage-scores": ["Score", "Given", "Average"],
            },
        ),
        ("cost", {"cost-by-model": ["Model", "Cost", "Share"]}),
        ("performance", {"performance-errors": ["Error", "Calls", "Rate"]}),
    ],
)
def test_a_tables_first_columns_are_read_without_scrolling(
    phone: Page, live_server: Any, tenant: Tenant, name: str, tables: dict[str, list[str]]
) -> None:
    now = datetime.now(UTC)
    tenant.calls(2, now, user_id="ada", cost_usd="12345", latency_ms=10.0)
    tenant.calls(1, now, status="error", error_type="rate_limit")
    scored = {"timestamp": now, "name": LONG_NAME, "trace_id": "t", "source": "api"}
    store_scores(tenant.workspace.id, [Score(id=word, category=word, **scored) for word in ("good", LONG_NAME)])
    store_scores(tenant.workspace.id, [Score(id="1", number=Decimal("0.0002"), **scored)])
    open_page(phone, live_server, tenant, name)
    for panel, columns in tables.items():
        heads = phone.locator(f"#panel-{panel} thead th")
        expect(heads.first).to_be_visible()
        assert heads.all_inner_texts()[: len(columns)] == columns
        scroll = phone.locator(f"#panel-{panel} .scroll").bounding_box()
        last = heads.nth(len(columns) - 1).bounding_box()
        assert scroll
        assert last
        assert last["x"] + last["width"] <= scroll["x"] + scroll["width"] + 1


def test_filters_and_windows_are_chosen_with_a_finger(phone: Page, live_server: Any, tenant: Tenant) -> None:
    tenant.calls(1, datetime.now(UTC), agent_id="sales")
    open_page(phone, live_server, tenant, "usage")
    phone.locator(".bar-switch").tap()
    phone.locator("summary", has_text="Custom").tap()
    expect(phone.locator(".window-form")).to_be_in_viewport()
    phone.locator("summary", has_text="Custom").tap()
    phone.locator("summary", has_text="Agent").tap()
    phone.locator(".choices a", has_text="sales").tap()
    phone.wait_for_url("**agent_id=sales**")
    expect(phone.locator(".bar-switch")).to_contain_text("Agent: sales")
    expect(phone.locator(".filters")).to_be_hidden()


@pytest.mark.parametrize("name", ["traces", "sessions", "users", "agents", "tools"])
def test_a_list_begins_in_the_upper_half(phone: Page, live_server: Any, tenant: Tenant, name: str) -> None:
    at = datetime.now(UTC)
    tenant.calls(1, at, user_id="ada", session_id="talk")
    tenant.calls(1, at, operation="execute_tool", tool="look", model=None, provider=None)
    open_page(phone, live_server, tenant, name)
    first = phone.locator("tbody tr").first
    expect(first).to_be_visible(timeout=LONG_MS)
    box = first.bounding_box()
    assert box
    assert box["y"] < 422


def test_the_bottom_bar_has_the_first_pages_and_opens_the_others(phone: Page, live_server: Any, tenant: Tenant) -> None:
    open_page(phone, live_server, tenant, "usage")
    links = phone.locator(".pages.main a:visible")
    assert links.all_inner_texts() == ["Usage", "Cost", "Performance", "Traces", "Sessions"]
    phone.get_by_role("button", name="More", exact=True).tap()
    links.filter(has_text="Tools").tap()
    phone.wait_for_url("**/dashboard/tools**")
    assert links.all_inner_texts() == ["Usage", "Cost", "Performance", "Traces", "Tools"]


def test_the_bar_of_the_apis_page_takes_two_lines(phone: Page, live_server: Any) -> None:
    phone.goto(f"{live_server.url}/api/v1/docs")
    bar = phone.locator(".nav").bounding_box()
    assert bar
    assert bar["height"] < 100
    assert phone.evaluate("document.documentElement.scrollWidth") == WIDTH
