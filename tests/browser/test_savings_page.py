"""From a waste to its calls and to what was decided, and what calls would have cost, by keyboard and on a phone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from insights.savings import items as savings
from tests.browser.steps import LONG_MS, open_page, wait_until_drawn
from tests.browser.test_accessibility import PHONE, WIDE, violations
from tests.browser.test_phone import LONG_NAME, OVERHANGING
from tests.insights.wastes import nights
from tests.jobs_helper import run_waiting_jobs
from tests.tenant import Tenant
from traces import writer

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

DONE = "It is done"
NOW = "insights.compute_savings_now"


def found(tenant: Tenant, agent: str = "report") -> None:
    writer.store(tenant.workspace.id, list(nights(agent)))
    savings.compute(tenant.workspace, datetime.now(UTC))


def paid(tenant: Tenant, model: str = "gpt-4o") -> None:
    used = {"input_tokens": 1_000_000, "output_tokens": 1_000_000, "cost_usd": "12.5"}
    tenant.calls(2, datetime.now(UTC) - timedelta(hours=3), model=model, **used)


def test_a_saving_leads_to_its_calls_and_is_dismissed(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    found(tenant)
    open_page(page, live_server, tenant, "insights")
    wait_until_drawn(page)
    expect(page.locator("#largest-saving + p")).to_contain_text("report calls at night", timeout=LONG_MS)
    page.get_by_role("navigation", name="Insights").get_by_role("link", name="Savings").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("$9.13 a month could be saved", timeout=LONG_MS)
    page.get_by_role("link", name="The 70 calls behind it").click()
    expect(page.locator("tbody tr").first).to_contain_text("report", timeout=LONG_MS)
    page.go_back()
    page.get_by_label("Why not, or what was done").fill("the customer waits")
    page.get_by_role("button", name="Dismiss").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing was found in the last four weeks")).to_be_visible(timeout=LONG_MS)
    page.get_by_role("link", name="Dismissed").click()
    expect(page.get_by_text("the customer waits")).to_be_visible(timeout=LONG_MS)
    assert complaints == []


def test_savings_that_are_computed_now_appear_by_themselves(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    open_page(page, live_server, tenant, "insights/savings")
    page.get_by_role("button", name="Compute now").click(timeout=LONG_MS)
    expect(page.get_by_text("They are being computed")).to_be_visible(timeout=LONG_MS)
    writer.store(tenant.workspace.id, list(nights("report")))
    run_waiting_jobs(NOW)
    expect(page.get_by_role("heading", level=1)).to_have_text("$9.13 a month could be saved", timeout=LONG_MS)
    assert complaints == []


def test_a_model_leads_to_what_another_would_have_cost(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    paid(tenant)
    open_page(page, live_server, tenant, "cost")
    wait_until_drawn(page)
    page.get_by_role("link", name="What if: gpt-4o").click(timeout=LONG_MS)
    page.wait_for_url("**/what-if?**")
    wait_until_drawn(page)
    page.get_by_label("Model", exact=True).fill("gpt-4o-mini")
    page.keyboard.press("Enter")
    expect(page.locator("#panel-what-if h2")).to_contain_text(
        "These calls cost $25.00. They would have cost $1.50: $23.50 less (94 %) on gpt-4o-mini.", timeout=LONG_MS
    )
    row = page.locator("#panel-what-if h3 + .scroll tbody tr").first
    assert " ".join(row.inner_text().split()) == "gpt-4o $25.00 $1.50 -$23.50 (-94 %) 2 0"
    assert complaints == []


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_both_pages_fit_and_are_accessible(page: Page, live_server: Any, tenant: Tenant, size: Any) -> None:
    page.set_viewport_size(size)
    found(tenant, LONG_NAME)
    paid(tenant, LONG_NAME)
    open_page(page, live_server, tenant, "insights/savings")
    expect(page.get_by_role("button", name=DONE)).to_be_visible(timeout=LONG_MS)
    assert violations(page) == []
    assert size is WIDE or page.evaluate(OVERHANGING) == []
    open_page(page, live_server, tenant, "insights/what-if", "&target=gpt-4o-mini&range=24h")
    expect(page.locator("#panel-what-if h3").first).to_be_visible(timeout=LONG_MS)
    wait_until_drawn(page)
    assert violations(page) == []
    assert size is WIDE or page.evaluate(OVERHANGING) == []
