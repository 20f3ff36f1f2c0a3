"""Keys and prices of a workspace, as its owner sets them: on a wide screen and on a phone."""

import json
import shlex
from typing import Any
from urllib.request import Request, urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from django.test import Client
from playwright.sync_api import Page, expect

from tests.browser.steps import LONG_MS
from tests.factories import MembershipFactory, WorkspaceFactory, an_api_key
from tests.jobs_helper import run_waiting_jobs
from tests.tenant import NOON, Tenant
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

WIDTHS = (1440, 390)


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory(name="Acme")


@pytest.fixture
def owner(page: Page, live_server: Any, workspace: Workspace) -> Page:
    """Returns the page of a browser in which an owner of the workspace is signed in."""
    client = Client()
    user = MembershipFactory(workspace=workspace, role="owner").user
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    return page


def open_settings(page: Page, live_server: Any, workspace: Workspace, name: str, width: int = 1440) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{live_server.url}/settings/{name}?workspace={workspace.id}")


def check_layout(page: Page, width: int) -> None:
    """Checks that nothing is wider than the screen, and that axe has nothing to say."""
    assert page.evaluate("document.documentElement.scrollWidth") == width
    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()


def test_an_owner_makes_a_key_sends_with_it_and_rotates_it(
    owner: Page, live_server: Any, workspace: Workspace, complaints: list[str]
) -> None:
    owner.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for width in WIDTHS:
        open_settings(owner, live_server, workspace, "keys", width)
        check_layout(owner, width)
    owner.get_by_label("What uses it").fill("checkout")
    owner.get_by_role("button", name="Make the key").click()
    expect(owner.get_by_role("heading", level=1)).to_contain_text("Copy the key now", timeout=LONG_MS)
    owner.locator(".snippet").nth(1).get_by_role("button", name="Copy").click()
    assert curl(owner.evaluate("navigator.clipboard.readText()"))["accepted"] == 1
    check_layout(owner, 390)
    owner.get_by_role("link", name="All keys").click()
    row = owner.locator("tbody tr", has_text="checkout")
    expect(row).to_contain_text("valid", timeout=LONG_MS)
    expect(row).to_contain_text("a terminal")
    row.get_by_role("link").click()
    expect(owner.get_by_role("button", name="Rotate the key")).to_be_visible(timeout=LONG_MS)
    check_layout(owner, 390)
    owner.get_by_role("button", name="Rotate the key").click()
    expect(owner.get_by_role("main")).to_contain_text("works until", timeout=LONG_MS)
    owner.get_by_role("link", name="All keys").click()
    expect(owner.locator("tbody tr", has_text="replaced")).to_have_count(1, timeout=LONG_MS)
    assert complaints == []


def test_the_last_key_is_revoked_with_a_click(
    owner: Page, live_server: Any, workspace: Workspace, complaints: list[str]
) -> None:
    key, _ = an_api_key("read", workspace=workspace)
    open_settings(owner, live_server, workspace, f"keys/{key.pk}")
    owner.get_by_role("button", name="Revoke the key").click()
    expect(owner.locator("tbody tr")).to_contain_text("revoked", timeout=LONG_MS)
    assert complaints == []


def test_an_owner_sees_what_a_price_changes_saves_it_and_sees_it_applied(
    owner: Page, live_server: Any, workspace: Workspace, complaints: list[str]
) -> None:
    values: dict[str, Any] = {"model": "acme-1", "provider": None, "input_tokens": 1_000_000, "output_tokens": 100_000}
    Tenant(workspace, Client()).calls(2, at=NOON, **values)
    for width in reversed(WIDTHS):
        open_settings(owner, live_server, workspace, "prices", width)
        check_layout(owner, width)
    owner.get_by_role("link", name="acme-1").click()
    expect(owner.get_by_label("Model, or a pattern like acme-*")).to_have_value("acme-1", timeout=LONG_MS)
    owner.get_by_label("USD per million: input").fill("2")
    owner.get_by_label("output").fill("10")
    owner.get_by_role("button", name="Show what it changes").click()
    expect(owner.get_by_role("main")).to_contain_text("would cost $6.00", timeout=LONG_MS)
    owner.set_viewport_size({"width": 390, "height": 900})
    check_layout(owner, 390)
    owner.get_by_role("button", name="Save it, and price the stored calls again").click()
    expect(owner.locator("#update")).to_contain_text("Stored calls are being priced again", timeout=LONG_MS)
    run_waiting_jobs("settings.reprice")
    expect(owner.locator("#update")).to_contain_text("2 calls", timeout=LONG_MS)  # the page asks again by itself
    expect(owner.locator("#update")).to_contain_text("cost $6.00 instead of $0.00")
    assert complaints == []


@pytest.mark.parametrize("name", ["labels", "content", "usage"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_other_pages_fit_every_screen(
    owner: Page, live_server: Any, workspace: Workspace, complaints: list[str], name: str, width: int
) -> None:
    Tenant(workspace, Client()).calls(2, attributes={"metadata": {"customer": "acme"}})
    connections["analytics"].cursor().execute("ANALYZE traces")  # then the page of usage has its table
    open_settings(owner, live_server, workspace, name, width)
    expect(owner.get_by_role("heading", level=1)).to_be_visible(timeout=LONG_MS)
    check_layout(owner, width)
    assert complaints == []


# --- The lines of a new key ---


def curl(command: str) -> Any:
    """Sends what curl would send."""
    words = shlex.split(command.replace("\\\n", " "))
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    body = words[words.index("-d") + 1]
    with urlopen(Request(words[1], body.encode(), headers | {"User-Agent": "a terminal"})) as answer:
        return json.load(answer)
