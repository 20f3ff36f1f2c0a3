"""Makes a channel and tests it as people do, and looks at the pages of channels in both themes and sizes."""

import os
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from alerts.attempts import attempt
from alerts.delivery import send
from alerts.models import Channel, Delivery
from tests.alerts.test_attempts import a_channel
from tests.alerts.test_channels_api import SLACK
from tests.alerts.test_message import message
from tests.browser.steps import LONG_MS, open_page
from tests.browser.test_accessibility import PHONE, WIDE, violations
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

SHOTS = os.environ.get("SHOTS", "")


def test_a_channel_is_made_and_tested_in_six_clicks(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    open_page(page, live_server, tenant, "alerts/channels")
    page.get_by_role("link", name="Email", exact=True).click(timeout=LONG_MS)
    page.get_by_label("Name").fill("Team")
    page.get_by_label("Addresses").fill("ada@example.com\nbob@example.com")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Team", timeout=LONG_MS)
    page.get_by_role("button", name="Send test").click()
    expect(page.locator("#deliveries")).to_contain_text("waits", timeout=LONG_MS)
    attempt(str(Delivery.objects.get().pk))
    expect(page.locator("#deliveries .badge.ok")).to_have_text("sent", timeout=LONG_MS)
    expect(page.locator("#states")).to_contain_text("works")
    assert complaints == []


def test_a_wrong_form_says_so_at_its_field_and_shows_no_secret(page: Page, live_server: Any, tenant: Tenant) -> None:
    open_page(page, live_server, tenant, "alerts/channels/new/slack")
    page.get_by_label("Name").fill("Team")
    page.get_by_label("Webhook URL").fill(SLACK.replace("hooks.slack.com", "example.com"))
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#url-error")).to_contain_text("must be the address", timeout=LONG_MS)
    expect(page.get_by_label("Name")).to_have_value("Team")
    expect(page.get_by_label("Webhook URL")).to_have_value("")


def fill(tenant: Tenant) -> list[Channel]:
    channels = [
        a_channel(kind, name, workspace=tenant.workspace, **values)
        for kind, name, values in (
            ("email", "Team", {}),
            ("slack", "everything-in-one-long-name-without-a-space-that-goes-on", {}),
            ("webhook", "Own program", {"failing_since": timezone.now(), "fault": "example.com answered 500: down."}),
            ("pagerduty", "On call", {"is_active": False}),
        )
    ]
    for number in range(3):
        event = message(workspace_id=tenant.workspace.pk, subject=f"Spend of support-bot is {number}40 % up")
        send(event, channels[:3])
    later = {"attempts": 2, "next_at": timezone.now() + timedelta(minutes=5)}
    Delivery.objects.filter(channel=channels[1]).update(state="sent", attempts=1, next_at=None)
    Delivery.objects.filter(channel=channels[2]).update(fault="example.com answered 500: down.", **later)
    Delivery.objects.filter(channel=channels[0]).update(
        state="failed", attempts=5, next_at=None, fault="The mail server mail.example.com:587 did not answer."
    )
    send(message(workspace_id=tenant.workspace.pk, event_id=uuid4()), [channels[1]], is_test=True)
    Delivery.objects.filter(is_test=True).update(state="sent", attempts=1, next_at=None, answer_status=200)
    return channels


@pytest.mark.parametrize(("scheme", "viewport"), [("light", WIDE), ("dark", PHONE)], ids=["wide", "phone"])
def test_no_page_of_channels_has_a_serious_violation_or_is_wider_than_the_screen(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str], scheme: Any, viewport: Any
) -> None:
    channels = fill(tenant)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size(viewport)
    for name in (
        "alerts/channels",
        *(f"alerts/channels/new/{kind}" for kind in ("email", "pagerduty", "webhook")),
        f"alerts/channels/{channels[2].pk}",
        f"alerts/channels/{channels[1].pk}/edit",
    ):
        open_page(page, live_server, tenant, name)
        expect(page.locator("h1")).to_have_count(1, timeout=LONG_MS)
        assert violations(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than the screen"
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{scheme}-{name.replace('/', '-')[:40]}.png", full_page=True)
    assert complaints == []
