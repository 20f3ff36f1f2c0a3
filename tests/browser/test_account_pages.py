"""The pages of an account in a browser: passkeys, the theme, and what the admin looks like."""

import re
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Page, expect

from tests.browser.steps import LONG_MS
from tests.browser.test_accessibility import PHONE, WIDE, violations
from tests.factories import PASSWORD, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

STATIC = Path(__file__).resolve().parents[2] / "static"
PAGES = ("profile", "security", "sessions", "security/password", "security/app", "security/passkey")


@pytest.fixture
def ada() -> Any:
    user = UserFactory(username="ada", email="ada@example.com", is_staff=True, is_superuser=True)
    return MembershipFactory(role="owner", user=user).user


def sign_in(page: Page, live_server: Any) -> None:
    page.goto(f"{live_server.url}/sign-in")
    page.fill("#id_username", "ada")
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def give_device(page: Page) -> None:
    """Gives the browser a device with passkeys, on which somebody always touches the sensor."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_is_added_and_then_needed_to_sign_in(
    page: Page, live_server: Any, ada: Any, complaints: list[str]
) -> None:
    give_device(page)
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/settings/security")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Add it").click()
    expect(page.locator(".recovery-codes li")).to_have_count(10, timeout=LONG_MS)
    assert Authenticator.objects.get(type="webauthn").wrap().name == "Laptop"
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, live_server)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator("nav.nav")).to_be_visible(timeout=LONG_MS)
    page.goto(f"{live_server.url}/settings/security")
    expect(page.get_by_role("row", name="Laptop")).to_be_visible(timeout=LONG_MS)
    assert complaints == []


def test_without_a_device_the_page_says_so_and_nothing_is_sent(page: Page, live_server: Any, ada: Any) -> None:
    sign_in(page, live_server)
    page.add_init_script("navigator.credentials.create = () => Promise.reject(new Error('no device'))")
    page.goto(f"{live_server.url}/settings/security/passkey")
    page.get_by_role("button", name="Add it").click()
    expect(page.locator("[data-passkey-error]")).to_contain_text("no device", timeout=LONG_MS)
    assert not Authenticator.objects.exists()


def test_the_theme_of_the_profile_follows_to_another_browser(page: Page, live_server: Any, ada: Any) -> None:
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/settings/profile")
    page.get_by_label("Theme").select_option("dark")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="saved")).to_be_visible(timeout=LONG_MS)
    assert page.evaluate("isDark()")
    page.evaluate("localStorage.clear()")
    page.goto(f"{live_server.url}/settings/profile")
    assert page.evaluate("isDark()")


@pytest.mark.parametrize(("scheme", "viewport"), [("light", WIDE), ("dark", PHONE)], ids=["wide", "phone"])
def test_no_account_page_has_a_serious_violation(
    page: Page, live_server: Any, ada: Any, complaints: list[str], scheme: Any, viewport: Any
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size(viewport)
    for path in ("/sign-in", "/sign-in/forgotten"):
        page.goto(live_server.url + path)
        assert violations(page) == [], path
    sign_in(page, live_server)
    for name in PAGES:
        page.goto(f"{live_server.url}/settings/{name}")
        expect(page.locator("h1")).to_have_count(1)
        assert violations(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than the screen"
    assert complaints == []


def tokens(style: str) -> dict[str, str]:
    return {name: "".join(value.split()) for name, value in re.findall(r"(--[\w-]+):\s*([^;]+);", style)}


def test_the_admin_has_the_tokens_of_the_product() -> None:
    product, admin = (tokens((STATIC / name).read_text()) for name in ("app.css", "admin.css"))
    shared = product.keys() & admin.keys() - {"--primary-fg"}
    assert {"--page", "--card", "--text", "--muted", "--border", "--primary", "--error"} <= shared
    assert {name: admin[name] for name in shared} == {name: product[name] for name in shared}


@pytest.mark.parametrize(("scheme", "card"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(22, 26, 33)")])
def test_the_admin_has_the_products_colours_and_leads_back(
    page: Page, live_server: Any, ada: Any, scheme: Any, card: str
) -> None:
    page.emulate_media(color_scheme=scheme)
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/admin/")
    header = page.locator("#header")
    assert header.evaluate("(header) => getComputedStyle(header).backgroundColor") == card
    page.get_by_role("link", name="Back to the product").click()
    expect(page.locator("nav.nav")).to_be_visible(timeout=LONG_MS)
