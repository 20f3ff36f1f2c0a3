"""The row of links between the pages of Insights."""

from html.parser import HTMLParser

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from insights import sections
from insights.sections import Section
from insights.urls import urlpatterns
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__")


class Links(HTMLParser):
    """Collects the links of the row: texts, addresses, and which is of the page itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.is_inside = False
        self.addresses: list[str] = []
        self.current: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        if tag == "nav":
            self.is_inside = values.get("aria-label") == "Insights"
        if tag == "a" and self.is_inside:
            self.addresses.append(values["href"] or "")
            self.current += [values["href"] or ""] if values.get("aria-current") == "page" else []

    def handle_endtag(self, tag: str) -> None:
        self.is_inside = self.is_inside and tag != "nav"


def row(tenant: Tenant, path: str, **query: str) -> Links:
    return Links(tenant.client.get(path, {"workspace": str(tenant.workspace.id), **query}).content.decode())


def test_each_page_links_to_the_others_and_marks_itself(tenant: Tenant) -> None:
    for section, address in sections.sections():
        found = row(tenant, address)
        assert [link.partition("?")[0] for link in found.addresses] == [other for _, other in sections.sections()]
        assert [link.partition("?")[0] for link in found.current] == [address], section


def test_every_page_of_insights_is_in_the_row() -> None:
    """But the form of a new experiment, to which the list of experiments leads, and the values of a field."""
    routes = {f"/{pattern.pattern}" for pattern in urlpatterns if str(pattern.pattern).startswith("dashboard/")}
    pages = {route for route in routes if "<" not in route}
    others = {"/dashboard/insights/experiments/new", "/dashboard/slice-values"}
    assert {address for _, address in sections.sections()} == pages - others


def test_the_pages_of_an_invoice_have_the_row_too(tenant: Tenant) -> None:
    file = SimpleUploadedFile("bill.csv", b"date,model,cost\n2026-11-01,gpt-4o,1.5\n")
    workspace = f"?workspace={tenant.workspace.id}"
    upload = tenant.client.post(f"/dashboard/cost/invoices{workspace}", {"file": file})["Location"]
    chosen = {"provider": "openai", "day": "date", "model": "model", "amount": "cost", "unit": "usd"}
    columns = Links(tenant.client.get(upload).content.decode())
    invoice = tenant.client.post(upload, chosen)["Location"]
    price = f"{invoice.partition('?')[0]}/price{workspace}&model=gpt-4o"
    for found in (columns, *(Links(tenant.client.get(one).content.decode()) for one in (invoice, price))):
        assert f"/dashboard/cost/invoices{workspace}" in found.addresses


def test_the_links_keep_the_window_and_the_filters(tenant: Tenant) -> None:
    found = row(tenant, "/dashboard/insights/why", range="30d", agent_id="support", measure="calls", by="model")
    overview = next(link for link in found.addresses if link.startswith("/dashboard/insights?"))
    assert "range=30d" in overview
    assert "agent_id=support" in overview
    assert "measure" not in overview


def test_a_page_that_does_not_exist_has_no_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "SECTIONS", (Section("Why", "why-page"), Section("Coming", "no-such-page")))
    assert [section.name for section, _ in sections.sections()] == ["Why"]
