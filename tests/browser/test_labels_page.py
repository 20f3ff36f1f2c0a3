"""Chooses an attribute on the page of labels, as an editor does."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.ingest.otlp_spans import chat, send
from tests.ingest.test_labels import ACME
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


def test_one_click_chooses_an_attribute_and_one_removes_it(
    page: Page, live_server: Any, tenant: Tenant, complaints: list[str]
) -> None:
    send(tenant, chat(1, attributes={"metadata": ACME}))
    page.goto(f"{live_server.url}/settings/labels?workspace={tenant.workspace.id}")
    page.get_by_label("Label for metadata.customer").locator("..").get_by_role("button").click()
    chosen = page.locator("section", has_text="Chosen attributes")
    expect(chosen.locator("tbody tr")).to_contain_text(["metadata.customer"])
    chosen.get_by_role("button", name="Remove").click()
    expect(chosen).to_contain_text("None is chosen")
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert complaints == []
