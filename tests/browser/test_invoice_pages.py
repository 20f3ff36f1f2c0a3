"""From the cost page over the ledger to an invoice, its reasons and a price: by mouse, by keyboard and on a phone."""

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from insights.invoices.models import Repricing
from tests.browser.steps import LONG_MS, open_page, wait_until_drawn
from tests.browser.test_accessibility import PHONE, WIDE, violations
from tests.browser.test_phone import LONG_NAME, OVERHANGING
from tests.tenant import NOON, Tenant

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

MODEL = "gpt-4o"
ONE_INVOICE = re.compile(r"/cost/invoices/[0-9a-f]{8}-")


def a_week(tenant: Tenant, model: str = MODEL) -> str:
    """Stores four days of $3.50 each, and returns a file that bills 90 % of them and a fifth day without traces."""
    lines = ["date,model,cost"]
    for place in range(4):
        at = NOON - timedelta(days=4 - place)
        costs = {"cost_usd": Decimal("3.5"), "input_cost_usd": Decimal("2.5"), "output_cost_usd": Decimal(1)}
        tokens = {"input_tokens": 1_000_000, "output_tokens": 100_000}
        price = {"cost_source": "genai-prices", "price_id": "genai-prices-1.0:openai/gpt-4o"}
        tenant.calls(1, at, model=model, **costs, **tokens, **price)
        lines.append(f"{at:%Y-%m-%d},{model},3.15")
    lines.append(f"{NOON:%Y-%m-%d},{model},9.00")
    return "\n".join(lines)


def choose_file(page: Page, folder: Path, content: str) -> None:
    file = folder / "november.csv"
    file.write_text(content)
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Next: choose its columns").click()
    page.wait_for_url("**/invoices/files/**")


def test_the_cost_page_leads_to_the_ledger_and_the_ledger_to_an_invoice(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str], tmp_path: Path
) -> None:
    content = a_week(tenant)
    open_page(page, live_server, tenant, "cost", "&range=7d")
    page.get_by_role("link", name="Ledger: by day, token class and price").click()
    page.wait_for_url("**/cost/ledger?**range=7d**")
    expect(page.locator("#panel-ledger h2")).to_have_text("$14.00 in 4 calls", timeout=LONG_MS)
    assert page.locator("#panel-ledger tbody tr").count() == 8
    page.get_by_role("link", name="invoices", exact=True).click()
    choose_file(page, tmp_path, content)
    expect(page.get_by_role("cell", name="9.00")).to_be_visible()
    page.get_by_label("Provider").fill("openai")
    page.get_by_role("button", name="Import").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(ONE_INVOICE)
    expect(page.get_by_text("a discount of 10 %")).to_be_visible()
    expect(page.get_by_text("No trace of this provider came on 1 day")).to_be_visible()
    page.get_by_role("link", name=f"Set a price for {MODEL}").click()
    expect(page.get_by_text("would cost $12.60 instead of $14.00")).to_be_visible()
    page.get_by_role("button", name="Save it, and price the stored calls again").click()
    expect(page.get_by_text("are being priced in the background")).to_be_visible()
    assert Repricing.objects.get().model == MODEL
    assert complaints == []


@pytest.mark.parametrize(("scheme", "viewport"), [("light", WIDE), ("dark", PHONE)], ids=["wide", "phone"])
def test_the_pages_are_accessible_and_fit(
    page: Page, live_server: Any, tenant: Tenant, scheme: Any, viewport: ViewportSize, tmp_path: Path
) -> None:
    content = a_week(tenant, LONG_NAME)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size(viewport)

    def check() -> None:
        wait_until_drawn(page)
        assert violations(page) == []
        if viewport == PHONE:
            assert page.evaluate(OVERHANGING) == []

    open_page(page, live_server, tenant, "cost/ledger")
    expect(page.locator("#panel-ledger h2")).to_be_visible(timeout=LONG_MS)
    check()
    open_page(page, live_server, tenant, "cost/invoices")
    check()
    choose_file(page, tmp_path, content)
    check()
    page.get_by_label("Provider").fill("openai")
    page.get_by_role("button", name="Import").click()
    page.wait_for_url(ONE_INVOICE)
    check()
    page.get_by_role("link", name="Set a price").first.click()
    expect(page.get_by_label("Model")).to_be_visible()
    check()
