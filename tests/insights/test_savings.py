"""Savings: which wastes are found and which habits are not, by API and as a page."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from insights import saving_rows, savings
from insights.saving_model import Saving
from tests.factories import WorkspaceFactory
from tests.insights import wastes
from tests.insights.wastes import at, call, lookalikes, nights, same_calls, store
from tests.jobs_helper import run_waiting_jobs, waiting_jobs
from tests.tenant import Tenant
from traces import writer

pytestmark = pytest.mark.django_db(databases="__all__")

PATH = "/api/v1/insights/savings"
DECISIONS = f"{PATH}/decisions"


def compute(tenant: Tenant, now: datetime | None = None) -> dict[str, Any]:
    """Computes the savings, and returns them by kind."""
    savings.compute(tenant.workspace, now or datetime.now(UTC))
    return {one["kind"]: one for one in listed(tenant)["data"]}


def listed(tenant: Tenant, **query: str) -> Any:
    response = tenant.client.get(PATH, query)
    assert response.status_code == 200, response.content
    return response.json()


def decide(tenant: Tenant, expect: int = 200, **body: Any) -> Any:
    response = tenant.client.post(DECISIONS, body, content_type="application/json")
    assert response.status_code == expect, response.content
    return response.json()


def test_six_wastes_are_found_and_ten_habits_that_look_like_one_are_not(tenant: Tenant) -> None:
    store(tenant.workspace, [*wastes.wastes(), *lookalikes()])
    savings.compute(tenant.workspace, datetime.now(UTC))
    found = listed(tenant)
    assert {(one["kind"], one["filters"].get("agent_id")) for one in found["data"]} == {
        ("cheaper_model", "triage"),
        ("uncached_prefix", "docs"),
        ("unread_cache_writes", "notes"),
        ("batch", "nightly-report"),
        ("loop", "planner"),
        ("unused_agent", "old-helper"),
    }
    amounts = [one["usd_per_month"] for one in found["data"]]
    assert amounts == sorted(amounts, reverse=True)
    assert found["total_usd_per_month"] == pytest.approx(sum(amounts))
    assert all(1 <= one["low_usd_per_month"] <= one["usd_per_month"] for one in found["data"])
