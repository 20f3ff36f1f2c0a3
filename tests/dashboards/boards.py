"""Makes dashboards for tests."""

from typing import Any

from django.utils import timezone

from dashboards import checking
from dashboards.changes import fill
from dashboards.models import Dashboard
from dashboards.panels import kinds
from tests.tenant import Tenant


def a_panel(kind: str = "line", panel_id: str = "p1", y: int = 0, **fields: Any) -> dict[str, Any]:
    """Returns a panel that shows calls, or of a kind that has no measure one with nothing but its place."""
    has_measures = kind not in ("text", "budget", "alerts", "errors", "traces", "heat_map")
    measures = {"measures": ["calls"]} if has_measures else {}
    place = {"x": 0, "y": y, "width": 6, "height": 6}
    return {"id": panel_id, "kind": kind, "place": place, **measures, **fields}


def a_board(tenant: Tenant, *panels: dict[str, Any], **fields: Any) -> Dashboard:
    """Stores a dashboard with these panels."""
    document = checking.parse({"name": "On call", "panels": list(panels), **fields})
    dashboard = Dashboard(workspace=tenant.workspace)
    fill(dashboard, document, "tests", timezone.now())
    return dashboard


def every_kind() -> list[dict[str, Any]]:
    """Returns a panel of each kind, three in a row."""
    needs: dict[str, Any] = {"text": {"text": "Runbook: https://example.com/run"}}
    needs |= {kind: {"by": ["model"]} for kind in ("donut", "horizontal_bars", "table", "bars", "stacked_bars")}
    panels = [a_panel(kind, kind.replace("_", "-"), **needs.get(kind, {})) for kind in kinds()]
    for number, panel in enumerate(panels):
        panel["place"] = {"x": number % 3 * 4, "y": number // 3 * 6, "width": 4, "height": 6}
    return panels


def panel_path(dashboard: Dashboard, panel_id: str = "p1") -> str:
    return f"/api/v1/dashboards/{dashboard.pk}/panels/{panel_id}"
