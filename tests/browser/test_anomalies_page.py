"""From the first page of Insights to an anomaly, its dismissal and an annotation, by mouse and on a phone."""

from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.steps import LONG_MS, open_page, wait_until_drawn
from tests.browser.test_accessibility import PHONE, WIDE, violations
from tests.browser.test_phone import LONG_NAME, OVERHANGING
from tests.insights.months import a_month, unusual_calls
from tests.tenant import NOON, Tenant
from workspaces.models import Annotation

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


def dear_hours(tenant: Tenant, agent: str = "loop") -> None:
    a_month(tenant)
    unusual_calls(tenant, 30, agent_id=agent, cost="1")


def test_an_anomaly_is_read_planned_and_shown_on_the_chart(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    dear_hours(tenant)
    open_page(page, live_server, tenant, "insights")
    panel = page.locator("#panel-open-anomalies")
    expect(panel).to_contain_text("Spend of agent loop was $60", timeout=LONG_MS)
    expect(page.locator("#panel-forecast")).to_contain_text("spent", timeout=LONG_MS)
    wait_until_drawn(page)
    assert violations(page) == []
    page.get_by_label("Insights", exact=True).get_by_role("link", name="Anomalies").click()
    page.wait_for_url("**/insights/anomalies?**")
    page.locator("#panel-anomalies summary", has_text="Dismiss, or planned").click(timeout=LONG_MS)
    page.locator("#panel-anomalies").get_by_label("Reason").fill("load test")
    page.get_by_role("button", name="It was planned").click()
    expect(page.locator("#panel-anomalies")).to_contain_text("Nothing unusual", timeout=LONG_MS)
    assert Annotation.objects.get().label == "load test"
    open_page(page, live_server, tenant, "cost", "&range=7d")
    mark = page.locator("#panel-cost-trend").get_by_role("link", name="Planned load: load test")
    expect(mark).to_be_visible(timeout=LONG_MS)
    wait_until_drawn(page)
    expect(page.locator("#panel-cost-trend .shapelayer path").first).to_be_attached()
    mark.click()
    page.wait_for_url("**/insights/annotations/**")
    expect(page.get_by_label("Name", exact=True)).to_have_value("load test")
    assert complaints == []


def test_a_time_is_annotated_from_the_corner_of_a_chart(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    tenant.calls(3, NOON)
    open_page(page, live_server, tenant, "usage", "&range=7d")
    corner = page.locator("#panel-usage-calls-over-time .take")
    corner.locator("summary").click(timeout=LONG_MS)
    corner.get_by_role("link", name="Annotate this time").click()
    page.wait_for_url("**/insights/annotations?**")
    page.get_by_label("Name", exact=True).fill("release 2.0")
    page.get_by_label("Until").fill("")
    assert violations(page) == []
    page.get_by_role("button", name="Save").click()
    expect(page.locator("tbody th")).to_have_text("release 2.0", timeout=LONG_MS)
    made = Annotation.objects.get()
    assert (made.kind, made.ends_at) == ("deploy", None)
    assert complaints == []


@pytest.mark.parametrize(("scheme", "viewport"), [("light", WIDE), ("dark", PHONE)], ids=["wide", "phone"])
def test_the_pages_are_accessible_and_fit(
    page: Page, live_server: Any, tenant: Tenant, scheme: Any, viewport: ViewportSize
) -> None:
    dear_hours(tenant, LONG_NAME)
    Annotation.objects.create(workspace=tenant.workspace, kind="deploy", label="x" * 100, starts_at=NOON)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size(viewport)
    for name, text in (
        ("insights", "Spend of agent"),
        ("insights/anomalies", "Spend of agent"),
        ("insights/annotations", "xxx"),
    ):
        open_page(page, live_server, tenant, name)
        expect(page.locator("main")).to_contain_text(text, timeout=LONG_MS)
        wait_until_drawn(page)
        assert violations(page) == []
        if viewport == PHONE:
            assert page.evaluate(OVERHANGING) == []
