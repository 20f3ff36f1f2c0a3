"""The keys of every page, and the search that they open."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import LONG_MS, open_page, wait_until_drawn
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

SEARCH = "Find anything"


@pytest.fixture
def filled(tenant: Tenant) -> Tenant:
    at = datetime.now(UTC) - timedelta(minutes=1)
    tenant.calls(1, at, agent_id="acme-support", user_id="ada", trace_id="trace-acme")
    return tenant


def test_slash_opens_the_search_which_finds_while_one_types(
    page: Page, live_server: Any, filled: Tenant, complaints: list[str]
) -> None:
    open_page(page, live_server, filled, "usage")
    wait_until_drawn(page)
    page.keyboard.press("/")
    search = page.get_by_label(SEARCH)
    expect(search).to_be_focused()
    page.keyboard.type("acme")
    found = page.locator("#found .choice")
    expect(found.first).to_contain_text("acme-support", timeout=LONG_MS)
    page.keyboard.press("ArrowDown")
    expect(found.first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/agents/acme-support**")
    assert complaints == []


def test_escape_closes_the_search_and_enter_shows_all_that_is_found(
    page: Page, live_server: Any, filled: Tenant
) -> None:
    open_page(page, live_server, filled, "budgets")
    page.keyboard.press("Control+k")
    search = page.get_by_label(SEARCH)
    expect(search).to_be_focused()
    page.keyboard.press("Escape")
    expect(search).to_be_hidden()
    expect(page.locator(".find summary")).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("acme")
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/find?**q=acme**")
    expect(page.get_by_role("main").get_by_role("link")).to_contain_text(["acme-support", "trace-acme", "Search names"])


def test_slash_is_the_search_of_a_list_where_there_is_one(page: Page, live_server: Any, filled: Tenant) -> None:
    open_page(page, live_server, filled, "agents")
    page.keyboard.press("/")
    expect(page.get_by_label("Find agents")).to_be_focused()
    page.keyboard.press("Control+k")
    expect(page.get_by_label(SEARCH)).to_be_focused()


def test_question_mark_lists_the_keys_and_gives_the_focus_back(page: Page, live_server: Any, filled: Tenant) -> None:
    open_page(page, live_server, filled, "budgets")
    entry = page.get_by_role("link", name="Traces", exact=True)
    entry.focus()
    page.keyboard.press("?")
    keys = page.locator("#keys")
    expect(keys).to_be_visible()
    expect(keys.get_by_role("listitem")).to_have_count(7)
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    expect(entry).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("?")
    expect(page.get_by_label(SEARCH)).to_have_value("?")
    expect(keys).to_be_hidden()


def test_the_search_works_without_javascript(browser: Any, live_server: Any, filled: Tenant) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.set_default_timeout(LONG_MS)
    open_page(page, live_server, filled, "usage")
    page.locator(".find summary").click()
    page.get_by_label(SEARCH).fill("acme")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/dashboard/find"))
    expect(page.get_by_role("link", name="acme-support")).to_be_visible()
    page.context.close()
