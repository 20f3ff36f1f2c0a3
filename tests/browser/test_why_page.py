"""From the change on a card to its cause, by mouse, by keyboard and on a phone."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.steps import LONG_MS, cells, open_page, wait_until_drawn
from tests.browser.test_accessibility import PHONE, WIDE, violations
from tests.browser.test_phone import LONG_NAME, OVERHANGING
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

TABLE = "#panel-why table:not(.waterfall)"


def changed(tenant: Tenant, agent: str = "triage") -> None:
    """Stores $2 in the 24 hours before the last, and $8 in these: $6 of a new agent."""
    now = datetime.now(UTC)
    priced = {"cost_usd": Decimal(1), "input_cost_usd": Decimal(1), "input_tokens": 100, "latency_ms": 100.0}
    tenant.calls(2, now - timedelta(hours=30), **priced)
    tenant.calls(2, now - timedelta(hours=1), **priced)
    dear = {"cost_usd": Decimal(2), "input_cost_usd": Decimal(2), "input_tokens": 100, "latency_ms": 100.0}
    tenant.calls(3, now - timedelta(hours=1), agent_id=agent, **dear)


def test_a_card_leads_to_the_cause_of_its_change(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    changed(tenant)
    open_page(page, live_server, tenant, "cost")
    link = page.get_by_role("link", name="Why: Spend")
    expect(link).to_be_visible(timeout=LONG_MS)
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/insights/why?**")
    expect(page.locator("#panel-why h2")).to_contain_text(
        "Spend was $8.00, 300 % more than $2.00 before. Most of it: agent triage, new (+$6.00).", timeout=LONG_MS
    )
    rows = page.locator(f"{TABLE} tbody tr").all_inner_texts()
    assert [" ".join(row.split()) for row in rows] == ["triage +$6.00 new", "Change +$6.00"]
    page.get_by_label("By", exact=True).fill("model")
    page.get_by_role("button", name="Show").last.click()
    page.wait_for_url("**by=model**")
    expect(page.locator(f"{TABLE} tbody tr").first).to_contain_text("gpt-4o", timeout=LONG_MS)
    assert cells(page, "why", "Before") == ["Before", "$2.00", ""]
    assert complaints == []


@pytest.mark.parametrize(("scheme", "viewport"), [("light", WIDE), ("dark", PHONE)], ids=["wide", "phone"])
def test_the_page_is_accessible_and_fits(
    page: Page, live_server: Any, tenant: Tenant, scheme: Any, viewport: ViewportSize
) -> None:
    changed(tenant, LONG_NAME)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size(viewport)
    open_page(page, live_server, tenant, "insights/why")
    wait_until_drawn(page)
    expect(page.locator(f"{TABLE} tbody tr")).to_have_count(2, timeout=LONG_MS)
    assert violations(page) == []
    if viewport == PHONE:
        assert page.evaluate(OVERHANGING) == []


def test_insights_begins_with_sentences(page: Page, live_server: Any, tenant: Tenant, complaints: list[str]) -> None:
    changed(tenant)
    open_page(page, live_server, tenant, "insights", "&range=24h")
    expect(page.locator("#panel-sentence-cost_usd p").first).to_contain_text("agent triage, new", timeout=LONG_MS)
    wait_until_drawn(page)
    assert violations(page) == []
    page.get_by_role("link", name="Why: Calls").click()
    page.wait_for_url("**measure=calls**")
    expect(page.locator("#panel-why h2")).to_contain_text("Calls were 5", timeout=LONG_MS)
    assert complaints == []
