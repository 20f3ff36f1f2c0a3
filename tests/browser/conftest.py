from collections.abc import Iterator

import pytest
from django.db import connections
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from analytics import cache as answers
from analytics.openapi import openapi_document
from explorer import traces
from tests.browser.steps import LONG_MS
from tests.tools import tool

# The first has no windows, menus or pages of its own, and so needs a third less of the processor.
BROWSERS = ("chromium-headless-shell", "chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


expect.set_options(timeout=LONG_MS)
open_requests: dict[Page, set[Request]] = {}


@pytest.fixture(scope="package")
def browser(django_db_setup: None) -> Iterator[Browser]:
    """Runs Chromium for the tests of this folder.

    While Playwright's event loop runs in a thread, Django uses other connections there. So the databases are made
    before it begins, and the other connections are closed before it ends.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=tool(*BROWSERS), args=ARGUMENTS)
        yield browser
        browser.close()
        connections.close_all()


@pytest.fixture
def complaints() -> list[str]:
    """Returns the list of errors and CSP violations in the browser's console; it should stay empty."""
    return []


LEFT_BEHIND = ("htmx:sendAbort", "htmx:afterRequest")
"""What htmx writes when the browser ends a request because its page is left. A failed one also says htmx:sendError."""


def is_complaint(message: ConsoleMessage) -> bool:
    return message.type == "error" and not message.text.startswith(LEFT_BEHIND)


@pytest.fixture
def page(browser: Browser, complaints: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(LONG_MS)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    unanswered = open_requests[page] = set()
    page.on("request", lambda request: unanswered.add(request))
    page.on("requestfinished", lambda request: unanswered.discard(request))
    page.on("requestfailed", lambda request: unanswered.discard(request))
    yield page
    del open_requests[page]
    context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Ends a test after the server has answered all requests, before its workspace and its rows are removed."""
    yield
    page = getattr(item, "funcargs", {}).get("page")
    for _ in range(100 if page else 0):
        if not open_requests[page]:
            break
        page.wait_for_timeout(50)


@pytest.fixture(autouse=True, scope="package")
def described_api() -> None:
    """Makes the description of the API, which on a busy machine may take longer than a request may."""
    openapi_document()


@pytest.fixture(autouse=True)
def whole_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a list of traces search its whole window: on a busy machine its fifth of a second may end after an hour."""
    monkeypatch.setattr(traces, "SECONDS", 60)


@pytest.fixture
def always_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Computes answers again at once, so that no test waits until an answer is old enough."""
    monkeypatch.setattr(answers, "FRESH_SECONDS", -1)
    monkeypatch.setattr(answers, "RENEWAL_FACTOR", 0)
