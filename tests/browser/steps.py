"""Steps that many tests of pages share."""

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.tenant import Tenant

LONG_MS = 120_000
"""How long a test waits for what should happen at once: a machine may be busy, and only a fault takes so long."""
DRAWN = "() => [...document.querySelectorAll('.chart')].every((chart) => chart.querySelector('.main-svg'))"


def open_page(page: Page, live_server: Any, tenant: Tenant, name: str, query: str = "") -> None:
    page.goto(f"{live_server.url}/dashboard/{name}?workspace={tenant.workspace.id}{query}")


def wait_until_drawn(page: Page) -> None:
    expect(page.locator(".skeleton, .bar[aria-busy=true], .panel[aria-busy=true]")).to_have_count(0, timeout=LONG_MS)
    page.wait_for_function(DRAWN, timeout=LONG_MS)


def card(page: Page, label: str) -> Locator:
    """Returns the number of a card."""
    return page.locator(".card", has=page.locator(".label", has_text=re.compile(f"^{label}$"))).locator(".value")


def expect_card(page: Page, label: str, value: str) -> None:
    expect(card(page, label)).to_have_text(value, timeout=LONG_MS)


def row(page: Page, panel: str, name: str) -> Locator:
    return page.locator(f"#panel-{panel} tbody tr", has_text=name)


def cells(page: Page, panel: str, name: str) -> list[str]:
    texts: list[str] = row(page, panel, name).locator("th, td").all_inner_texts()
    return [" ".join(text.split()) for text in texts]
