"""Makes a budget as people do: from the cost page, by mouse, by keyboard and on a phone."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from budgets.evaluation import evaluate
from budgets.models import Budget
from tests.browser.steps import LONG_MS, open_page
from tests.browser.test_accessibility import PHONE, WIDE, violations
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


def fill(tenant: Tenant) -> None:
    now = datetime.now(UTC)
    for day in range(40):
        for customer, user in (("acme", "ada"), ("globex", "bob")):
            at = now - timedelta(days=day, seconds=5)
            tenant.calls(1, at, cost_usd="2", labels={"customer": customer}, user_id=user)


def test_from_the_cost_page_to_a_budget_for_a_customer_in_three_clicks_and_three_fields(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    fill(tenant)
    open_page(page, live_server, tenant, "cost")
    page.get_by_role("link", name="Budget for a customer, agent or user").click(timeout=LONG_MS)
    page.get_by_label("Budget for").select_option(label="one customer (label)")
    expect(page.locator("#values option")).to_have_count(2, timeout=LONG_MS)
    page.get_by_label("Which one").fill("acme")
    page.get_by_label("USD").fill("100")
    page.get_by_label("USD").press("Tab")
    expect(page.locator(".preview")).to_contain_text("It would have", timeout=LONG_MS)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Customer acme", timeout=LONG_MS)
    expect(page.locator(".budget-head .badge")).to_be_visible()
    budget = Budget.objects.get()
    assert (budget.scope, budget.amount_usd, len(budget.threshold_list)) == ({"label.customer": ["acme"]}, 100, 4)
    page.locator(".contributors a").first.click()
    expect(page).to_have_url(re.compile("/dashboard/traces.*label.customer=acme"), timeout=LONG_MS)
    assert complaints == []


def test_the_keyboard_makes_a_budget_too(page: Page, live_server: Any, tenant: Tenant) -> None:
    page.goto(f"{live_server.url}/dashboard/budgets?workspace={tenant.workspace.id}")
    page.get_by_role("link", name="New budget").focus()
    page.keyboard.press("Enter")
    page.get_by_label("USD").focus(timeout=LONG_MS)
    page.keyboard.type("25")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Workspace", timeout=LONG_MS)
    assert Budget.objects.get().amount_usd == 25


def test_a_wrong_form_says_so_at_its_field(page: Page, live_server: Any, tenant: Tenant) -> None:
    page.goto(f"{live_server.url}/dashboard/budgets/new?workspace={tenant.workspace.id}")
    page.get_by_label("USD").fill("lots")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#amount-error")).to_contain_text("must be a number", timeout=LONG_MS)
    expect(page.get_by_label("USD")).to_have_value("lots")


@pytest.mark.parametrize(("scheme", "viewport"), [("light", WIDE), ("dark", PHONE)], ids=["wide", "phone"])
def test_no_page_of_budgets_has_a_serious_violation_or_is_wider_than_the_screen(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str], scheme: Any, viewport: Any
) -> None:
    fill(tenant)
    budgets = [
        Budget.objects.create(workspace=tenant.workspace, amount_usd=Decimal(30), **values)
        for values in (
            {"name": "everything in one long name without a space".replace(" ", "-")},
            {"name": "every user", "per": "user"},
            {"name": "rolling", "period": "rolling", "rolling_days": 7},
        )
    ]
    evaluate(datetime.now(UTC))
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size(viewport)
    for path in ("", "/new", *(f"/{budget.pk}" for budget in budgets), f"/{budgets[0].pk}/edit"):
        page.goto(f"{live_server.url}/dashboard/budgets{path}?workspace={tenant.workspace.id}")
        expect(page.locator("h1")).to_have_count(1)
        for details in page.locator("details summary").all():
            details.click()
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert complaints == []
