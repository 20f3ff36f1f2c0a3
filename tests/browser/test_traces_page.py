"""The list of traces in a browser: keys, the form, what is new, following live, and Back."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.steps import LONG_MS
from tests.browser.test_accessibility import PHONE, WIDE, violations
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

EVERY_COLUMN = "&columns=input&columns=agents&columns=models&columns=user_id&columns=session_id&columns=started_at"
MORE_COLUMNS = "&columns=latency_ms&columns=tokens&columns=cost_usd&columns=labels&columns=scores&columns=error_type"


def some_traces(tenant: Tenant, ago: timedelta = timedelta(minutes=5), count: int = 3) -> None:
    said = {"gen_ai.input.messages": json.dumps([{"role": "user", "content": "Weather in Oslo?"}])}
    for number in range(count):
        at = datetime.now(UTC) - ago - timedelta(seconds=number)
        status = "error" if number == 1 else "success"
        shared = {"user_id": f"user-{number}", "latency_ms": 900.0, "cost_usd": "0.02", "labels": {"customer": "acme"}}
        tenant.calls(1, at, trace_id=f"t{number}", name=f"run {number}", status=status, attributes=said, **shared)


def open_traces(page: Page, live_server: Any, tenant: Tenant, query: str = "") -> None:
    page.goto(f"{live_server.url}/dashboard/traces?workspace={tenant.workspace.id}{query}")
    expect(page.locator("#panel-traces .skeleton")).to_have_count(0, timeout=LONG_MS)


@pytest.mark.parametrize(("scheme", "viewport"), [("light", WIDE), ("dark", PHONE)], ids=["wide", "phone"])
def test_the_list_is_accessible_and_fits_the_screen(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str], scheme: Any, viewport: ViewportSize
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size(viewport)
    open_traces(page, live_server, tenant)
    assert violations(page) == []
    some_traces(tenant)
    for query in ("", "&q=run&live=1", f"&sort=slowest{EVERY_COLUMN}{MORE_COLUMNS}"):
        open_traces(page, live_server, tenant, query)
        if viewport == PHONE:
            page.locator(".bar-switch").click()
            assert violations(page) == [], query
            page.locator(".bar-switch").click()  # it covers what is below
            page.locator(".form-switch").click()
        page.locator("summary", has_text="Columns").click()
        assert violations(page) == [], query
        expect(page.locator("h1")).to_have_count(1)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), query
    assert complaints == []


def test_keys_move_and_open_and_back_returns(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    some_traces(tenant)
    open_traces(page, live_server, tenant)
    expect(page.locator("td.input").first).to_have_text("Weather in Oslo?")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(":focus")).to_have_text("run 1")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/traces/t0?**")
    page.go_back()
    expect(page.locator(".row-link")).to_have_count(3, timeout=LONG_MS)
    page.keyboard.press("/")
    page.keyboard.type("run 2")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=run+2**")
    expect(page.locator(".row-link")).to_have_count(1, timeout=LONG_MS)
    expect(page.locator("#trace-count")).to_have_text("1 trace", timeout=LONG_MS)
    assert "columns=input" in page.url
    assert complaints == []


def test_what_is_new_is_counted_and_the_list_stays(page: Page, live_server: Any, tenant: Tenant) -> None:
    some_traces(tenant)
    page.clock.install()
    open_traces(page, live_server, tenant)
    tenant.calls(2, datetime.now(UTC) - timedelta(seconds=1), name="late")
    page.clock.run_for(11_000)
    expect(page.locator("#trace-news")).to_have_text("2 new", timeout=LONG_MS)
    expect(page.locator(".row-link")).to_have_count(3)
    page.locator("#trace-news").click()
    expect(page.locator(".row-link")).to_have_count(5, timeout=LONG_MS)


def test_new_traces_are_followed_until_paused(page: Page, live_server: Any, tenant: Tenant) -> None:
    some_traces(tenant)
    page.clock.install()
    open_traces(page, live_server, tenant, "&live=1")
    tenant.calls(1, datetime.now(UTC) - timedelta(seconds=1), name="late")
    page.clock.run_for(5_000)
    expect(page.locator(".row-link").first).to_have_text("late", timeout=LONG_MS)
    page.locator("[data-pause]").click()
    tenant.calls(1, datetime.now(UTC), name="later")
    page.clock.run_for(5_000)
    expect(page.locator(".row-link").first).to_have_text("late")
