"""The pages of messages: nothing is blocked by the CSP, and what a message holds can run nothing."""

from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.test_accessibility import violations
from tests.browser.test_admin import signed_in
from web.mail import messages
from web.mail.delivery import deliver
from web.mails import TEST

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

LONG_NAME = "x" * 200


@pytest.fixture
def _mail_folder(settings: Any, tmp_path: Path, live_server: LiveServer) -> None:
    settings.EMAIL_BACKEND = "web.mail.folder.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    settings.PUBLIC_URL = live_server.url


def is_wider_than_the_screen(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.mark.usefixtures("_mail_folder")
class TestMessages:
    def test_a_message_is_read_and_its_link_opens_beside_it(
        self, page: Page, live_server: LiveServer, complaints: list[str]
    ) -> None:
        deliver(messages.message(messages.render(TEST, {"sent_by": LONG_NAME}), "bob@example.com", "test-1"))
        page.set_viewport_size({"width": 390, "height": 800})
        page.goto(f"{live_server.url}/mail/")
        assert not is_wider_than_the_screen(page)
        page.click("text=A test message from Agent observability")
        frame = page.frame_locator("iframe")
        expect(frame.locator("h1")).to_have_text("Mail works")
        assert not is_wider_than_the_screen(page)
        assert complaints == []
        with page.expect_popup() as opened:
            frame.locator("text=Open the dashboards").click()
        expect(opened.value).not_to_have_url("about:blank")

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_no_page_has_a_serious_violation(self, page: Page, live_server: LiveServer, scheme: Any) -> None:
        deliver(messages.message(messages.render(TEST, {"sent_by": "ada"}), "bob@example.com", "test-1"))
        page.emulate_media(color_scheme=scheme)
        page.goto(f"{live_server.url}/mail/")
        assert violations(page) == []
        page.click("text=A test message from Agent observability")
        # axe reads the frames too, and stops at one that has no document yet.
        expect(page.frame_locator("iframe").locator("h1")).to_have_text("Mail works")
        assert violations(page) == []

    def test_a_script_in_a_message_does_not_run(self, page: Page, live_server: LiveServer) -> None:
        message = EmailMultiAlternatives("Hostile", "text", "a@example.com", ["b@example.com"])
        script = "top.document.title = document.title = 'hacked'"
        message.attach_alternative(f'<p>here</p><script>{script}</script><img src=x onerror="{script}">', "text/html")
        deliver(message)
        page.goto(f"{live_server.url}/mail/")
        page.click("text=Hostile")
        expect(page.frame_locator("iframe").locator("p")).to_have_text("here")
        page.goto(f"{page.url}/html")
        assert "hacked" not in page.title()


def test_the_preview_of_the_admin_breaks_no_csp(page: Page, live_server: LiveServer, complaints: list[str]) -> None:
    signed_in(page, live_server)
    page.click("text=Messages")
    page.click("text=Test message")
    expect(page.frame_locator("iframe").locator("h1")).to_have_text("Mail works")
    assert complaints == []
