"""A TimescaleDB of the previous version is upgraded while traces arrive, and `manage.py verify` finds nothing."""

import random
from collections.abc import Container, Iterator
from contextlib import closing
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import override_settings

from tests.tenant import NOON, Tenant
from tests.timescaledb.conftest import in_place, packaged_server, postgresql  # noqa: F401 (a fixture)
from tests.traces import previous
from tests.traces.test_refill import answers, old_rows
from tests.traces.test_rollups import row_with_everything
from traces import engines, writer
from traces.engines import timescaledb as engine
from traces.rollups.catalogue import AGGREGATE_TABLES, CATALOGUE, FOLLOWERS

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.faults]

MINUTE = timedelta(minutes=1)
FOLLOWER_TABLES = {table for rollup in FOLLOWERS for table in rollup.tables.values()}


def run(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    with connections["analytics"].cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def previous_database(postgresql: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:  # noqa: F811
    """Puts a TimescaleDB with the schema and the policies of the previous version in place."""
    usual = connections["analytics"]
    with (
        packaged_server() as address,
        closing(type(usual)(usual.settings_dict | address, alias="analytics")) as wrapper,
        in_place(wrapper),
        override_settings(ANALYTICS_ENGINE="timescaledb"),
    ):
        with monkeypatch.context() as old:
            old.setattr(engine, "CATALOGUE", tuple(entry for entry in CATALOGUE if entry not in FOLLOWERS))
            tables = tuple(name for name in AGGREGATE_TABLES if name not in FOLLOWER_TABLES)
            old.setattr(engine, "AGGREGATE_TABLES", tables)
            old.setattr(engine, "ROW_TABLES", ("traces",))
            call_command("migrate", "traces", "0001", database="analytics", verbosity=0)
        run("SELECT _timescaledb_functions.stop_background_workers()")
        yield
    engines.forget_engines()
    engine._aggregates.clear()


def run_policies(kind: str, without: Container[str] = ()) -> None:
    jobs = "SELECT job_id, hypertable_name FROM timescaledb_information.jobs WHERE proc_name LIKE %s ORDER BY job_id"
    for job, table in run(jobs, f"policy_{kind}%"):
        if table not in without:
            run("CALL run_job(%s)", job)
    engine._aggregates.clear()


def verified() -> str:
    output = StringIO()
    call_command("verify", stdout=output)
    return output.getvalue()


@pytest.mark.usefixtures("previous_database")
def test_a_timescaledb_of_the_previous_version_is_upgraded(tenant: Tenant) -> None:
    draw, workspace_id = random.Random(5), tenant.workspace.id
    for days in (30, 10):
        previous.store(workspace_id, old_rows(draw, days, 50), "timescaledb")
    run_policies("refresh")
    run_policies("compression")
    call_command("migrate", database="analytics", verbosity=0)
    engine._aggregates.clear()
    assert "All sums of 1" in verified()

    writer.store(workspace_id, [row_with_everything(NOON - draw.randrange(5000) * MINUTE, draw) for _ in range(20)])
    run_policies("refresh", without=FOLLOWER_TABLES)
    before = answers(tenant)
    output = StringIO()
    call_command("refill", stdout=output)
    assert "fills its sums of traces itself" in output.getvalue()
    run_policies("refresh")
    assert answers(tenant) == before

    # An old process stores rows late, among them some of a compressed day.
    previous.store(workspace_id, old_rows(draw, 20, 20), "timescaledb")
    assert "All sums of 1" in verified()
    for table in ("totals_daily", "label_calls_hourly", "user_places_weekly", "models_daily"):
        [(stored,)] = run(
            "SELECT format('%%I.%%I', schema_name, table_name) FROM _timescaledb_catalog.continuous_agg "
            "JOIN _timescaledb_catalog.hypertable ON hypertable.id = mat_hypertable_id WHERE user_view_name = %s",
            table,
        )
        if table == "models_daily":
            # No key forbids it to have a bucket twice.
            run(f"INSERT INTO {stored} SELECT * FROM {stored} WHERE bucket < %s", NOON - timedelta(days=1))
        else:
            run(f"UPDATE {stored} SET calls = calls + 1 WHERE bucket < %s", NOON - timedelta(days=1))
    run("DELETE FROM label_rows WHERE timestamp < %s", NOON - timedelta(days=1))
    output = StringIO()
    with pytest.raises(CommandError, match="sums differ"):
        call_command("verify", stdout=output)
    for table in ("totals_daily", "label_calls_hourly", "user_places_weekly", "models_daily", "label_rows"):
        assert f"  {table}  " in output.getvalue()
