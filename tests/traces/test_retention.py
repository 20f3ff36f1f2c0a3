"""Rows and sums are deleted after their retention, by whole days; sums stay longer than rows."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connections
from django.test import Client, override_settings

from tests.factories import WorkspaceFactory
from tests.tenant import Tenant, iso
from traces import engines
from traces.engines import postgresql
from traces.tasks import delete_old_traces

pytestmark = pytest.mark.django_db(databases=["default", "analytics"])

DAYS = timedelta(days=1)
NOW = datetime.now(UTC)
MIDNIGHT = NOW.replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture(autouse=True)
def ten_days_of_rows_and_thirty_of_sums(settings) -> None:  # type: ignore[no-untyped-def]
    settings.RETENTION_DAYS, settings.ROLLUP_RETENTION_DAYS = 10, 30


def count(tenant: Tenant, table: str) -> int:
    with connections["analytics"].cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE workspace_id = %s", [tenant.workspace.id])
        return int(cursor.fetchone()[0])


def delete_old() -> None:
    engines.current().delete_old(NOW, lambda _: True)


def test_rows_are_deleted_by_whole_days_in_batches(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "DELETED_AT_ONCE", 2)
    oldest_kept = MIDNIGHT - 10 * DAYS
    tenant.calls(5, oldest_kept - timedelta(microseconds=1))
    tenant.calls(3, oldest_kept)
    sums = count(tenant, "totals_minutely")
    delete_old()
    assert (count(tenant, "traces"), count(tenant, "totals_minutely")) == (3, sums)


def test_sums_of_deleted_rows_stay_until_their_own_time_is_over(tenant: Tenant) -> None:
    tenant.calls(1, NOW - 40 * DAYS)
    tenant.calls(2, NOW - 20 * DAYS)
    tenant.calls(4, NOW)
    delete_old()
    window = {"start": (MIDNIGHT - 50 * DAYS).isoformat(), "end": (MIDNIGHT + DAYS).isoformat()}
    assert count(tenant, "traces") == 4
    assert tenant.ask("usage/overview", **window)["total_calls"] == 6


@pytest.mark.parametrize(("metric", "moment"), [("usage/top-users", "last_seen"), ("performance/errors", "first_seen")])
def test_facts_that_only_rows_have_are_null_once_the_rows_are_deleted(tenant: Tenant, metric: str, moment: str) -> None:
    tenant.calls(2, NOW - 20 * DAYS, user_id="ada", status="error")
    delete_old()
    window = {"start": (MIDNIGHT - 25 * DAYS).isoformat(), "end": MIDNIGHT.isoformat()}
    [row] = tenant.ask(metric, **window)["data"]
    assert (row["calls"], row[moment]) == (2, None)
    panel = tenant.client.get(f"/api/v1/{metric}", window, headers={"HX-Request": "true"})
    assert panel.status_code == 200


def test_the_first_time_of_an_error_is_null_though_later_rows_of_it_are_stored(tenant: Tenant) -> None:
    for days in (20, 5, 1):
        tenant.calls(1, NOW - days * DAYS, status="error", error_message=f"{days} days ago")
    delete_old()
    window = {"start": iso(MIDNIGHT - 25 * DAYS), "end": iso(MIDNIGHT + DAYS)}
    [group] = tenant.ask("performance/errors", **window)["data"]
    assert (group["calls"], group["first_seen"], group["sample_message"]) == (3, None, "1 days ago")


@pytest.mark.parametrize("later", ["ada", "bob"])
def test_the_agents_of_a_user_are_still_known_once_the_rows_are_deleted(tenant: Tenant, later: str) -> None:
    tenant.calls(3, NOW - 20 * DAYS, user_id="ada")
    tenant.calls(1, NOW, user_id=later)
    delete_old()
    window = {"start": (MIDNIGHT - 25 * DAYS).isoformat(), "end": (MIDNIGHT - 15 * DAYS).isoformat()}
    [user] = tenant.ask("usage/top-users", **window)["data"]
    assert (user["user_id"], user["calls"], user["active_agents"], user["last_seen"]) == ("ada", 3, 1, None)


def test_the_task_deletes_in_the_workspaces_of_its_time_zone(tenant: Tenant) -> None:
    in_berlin = Tenant(WorkspaceFactory(time_zone="Europe/Berlin"), Client())
    deleted = Tenant(WorkspaceFactory(time_zone="Asia/Kolkata"), Client())
    for each in (tenant, in_berlin, deleted):
        each.calls(1, NOW - 20 * DAYS)
        each.calls(1, NOW)
    deleted_id = deleted.workspace.id
    deleted.workspace.delete()
    deleted.workspace.id = deleted_id
    delete_old_traces(due_at=NOW.isoformat(), subject="Europe/Berlin")
    assert [count(each, "traces") for each in (tenant, in_berlin, deleted)] == [2, 1, 2]
    # The traces of a workspace that is no longer there are deleted too.
    delete_old_traces(due_at=NOW.isoformat(), subject="UTC")
    assert [count(each, "traces") for each in (tenant, in_berlin, deleted)] == [1, 1, 1]


def test_sums_that_are_made_of_rows_are_made_before_the_rows_are_deleted(tenant: Tenant) -> None:
    tenant.calls(3, NOW - 20 * DAYS, latency_ms=100.0)  # of a day that no later row has closed
    delete_old()
    tenant.calls(1, NOW)
    window = {"start": (MIDNIGHT - 25 * DAYS).isoformat(), "end": (MIDNIGHT - 15 * DAYS).isoformat()}
    with override_settings(EXACT_PERCENTILE_ROWS=0):
        for filters in ({}, {"agent_id": "support"}, {"model": "gpt-4o"}):
            assert tenant.ask("performance/overview", **window, **filters)["p50_latency_ms"] == pytest.approx(
                100, 0.015
            )


def test_percentiles_of_a_window_whose_rows_are_partly_deleted_are_from_sums(tenant: Tenant) -> None:
    tenant.calls(9, NOW - 20 * DAYS, latency_ms=1000.0)
    tenant.calls(1, NOW - 2 * DAYS, latency_ms=10.0)
    delete_old()
    window = {"start": iso(MIDNIGHT - 25 * DAYS), "end": iso(MIDNIGHT + DAYS)}
    for filters in ({}, {"agent_id": "support"}):
        answer = tenant.ask("performance/overview", **window, **filters)
        assert (answer["percentile_method"], answer["total_requests"]) == ("histogram", 10)
        assert answer["p50_latency_ms"] == pytest.approx(1000, 0.015)
        series = tenant.ask("performance/latency", **window, **filters)
        assert series["percentile_method"] == "histogram"
        p50s = [point["p50_latency_ms"] for point in series["data"] if point["calls"]]
        assert p50s == [pytest.approx(1000, 0.015), pytest.approx(10, 0.015)]
    retained = {"start": iso(MIDNIGHT - 5 * DAYS), "end": iso(MIDNIGHT + DAYS)}
    answer = tenant.ask("performance/overview", **retained)
    assert (answer["percentile_method"], answer["p50_latency_ms"]) == ("exact", 10.0)


def test_a_workspace_that_fails_does_not_stop_the_others(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    others = [Tenant(WorkspaceFactory(), Client()) for _ in range(2)]
    for each in (tenant, *others):
        each.calls(1, NOW - 20 * DAYS)
    delete_old_rows = postgresql.delete_old_rows

    def fail_for_one(workspace_id: UUID, now: datetime) -> None:
        if workspace_id == tenant.workspace.id:
            raise ValueError("broken")
        delete_old_rows(workspace_id, now)

    monkeypatch.setattr(postgresql, "delete_old_rows", fail_for_one)
    with pytest.raises(ValueError, match="broken"):
        delete_old_traces(due_at=NOW.isoformat(), subject="UTC")
    assert [count(each, "traces") for each in (tenant, *others)] == [1, 0, 0]
