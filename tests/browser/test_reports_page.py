"""Reports as people open, take and print them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Download, Page, expect

from reports.periods import window_of
from tests.browser.steps import LONG_MS, open_page
from tests.browser.test_accessibility import violations
from tests.reports.test_reports import workbook
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

DRAWN = "[...document.querySelectorAll('.report .chart')].every((chart) => chart.querySelector('.main-svg'))"
COLOURS = "chart => [...new Set(chart.data.flatMap((one) => one.marker?.color ?? one.line?.color))]"


@pytest.fixture(autouse=True)
def nothing_complained(complaints: list[str]) -> Iterator[None]:
    yield
    assert complaints == []


class Hand:
    """Counts the clicks of a person, who also chooses from lists by a click."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks = page, 0

    def click(self, name: str, role: Any = "link") -> None:
        self.clicks += 1
        self.page.get_by_role(role, name=name, exact=True).first.click()

    def take(self, name: str) -> Download:
        with self.page.expect_download(timeout=LONG_MS) as download:
            self.click(name)
        return download.value


def fill(tenant: Tenant, at: datetime) -> None:
    """Stores calls of three customers in the month: globex has the largest spend."""
    for customer, cost in (("acme", "2"), ("globex", "5"), ("initech", "1")):
        tenant.calls(2, at, labels={"customer": customer}, cost_usd=cost, user_id="ada", latency_ms=100.0)


def wait_until_charts_are_drawn(page: Page) -> None:
    expect(page.locator(".report .chart .main-svg").first).to_be_visible(timeout=LONG_MS)
    for _ in range(LONG_MS // 100):
        if page.evaluate(DRAWN):
            return
        page.wait_for_timeout(100)
    raise AssertionError("a chart is not drawn")


def test_last_months_cost_by_customer_and_a_pdf_for_the_largest_take_eight_clicks_at_most(
    page: Page, live_server: Any, tenant: Tenant
) -> None:
    month = window_of("last_month", datetime.now(UTC), tenant.workspace.zone)
    fill(tenant, month[0] + timedelta(days=3))
    fill(tenant, datetime.now(UTC))
    open_page(page, live_server, tenant, "usage")
    hand = Hand(page)
    hand.click("Reports")
    hand.click("Open", "button")
    expect(page.locator(".report h1")).to_contain_text("Spend was $16.00", timeout=LONG_MS)
    file = Path(hand.take("XLSX").path()).read_bytes()
    customers = next(sheet for sheet in workbook(file) if sheet[0][0] == "Customer")
    assert [row[:2] for row in customers[1:4]] == [["globex", "10"], ["acme", "4"], ["initech", "2"]]
    hand.click("globex")
    expect(page.locator(".report h1")).to_contain_text("2 calls", timeout=LONG_MS)
    pdf = hand.take("PDF")
    assert Path(pdf.path()).read_bytes().startswith(b"%PDF-")
    assert "globex" in pdf.suggested_filename
    assert hand.clicks <= 8


def test_a_report_keeps_its_kind_while_the_bar_changes_window_and_filters(
    page: Page, live_server: Any, tenant: Tenant
) -> None:
    fill(tenant, datetime.now(UTC) - timedelta(minutes=2))
    open_page(page, live_server, tenant, "report", "&kind=usage&period=last_month")
    expect(page.locator(".report h1")).to_contain_text("No call in", timeout=LONG_MS)
    page.locator("#time-range a", has_text="24h").click()
    expect(page.locator(".report h1")).to_contain_text("1 user made 6 calls", timeout=LONG_MS)
    assert parse_qs(urlsplit(page.url).query)["kind"] == ["usage"]
    wait_until_charts_are_drawn(page)
    page.locator("details.filter summary, .filter summary", has_text="Agent").first.click()
    page.locator(".filter .choices a", has_text="support").first.click(timeout=LONG_MS)
    expect(page.locator(".report .facts")).to_contain_text("support", timeout=LONG_MS)


def test_a_report_is_printed_in_light_colours_as_wide_as_paper(page: Page, live_server: Any, tenant: Tenant) -> None:
    page.add_init_script("window.print = () => (window.printed = true)")
    page.emulate_media(color_scheme="dark")
    fill(tenant, datetime.now(UTC) - timedelta(minutes=2))
    open_page(page, live_server, tenant, "report", "&kind=cost&range=24h")
    wait_until_charts_are_drawn(page)
    page.get_by_role("button", name="Print", exact=True).click()
    assert page.evaluate("window.printed") is True
    chart = page.locator(".report .chart").first
    dark = chart.evaluate(COLOURS)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert chart.evaluate("chart => chart._fullLayout.width") == 680
    assert chart.evaluate(COLOURS) != dark
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert chart.evaluate(COLOURS) == dark
    page.emulate_media(media="print")
    for hidden in (".nav", ".bar", ".report-tools"):
        expect(page.locator(hidden).first).to_be_hidden()
    expect(page.locator(".report h1")).to_be_visible()


def test_names_of_any_length_and_script_stay_in_their_place(page: Page, live_server: Any, tenant: Tenant) -> None:
    at = datetime.now(UTC) - timedelta(minutes=2)
    for name in ("a" * 200, "وكيل الدعم", "<script>window.__xss=1</script>"):
        labels = {"customer": name, name[:60]: "x"}
        tenant.calls(1, at, agent_id=name, model=name, user_id=name, labels=labels, cost_usd="1")
    for kind in ("cost", "usage", "performance", "statement"):
        about = "&label.customer=" + "a" * 200 if kind == "statement" else ""
        open_page(page, live_server, tenant, "report", f"&kind={kind}&range=24h{about}")
        wait_until_charts_are_drawn(page)
        assert page.evaluate("window.__xss") is None
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (kind, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_reports_have_no_fault_that_axe_finds(page: Page, live_server: Any, tenant: Tenant, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    fill(tenant, datetime.now(UTC) - timedelta(minutes=2))
    open_page(page, live_server, tenant, "report", "&kind=cost&range=24h")
    wait_until_charts_are_drawn(page)
    assert violations(page) == []


@pytest.mark.parametrize("is_file", [False, True], ids=["page", "file"])
def test_a_long_table_is_printed_with_all_its_rows(page: Page, live_server: Any, tenant: Tenant, is_file: bool) -> None:
    for number in range(40):
        tenant.calls(1, datetime.now(UTC) - timedelta(minutes=2), agent_id=f"agent-{number}", cost_usd="1")
    page.set_extra_http_headers({"X-Workspace-ID": str(tenant.workspace.id)})
    if is_file:
        page.goto(f"{live_server.url}/api/v1/reports/cost.html?range=24h")
    else:
        open_page(page, live_server, tenant, "report", "&kind=cost&range=24h")
        page.emulate_media(media="print")
    table = page.get_by_role("region", name="Cost by agent", exact=True)
    expect(table).to_contain_text("agent-39", timeout=LONG_MS)
    assert table.evaluate("one => one.scrollHeight <= one.clientHeight")


def test_the_file_of_a_report_has_its_look_under_its_own_policy(page: Page, live_server: Any, tenant: Tenant) -> None:
    fill(tenant, datetime.now(UTC) - timedelta(minutes=2))
    page.set_extra_http_headers({"X-Workspace-ID": str(tenant.workspace.id)})
    page.goto(f"{live_server.url}/api/v1/reports/cost.html?range=24h")
    assert page.locator("h1").evaluate("head => getComputedStyle(head).fontSize") == "20px"
    assert page.locator(".report-chart > svg").first.bounding_box()["width"] > 600  # type: ignore[index]
    assert page.locator(".report-chart > svg text").first.evaluate("one => getComputedStyle(one).fontSize") == "7px"
