from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from analytics import cache as answers
from tests.factories import PASSWORD, MembershipFactory, UserFactory, WorkspaceFactory
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

LONG_MS = 15_000


@pytest.fixture(autouse=True)
def always_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Computes answers again at once, so that no test waits until an answer is old enough."""
    monkeypatch.setattr(answers, "FRESH_SECONDS", -1)
    monkeypatch.setattr(answers, "RENEWAL_FACTOR", 0)


def open_usage(page: Page, live_server: Any, tenant: Tenant, query: str = "") -> None:
    page.goto(f"{live_server.url}/dashboard/usage?workspace={tenant.workspace.id}{query}")


def expect_calls(page: Page, count: str) -> None:
    card = page.locator("#panel-usage-overview .card").first
    expect(card.locator(".value")).to_have_text(count, timeout=LONG_MS)


def test_four_panels_show_the_numbers_and_a_chart_is_drawn(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    tenant.calls(3, datetime.now(UTC), user_id="ada", agent_id="support", cost_usd="0.50")
    tenant.calls(1, datetime.now(UTC), user_id="bob", agent_id="sales", status="error")
    open_usage(page, live_server, tenant)
    expect_calls(page, "4")
    values = page.locator("#panel-usage-overview .value")
    assert values.all_inner_texts() == ["4", "2", "2", "2.0"]
    expect(page.locator("h1")).to_contain_text("4 calls by 2 users through 2 agents in the last 24 hours")
    expect(page.locator("#panel-usage-agent-distribution tbody tr").first).to_contain_text("support")
    expect(page.locator("#panel-usage-agent-distribution tbody tr").first).to_contain_text("$1.50")
    expect(page.locator("#panel-usage-top-users tbody tr").nth(1)).to_contain_text("bob")
    expect(page.locator("#chart-calls-over-time .barlayer .point").first).to_be_attached(timeout=LONG_MS)
    assert complaints == []


def test_a_poll_shows_one_more_trace_and_leaves_open_tables(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    page.clock.install()
    tenant.calls(1, datetime.now(UTC), user_id="ada")
    open_usage(page, live_server, tenant)
    expect_calls(page, "1")
    expect(page.locator("#chart-calls-over-time .barlayer")).to_be_attached(timeout=LONG_MS)
    page.locator("#table-calls-over-time summary").click()
    tenant.calls(1, datetime.now(UTC), user_id="ada")
    page.clock.fast_forward(31_000)
    expect_calls(page, "2")
    expect(page.locator("#table-calls-over-time tbody tr").last).to_contain_text("2", timeout=LONG_MS)
    assert page.locator("#table-calls-over-time").get_attribute("open") is not None
    assert complaints == []


def test_a_paused_page_does_not_poll(page: Page, live_server: Any, tenant: Tenant) -> None:
    page.clock.install()
    open_usage(page, live_server, tenant)
    expect_calls(page, "0")
    page.locator("[data-pause]").click()
    tenant.calls(1, datetime.now(UTC))
    page.clock.fast_forward(120_000)
    expect(page.locator("[data-age]")).to_contain_text("paused")
    expect_calls(page, "0")
    page.locator("[data-refresh]").click()
    expect_calls(page, "1")


def test_a_failing_panel_says_so_keeps_its_data_and_can_be_retried(
    page: Page, live_server: Any, tenant: Tenant
) -> None:
    tenant.calls(2, datetime.now(UTC), user_id="ada")
    open_usage(page, live_server, tenant)
    panel = page.locator("#panel-usage-top-users")
    expect(panel.locator("tbody tr")).to_contain_text("ada", timeout=LONG_MS)

    def fail(route: Route) -> None:
        route.fulfill(status=503, body="<p>The database does not answer right now.</p>")

    page.route("**/top-users*", fail)
    page.locator("[data-refresh]").click()
    expect(panel.locator(".panel-error")).to_contain_text("does not answer")
    expect(panel.locator("tbody tr")).to_contain_text("ada")
    expect(page.locator("#panel-usage-agent-distribution .panel-error")).to_be_hidden()
    page.unroute("**/top-users*", fail)
    panel.locator("[data-retry]").click()
    expect(panel.locator(".panel-error")).to_be_hidden()


def test_an_empty_workspace_says_what_to_do(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    open_usage(page, live_server, tenant)
    expect(page.locator("h1")).to_have_text("No calls in the last 24 hours.", timeout=LONG_MS)
    expect(page.locator("#first-trace-command")).to_contain_text(f"X-Workspace-ID: {tenant.workspace.id}")
    expect(page.locator(".first-trace")).to_contain_text("make demo")
    assert complaints == []


def test_a_click_on_an_agent_narrows_the_page_and_its_cross_undoes_it(
    page: Page, live_server: Any, tenant: Tenant
) -> None:
    tenant.calls(2, datetime.now(UTC), agent_id="support")
    tenant.calls(1, datetime.now(UTC), agent_id="sales")
    open_usage(page, live_server, tenant, "&range=7d")
    page.locator("#panel-usage-agent-distribution tr", has_text="sales").click(position={"x": 3, "y": 10})
    expect_calls(page, "1")
    assert "range=7d" in page.url
    page.locator(".remove").click()
    expect_calls(page, "3")


def test_a_visitor_signs_in_and_sees_their_workspace_only(page: Page, live_server: Any) -> None:
    membership = MembershipFactory()
    page.goto(f"{live_server.url}/dashboard/usage")
    page.fill("[name=username]", membership.user.username)
    page.fill("[name=password]", PASSWORD)
    page.locator("button.primary").click()
    expect(page.locator(".workspace")).to_have_text(membership.workspace.name)
    response = page.goto(f"{live_server.url}/dashboard/usage?workspace={WorkspaceFactory().id}")
    assert response
    assert response.status == 404


def test_the_admin_works_under_the_csp(page: Page, live_server: Any, complaints: list[str]) -> None:
    UserFactory(username="root", is_staff=True, is_superuser=True)
    page.goto(f"{live_server.url}/sign-in?next=/admin/")
    page.fill("[name=username]", "root")
    page.fill("[name=password]", PASSWORD)
    page.locator("button.primary").click()
    for path in ("", "workspaces/workspace/add/", "workspaces/membership/add/", "workspaces/apikey/"):
        page.goto(f"{live_server.url}/admin/{path}")
        expect(page.locator("#site-name")).to_be_visible()
    assert complaints == []
