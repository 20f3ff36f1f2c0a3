"""The work on stored traces that no request does."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from tests.tenant import Tenant, iso
from traces.db import rows
from traces.tasks import analyze_tables, close_hours

HOUR = timedelta(hours=1)
NOW = datetime.now(UTC)
THIS_HOUR = NOW.replace(minute=0, second=0, microsecond=0)


def filled_until(tenant: Tenant) -> datetime:
    params = {"workspace_id": tenant.workspace.id}
    [state] = rows("SELECT filled_until FROM rollup_state WHERE workspace_id = %(workspace_id)s", params)
    return state["filled_until"]  # type: ignore[no-any-return]


@pytest.mark.django_db(databases="__all__")
def test_hours_after_which_nothing_came_are_closed(tenant: Tenant) -> None:
    tenant.calls(3, NOW - 5 * HOUR)
    window = {"start": iso(NOW - 24 * HOUR), "end": iso(NOW)}
    before = tenant.ask("usage/overview", **window)
    assert filled_until(tenant) <= NOW - 5 * HOUR
    close_hours(due_at=NOW.isoformat())
    assert filled_until(tenant) >= THIS_HOUR - HOUR
    assert tenant.ask("usage/overview", **window) == before
    assert before["total_calls"] == 3


@pytest.mark.django_db(databases="__all__")
def test_where_no_hour_is_open_nothing_is_written(tenant: Tenant) -> None:
    tenant.calls(3, NOW - 5 * HOUR)
    close_hours(due_at=NOW.isoformat())
    state = filled_until(tenant)
    with connections["analytics"].cursor() as cursor:
        cursor.execute("UPDATE rollup_state SET filled_until = filled_until - interval '1 hour'")
    close_hours(due_at=NOW.isoformat())
    assert filled_until(tenant) == state - HOUR


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_tables_that_were_restored_or_have_grown_get_statistics(tenant: Tenant) -> None:
    tenant.calls(5, NOW - HOUR)
    known = "SELECT count(*) AS columns FROM pg_stats WHERE tablename = 'traces' AND n_distinct <> 0"
    with connections["analytics"].cursor() as cursor:
        cursor.execute("DELETE FROM pg_statistic WHERE starelid = 'traces'::regclass")
        cursor.execute("SELECT pg_stat_force_next_flush(), pg_stat_reset_single_table_counters('traces'::regclass)")
    tenant.calls(5, NOW - HOUR)
    with connections["analytics"].cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
    assert rows(known, {})[0]["columns"] == 0
    analyze_tables(due_at=NOW.isoformat())
    assert rows(known, {})[0]["columns"] > 0
