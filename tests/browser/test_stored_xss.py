"""In Chromium, with the CSP switched off so that escaping alone must hold: no stored text runs or becomes a link."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from analytics.catalogue import PAGES
from explorer.trace_pages import COLUMNS
from tests.browser.steps import LONG_MS
from tests.factories import PASSWORD, UserFactory
from tests.security.hostile import filled
from tests.security.payloads import PAYLOADS

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


# Also in SVG, where Plotly draws names; a filter in a query string may hold any text.
LEADING_AWAY = """
[...document.querySelectorAll("*")].flatMap((element) => ["href", "xlink:href", "src", "action", "formaction", "hx-get"]
  .map((name) => element.getAttribute(name)).filter(Boolean))
  .map((address) => new URL(address, location))
  .filter((url) => url.host.includes("evil") || url.protocol === "javascript:").map(String)
"""


class Alarms(list[str]):
    """Collects events that must never happen; it should stay empty."""


@pytest.fixture
def alarms() -> Alarms:
    return Alarms()


@pytest.fixture
def bare_page(browser: Browser, live_server: LiveServer, alarms: Alarms) -> Iterator[Page]:
    """Opens a page with the CSP switched off."""
    context = browser.new_context(bypass_csp=True, viewport={"width": 1440, "height": 2000})
    context.set_default_timeout(LONG_MS)
    page = context.new_page()

    def dismiss(dialog: Any) -> None:
        alarms.append(f"dialog {dialog.message}")
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.on(
        "request",
        lambda request: alarms.append(request.url) if not request.url.startswith((live_server.url, "data:")) else None,
    )
    page.on("popup", lambda popup: alarms.append(f"popup {popup.url}"))
    yield page
    context.close()


def assert_no_alarm(page: Page, alarms: Alarms, where: str) -> None:
    assert page.evaluate("window.__xss") is None, where
    assert page.evaluate(LEADING_AWAY) == [], where
    assert alarms == [], where


def test_the_detector_notices_a_script(bare_page: Page, live_server: LiveServer, alarms: Alarms) -> None:
    """Checks that a script which is not escaped runs while the CSP is off."""
    bare_page.goto(f"{live_server.url}/sign-in")
    bare_page.evaluate("document.body.innerHTML = '<img src=x onerror=\"window.__xss=1\">'")
    bare_page.wait_for_function("window.__xss === 1")


def test_no_stored_script_runs(bare_page: Page, live_server: LiveServer, alarms: Alarms) -> None:
    user = UserFactory(is_staff=True, is_superuser=True, username="operator")
    workspace = filled(PAYLOADS.__getitem__, user)
    bare_page.goto(f"{live_server.url}/sign-in")
    bare_page.fill("[name=username]", "operator")
    bare_page.fill("[name=password]", PASSWORD)
    bare_page.locator("button.primary").click()
    for domain in [page.domain for page in PAGES]:
        where = f"{live_server.url}/dashboard/{domain}?workspace={workspace.id}&limit=100&range=1h"
        bare_page.goto(where)
        bare_page.wait_for_function("!document.querySelector('.panel[aria-busy=true]')")
        bare_page.wait_for_function("window.Plotly && document.querySelector('.chart .plot-container')")
        hover_over_charts(bare_page)
        for summary in bare_page.locator("details:not(.find) > summary").all():
            if summary.is_visible():
                summary.click()
        assert_no_alarm(bare_page, alarms, where)
    assert "<script>window.__xss=1</script>" in bare_page.locator("body").inner_text(), "the page shows no payload"
    for payload in PAYLOADS[::9]:
        bare_page.goto(f"{live_server.url}/dashboard/usage?workspace={workspace.id}&" + query(payload))
        bare_page.wait_for_function("!document.querySelector('.panel[aria-busy=true]')")
        assert_no_alarm(bare_page, alarms, payload)
    every_column = "".join(f"&columns={name}" for name in COLUMNS)
    for search in ("", "&q=%3Cscript%3Ealert(1)%3C/script%3E"):
        bare_page.goto(f"{live_server.url}/dashboard/traces?workspace={workspace.id}&range=24h{every_column}{search}")
        bare_page.wait_for_function("!document.querySelector('.panel[aria-busy=true]')")
        assert_no_alarm(bare_page, alarms, f"the list of traces {search}")
    for span in ("", f"&span={5:016x}", f"&span={20:016x}"):
        bare_page.goto(f"{live_server.url}/dashboard/traces/{'1' * 32}?workspace={workspace.id}{span}")
        bare_page.wait_for_selector("#scores")
        for summary in bare_page.locator("#detail details > summary").all():
            summary.click()
        bare_page.locator("#tree").hover()
        bare_page.mouse.wheel(0, 2000)
        assert_no_alarm(bare_page, alarms, f"the page of a trace {span}")
    for path in (
        *("workspaces/workspace/", "workspaces/membership/", "workspaces/apikey/", "budgets/budget/"),
        *("prices/priceoverride/", "auth/user/", "workspaces/membership/add/"),
        *(f"workspaces/workspace/{workspace.id}/{page}/" for page in ("change", "history", "delete")),
    ):
        bare_page.goto(f"{live_server.url}/admin/{path}")
        assert_no_alarm(bare_page, alarms, path)
    open_autocomplete(bare_page, live_server)
    assert_no_alarm(bare_page, alarms, "autocomplete")


LISTS = ("sessions", "users", "agents", "tools")


def test_no_stored_script_runs_on_the_pages_of_entities(
    bare_page: Page, live_server: LiveServer, alarms: Alarms
) -> None:
    user = UserFactory(is_staff=True, is_superuser=True, username="operator")
    workspace = filled(PAYLOADS.__getitem__, user)
    bare_page.goto(f"{live_server.url}/sign-in")
    bare_page.fill("[name=username]", "operator")
    bare_page.fill("[name=password]", PASSWORD)
    bare_page.locator("button.primary").click()
    workspace_query = f"?workspace={workspace.id}"
    for name in LISTS:
        bare_page.goto(f"{live_server.url}/dashboard/{name}{workspace_query}&limit=100")
        bare_page.wait_for_function("!document.querySelector('.panel[aria-busy=true]')")
        assert_no_alarm(bare_page, alarms, name)
        ones = bare_page.evaluate("[...document.querySelectorAll('.row-link')].map((link) => link.href).slice(0, 9)")
        for address in ones[::4]:
            bare_page.goto(address)
            bare_page.wait_for_function("!document.querySelector('.panel[aria-busy=true]')")
            bare_page.wait_for_load_state("networkidle")
            assert_no_alarm(bare_page, alarms, address)
    for kind in ("cost", "usage", "performance", "statement"):
        bare_page.goto(f"{live_server.url}/dashboard/report{workspace_query}&kind={kind}&range=1h")
        bare_page.wait_for_function("document.querySelector('.report h1')")
        bare_page.wait_for_load_state("networkidle")
        assert_no_alarm(bare_page, alarms, kind)
    for payload in PAYLOADS[::9]:
        filters = f"{query(payload)}&{urlencode({'tool': payload})}"
        bare_page.goto(f"{live_server.url}/dashboard/traces{workspace_query}&{filters}")
        bare_page.wait_for_function("!document.querySelector('.panel[aria-busy=true]')")
        bare_page.locator(".filter.tool summary").click()
        bare_page.wait_for_load_state("networkidle")
        assert_no_alarm(bare_page, alarms, payload)


def hover_over_charts(page: Page) -> None:
    """Moves the pointer over the charts, which then show labels with names."""
    for chart in page.locator(".chart .nsewdrag").all():
        box = chart.bounding_box()
        if box:
            for share in (0.99, 0.97, 0.9, 0.5):
                page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] * 0.6)
                page.wait_for_timeout(100)


def query(payload: str) -> str:
    return urlencode({"agent_id": payload, "model": payload, "provider": payload})


def open_autocomplete(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/admin/workspaces/membership/add/")
    page.click(".field-workspace .select2-selection")
    page.wait_for_selector(".select2-results__option:not(.loading-results)")
    page.keyboard.press("Enter")
