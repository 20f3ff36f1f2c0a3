"""Budgets of a database that knew one budget a workspace are carried over as the workspaces' own."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from budgets.models import Budget, BudgetChange, own_budget
from tests.factories import WorkspaceFactory
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

BEFORE = [("budgets", "0001_initial")]
# What processes of the version before send: Django names every column that it knows.
OLD_INSERT = """
INSERT INTO budgets_budget (id, workspace_id, monthly_limit_usd, alert_threshold_percentage, created_at, updated_at)
VALUES (%(id)s, %(workspace_id)s, 12.50, 70, now(), now())
"""
OLD_CHANGE = """
INSERT INTO budgets_budgetchange
    (budget_id, changed_at, changed_by, limit_from_usd, limit_to_usd, threshold_from, threshold_to)
VALUES (%(id)s, now(), 'ada', NULL, 12.50, NULL, 70)
"""
OLD_UPDATE = """
UPDATE budgets_budget
SET workspace_id = %(workspace_id)s, monthly_limit_usd = 15, alert_threshold_percentage = 80, updated_at = now()
WHERE id = %(id)s
"""
OLD_SELECT = """
SELECT id, workspace_id, monthly_limit_usd, alert_threshold_percentage, created_at, updated_at
FROM budgets_budget
WHERE workspace_id = %(workspace_id)s
"""


def migrate(targets: Any) -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps


@pytest.fixture
def old_apps() -> Iterator[Any]:
    # Of all apps: migrations of others need those of budgets, and are taken back with them.
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    yield migrate(BEFORE)
    migrate(latest)


def test_old_budgets_are_carried_over_with_their_history(tenant: Tenant, old_apps: Any) -> None:
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
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


def test_processes_of_the_version_before_read_and_write_their_budget(tenant: Tenant) -> None:
    names = {"id": uuid4(), "workspace_id": tenant.workspace.pk}
    with connection.cursor() as cursor:
        for statement in (OLD_INSERT, OLD_CHANGE, OLD_UPDATE, OLD_SELECT):
            cursor.execute(statement, names)
        [(budget_id, _, limit, threshold, *_)] = cursor.fetchall()
    assert (budget_id, limit, threshold) == (names["id"], 15, 80)
    own = own_budget(tenant.workspace)
    assert (own.pk, own.amount_usd, own.name, own.period) == (names["id"], 15, "Whole workspace", "month")
    assert (own.scope, own.per, own.thresholds, own.owner, own.is_active) == ({}, "", [], "", True)
    [change] = BudgetChange.objects.all()
    assert (change.reason, change.details) == ("", {})
