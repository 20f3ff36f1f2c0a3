"""The panels of dashboards: what each asks, what it shows, and what it says when it cannot."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache

from dashboards.models import Dashboard
from dashboards.panels import kinds
from tests.dashboards.boards import a_board, a_panel, panel_path
from tests.tenant import NOON, Tenant, iso

pytestmark = pytest.mark.django_db(databases="__all__")

WINDOW = {"start": iso(NOON - timedelta(hours=12)), "end": iso(NOON + timedelta(hours=12))}
NEEDS = {
    "donut": {"by": ["model"]},
    "horizontal_bars": {"by": ["model"]},
    "text": {"text": "Runbook: https://example.com/run, then call."},
}


def ask(tenant: Tenant, dashboard: Dashboard, panel_id: str = "p1", expect: int = 200, **query: Any) -> Any:
    cache.clear()
    response = tenant.client.get(panel_path(dashboard, panel_id), WINDOW | query)
    assert response.status_code == expect, response.content
    return response.json()


def html(tenant: Tenant, dashboard: Dashboard, panel_id: str = "p1", expect: int = 200, **query: Any) -> str:
    cache.clear()
    address = f"http://testserver/dashboard/dashboards/{dashboard.pk}?workspace={tenant.workspace.id}"
    headers = {"HX-Request": "true", "HX-Current-URL": address}
    response = tenant.client.get(panel_path(dashboard, panel_id), WINDOW | query, headers=headers)
    assert response.status_code == expect, response.content
    return " ".join(response.content.decode().split())


@pytest.mark.parametrize("kind", kinds())
def test_each_kind_shows_its_answer_with_and_without_calls(tenant: Tenant, kind: str) -> None:
    board = a_board(tenant, a_panel(kind, **NEEDS.get(kind, {})))
    empty = ("no budget", "has none yet") if kind == "budget" else ("No call", "No trace", "Runbook", "No rule", ">0<")
    assert any(words in html(tenant, board, expect=404 if kind == "budget" else 200) for words in empty)
    tenant.calls(3, latency_ms=900.0, cost_usd="0.5")
    if kind != "budget":
        assert html(tenant, board)
        assert ask(tenant, board)


def test_a_panel_answers_as_the_query_does(tenant: Tenant) -> None:
    tenant.calls(3, model="a", cost_usd="1")
    tenant.calls(1, model="b", cost_usd="5")
    board = a_board(tenant, a_panel("table", measures=["cost_usd", "calls"], by=["model"]))
    found = ask(tenant, board)
    assert [(row["model"], row["cost_usd"], row["calls"]) for row in found["data"]] == [("b", 5, 1), ("a", 3, 3)]
    assert found == tenant.ask("query", measures="cost_usd,calls", by="model")
