"""A metric needs only its entry in the catalogue, its function and its template: everything else follows."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from django.urls import clear_url_caches
from typing_extensions import TypedDict

import analytics.urls
import observability.urls
from analytics import catalogue, openapi
from analytics.catalogue import METRICS, PAGES, Metric, Page, Panel, metrics_of
from tests.analytics.oracle import ORACLE
from tests.tenant import Tenant
from traces import sums
from traces.db import row
from traces.filters import Filters

pytestmark = pytest.mark.django_db(databases="__all__")

ROUTE = "usage/total-tokens"


class TotalTokens(TypedDict):
    input_tokens: int
    """Tokens of all prompts."""


def total_tokens(filters: Filters) -> TotalTokens:
    return row(
        "SELECT coalesce(sum(input_tokens), 0)::bigint AS input_tokens FROM {calls} AS calls",
        filters.params,
        row_type=TotalTokens,
        calls=sums.calls_sql(filters, "input_tokens"),
    )


def reload_urls() -> None:
    """Makes everything again that the product makes from the catalogue at its start."""
    openapi.made_document.cache_clear()
    openapi.served_document.cache_clear()
    importlib.reload(analytics.urls)
    importlib.reload(observability.urls)
    clear_url_caches()


@pytest.fixture
def extra_metric(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> Iterator[None]:
    """Adds a metric that only tests have, with its template in a temporary folder."""
    panel = Panel("Tokens", "framed", poll_seconds=45, limit=3)
    metric = Metric(
        ROUTE, total_tokens, catalogue.LIVE_TTL_SECONDS, "All tokens of the window.", "range=7d", panel, double
    )
    template = tmp_path / "analytics/usage/total_tokens.html"
    template.parent.mkdir(parents=True)
    template.write_text("<h2>Tokens</h2><b>{{ data.input_tokens }}</b>, twice as many: <i>{{ doubled }}</i>")
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [*settings.TEMPLATES[0]["DIRS"], tmp_path]}]
    monkeypatch.setitem(METRICS, ROUTE, metric)
    reload_urls()
    yield
    monkeypatch.undo()
    reload_urls()


def double(filters: Filters, workspace: Any) -> dict[str, Any]:
    return {"doubled": total_tokens(filters)["input_tokens"] * 2}


@pytest.mark.usefixtures("extra_metric")
class TestAMetricInTheCatalogue:
    def test_a_metric_has_a_url(self, tenant: Tenant) -> None:
        tenant.calls(2, input_tokens=5)
        assert tenant.ask(ROUTE) == {"input_tokens": 10}

    def test_a_metric_has_a_panel_with_its_extras(self, tenant: Tenant) -> None:
        tenant.calls(2, input_tokens=5)
        panel = tenant.client.get(f"/api/v1/{ROUTE}?range=7d", headers={"HX-Request": "true"}).content.decode()
        assert panel == "<h2>Tokens</h2><b>10</b>, twice as many: <i>20</i>"

    def test_the_page_of_a_metric_loads_its_panel(self, tenant: Tenant) -> None:
        page = tenant.client.get("/dashboard/usage").content.decode()
        assert page.count('class="panel ') == len([metric for metric in METRICS.values() if metric.domain == "usage"])
        assert 'class="panel framed"' in page
        assert 'id="panel-usage-total-tokens"' in page
        assert 'data-poll-seconds="45"' in page
        assert f'hx-get="/api/v1/{ROUTE}?limit=3"' in page
        assert ROUTE not in tenant.client.get("/dashboard/cost").content.decode()

    def test_the_document_describes_a_metric(self, tenant: Tenant) -> None:
        operation = tenant.client.get("/api/v1/openapi.json").json()["paths"][f"/api/v1/{ROUTE}"]["get"]
        assert (operation["operationId"], operation["tags"]) == ("usage-total-tokens", ["usage"])
        assert operation["summary"] == "All tokens of the window."
        assert operation["description"] == "An answer may be 60 seconds old."
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert schema["properties"] == {"input_tokens": {"type": "integer", "description": "Tokens of all prompts."}}
        jsonschema_rs.validate(schema, tenant.ask(ROUTE))

    def test_the_api_page_shows_the_example_and_fields_of_a_metric(self, tenant: Tenant) -> None:
        page = tenant.client.get("/api/v1/docs/usage-total-tokens").content.decode()
        assert f"/api/v1/{ROUTE}?range=7d" in page
        assert "Tokens of all prompts." in page


def test_the_extra_metric_is_gone_afterwards(tenant: Tenant) -> None:
    assert tenant.client.get(f"/api/v1/{ROUTE}").status_code == 404
    assert f"/api/v1/{ROUTE}" not in tenant.client.get("/api/v1/openapi.json").json()["paths"]


def test_every_metric_is_on_a_page_and_every_page_has_a_metric() -> None:
    assert {metric.route for page in PAGES for metric in metrics_of(page)} == set(METRICS)
    assert all(metrics_of(page) for page in PAGES)


def test_a_page_can_show_panels_of_other_pages(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page("reliability", "Reliability", ("performance/throughput", "performance/errors"))
    monkeypatch.setattr(catalogue, "PAGES", (*PAGES, page))
    reload_urls()
    try:
        shown = tenant.client.get("/dashboard/reliability").content.decode()
    finally:
        monkeypatch.undo()
        reload_urls()
    assert re.findall('id="panel-([a-z-]+)"', shown) == ["performance-throughput", "performance-errors"]
    assert re.findall("<h1[^>]*>([^<]+)", shown) == ["Reliability"]


def test_the_oracle_knows_every_metric() -> None:
    assert set(ORACLE) == set(METRICS)


def test_a_panel_can_precede_those_of_earlier_metrics() -> None:
    cost = next(page for page in PAGES if page.domain == "cost")
    assert [metric.panel.label for metric in metrics_of(cost)] == [
        "Overview",
        "Budget",
        "Cost over time",
        "Cost by model",
    ]
