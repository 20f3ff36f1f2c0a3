from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from budgets.models import Budget
from tests.browser.steps import LONG_MS, cells, expect_card, open_page, row, wait_until_drawn
from tests.factories import PASSWORD, MembershipFactory
from tests.tenant import Tenant
from workspaces.models import Role

pytestmark = [pytest.mark.django_db(databases="__all__", transaction=True), pytest.mark.usefixtures("always_renewed")]


@pytest.fixture(autouse=True)
def nothing_complained(complaints: list[str]) -> Iterator[None]:
    yield
    # A refused form is a 422, which the console names.
    assert [line for line in complaints if "422" not in line and "503" not in line] == []


def set_budget(tenant: Tenant, limit_usd: str | None, threshold: str = "80") -> None:
    Budget.objects.create(
        is_workspace_budget=True,
        workspace=tenant.workspace,
        amount_usd=None if limit_usd is None else Decimal(limit_usd),
        alert_threshold_percentage=Decimal(threshold),
    )


def spend(tenant: Tenant, cost_usd: str, **values: Any) -> None:
    tenant.calls(1, datetime.now(UTC) - timedelta(seconds=1), cost_usd=cost_usd, **values)


def test_all_panels_show_the_numbers_and_the_chart_is_drawn(page: Page, live_server: Any, tenant: Tenant) -> None:
    set_budget(tenant, "100")
    spend(tenant, "30", model="gpt-4o", provider="openai", input_tokens=1000, output_tokens=10)
    spend(tenant, "10", model="claude", provider="anthropic")
    tenant.calls(2, datetime.now(UTC), model="homemade", provider="ours")
    open_page(page, live_server, tenant, "cost")
    wait_until_drawn(page)
    expect_card(page, "Spend", "$40.00")
    expect_card(page, "Budget remaining", "$60.00")
    expect_card(page, "Cost per call", "$20.00")
    expect(page.locator("h1")).to_contain_text("Spend was $40.00 in the last 24 hours")
    expect(page.locator(".budget-line")).to_contain_text("$40.00 of $100 spent, 40 %")
    assert cells(page, "cost-by-model", "gpt-4o") == [
        *("Only gpt-4o gpt-4o", "$30.00", "75 %", "other 100 %", "openai", "$30.00", "1", "1,000", "10", "0"),
    ]
    expect(page.locator(".notice")).to_contain_text("2 calls have no price and are in no total")
    expect(page.locator("#chart-cost-trend .barlayer .point").first).to_be_attached()
    page.locator("#table-cost-trend summary").click()
    expect(page.locator("#table-cost-trend tbody tr").last).to_contain_text("$40.00")


def test_a_tiny_cost_is_nowhere_free(page: Page, live_server: Any, tenant: Tenant) -> None:
    spend(tenant, "0.0000002", model="text-embedding-3-small")
    open_page(page, live_server, tenant, "cost")
    wait_until_drawn(page)
    expect_card(page, "Spend", "<$0.0001")
    lowest, *others = page.locator("#chart-cost-trend .ytick text").all_text_contents()
    assert lowest == "$0"
    assert others
    assert all(float(tick.removeprefix("$")) > 0 for tick in others)
    assert page.locator("[title='$0.0000002']").count() >= 4
    assert page.locator("[title='$0']").count() == 0


def test_a_model_has_one_colour_in_chart_legend_and_table(page: Page, live_server: Any, tenant: Tenant) -> None:
    for model in ("a", "b", "c", "d", "e", "f", "g", "h"):
        spend(tenant, "1", model=f"model-{model}")
    open_page(page, live_server, tenant, "cost")
    wait_until_drawn(page)
    colours = set()
    for model in ("a", "b", "c", "d", "e", "f", "g", "h"):
        swatch = row(page, "cost-by-model", f"model-{model}").locator(".swatch")
        colour = swatch.evaluate("node => getComputedStyle(node).backgroundColor")
        legend = page.locator(".legend li", has_text=f"model-{model}").locator(".swatch")
        assert legend.evaluate("node => getComputedStyle(node).backgroundColor") == colour
        colours.add(colour)
    assert len(colours) == 8


def test_the_budget_shows_its_thresholds(page: Page, live_server: Any, tenant: Tenant) -> None:
    set_budget(tenant, "100")
    spend(tenant, "80")
    open_page(page, live_server, tenant, "cost")
    panel = page.locator("#panel-cost-budget")
    expect(panel.locator(".badge")).to_have_text("past the alert threshold", timeout=LONG_MS)
    expect(panel).to_contain_text("80 % of the budget is spent, past the alert threshold of 80 %.")
    ticks = panel.locator("svg text:not(.projection)").all_text_contents()
    assert [tick.strip() for tick in ticks] == ["80 %", "90 %", "100 %"]


def test_a_saved_budget_shows_at_once_and_everywhere(page: Page, live_server: Any, tenant: Tenant) -> None:
    set_budget(tenant, "100")
    spend(tenant, "40")
    open_page(page, live_server, tenant, "cost")
    expect_card(page, "Budget remaining", "$60.00")

    def hold(route: Route) -> None:
        if route.request.method == "PUT":
            # The new limit is shown before the server has answered.
            expect(page.locator("[data-limit]")).to_have_text("$200.00")
            expect(page.locator("#panel-cost-budget .saving .badge")).to_have_css("opacity", "0.45")
        route.continue_()

    page.route("**/cost/budget", hold)
    page.locator("summary", has_text="Change limit").click()
    page.fill("#budget-limit", "200")
    page.locator(".budget-form button").click()
    expect(page.locator(".form-status")).to_have_text("Saved")
    expect(page.locator(".saving")).to_have_count(0)
    expect(page.locator(".budget-line")).to_contain_text("$40.00 of $200 spent, 20 %")
    expect(page.locator("#budget-limit")).to_have_value("200.00")
    expect_card(page, "Budget remaining", "$160.00")
    assert Budget.objects.get(workspace=tenant.workspace).amount_usd == 200


def test_a_refused_budget_says_why_next_to_its_field_and_resets_the_bar(
    page: Page, live_server: Any, tenant: Tenant
) -> None:
    set_budget(tenant, "100")
    spend(tenant, "40")
    open_page(page, live_server, tenant, "cost")
    expect(page.locator(".budget-line")).to_contain_text("of $100 spent", timeout=LONG_MS)
    page.locator("summary", has_text="Change limit").click()
    page.fill("#budget-threshold", "120")
    page.fill("#budget-limit", "-5")
    page.locator(".budget-form button").click()
    expect(page.locator("#budget-limit-error")).to_contain_text("must be at least 0")
    expect(page.locator("#budget-threshold-error")).to_contain_text("must be above 0 and at most 100")
    expect(page.locator("#budget-limit")).to_be_focused()
    expect(page.locator("#budget-limit")).to_have_value("-5")
    expect(page.locator("#budget-limit")).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".budget-line")).to_contain_text("of $100 spent")
    page.fill("#budget-limit", "50")
    page.fill("#budget-threshold", "90")
    page.locator(".budget-form button").click()
    expect(page.locator("#budget-limit-error")).to_have_text("")
    expect(page.locator(".budget-line")).to_contain_text("$40.00 of $50.00 spent")
    expect(page.locator(".form-status")).to_have_text("Saved")


def test_a_budget_the_server_could_not_save_is_taken_back(page: Page, live_server: Any, tenant: Tenant) -> None:
    set_budget(tenant, "100")
    spend(tenant, "40")
    open_page(page, live_server, tenant, "cost")
    expect(page.locator(".budget-line")).to_contain_text("of $100 spent", timeout=LONG_MS)

    def fail(route: Route) -> None:
        if route.request.method == "PUT":
            route.fulfill(status=503, body="<p>The database does not answer right now.</p>")
        else:
            route.continue_()

    page.route("**/cost/budget", fail)
    page.locator("summary", has_text="Change limit").click()
    page.fill("#budget-limit", "200")
    page.locator(".budget-form button").click()
    expect(page.locator(".form-status")).to_contain_text("does not answer")
    expect(page.locator(".budget-line")).to_contain_text("of $100 spent")


@pytest.mark.parametrize("text", ["1,500", "$1,500", " $ 1500.00 "])
def test_a_limit_is_written_as_the_page_writes_it(page: Page, live_server: Any, tenant: Tenant, text: str) -> None:
    set_budget(tenant, "100")
    open_page(page, live_server, tenant, "cost")
    expect(page.locator(".budget-line")).to_contain_text("of $100 spent", timeout=LONG_MS)
    expect(page.locator(".budget-form")).to_be_hidden()
    page.locator("summary", has_text="Change limit").click()
    page.fill("#budget-limit", text)
    page.fill("#budget-threshold", "85 %")
    page.locator(".budget-form button").click()
    expect(page.locator(".form-status")).to_have_text("Saved", timeout=LONG_MS)
    expect(page.locator("[data-limit]")).to_have_text("$1,500")
    budget = Budget.objects.get(workspace=tenant.workspace)
    assert (budget.amount_usd, budget.alert_threshold_percentage) == (1500, 85)


def test_a_limit_of_nothing_that_is_exceeded_has_a_full_bar(page: Page, live_server: Any, tenant: Tenant) -> None:
    set_budget(tenant, "0")
    spend(tenant, "1")
    open_page(page, live_server, tenant, "cost")
    expect(page.locator("svg.budget.exceeded .spent")).to_have_attribute("width", "100%", timeout=LONG_MS)


def test_a_viewer_sees_the_budget_but_no_form(page: Page, live_server: Any) -> None:
    membership = MembershipFactory(role=Role.VIEWER)
    page.goto(f"{live_server.url}/dashboard/cost")
    page.fill("[name=username]", membership.user.username)
    page.fill("[name=password]", PASSWORD)
    page.locator("button.primary").click()
    expect(page.locator("#panel-cost-budget")).to_contain_text("no limit is set", timeout=LONG_MS)
    expect(page.locator(".budget-form")).to_have_count(0)
    expect(page.locator("#panel-cost-budget")).to_contain_text("Editors and owners of the workspace change the budget")


def test_a_poll_keeps_an_open_menu_and_what_is_being_typed(page: Page, live_server: Any, tenant: Tenant) -> None:
    page.clock.install()
    set_budget(tenant, "100")
    spend(tenant, "10")
    open_page(page, live_server, tenant, "cost")
    expect_card(page, "Spend", "$10.00")
    expect(page.locator("#chart-cost-trend .barlayer")).to_be_attached(timeout=LONG_MS)
    page.locator("summary", has_text="Model").click()
    expect(page.locator(".choices a", has_text="gpt-4o")).to_be_visible()
    page.locator("summary", has_text="Change limit").click()
    page.fill("#budget-limit", "1234")
    page.locator("summary", has_text="Agent").click()
    expect(page.locator(".choices a", has_text="support")).to_be_visible()
    spend(tenant, "5")
    page.clock.fast_forward(61_000)
    expect_card(page, "Spend", "$15.00")
    expect(page.locator(".budget-line")).to_contain_text("$15.00 of $100")
    expect(page.locator(".choices a", has_text="support")).to_be_visible()
    expect(page.locator("#budget-limit")).to_have_value("1234")


def test_a_click_on_a_bar_narrows_to_its_hour_and_its_cross_undoes_it(
    page: Page, live_server: Any, tenant: Tenant
) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    tenant.calls(1, hour + timedelta(minutes=5), cost_usd="4")
    tenant.calls(1, hour - timedelta(hours=2), cost_usd="1")
    open_page(page, live_server, tenant, "cost", "&range=7d")
    expect_card(page, "Spend", "$5.00")
    wait_until_drawn(page)
    box = page.locator("#chart-cost-trend .barlayer .point path").evaluate_all(
        "paths => { const box = paths.map((path) => path.getBoundingClientRect())"
        ".reduce((a, b) => (b.height > a.height ? b : a)); return [box.x + box.width / 2, box.y + box.height / 2]; }"
    )
    page.mouse.move(*box)
    expect(page.locator("#chart-cost-trend .hoverlayer")).to_contain_text("$4.00")
    page.mouse.click(*box)
    expect_card(page, "Spend", "$4.00")
    page.locator(".leave").click()
    expect_card(page, "Spend", "$5.00")
    assert "range=7d" in page.url


def test_an_empty_workspace_shows_how_to_send_the_first_trace(page: Page, live_server: Any, tenant: Tenant) -> None:
    open_page(page, live_server, tenant, "cost")
    expect(page.locator("#first-trace-command")).to_contain_text(str(tenant.workspace.id), timeout=LONG_MS)
    expect(page.locator("h1")).to_contain_text("Spend was $0.00")
    page.locator(".first-trace a").click()
    expect(page.locator("h1")).to_have_text("Sending traces from the SDK you use")
