"""Stores rows as clients do and queries metrics as clients do."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.core.cache import cache
from django.test import Client

from traces import writer
from traces.row import Row
from workspaces.models import Workspace

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)
"""Noon two days ago: the day around it is over."""


def a_row(at: datetime = NOON, **values: Any) -> Row:
    defaults: dict[str, Any] = {
        "timestamp": at,
        "trace_id": uuid4().hex,
        "span_id": uuid4().hex[:16],
        "operation": "chat",
        "agent_id": "support",
        "provider": "openai",
        "model": "gpt-4o",
    }
    if isinstance(values.get("cost_usd"), str):
        values["cost_usd"] = Decimal(values["cost_usd"])
    return Row(**(defaults | values))


@dataclass
class Tenant:
    """A workspace, and a client that has access to it."""

    workspace: Workspace
    client: Client

    def calls(self, count: int = 1, at: datetime = NOON, **values: Any) -> list[Row]:
        rows = [a_row(at, **values) for _ in range(count)]
        writer.store(self.workspace.id, rows)
        return rows

    def ask(self, metric: str, expect: int = 200, headers: dict[str, str] | None = None, **query: Any) -> Any:
        """Returns the metric's body for 24 hours around NOON, or for the query; never cached."""
        cache.clear()
        if not {"range", "start", "end"} & set(query):
            query |= {"start": iso(NOON - timedelta(hours=12)), "end": iso(NOON + timedelta(hours=12))}
        response = self.client.get(f"/api/v1/{metric}", query, headers=headers or {})
        assert response.status_code == expect, response.content
        return response.json()


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
