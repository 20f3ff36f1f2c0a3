"""axe-core checks every page, light on a wide screen and dark on a phone, with data and without."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize, expect

from analytics.catalogue import PAGES
from budgets.models import Budget
from tests.browser.steps import LONG_MS, open_page, wait_until_drawn
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

DOMAINS = [page.domain for page in PAGES]
WIDE, PHONE = ViewportSize(width=1440, height=900), ViewportSize(width=390, height=844)


def violations(page: Page) -> list[str]:
    results = Axe().run(page).response["violations"]
    return [
        f"{violation['impact']} {violation['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
        for violation in results
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def fill(tenant: Tenant) -> None:
    Budget.objects.create(is_workspace_budget=True, workspace=tenant.workspace, amount_usd=Decimal(1))
    now = datetime.now(UTC)
    for hours in range(1, 30):
        at = now - timedelta(hours=hours)
        tenant.calls(2, at, user_id=f"user-{hours % 3}", model=f"model-{hours % 9}", cost_usd="0.02", latency_ms=900.0)
        tenant.calls(1, at, status="error", error_type="rate_limit", error_message="slow down", latency_ms=10.0)


@pytest.mark.parametrize(("scheme", "viewport"), [("light", WIDE), ("dark", PHONE)], ids=["wide", "phone"])
def test_no_page_has_a_serious_violation(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str], scheme: Any, viewport: ViewportSize
) -> None:
    fill(tenant)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size(viewport)
    for name in DOMAINS:
        open_page(page, live_server, tenant, name)
        wait_until_drawn(page)
        page.locator("details:not(.menu) summary").first.click()
        if viewport == PHONE:
            page.locator(".bar-switch").click()
        page.locator("summary", has_text="Agent").click()
        expect(page.locator(".filter .choices a").first).to_be_visible(timeout=LONG_MS)
        assert violations(page) == [], name
        expect(page.locator("h1")).to_have_count(1)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than the screen"
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_empty_workspace_or_document_has_a_serious_violation(
    page: Page, live_server: Any, tenant: Tenant, scheme: Any
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for name in DOMAINS:
        open_page(page, live_server, tenant, name)
        wait_until_drawn(page)
        assert violations(page) == [], name
    for path in (
        "/docs/",
        "/docs/clients",
        "/docs/?q=budget",
        "/api/v1/docs",
        "/api/v1/docs/query",
        "/sign-in",
        "/nope",
    ):
        page.goto(live_server.url + path)
        assert violations(page) == [], path
