"""Documents are searched and copied from, and calls of the API are tried on their pages."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from analytics.openapi import openapi_document
from tests.browser.steps import LONG_MS
from tests.factories import MembershipFactory, UserFactory, an_api_key
from tests.tenant import Tenant
from workspaces.models import Role

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


@pytest.fixture(autouse=True, scope="module")
def described() -> None:
    """Makes the description of the API before a request does, which has a deadline."""
    openapi_document()


def open_operation(page: Page, live_server: Any, name: str) -> None:
    page.goto(f"{live_server.url}/api/v1/docs/{name}")


def send(page: Page) -> None:
    page.get_by_role("button", name="Send", exact=True).click()


def status(page: Page) -> Any:
    return page.locator(".try [role=status]")


def test_a_document_is_found_and_its_code_copied(page: Page, live_server: Any, complaints: list[str]) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{live_server.url}/docs/")
    page.keyboard.press("/")
    expect(page.get_by_label("Search documents and API")).to_be_focused()
    page.keyboard.type("raise for some time")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="A raise for some time").click()
    page.wait_for_url("**/docs/budgets#a-raise-for-some-time")
    block = page.locator(".snippet", has_text="/raise").first
    block.get_by_role("button", name="Copy").click()
    expect(block.get_by_role("button")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == block.locator("pre").inner_text()
    assert f"{live_server.url}/api/v1/budgets" in block.locator("pre").inner_text()
    assert complaints == []


def test_the_theme_of_documents_is_switched_and_kept(page: Page, live_server: Any) -> None:
    page.goto(f"{live_server.url}/docs/")
    page.get_by_role("button", name="Light or dark").click()
    page.goto(f"{live_server.url}/api/v1/docs")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize(
    "address", ["/docs/", "/docs/clients", "/docs/?q=budget", "/api/v1/docs", "/api/v1/docs/query"]
)
def test_documents_fit_a_phone(page: Page, live_server: Any, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}{address}")
    heading = page.locator("h1").bounding_box()
    assert heading
    assert heading["y"] < 200
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    expect(page.locator(".nav").get_by_role("link", name="Docs")).to_be_visible()


def test_a_call_is_tried_and_its_answer_formatted(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    open_operation(page, live_server, "usage-overview")
    page.get_by_label("range").select_option("30d")
    page.locator("summary", has_text="More parameters").click()
    page.get_by_label("agent_id").fill("a & b")
    page.get_by_label("Others").fill("label.customer=acme")
    send(page)
    expect(status(page)).to_have_text(
        "200 OK: GET /api/v1/usage/overview?label.customer=acme&range=30d&agent_id=a+%26+b", timeout=LONG_MS
    )
    expect(page.locator(".answer")).to_contain_text('{\n  "total_calls": 0,')
    page.get_by_label("range").select_option("")
    page.get_by_label("start").fill("soon")
    send(page)
    expect(status(page)).to_contain_text("422", timeout=LONG_MS)
    expect(page.locator(".answer")).to_contain_text('"loc"')
    assert [text for text in complaints if "422" not in text] == []


def test_a_write_asks_first_and_then_changes_the_workspace(page: Page, live_server: Any, tenant: Tenant) -> None:
    open_operation(page, live_server, "set-cost-budget")
    page.get_by_label("Body").fill('{"monthly_limit_usd": 321}')
    send(page)
    expect(page.get_by_label("Yes, send it")).to_be_focused()
    assert tenant.ask("cost/budget")["monthly_limit_usd"] is None
    page.get_by_label("Yes, send it").check()
    send(page)
    expect(status(page)).to_have_text("200 OK: PUT /api/v1/cost/budget", timeout=LONG_MS)
    assert tenant.ask("cost/budget")["monthly_limit_usd"] == 321


def sign_in(page: Page, live_server: Any, user: Any) -> None:
    user.set_password("a good password")
    user.save()
    page.goto(f"{live_server.url}/sign-in")
    page.get_by_label("User name").fill(user.username)
    page.get_by_label("Password").fill("a good password")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard/**")


def test_a_member_tries_with_the_session_and_a_key_goes_before_it(page: Page, live_server: Any) -> None:
    membership = MembershipFactory(user=UserFactory(), role=Role.EDITOR)
    sign_in(page, live_server, membership.user)
    open_operation(page, live_server, "set-cost-budget")
    page.get_by_label("Yes, send it").check()
    send(page)
    expect(status(page)).to_contain_text("200 OK", timeout=LONG_MS)
    key, secret = an_api_key("write")
    page.get_by_label("Workspace", exact=True).fill(str(key.workspace_id))
    send(page)
    expect(status(page)).to_contain_text("403", timeout=LONG_MS)
    page.get_by_label("Key", exact=True).fill(secret)
    send(page)
    expect(status(page)).to_contain_text("200 OK", timeout=LONG_MS)


def test_an_address_is_filled_with_an_id_that_holds_a_slash(page: Page, live_server: Any, tenant: Tenant) -> None:
    tenant.calls(1, user_id="a/b")
    open_operation(page, live_server, "one-user")
    page.get_by_label("user_id").first.fill("a/b")
    send(page)
    expect(status(page)).to_contain_text("200 OK: GET /api/v1/users/a%2Fb?", timeout=LONG_MS)
    expect(page.locator(".answer")).to_contain_text('"user_id": "a/b"')
