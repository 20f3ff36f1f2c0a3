"""The navigation names every page that the product has, and marks the current one."""

import re
from html import unescape
from pathlib import Path

import pytest
from django.test import Client

from analytics.navigation import GROUPS, Entry
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__")

ICONS = Path(__file__).resolve().parents[2] / "static/icons.svg"
ORDER = [
    *("Usage", "Cost", "Performance", "Traces", "Sessions", "Users", "Agents", "Tools", "Insights", "Explore"),
    *("Alerts", "Budgets", "Reports", "Dashboards", "Settings", "Docs"),
]


def entries(page: str) -> dict[str, str]:
    """Returns the attributes of each entry's link, by its words."""
    listed = page[page.index('class="pages main"') : page.index("</nav>")]
    return {
        re.sub(r"<[^>]*>", "", content).strip(): unescape(attributes)
        for attributes, content in re.findall(r"<a ([^>]*)>(.*?)</a>", listed, re.DOTALL)
    }


def test_the_entries_stand_in_the_order_of_the_house_and_each_has_a_page_and_an_icon(tenant: Tenant) -> None:
    page = tenant.client.get("/dashboard/usage").content.decode()
    shown = list(entries(page))
    assert [title for title in ORDER if title in shown] == [title for title in shown if title in ORDER]
    assert {"Usage", "Traces", "Insights", "Budgets", "Settings", "Docs"} <= set(shown)
    for attributes in entries(page).values():
        [address] = re.findall(r'href="([^"]*)"', attributes)
        assert tenant.client.get(address).status_code in (200, 302), address
    icons = ICONS.read_text()
    assert all(f'id="{name}"' in icons for name in re.findall(r"icons\.\w*\.?svg#(\w+)", page))
    assert all(f'id="{entry.icon}"' in icons for group in GROUPS for entry in group)


@pytest.mark.parametrize(
    ("address", "title"),
    [
        ("/dashboard/usage?range=7d", "Usage"),
        ("/dashboard/budgets/new", "Budgets"),
        ("/dashboard/users/ada", "Users"),
        ("/dashboard/insights/why", "Insights"),
        ("/dashboard/query", "Explore"),
        ("/settings/labels", "Settings"),
    ],
)
def test_the_entry_of_the_page_or_of_what_is_above_it_is_marked(tenant: Tenant, address: str, title: str) -> None:
    tenant.calls(1, user_id="ada")
    found = entries(tenant.client.get(address).content.decode())
    assert [name for name, attributes in found.items() if "aria-current" in attributes] == [title]


def test_an_entry_without_a_page_does_not_appear(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    known, unknown = Entry("Known", "openapi", "docs"), Entry("Unknown", "no-such-route", "docs")
    monkeypatch.setattr("analytics.navigation.GROUPS", ((unknown,), (known,)))
    shown = entries(tenant.client.get("/dashboard/usage").content.decode())
    assert "Known" in shown
    assert "Unknown" not in shown


def test_the_order_of_a_list_does_not_go_along_to_other_pages(tenant: Tenant) -> None:
    page = tenant.client.get("/dashboard/users?sort=-cost_usd&range=7d").content.decode()
    found = entries(page)
    assert "range=7d" in found["Traces"]
    assert all("sort" not in attributes for attributes in found.values())


def test_a_page_that_does_not_exist_has_the_navigation(client: Client) -> None:
    response = client.get("/nothing-here", headers={"Accept": "text/html"})
    assert response.status_code == 404
    assert {"Usage", "Traces", "Budgets", "Docs"} <= set(entries(response.content.decode()))
