"""The page of one trace in a browser: keyboard, what is chosen, spans that arrive, and thousands of spans."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.steps import LONG_MS
from tests.browser.test_accessibility import PHONE, WIDE, violations
from tests.tenant import Tenant, a_row
from traces import writer

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


def a_trace(tenant: Tenant) -> None:
    at = datetime.now(UTC) - timedelta(minutes=5)
    said = {"gen_ai.input.messages": json.dumps([{"role": "user", "content": "Weather in Oslo?"}])}
    failed = {"status": "error", "error_type": "rate_limit", "error_message": "slow down"}
    usage = {"input_tokens": 1000, "output_tokens": 10, "cost_usd": "0.02", "cost_source": "reported"}
    spans: list[dict[str, Any]] = [
        {"span_id": "run", "operation": "invoke_agent", "name": "run support", "latency_ms": 4000.0},
        {"span_id": "ask", "name": "chat gpt-4o", "latency_ms": 900.0, "attributes": said, "first_token_ms": 300.0}
        | usage,
        {"span_id": "look", "operation": "execute_tool", "name": "look", "tool": "look", "latency_ms": 500.0},
        {"span_id": "fail", "name": "chat again", "latency_ms": 100.0} | failed,
    ]
    for number, span in enumerate(spans):
        parent = None if span["span_id"] == "run" else "run"
        row = a_row(at + timedelta(seconds=number), trace_id="t", parent_span_id=parent, **span)
        writer.store(tenant.workspace.id, [row])


def open_trace(page: Page, live_server: Any, tenant: Tenant, query: str = "") -> None:
    page.goto(f"{live_server.url}/dashboard/traces/t?workspace={tenant.workspace.id}{query}")
    expect(page.locator("[role=treeitem]").first).to_be_attached(timeout=LONG_MS)
    expect(page.locator("#detail .skeleton")).to_have_count(0, timeout=LONG_MS)


def selected(page: Page) -> str:
    return page.locator("[aria-selected=true] .row-name").inner_text()


@pytest.mark.parametrize(("scheme", "viewport"), [("light", WIDE), ("dark", PHONE)], ids=["wide", "phone"])
def test_the_page_is_accessible_and_fits_the_screen(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str], scheme: Any, viewport: ViewportSize
) -> None:
    a_trace(tenant)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size(viewport)
    for query in ("", "&span=ask", "&span=fail"):
        open_trace(page, live_server, tenant, query)
        assert violations(page) == [], query
        expect(page.locator("h1")).to_have_count(1)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []


def test_the_keyboard_walks_the_tree_and_the_url_names_the_span(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    a_trace(tenant)
    open_trace(page, live_server, tenant)
    expect(page.locator("#detail")).to_contain_text("Weather in Oslo?")
    page.locator("#tree").focus()
    for key in ("j", "ArrowDown", "ArrowDown", "k", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#detail h2").first).to_contain_text("look")
    assert selected(page) == "look"
    assert "span=look" in page.url
    for key in ("ArrowLeft", "ArrowLeft"):  # to the parent, and closes it
        page.keyboard.press(key)
    expect(page.locator("[role=treeitem]:visible")).to_have_count(1)
    page.keyboard.press("ArrowRight")
    expect(page.locator("[role=treeitem]:visible")).to_have_count(4)
    page.reload()
    expect(page.locator("#detail h2").first).to_contain_text("look", timeout=LONG_MS)
    page.get_by_role("button", name="Conversation").click()
    expect(page.locator("#detail")).to_contain_text("Weather in Oslo?")
    assert "span=" not in page.url
    assert complaints == []


def test_spans_that_arrive_while_the_page_is_open_appear(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    a_trace(tenant)
    open_trace(page, live_server, tenant)
    expect(page.locator("[role=treeitem]:visible")).to_have_count(4)
    late = a_row(datetime.now(UTC), trace_id="t", span_id="late", parent_span_id="run", name="late answer")
    writer.store(tenant.workspace.id, [late])
    page.evaluate("poll()")
    expect(page.locator("[role=treeitem]:visible")).to_have_count(5, timeout=LONG_MS)
    expect(page.locator("#tree-news")).to_have_text("1 more span has arrived.")
    expect(page.locator("#trace-head")).to_contain_text(re.compile(r"Spans\s*5"), timeout=LONG_MS)
    assert complaints == []


def test_a_person_scores_the_trace_and_one_of_its_spans(page: Page, live_server: Any, tenant: Tenant) -> None:
    a_trace(tenant)
    open_trace(page, live_server, tenant, "&span=ask")
    page.get_by_label("Comment").fill("Asked well")
    page.get_by_role("button", name="Good").click()
    expect(page.locator(".score-list")).to_contain_text("Asked well", timeout=LONG_MS)
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator(".score-form .form-status")).to_contain_text("enter a number")


def test_thousands_of_spans_are_drawn_as_they_come_into_view(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    at = datetime.now(UTC) - timedelta(hours=2)
    rows = [
        a_row(
            at + timedelta(milliseconds=number),
            trace_id="t",
            span_id=f"s{number}",
            parent_span_id=f"s{(number - 1) // 8}" if number else None,
            name=f"step {number}",
            latency_ms=5.0,
        )
        for number in range(3000)
    ]
    writer.store(tenant.workspace.id, rows)
    open_trace(page, live_server, tenant, "&span=s2999")
    assert selected(page) == "step 2999"  # below levels that are closed at first
    assert page.locator("[role=treeitem]").count() < 100
    page.locator("#tree").focus()
    page.keyboard.press("End")
    page.keyboard.press("Home")
    expect(page.locator(".row.active .row-name")).to_have_text("step 0")
    assert complaints == []
