"""From an empty workspace to the first trace on screen: one click on Copy, one paste, and two clicks to the trace."""

import json
import shlex
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import LONG_MS, expect_card
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


def paste_into_a_terminal(command: str) -> Any:
    """Sends what curl would send."""
    words = shlex.split(command.replace("\\\n", " "))
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    body = words[words.index("-d") + 1]
    with urlopen(Request(words[1], body.encode(), headers)) as answer:
        return json.load(answer)


def test_an_empty_page_says_how_to_send_a_trace_which_then_appears(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    page.clock.install()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(live_server.url)
    page.get_by_role("button", name="Copy").first.click(timeout=LONG_MS)
    assert paste_into_a_terminal(page.evaluate("navigator.clipboard.readText()"))["accepted"] == 1
    page.clock.fast_forward(10_000)
    expect_card(page, "Total calls", "1")
    page.get_by_role("link", name="1", exact=True).first.click()
    page.locator(".row-link").first.click(timeout=LONG_MS)
    expect(page.get_by_role("main")).to_contain_text("It took 840 ms.", timeout=LONG_MS)
    assert complaints == []
