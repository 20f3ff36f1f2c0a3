"""An owner invites somebody and changes the workspace by clicks; the pages are looked at in both themes and sizes."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.steps import LONG_MS
from tests.browser.test_accessibility import PHONE, WIDE, violations
from tests.factories import PASSWORD, MembershipFactory, UserFactory, WorkspaceFactory, an_api_key
from tests.tenant import a_row
from traces import writer
from workspaces import invitations
from workspaces.audit import record
from workspaces.models import AuditEntry, Membership, Workspace

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

SHOTS = os.environ.get("SHOTS", "")
LONG_NAME = "everything-in-one-long-name-without-a-space-that-goes-on-and-on"
PAGES = ("general", "members", "audit", "new-workspace", "workspaces")


def sign_in(page: Page, live_server: Any, username: str) -> None:
    page.goto(f"{live_server.url}/sign-in?next=/settings")
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("navigation", name="Settings")).to_be_visible(timeout=LONG_MS)


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_an_owner_invites_somebody_who_joins_with_a_new_account(
    page: Page, browser: Browser, live_server: Any, settings: Any, complaints: list[str], viewport: ViewportSize
) -> None:
    settings.MAIL_IS_ON = False
    owner = MembershipFactory(role="owner", workspace__name="Acme", user__username="ada")
    page.set_viewport_size(viewport)
    sign_in(page, live_server, "ada")
    page.get_by_role("link", name="Members").click()
    page.get_by_label("Role", exact=True).select_option("editor")
    page.get_by_role("button", name="Make a link").click()
    link = page.locator("#invitation-link").inner_text(timeout=LONG_MS)
    context = browser.new_context(viewport=viewport)
    context.set_default_timeout(LONG_MS)
    other = context.new_page()
    other.goto(link)
    expect(other.locator("h1")).to_have_text("Join Acme")
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/link-{viewport['width']}.png", full_page=True)
        other.screenshot(path=f"{SHOTS}/accept-{viewport['width']}.png", full_page=True)
    assert violations(other) == []
    other.get_by_label("User name").fill("grace")
    other.get_by_label("Password", exact=True).fill(PASSWORD)
    other.get_by_label("Password again").fill(PASSWORD)
    other.get_by_role("button", name="Make the account and join").click()
    expect(other.get_by_text("Send a trace and it shows up here").first).to_be_visible(timeout=LONG_MS)
    assert Membership.objects.get(user__username="grace").role == "editor"
    other.goto(link)
    expect(other.locator("h1")).to_have_text("This link does not work")
    context.close()
    page.goto(f"{live_server.url}/settings/members?workspace={owner.workspace_id}")
    expect(page.locator("tr", has_text="grace").first).to_be_visible()
    row = page.locator("tr", has=page.get_by_label("Role of grace"))
    row.get_by_text("Remove", exact=True).click()
    row.get_by_role("button", name="Remove grace").click()
    expect(page.get_by_text("grace is no member any more.")).to_be_visible(timeout=LONG_MS)
    assert complaints == []


def test_an_owner_renames_the_workspace_and_finds_that_in_the_audit(
    page: Page, live_server: Any, complaints: list[str]
) -> None:
    MembershipFactory(role="owner", workspace__name="Acme", user__username="ada")
    sign_in(page, live_server, "ada")
    page.get_by_label("Name").fill("Acme Europe")
    page.get_by_label("Zone").fill("Europe/Berlin")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Acme Europe", timeout=LONG_MS)
    page.get_by_role("link", name="Audit").click()
    row = page.locator("tbody tr")
    expect(row).to_contain_text("workspace: change", timeout=LONG_MS)
    expect(row).to_contain_text("time zone: Europe/Berlin")
    assert complaints == []


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_switcher_finds_one_of_many_workspaces(
    page: Page, live_server: Any, complaints: list[str], viewport: ViewportSize
) -> None:
    user = UserFactory(username="ada")
    for number in range(13):
        MembershipFactory(user=user, workspace=WorkspaceFactory(name=f"Team {number:02}"))
    page.set_viewport_size(viewport)
    sign_in(page, live_server, "ada")
    page.get_by_role("navigation", name="Main").get_by_text("Team 00").click()
    expect(page.locator("#workspaces a")).to_have_count(13, timeout=LONG_MS)
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/switcher-{viewport['width']}.png")
    assert violations(page) == []
    page.get_by_label("Find a workspace").fill("eam 07")
    expect(page.locator("#workspaces a")).to_have_count(1, timeout=LONG_MS)
    page.locator("#workspaces").get_by_role("link", name="Team 07").click()
    expect(page.locator("h1")).to_have_text("Team 07", timeout=LONG_MS)
    assert "/settings/general" in page.url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []


def fill(workspace: Workspace) -> None:
    owner = MembershipFactory(
        workspace=workspace, role="owner", user__username="ada", user__email="ada@example.com"
    ).user
    MembershipFactory(workspace=workspace, role="editor", user__username=LONG_NAME, user__first_name="Grace")
    MembershipFactory(workspace=workspace, role="viewer", user__username="bob", user__is_active=False)
    invitations.create(workspace, "", "viewer", 7, owner)
    made, _ = invitations.create(workspace, "", "owner", 1, owner)
    invitations.revoke(workspace, made.pk, owner)
    an_api_key("ingest", workspace=workspace, ahead_at=timezone.now(), seconds_ahead=7200.0)
    now = datetime.now(UTC)
    attributes = {"service.name": LONG_NAME, "otel.scope.name": "openinference.instrumentation.openai"}
    writer.store(workspace.pk, [a_row(now - timedelta(minutes=3), attributes=attributes), a_row(now)])
    for number in range(12):
        before = {"amount_usd": "100.00", "thresholds": [{"basis": "actual", "percent": 80, "channels": []}]}
        after = before | {"amount_usd": f"{number}00.00", "scope": {"agent_id": [LONG_NAME]}}
        record(workspace, ("ada", "key aop_ab12cd34", LONG_NAME)[number % 3], "budget.change", LONG_NAME, before, after)
    AuditEntry.objects.filter(actor="ada").update(in_admin=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_no_page_of_the_settings_has_a_serious_violation(
    page: Page, live_server: Any, complaints: list[str], scheme: Any, viewport: ViewportSize
) -> None:
    workspace = WorkspaceFactory(name="Acme", time_zone="Europe/Berlin")
    fill(workspace)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size(viewport)
    sign_in(page, live_server, "ada")
    for name in PAGES:
        page.goto(f"{live_server.url}/settings/{name}?workspace={workspace.pk}")
        expect(page.locator("h1")).to_have_count(1)
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{scheme}-{viewport['width']}.png", full_page=True)
        assert violations(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than the screen"
    assert complaints == []
