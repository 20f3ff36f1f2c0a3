"""A new owner sets up a workspace by clicks alone: people, key, first trace, label, price, zone, content."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, ViewportSize, expect

from tests.browser.steps import LONG_MS
from tests.browser.test_accessibility import PHONE, WIDE
from tests.browser.test_settings_data_pages import curl
from tests.factories import PASSWORD, UserFactory
from tests.jobs_helper import run_waiting_jobs
from web.mail.folder import EmailBackend
from workspaces.models import LabelSource, Membership, Workspace

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

MOST_CLICKS = 40
ROOT, OWNER, EDITOR, VIEWER = "root", "olga", "ed", "vi"


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path, live_server: Any) -> Path:
    """The folder in which messages lie, as under `make run`."""
    settings.EMAIL_BACKEND = f"{EmailBackend.__module__}.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    settings.MAIL_IS_ON = True
    settings.PUBLIC_URL = live_server.url
    return tmp_path


class Person:
    """Somebody with a browser of their own, whose clicks count: buttons, links, fields and choices."""

    def __init__(self, browser: Browser, viewport: ViewportSize, url: str) -> None:
        self.context = browser.new_context(viewport=viewport)
        self.context.set_default_timeout(LONG_MS)
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page, self.url, self.clicks = self.context.new_page(), url, 0

    def click(self, target: Locator) -> None:
        self.clicks += 1
        target.click(timeout=LONG_MS)

    def press(self, name: str) -> None:
        self.click(self.page.get_by_role("button", name=name))

    def write(self, label: str, text: str) -> None:
        self.click(field := self.page.get_by_label(label, exact=True))
        field.fill(text)

    def choose(self, label: str, value: str) -> None:
        self.clicks += 2
        self.page.get_by_label(label, exact=True).select_option(value)

    def open_settings(self) -> None:
        main = self.page.get_by_role("navigation", name="Main")
        if not (link := main.get_by_role("link", name="Settings")).is_visible():
            self.click(main.get_by_text("More", exact=True))
        self.click(link)
        expect(self.page.get_by_role("navigation", name="Settings")).to_be_visible(timeout=LONG_MS)

    def open(self, name: str) -> None:
        links = self.page.get_by_role("navigation", name="Settings")
        self.click(links.get_by_role("link", name=name, exact=True))
        expect(links.get_by_role("link", name=name, exact=True)).to_have_attribute("aria-current", "page")

    def invite(self, name: str, role: str) -> None:
        self.write("Email address", f"{name}@example.com")
        self.choose("Role", role)
        self.press("Invite")
        expect(self.page.get_by_text(f"The invitation was sent to {name}@example.com.")).to_be_visible(timeout=LONG_MS)

    def join(self, root: "Person", name: str) -> None:
        """Opens the link of the message, which the server shows on its pages of messages, and makes an account."""
        run_waiting_jobs()
        root.page.goto(f"{self.url}/mail/")
        root.page.locator("tr, li", has_text=f"{name}@example.com").get_by_role("link").first.click()
        [link] = set(re.findall(r"http://\S+/invitations/[\w-]+", root.page.locator("body").inner_text()))
        self.page.goto(link)
        self.write("User name", name)
        self.write("Password", PASSWORD)
        self.write("Password again", PASSWORD)
        self.press("Make the account and join")
        expect(self.page.get_by_text("Acme").first).to_be_attached(timeout=LONG_MS)


@pytest.fixture(params=[WIDE, PHONE], ids=["wide", "phone"])
def people(request: pytest.FixtureRequest, browser: Browser, live_server: Any) -> Iterator[dict[str, Person]]:
    everybody = {name: Person(browser, request.param, live_server.url) for name in (ROOT, OWNER, EDITOR, VIEWER)}
    yield everybody
    for one in everybody.values():
        one.page.goto("about:blank")
        one.context.close()


def test_a_new_owner_sets_up_a_workspace_with_at_most_40_clicks(people: dict[str, Person]) -> None:
    make_workspace(root := people[ROOT])
    owner = people[OWNER]
    owner.join(root, OWNER)
    owner.open_settings()
    owner.write("Zone, like Europe/Berlin", "Europe/Berlin")
    owner.press("Save")
    invite_people(owner)
    send_a_trace(owner)
    choose_a_label(owner)
    set_a_price(owner)
    limit_content(owner)
    assert owner.clicks <= MOST_CLICKS
    for name in (EDITOR, VIEWER):
        people[name].join(root, name)
    roles = dict(Membership.objects.values_list("user__username", "role"))
    assert roles == {ROOT: "owner", OWNER: "owner", EDITOR: "editor", VIEWER: "viewer"}
    assert not Membership.objects.filter(user__is_staff=True).exclude(user__username=ROOT).exists()


# --- Its steps ---


def make_workspace(root: Person) -> None:
    UserFactory(username=ROOT, is_staff=True, is_superuser=True)
    root.page.goto(f"{root.url}/sign-in?next=/settings/new-workspace")
    root.write("User name", ROOT)
    root.write("Password", PASSWORD)
    root.press("Sign in")
    root.write("Name", "Acme")
    root.press("Make the workspace")
    expect(root.page.get_by_text("Send a trace and it shows up here").first).to_be_visible(timeout=LONG_MS)
    root.open_settings()
    root.open("Members")
    root.invite(OWNER, "owner")


def invite_people(owner: Person) -> None:
    owner.open("Members")
    owner.invite(EDITOR, "editor")
    owner.invite(VIEWER, "viewer")


def send_a_trace(owner: Person) -> None:
    """Sends what the page of a new key offers for curl."""
    owner.open("Keys")
    owner.write("What uses it", "checkout")
    owner.press("Make the key")
    owner.click(owner.page.locator(".snippet", has_text="curl").first.get_by_role("button", name="Copy"))
    assert curl(owner.page.evaluate("navigator.clipboard.readText()"))["accepted"] == 1


def choose_a_label(owner: Person) -> None:
    owner.open("Labels")
    owner.write("Attribute", "metadata.customer")
    owner.write("Label", "customer")
    owner.press("Choose")
    expect(owner.page.get_by_label("Name of the label of metadata.customer")).to_be_visible(timeout=LONG_MS)
    assert LabelSource.objects.get().label == "customer"


def set_a_price(owner: Person) -> None:
    owner.open("Prices")
    owner.write("Model, or a pattern like acme-*", "gpt-4o")
    owner.write("USD per million: input", "1")
    owner.write("output", "2")
    week_ago = datetime.now(UTC).date() - timedelta(days=7)
    owner.clicks += 1
    owner.page.locator("input[name=valid_from]").fill(week_ago.isoformat())
    owner.press("Show what it changes")
    expect(owner.page.locator("h3")).to_contain_text("1 call since", timeout=LONG_MS)
    owner.press("Save it, and price the stored calls again")
    expect(owner.page.locator("#update")).to_contain_text("Stored calls are being priced again", timeout=LONG_MS)
    run_waiting_jobs("settings.reprice")
    expect(owner.page.locator("#update")).to_contain_text("1 call", timeout=LONG_MS)


def limit_content(owner: Person) -> None:
    owner.open("Content")
    owner.choose("Who reads stored content", "editors")
    owner.press("Save")
    expect(owner.page.get_by_text("Saved.")).to_be_visible(timeout=LONG_MS)
    acme = Workspace.objects.get()
    assert (acme.time_zone, acme.content_visible_to) == ("Europe/Berlin", "editors")
