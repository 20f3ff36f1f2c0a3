"""The migrations create the schema of TimescaleDB: a hypertable, aggregates and policies."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from tests.timescaledb.conftest import RunQuery
from traces import engines
from traces.rollups.catalogue import AGGREGATE_TABLES, CATALOGUE, HOUR

pytestmark = pytest.mark.django_db(databases=["default", "analytics"])


def test_traces_are_in_chunks_of_a_day(timescaledb: RunQuery) -> None:
    assert engines.current().name == "timescaledb"
    dimensions = "SELECT column_name, time_interval FROM timescaledb_information.dimensions WHERE hypertable_name = %s"
    assert timescaledb(dimensions, "traces") == [("timestamp", timedelta(days=1))]


def test_every_rollup_is_a_real_time_aggregate_under_its_name(timescaledb: RunQuery) -> None:
    views = timescaledb("SELECT view_name::text, materialized_only FROM timescaledb_information.continuous_aggregates")
    assert sorted(views) == sorted((name, False) for name in AGGREGATE_TABLES)


def test_days_are_summed_from_hours(timescaledb: RunQuery) -> None:
    sources = """
        SELECT view_name::text, hypertable_name IN ('traces', 'label_rows')
        FROM timescaledb_information.continuous_aggregates
    """
    assert dict(timescaledb(sources)) == {
        name: width == next(iter(entry.aggregates)) or width.length <= HOUR.length
        for entry in CATALOGUE
        for width, name in entry.aggregates.items()
    }


def test_rollups_are_refreshed_each_minute_as_far_back_as_there_are_rows(timescaledb: RunQuery) -> None:
    policies = """
        SELECT DISTINCT schedule_interval, (config->>'start_offset')::interval, (config->>'end_offset')::interval
        FROM timescaledb_information.jobs
        WHERE proc_name = 'policy_refresh_continuous_aggregate'
    """
    minute = timedelta(minutes=1)
    assert timescaledb(policies) == [(minute, timedelta(days=400), minute)]


def test_chunks_are_compressed_after_a_week_by_workspace_in_order_of_time(timescaledb: RunQuery) -> None:
    policies = "SELECT config->>'compress_after' FROM timescaledb_information.jobs WHERE proc_name = %s"
    assert timescaledb(policies, "policy_compression") == [("7 days",)] * 2
    columns = "SELECT segmentby, orderby FROM timescaledb_information.hypertable_compression_settings"
    for table in ("traces", "label_rows"):
        [(segmentby, orderby)] = timescaledb(f"{columns} WHERE hypertable = '{table}'::regclass")
        assert (segmentby, orderby.replace('"', "")) == ("workspace_id", "timestamp")


@pytest.fixture
def usual_policies_afterwards(timescaledb: RunQuery) -> Iterator[None]:
    yield
    for table in AGGREGATE_TABLES:
        timescaledb("SELECT remove_continuous_aggregate_policy(%s)", table)
    engines.current().complete_schema()


def test_migrating_sets_the_policies_as_the_settings_say(
    timescaledb: RunQuery, usual_policies_afterwards: None
) -> None:
    with override_settings(RETENTION_DAYS=500, ROLLUP_RETENTION_DAYS=900):
        engines.current().complete_schema()
    assert retention_by_table(timescaledb) == {
        **dict.fromkeys(("traces", "label_rows"), timedelta(days=500)),
        **dict.fromkeys(AGGREGATE_TABLES, timedelta(days=900)),
    }
    # Days whose rows were dropped under a shorter retention have only their sums: a refresh must not reach them.
    assert refresh_reach(timescaledb) == timedelta(days=400)
    with override_settings(RETENTION_DAYS=90):
        engines.current().complete_schema()
    assert refresh_reach(timescaledb) == retention_by_table(timescaledb)["traces"] == timedelta(days=90)


def retention_by_table(timescaledb: RunQuery) -> dict[str, timedelta]:
    return dict(
        timescaledb(
            """
            SELECT hypertable_name::text, (config->>'drop_after')::interval
            FROM timescaledb_information.jobs
            WHERE proc_name = 'policy_retention'
            """
        )
    )


def refresh_reach(timescaledb: RunQuery) -> timedelta:
    [(offset,)] = timescaledb(
        """
        SELECT DISTINCT (config->>'start_offset')::interval
        FROM timescaledb_information.jobs
        WHERE proc_name = 'policy_refresh_continuous_aggregate'
        """
    )
    return offset  # type: ignore[no-any-return]


def test_a_hypertable_is_not_distributed(timescaledb: RunQuery) -> None:
    with pytest.raises(CommandError, match="This database has the schema of timescaledb"):
        call_command("distribute")
