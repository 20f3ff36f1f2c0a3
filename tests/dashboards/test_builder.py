"""Building dashboards without JavaScript: each form stores one revision, and a refusal stands in it."""

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import override_settings

from analytics.catalogue import METRICS
from dashboards import checking, from_metrics
from dashboards.models import Dashboard
from dashboards.panels import kinds
from tests.dashboards.boards import a_board, a_panel
from tests.dashboards.dashboards import a_caller
from tests.tenant import Tenant
from workspaces.models import Role

pytestmark = pytest.mark.django_db(databases="__all__")


def url(tenant: Tenant, board: Dashboard, query: str = "") -> str:
    return f"/dashboard/dashboards/{board.pk}?workspace={tenant.workspace.id}&edit=1{query}"


def post(tenant: Tenant, board: Dashboard, query: str = "", expect: int = 302, **form: Any) -> str:
    response = tenant.client.post(url(tenant, board, query), {"seen": board.etag} | form)
    assert response.status_code == expect, response.content.decode()[:2000]
    board.refresh_from_db()
    return str(response.content.decode())


def only_panel(board: Dashboard) -> dict[str, Any]:
    [panel] = board.document["panels"]
    return {name: value for name, value in panel.items() if value not in (None, [], {}, "")}


def test_a_form_adds_a_panel_as_one_revision(tenant: Tenant) -> None:
    board = a_board(tenant)
    form = {"measure": ["cost_usd", ""], "dimension": ["label.customer", ""], "compare": "previous", "limit": "5"}
    filters = {"filter": ["agent_id", "model"], "filter_side": ["is", "not"], "filter_value": ["a, b", "c"]}
    limits = {"threshold": ["2.5", ""], "threshold_title": ["goal", ""], "threshold_severity": ["critical", "info"]}
    post(tenant, board, "&add=line", kind="line", title=" Cost ", **form, **filters, **limits)
    assert board.revision == 2
    assert only_panel(board) == {
        "id": "p1",
        "kind": "line",
        "title": "Cost",
        "place": {"x": 0, "y": 0, "width": 6, "height": 6},
        "measures": ["cost_usd"],
        "by": ["label.customer"],
        "filters": {"agent_id": ["a", "b"], "not_model": ["c"]},
        "compare": "previous",
        "limit": 5,
        "thresholds": [{"value": 2.5, "title": "goal", "severity": "critical"}],
    }


def test_a_form_changes_a_panel_in_its_place(tenant: Tenant) -> None:
    board = a_board(tenant, a_panel("line"), a_panel("line", "p2", y=6))
    place = {"x": "0", "y": "6", "width": "6", "height": "6"}
    post(tenant, board, "&panel=p2", id="p2", kind="number", measure="errors", **place)
    assert [(one["id"], one["kind"], one["measures"]) for one in board.document["panels"]] == [
        ("p1", "line", ["calls"]),
        ("p2", "number", ["errors"]),
    ]


def test_a_button_deletes_a_panel(tenant: Tenant) -> None:
    board = a_board(tenant, a_panel(), a_panel(panel_id="p2", y=6))
    post(tenant, board, delete="p1")
    assert [one["id"] for one in board.document["panels"]] == ["p2"]


def test_a_refusal_stands_at_its_field_and_stores_nothing(tenant: Tenant) -> None:
    board = a_board(tenant)
    shown = post(tenant, board, "&add=donut", expect=422, kind="donut", measure="calls", title="Mine")
    assert "needs a dimension" in shown.lower()
    assert 'value="Mine"' in shown
    assert board.revision == 1


@pytest.mark.parametrize("kind", ["table", "donut", "horizontal_bars"])
def test_a_new_panel_of_groups_begins_with_a_dimension(tenant: Tenant, kind: str) -> None:
    form = tenant.client.get(url(tenant, a_board(tenant), f"&add={kind}")).content.decode()
    assert re.search(r'<option value="agent_id"\s+selected>', form)


def test_of_two_editors_the_second_is_refused(tenant: Tenant) -> None:
    board = a_board(tenant)
    Dashboard.objects.filter(pk=board.pk).update(revision=5, changed_by="grace")
    assert "grace has changed this dashboard meanwhile" in post(
        tenant, board, "&add=number", expect=412, seen='"1"', kind="number", measure="calls"
    )


def test_the_settings_of_a_dashboard_are_a_form(tenant: Tenant) -> None:
    board = a_board(tenant)
    variable = {"variable_name": "customer", "variable_dimension": "label.customer", "variable_title": "Customer"}
    form = {"name": "Finance", "description": "Of each month", "range": "30d", "visibility": "workspace"}
    post(tenant, board, "&panel=settings", **form, **variable, variable_default="acme, globex")
    assert (board.name, board.document["range"]["range"]) == ("Finance", "30d")
    assert board.document["variables"] == [
        {"name": "customer", "dimension": "label.customer", "title": "Customer", "default": ["acme", "globex"]}
    ]


def test_the_form_shows_every_kind_as_it_is_stored(tenant: Tenant) -> None:
    needs = {"text": {"text": "Hello"}, "donut": {"by": ["model"]}, "horizontal_bars": {"by": ["model"]}}
    for kind in kinds():
        board = a_board(tenant, a_panel(kind, **needs.get(kind, {}), filters={"not_agent_id": ["old"]}))
        shown = tenant.client.get(url(tenant, board, "&panel=p1")).content.decode()
        assert "data-needs-by" in shown
        form = {"panel": checking.orjson.dumps(board.document["panels"][0]).decode(), "apply": "1"}
        answer = tenant.client.post(f"/dashboard/dashboards/{board.pk}/form", form)
        assert answer.json()["panel"] == board.document["panels"][0]


def test_a_preview_stores_nothing(tenant: Tenant) -> None:
    tenant.calls(2)
    board = a_board(tenant)
    cache.clear()
    form = {"kind": "number", "measure": "calls", "title": "Ours"}
    address = f"/dashboard/dashboards/{board.pk}/preview?range=7d"
    response = tenant.client.post(address, form, headers={"HX-Request": "true"})
    assert ">2<" in response.content.decode()
    assert response["X-Panel-Title"] == "Ours"
    refused = tenant.client.post(address, form | {"measure": "callls"}, headers={"HX-Request": "true"})
    assert "did you mean calls?" in refused.content.decode()
    board.refresh_from_db()
    assert board.revision == 1


@pytest.mark.parametrize(
    "panel", ["", "[]", "5", '{"kind": 5, "measures": 5, "filters": 5, "thresholds": [5], "by": {}}']
)
def test_what_is_no_panel_is_refused_or_shown_as_far_as_it_is_one(tenant: Tenant, panel: str) -> None:
    board = a_board(tenant)
    for part in ("form", "preview"):
        response = tenant.client.post(f"/dashboard/dashboards/{board.pk}/{part}", {"panel": panel, "apply": "1"})
        assert response.status_code in (200, 422), response.content


def test_every_metric_has_a_panel_or_a_reason_and_every_panel_is_valid() -> None:
    names = {metric.name for metric in METRICS.values()}
    assert from_metrics.PANELS.keys() | from_metrics.NOT_EXPRESSED.keys() == names
    place = {"x": 0, "y": 0, "width": 6, "height": 6}
    for name, panel in from_metrics.PANELS.items():
        checking.parse({"name": name, "panels": [{**panel, "id": "p1", "place": place}]})


def test_a_panel_of_a_built_in_page_is_added_with_its_filters_and_window(tenant: Tenant) -> None:
    board = a_board(tenant)
    page = f"?workspace={tenant.workspace.id}&range=30d&agent_id=sales&split=label.customer"
    shown = tenant.client.get(f"/dashboard/cost{page}").content.decode()
    assert "panel=cost-trend" in shown
    address = f"/dashboard/dashboards/add{page}&panel=cost-trend"
    assert "agent_id sales" in tenant.client.get(address).content.decode()
    response = tenant.client.post(address, {"dashboard": str(board.pk)})
    assert response["Location"] == f"/dashboard/dashboards/{board.pk}?workspace={tenant.workspace.id}&range=30d"
    board.refresh_from_db()
    panel = only_panel(board)
    assert (panel["title"], panel["by"]) == ("Cost over time by customer", ["label.customer"])
    assert panel["filters"] == {"agent_id": ["sales"]}
    made = tenant.client.post(address, {"dashboard": "new", "name": "Sales"})
    assert Dashboard.objects.filter(name="Sales", pk=made["Location"].partition("?")[0].rpartition("/")[2]).exists()


def test_viewers_see_a_dashboard_and_change_nothing(tenant: Tenant) -> None:
    board = a_board(tenant, a_panel())
    viewer = a_caller(Role.VIEWER, tenant.workspace).client
    with override_settings(OPEN_WORKSPACE_IDS=frozenset()):
        assert "Add a panel" not in viewer.get(url(tenant, board)).content.decode()
        assert viewer.post(url(tenant, board), {"delete": "p1", "seen": board.etag}).status_code == 403
        added = viewer.get(f"/dashboard/dashboards/add?workspace={tenant.workspace.id}&panel=cost-trend")
        assert added.status_code == 403
    board.refresh_from_db()
    assert board.revision == 1
