"""Has a report sent regularly as people do: from the page Reports, with a preview, and files at once."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from reports.models import ReportRun, Schedule, Unsubscribed
from reports.schedules import links
from tests.alerts.rules import a_channel
from tests.browser.steps import LONG_MS, open_page
from tests.browser.test_accessibility import PHONE, WIDE, violations
from tests.reports.schedules import NOW, TO, a_schedule, look, work
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

LONG = "a-long-name-without-a-space-that-goes-on-and-on-and-on"


def test_a_report_is_sent_regularly_and_one_is_made_at_once(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    tenant.calls(3, yesterday, cost_usd="1.00")
    open_page(page, live_server, tenant, "reports")
    page.get_by_role("link", name="Send a report regularly").click(timeout=LONG_MS)
    page.get_by_label("Report", exact=True).select_option("cost")
    page.get_by_label("of each").select_option("day")
    page.get_by_label("Addresses, one a line").fill("nobody")
    page.get_by_label("PDF").uncheck()
    page.get_by_label("Excel workbook").uncheck()
    page.get_by_label("CSV").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#addresses-error")).to_contain_text("must be addresses like", timeout=LONG_MS)
    page.get_by_label("Addresses, one a line").fill(TO)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Cost", timeout=LONG_MS)
    expect(page.locator("main")).to_contain_text("each day at 08:00, about the day before")
    page.get_by_role("button", name="Make the files now").click()
    expect(page.locator("#runs")).to_contain_text("waiting", timeout=LONG_MS)
    work()
    expect(page.locator("#runs")).to_contain_text("made", timeout=LONG_MS)
    with page.expect_download(timeout=LONG_MS) as download:
        page.get_by_role("link", name="CSV").click()
    assert "3" in Path(download.value.path()).read_text()
    page.get_by_role("link", name="Preview").click()
    expect(page.locator(".report h1")).to_be_visible(timeout=LONG_MS)
    assert all("422" in complaint for complaint in complaints)  # the browser names the form that was wrong


@pytest.mark.parametrize(("scheme", "viewport"), [("light", WIDE), ("dark", PHONE)], ids=["wide", "phone"])
def test_no_page_of_schedules_has_a_serious_violation_or_is_wider_than_the_screen(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str], scheme: Any, viewport: Any
) -> None:
    tenant.calls(3, NOW - timedelta(days=1), cost_usd="1.00", labels={"customer": LONG})
    values = {"kind": "cost", "addresses": [TO, f"{LONG}@example.com"], "channels": [a_channel(tenant, LONG)]}
    schedule = a_schedule(tenant.workspace, name=LONG, per="label.customer", **values)
    a_schedule(tenant.workspace, name="Off", kind="usage", is_active=False)
    look()
    work()
    ReportRun.objects.update(state="failed", error="1 of 2 messages could not be sent. The mail server did not answer.")
    Unsubscribed.objects.create(schedule=schedule, address=TO)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size(viewport)
    query = f"?workspace={tenant.workspace.id}"
    own = f"/dashboard/reports/schedules/{schedule.pk}"
    leave, back = (links.person_token(purpose, schedule, TO) for purpose in (links.UNSUBSCRIBE, links.SUBSCRIBE))
    paths = [
        f"/dashboard/reports{query}",
        f"{own}{query}",
        f"{own}/edit{query}",
        f"/dashboard/reports/schedules/new{query}",
    ]
    for place, path in enumerate([*paths, f"/reports/unsubscribe/{leave}", f"/reports/subscribe/{back}"]):
        page.goto(f"{live_server.url}{path}")
        expect(page.locator("h1")).to_have_count(1, timeout=LONG_MS)
        expect(page.locator(".panel[aria-busy=true]")).to_have_count(0, timeout=LONG_MS)
        for details in page.locator("main details summary").all():
            details.click()
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=f"{folder}/{place}-{scheme}.png", full_page=True)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert complaints == []


def test_a_failed_report_is_tried_again_by_the_keyboard(page: Page, live_server: Any, tenant: Tenant) -> None:
    schedule: Schedule = a_schedule(tenant.workspace, kind="cost")
    look()
    ReportRun.objects.update(state="failed", error="It did not work.")
    open_page(page, live_server, tenant, f"reports/schedules/{schedule.pk}")
    page.get_by_role("button", name="Try again").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#runs")).to_contain_text("waiting", timeout=LONG_MS)
    work()
    expect(page.locator("#runs")).to_contain_text("1 of 1", timeout=LONG_MS)
