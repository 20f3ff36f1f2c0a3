"""Makes a month of calls in which some hours are unusual."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from insights.models import Finding
from tests.tenant import NOON, Tenant, a_row
from traces import writer
from traces.row import Row
from workspaces.models import Workspace

DAYS = 30
HOURS = (-2, -1, 0, 1, 2)
"""Of each day around noon, in which calls are made."""


def calls_of(at: datetime, count: int, cost: str = "0.1", **values: Any) -> list[Row]:
    cost_usd = Decimal(cost)
    moments = (at + timedelta(seconds=10 * number) for number in range(count))
    return [a_row(moment, cost_usd=cost_usd, latency_ms=800, **values) for moment in moments]


def a_month(tenant: Tenant, count: int = 3, until: datetime = NOON, **values: Any) -> None:
    """Stores the usual calls of the month before NOON, and of the day around it."""
    rows = [
        row
        for day in range(DAYS + 1)
        for hour in HOURS
        for row in calls_of(until - timedelta(days=day) + timedelta(hours=hour), count, **values)
    ]
    writer.store(tenant.workspace.id, rows)


def a_finding(workspace: Workspace, finding_id: str) -> Finding:
    """Stores an anomaly, as the hourly job would have found it."""
    return Finding.objects.create(
        id=finding_id,
        workspace=workspace,
        measure="spend",
        is_rise=True,
        starts_at=NOON,
        ends_at=NOON + timedelta(hours=2),
        value=60,
        expected=1,
        sentence="Spend was $60.",
        first_seen=NOON + timedelta(hours=3),
    )


def unusual_calls(tenant: Tenant, count: int, hours: int = 2, at: datetime = NOON, **values: Any) -> None:
    """Stores more calls in some hours, the first of which is that of noon."""
    rows = [row for hour in range(hours) for row in calls_of(at + timedelta(hours=hour), count, **values)]
    writer.store(tenant.workspace.id, rows)
