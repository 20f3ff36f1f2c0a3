"""The page Explore: pickers for a query, and its answer as a table or charts."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from tests.tenant import NOON, Tenant, iso
from web.number_text import NOTHING

pytestmark = pytest.mark.django_db(databases="__all__")

WINDOW = {"start": iso(NOON - timedelta(hours=12)), "end": iso(NOON + timedelta(hours=12))}
HTMX = {"HX-Request": "true"}


def page(tenant: Tenant, **query: Any) -> Any:
    return tenant.client.get("/dashboard/query", {"workspace": tenant.workspace.id} | query)


def panel(tenant: Tenant, **query: Any) -> str:
    response = tenant.client.get("/api/v1/query", WINDOW | query, headers=HTMX)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", response.content.decode())


def test_the_page_shows_what_its_address_asks(tenant: Tenant) -> None:
    shown = page(tenant, measures="cost_usd,calls", by="label.customer", granularity="hourly", compare="previous")
    text = shown.content.decode()
    assert shown.status_code == 200
    assert 'value="label.customer"' in text
    for option in ("cost_usd", "calls", "hourly", "previous"):
        assert re.search(rf'<option value="{option}"\s+selected>', text), option
    assert "/api/v1/query?measures=cost_usd%2Ccalls&amp;by=label.customer" in text


def test_the_form_becomes_an_address_and_keeps_window_and_filters(tenant: Tenant) -> None:
    form = {"measure": ["calls", "", "cost_usd"], "dimension": ["model", "label.a,b"], "granularity": "", "compare": ""}
    response = page(tenant, **form, range="7d", environment="production", order="-errors")
    assert response.status_code == 302
    location = response["Location"]
    assert "measures=calls%2Ccost_usd&by=model%2Clabel.a%5C%2Cb" in location
    assert "range=7d&environment=production" in location
    assert not {"measure=", "dimension=", "granularity", "compare", "order"} & {*re.findall(r"\w+=?", location)}
    assert tenant.client.get(location).status_code == 200


def test_a_wrong_address_gets_sentences(tenant: Tenant) -> None:
    response = page(tenant, measures="money")
    assert response.status_code == 422
    assert "must be 1 to 20 of calls" in response.content.decode()


def test_other_pages_and_lists_ignore_the_query_and_keep_it_in_their_links(tenant: Tenant) -> None:
    query = {"workspace": tenant.workspace.id, "measures": "cost_usd", "by": "model"}
    usage = tenant.client.get("/dashboard/usage", query)
    assert usage.status_code == 200
    assert re.search(r'href="/dashboard/query\?[^"]*measures=cost_usd', usage.content.decode())
    assert "/api/v1/usage/overview?measures" not in usage.content.decode()


def test_a_table_shows_groups_rest_and_total(tenant: Tenant) -> None:
    tenant.calls(2, model="a", cost_usd="1.5")
    tenant.calls(1, model="<b>", cost_usd="1")
    tenant.calls(1, model=None)
    text = panel(tenant, measures="calls,cost_usd", by="model", limit=1, compare="previous")
    cells = re.sub(r" +", " ", re.sub(r"<[^>]*>", " ", text))
    assert "Calls, Cost USD by model" in cells
    assert "a 2 0 $3.00 $0.00 all others 2 0 $1.00 $0.00 all 4 0 $4.00 $0.00" in cells
    assert "&lt;b&gt;" in panel(tenant, by="model")
    assert "none" in panel(tenant, by="model")


def test_a_series_is_a_chart_for_each_measure(tenant: Tenant) -> None:
    tenant.calls(2, model="a", latency_ms=10.0)
    tenant.calls(1, model="b", latency_ms=20.0)
    text = panel(tenant, measures="calls,p95_latency_ms", by="model", granularity="hourly", limit=1)
    figures = [json.loads(figure) for figure in re.findall(r'<script id="figure-[^>]*>(.*?)</script>', text)]
    assert [[series["type"] for series in figure["data"]] for figure in figures] == [["bar"] * 2, ["scatter"] * 2]
    assert [series["name"] for series in figures[0]["data"]] == ["a", "all others"]
    assert [sum(series["y"]) for series in figures[0]["data"]] == [2, 1]


def test_without_a_call_the_panel_says_so(tenant: Tenant) -> None:
    assert "The answer to your query." in panel(tenant, by="model")


def test_a_measure_that_is_unknown_is_a_dash_and_no_zero(tenant: Tenant) -> None:
    tenant.calls(1, release="42")
    text = panel(tenant, measures="tokens_per_second,p95_latency_ms,cost_usd", by="release")
    assert text.count(f'<td class="number" title="unknown">{NOTHING}</td>') == 6  # of the release, and of all
