"""The admin under the strict CSP: nothing is blocked, and its scripted parts work."""

import pytest
from django.db import connection
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from jobs.timetable import TIMETABLE
from tests.factories import PASSWORD, MembershipFactory, UserFactory, an_api_key
from tests.jobs.effects import effect

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def signed_in(page: Page, live_server: LiveServer) -> None:
    user = UserFactory(is_staff=True, is_superuser=True)
    page.goto(f"{live_server.url}/admin/")
    page.fill("#id_username", user.username)
    page.fill("#id_password", PASSWORD)
    page.click("[type=submit]")
    expect(page.locator("#site-name")).to_be_visible()


def test_no_page_breaks_the_csp(page: Page, live_server: LiveServer, complaints: list[str]) -> None:
    membership = MembershipFactory()
    key, _ = an_api_key("read", workspace=membership.workspace)
    signed_in(page, live_server)
    for app, instance in (("workspace", membership.workspace), ("membership", membership), ("apikey", key)):
        base = f"admin:workspaces_{app}"
        for path in (
            reverse(f"{base}_changelist"),
            reverse(f"{base}_add"),
            reverse(f"{base}_change", args=[instance.pk]),
            reverse(f"{base}_delete", args=[instance.pk]),
        ):
            page.goto(live_server.url + path)
            page.wait_for_load_state("networkidle")
            assert complaints == [], path


def test_a_key_is_added_with_a_picked_workspace_and_date(
    page: Page, live_server: LiveServer, complaints: list[str]
) -> None:
    membership = MembershipFactory()
    signed_in(page, live_server)
    page.goto(live_server.url + reverse("admin:workspaces_apikey_add"))
    page.click(".field-workspace .select2-selection")
    page.click(f".select2-results__option >> text={membership.workspace.name}")
    page.fill("#id_name", "agent")
    page.click(".datetimeshortcuts .date-icon")
    page.click("#calendarbox0 >> text=Tomorrow")
    page.fill("#id_expires_at_1", "12:00")
    page.click("[name=_save]")
    expect(page.locator("code").first).to_contain_text("aop_")
    assert complaints == []


def test_on_a_phone_no_button_of_background_work_is_beside_the_screen(page: Page, live_server: LiveServer) -> None:
    job_id = effect.defer(key="k")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = %s", [job_id])
    signed_in(page, live_server)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(live_server.url + reverse("admin:jobs_taskstate_changelist"))
    buttons = page.locator(".jobs button")
    expect(buttons.filter(has_text="Run again")).to_have_count(1)
    ends = [box["x"] + box["width"] for button in buttons.all() if (box := button.bounding_box())]
    assert len(ends) > len(TIMETABLE)
    assert max(ends) <= 390
