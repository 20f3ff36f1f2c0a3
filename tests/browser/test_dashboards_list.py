"""Makes dashboards on the page of all, and reads one by its public link, as people do."""

from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from dashboards.models import Dashboard
from tests.browser.steps import LONG_MS, open_page, wait_until_drawn
from tests.browser.test_accessibility import PHONE, WIDE, violations
from tests.dashboards.dashboards import CALLS, COST, Caller, a_caller, a_link
from tests.tenant import Tenant
from workspaces.models import Role

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


def test_one_click_makes_a_dashboard_of_a_template(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    tenant.calls(3, labels={"customer": "acme"}, cost_usd="1")
    open_page(page, live_server, tenant, "dashboards")
    page.get_by_role("button", name="Finance by customer").click(timeout=LONG_MS)
    expect(page.locator("h1")).to_have_text("Finance by customer", timeout=LONG_MS)
    wait_until_drawn(page)
    assert page.locator(".panel-error:visible").count() == 0
    open_page(page, live_server, tenant, "dashboards")
    page.get_by_role("link", name="Delete Finance by customer").click(timeout=LONG_MS)
    page.get_by_role("button", name="Delete it").click(timeout=LONG_MS)
    expect(page.locator("main")).to_contain_text("There is no dashboard.", timeout=LONG_MS)
    assert complaints == []


@pytest.mark.parametrize("size", [PHONE, WIDE])
def test_the_list_is_accessible_and_fits(page: Page, live_server: Any, tenant: Tenant, size: Any) -> None:
    caller = Caller(tenant.workspace, tenant.client)
    for name in ("One", "a-name-without-any-space-" * 4):
        caller.make(name=name, description="What it is about")
    page.set_viewport_size(size)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        open_page(page, live_server, tenant, "dashboards")
        expect(page.get_by_role("link", name="One", exact=True)).to_be_visible(timeout=LONG_MS)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


@pytest.fixture
def public_url(live_server: Any) -> str:
    """Makes a dashboard with calls, and returns the address of its public link."""
    owner = a_caller(Role.OWNER)
    Tenant(owner.workspace, Client()).calls(5, cost_usd="1")
    made = owner.make(panels=[COST, CALLS], range={"range": "7d"})
    return f"{live_server.url}/d/{a_link(owner, made, may_choose=True)['url'].rpartition('/d/')[2]}"


def test_a_stranger_reads_a_public_link_and_leaves_it_nowhere(
    page: Page, public_url: str, complaints: list[str]
) -> None:
    page.goto(public_url)
    wait_until_drawn(page)
    expect(page.locator(".kind-number")).to_contain_text("5", timeout=LONG_MS)
    assert violations(page) == []
    assert page.context.cookies() == []
    assert page.locator("a[href^='/']:not(.skip)").count() == 0
    chart = page.locator(".chart").first
    chart.click()
    page.get_by_role("combobox", name="Window").select_option("30d")
    page.get_by_role("button", name="Show").click()
    wait_until_drawn(page)
    assert "range=30d" in page.url
    assert "agent_id" not in page.url
    Dashboard.objects.all().delete()
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator(".panel-error:visible").first).to_be_visible(timeout=LONG_MS)
    page.reload()
    expect(page.locator("body")).to_contain_text("There is no such page", timeout=LONG_MS)
    complaints.clear()
