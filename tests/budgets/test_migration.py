"""Budgets of a database that knew one budget a workspace are carried over as the workspaces' own."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from budgets.models import Budget
from tests.factories import WorkspaceFactory
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

BEFORE = [("budgets", "0001_initial")]


def migrate(targets: Any) -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps


@pytest.fixture
def old_apps() -> Iterator[Any]:
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes("budgets")
    yield migrate(BEFORE)
    migrate(latest)


def test_old_budgets_are_carried_over_with_their_history(tenant: Tenant, old_apps: Any) -> None:
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes("budgets")
    old = old_apps.get_model("budgets", "Budget").objects
    budget = old.create(
        workspace_id=tenant.workspace.pk, monthly_limit_usd=Decimal("12.50"), alert_threshold_percentage=Decimal(70)
    )
    old.create(workspace_id=WorkspaceFactory().pk, monthly_limit_usd=None)
    budget.changes.create(changed_by="ada", limit_to_usd=Decimal("12.50"), threshold_to=Decimal(70))
    migrate(latest)
    answer = tenant.ask("cost/budget", range="24h")
    assert (answer["monthly_limit_usd"], answer["alert_threshold_percentage"]) == (12.5, 70)
    [own] = tenant.client.get("/api/v1/budgets").json()["data"]
    assert (own["is_workspace_budget"], own["name"], own["period"]) == (True, "Whole workspace", "month")
    [change] = Budget.objects.get(pk=budget.pk).changes.all()
    assert (change.changed_by, change.limit_to_usd) == ("ada", Decimal("12.50"))
    assert set(Budget.objects.values_list("is_workspace_budget", flat=True)) == {True}
