"""Makes a rule as people do: from a panel of the performance page, with a channel and a test message."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from alerts.models import Delivery, Rule
from tests.alerts.rules import MINUTE, a_channel, a_round, a_rule
from tests.browser.steps import LONG_MS, open_page, wait_until_drawn
from tests.browser.test_accessibility import PHONE, WIDE, violations
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


class Clicks:
    """Counts the clicks of a reader."""

    def __init__(self, page: Page) -> None:
        self.page, self.number = page, 0

    def click(self, what: Any) -> None:
        self.number += 1
        what.click(timeout=LONG_MS)


def fill(tenant: Tenant) -> None:
    now = datetime.now(UTC)
    for hours in range(1, 60):
        slow = 9000.0 if hours in (1, 20) else 300.0
        tenant.calls(3, now - timedelta(hours=hours - 0.5), latency_ms=slow, cost_usd="0.5", user_id=f"u{hours % 4}")


def test_from_the_performance_page_to_a_rule_with_a_channel_and_a_test_in_at_most_12_clicks(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    fill(tenant)
    open_page(page, live_server, tenant, "performance", "&agent_id=support")
    wait_until_drawn(page)
    reader = Clicks(page)
    reader.click(page.locator("#panel-performance-latency .take summary"))
    reader.click(page.locator("#panel-performance-latency").get_by_role("link", name="Alert on this"))
    reader.click(page.get_by_role("link", name="Add one"))
    reader.click(page.get_by_role("link", name="ntfy"))
    page.get_by_label("Name").fill("On call")
    page.get_by_label("Topic", exact=True).fill("a-topic-that-nobody-guesses")
    reader.click(page.get_by_role("button", name="Save"))
    reader.click(page.get_by_role("button", name=re.compile("test")))
    expect(page.locator("#deliveries")).to_contain_text("On call", timeout=LONG_MS)
    page.goto(f"{live_server.url}/dashboard/performance?workspace={tenant.workspace.id}&agent_id=support")
    wait_until_drawn(page)
    reader.click(page.locator("#panel-performance-latency .take summary"))
    reader.click(page.locator("#panel-performance-latency").get_by_role("link", name="Alert on this"))
    expect(page.locator(".preview")).to_contain_text("it would have fired", timeout=LONG_MS)
    reader.click(page.get_by_role("button", name="Save"))
    expect(page.locator("main")).to_contain_text("Told on On call", timeout=LONG_MS)
    rule = Rule.objects.get()
    assert (rule.metric, rule.filters) == ("p95_latency_ms", {"agent_id": ["support"]})
    assert Delivery.objects.filter(is_test=True).count() == 1
    assert reader.number <= 12
    assert complaints == []


def test_an_offer_is_taken_by_one_click_and_the_keyboard(page: Page, live_server: Any, tenant: Tenant) -> None:
    page.goto(f"{live_server.url}/dashboard/alerts?workspace={tenant.workspace.id}")
    page.get_by_role("button", name="Nothing arrives").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Nothing arrives", timeout=LONG_MS)


def test_the_back_test_follows_the_form(page: Page, live_server: Any, tenant: Tenant) -> None:
    fill(tenant)
    page.goto(f"{live_server.url}/dashboard/alerts/new?workspace={tenant.workspace.id}&metric=cost_usd")
    expect(page.locator(".preview")).to_contain_text("it would never have fired", timeout=LONG_MS)
    page.get_by_label("Warning").fill("1.5")
    page.get_by_label("Warning").press("Tab")
    expect(page.locator(".preview")).to_contain_text(re.compile(r"fired \d+ times"), timeout=LONG_MS)


@pytest.mark.parametrize(("scheme", "viewport"), [("light", WIDE), ("dark", PHONE)], ids=["wide", "phone"])
def test_no_page_of_alerts_has_a_serious_violation_or_is_wider_than_the_screen(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str], scheme: Any, viewport: Any
) -> None:
    fill(tenant)
    channel = a_channel(tenant, failing_since=datetime.now(UTC), fault="The address does not answer.")
    rules = [
        a_rule(tenant, [channel], name="a-long-name-without-a-space-that-goes-on-and-on-and-on", warning=1),
        a_rule(tenant, [channel], name="Each user", per="user", warning=0.5, critical=1),
        a_rule(tenant, metric="p95_latency_ms", warning=5000, name="Slow"),
    ]
    now = datetime.now(UTC)
    for minutes in range(6):
        a_round(now + minutes * MINUTE)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size(viewport)
    paths = ["", "/new", *(f"/rules/{rule.pk}" for rule in rules[:2]), f"/rules/{rules[0].pk}/edit"]
    paths += [f"/events/{rule.events.first().pk}" for rule in rules]
    for path in paths:
        page.goto(f"{live_server.url}/dashboard/alerts{path}?workspace={tenant.workspace.id}")
        expect(page.locator("h1")).to_have_count(1)
        for details in page.locator("main details summary").all():
            details.click()
        if path.endswith(("new", "edit")):
            expect(page.locator(".preview")).to_contain_text("have fired", timeout=LONG_MS)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert complaints == []
