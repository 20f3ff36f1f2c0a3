"""A database of the previous version gets its new sums by `manage.py refill`, while traces arrive."""

import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from ingest.store import store_scores
from observability.launcher import first_start
from tests.tenant import NOON, Tenant, iso
from tests.timescaledb.conftest import in_place
from tests.traces import previous
from tests.traces.test_rollups import assert_rollups_hold_the_rows, row_with_everything, rows_of, run
from traces import engines, refill, sums, tasks, writer
from traces.engines.postgresql import ENGINE
from traces.filters import EARLIEST, Filters, FilterValues
from traces.rollups.catalogue import FOLLOWERS
from traces.scores import Score
from traces.write_cursor import write_cursor

pytestmark = pytest.mark.django_db(databases="__all__")

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
FOLLOWERS_FILE = Path(refill.__file__).parent / "migrations/sql/0002_postgresql.sql"
STATE = "SELECT followed_since, followed_until FROM rollup_state WHERE workspace_id = %(workspace_id)s"


@pytest.fixture
def previous_database(tenant: Tenant) -> Iterator[None]:
    """Puts a database with the schema of the previous version in place of the analytics database."""
    name = f"previous_{uuid4().hex}"
    with closing(database_named("postgres")) as server:
        with server.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        with closing(database_named(name)) as wrapper, in_place(wrapper):
            call_command("migrate", "traces", "0001", database="analytics", verbosity=0)
            yield
        with server.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    engines.forget_engines()


def database_named(name: str) -> BaseDatabaseWrapper:
    usual = connections["analytics"]
    # Pools are shared by alias.
    options = {option: value for option, value in usual.settings_dict["OPTIONS"].items() if option != "pool"}
    return type(usual)(usual.settings_dict | {"NAME": name, "OPTIONS": options}, alias="analytics")


def old_rows(draw: random.Random, days: int, count: int, until: Any = NOON) -> list[Any]:
    rows = [row_with_everything(until - draw.randrange(days * 24 * 60) * MINUTE, draw) for _ in range(count)]
    for row in rows:
        for name in previous.NEW_COLUMNS:
            setattr(row, name, None)
    return rows


def upgrade() -> str:
    output = StringIO()
    call_command("migrate", database="analytics", verbosity=0, stdout=output)
    return output.getvalue()


def command(name: str, *args: Any) -> str:
    output = StringIO()
    call_command(name, *args, stdout=output)
    return output.getvalue()


QUESTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("usage/overview", {"status": "error"}),
    ("usage/calls-over-time", {"model": "gpt-4o", "not_environment": "production", "granularity": "daily"}),
    ("cost/by-model", {"status": ["success", "timeout"]}),
    ("performance/latency", {"agent_id": "support", "granularity": "hourly"}),
    ("usage/top-users", {"model": "gpt-4o"}),
    ("performance/errors", {"environment": "production"}),
)


def answers(tenant: Tenant) -> list[Any]:
    window = {"start": iso(NOON - 9 * DAY), "end": iso(NOON + HOUR)}
    return [tenant.ask(metric, **window, **filters) for metric, filters in QUESTIONS]


@pytest.mark.usefixtures("previous_database")
def test_a_database_of_the_previous_version_is_upgraded_while_traces_arrive(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refill, "ROWS_AT_ONCE", 20)
    draw, workspace_id = random.Random(5), tenant.workspace.id
    for batch in range(3):
        previous.store(workspace_id, old_rows(draw, 8, 30, NOON - (3 - batch) * HOUR))
    assert "manage.py refill" in upgrade()
    writer.store(workspace_id, [row_with_everything(NOON - draw.randrange(5000) * MINUTE, draw) for _ in range(20)])
    before = answers(tenant)
    assert rows_of(STATE, tenant) == [(None, None)]
    for number, _ in enumerate(refill.refill(workspace_id)):
        assert answers(tenant) == before
        if number % 3 == 0:
            rows = [row_with_everything(NOON - draw.randrange(9 * 24 * 60) * MINUTE, draw) for _ in range(3)]
            writer.store(workspace_id, rows)
            ENGINE.follow(timezone.now())
            before = answers(tenant)
    assert rows_of(STATE, tenant)[0][0] == EARLIEST
    assert answers(tenant) == before
    assert_rollups_hold_the_rows(tenant)
    assert command("refill") == "All sums are filled.\n"
    assert "All sums of 1" in command("verify")


@pytest.mark.usefixtures("previous_database")
def test_rows_that_an_old_process_stored_late_are_summed_again(tenant: Tenant) -> None:
    draw, workspace_id = random.Random(6), tenant.workspace.id
    previous.store(workspace_id, old_rows(draw, 5, 60))
    upgrade()
    command("refill")
    ENGINE.follow(timezone.now())
    previous.store(workspace_id, old_rows(draw, 3, 20))
    with pytest.raises(Exception, match="sums differ"):
        command("verify")
    assert f"{workspace_id}  {(NOON - DAY).date()}  " in command("refill", "--again", "8")
    assert "All sums of 1" in command("verify")
    assert_rollups_hold_the_rows(tenant)


@pytest.mark.usefixtures("previous_database")
def test_latency_of_an_agent_reads_the_older_sums_until_the_new_ones_are_filled(tenant: Tenant) -> None:
    previous.store(tenant.workspace.id, old_rows(random.Random(9), 8, 40))
    upgrade()
    window = {"start": iso(NOON - 9 * DAY), "end": iso(NOON + HOUR)}
    filters = Filters(tenant.workspace.id, NOON - 9 * DAY, NOON + HOUR, "daily")
    filters = replace(filters, values={"agent_id": FilterValues(("support",))})
    before = tenant.ask("performance/latency", agent_id="support", **window)
    assert "FROM call_latency_daily" in sums.LATENCIES.sql(filters)
    command("refill")
    assert "FROM agent_latency_daily" in sums.LATENCIES.sql(filters)
    assert tenant.ask("performance/latency", agent_id="support", **window) == before


def score(name: str, **values: Any) -> Score:
    return Score(id=name, name="helpful", source="api", **{"timestamp": NOON, "number": Decimal(1)} | values)


def score_counts(tenant: Tenant, **filters: Any) -> list[tuple[int, float | None]]:
    window = {"start": iso(NOON - DAY), "end": iso(NOON + HOUR)}
    return [(found["scores"], found["average"]) for found in tenant.ask("usage/scores", **window, **filters)["data"]]


@pytest.mark.usefixtures("previous_database")
def test_old_and_new_processes_store_and_replace_scores_after_the_migration(tenant: Tenant) -> None:
    workspace_id = tenant.workspace.id
    previous.write_scores(workspace_id, [score("before")])
    upgrade()
    previous.write_scores(workspace_id, [score("old")])
    tenant.calls(1, NOON, trace_id="t", environment="staging", span_facts={"kind": "llm"})
    store_scores(workspace_id, [score("new", trace_id="t"), score("before", number=Decimal(4))])
    assert score_counts(tenant) == [(3, 2)]
    assert score_counts(tenant, environment="staging") == [(1, 1)]
    assert "All sums" in command("verify")

    # It knows no environment, so the change is in the sums of scores without one.
    previous.write_scores(
        workspace_id, [score("old", number=Decimal(7)), score("new", trace_id="t", number=Decimal(7))]
    )
    assert score_counts(tenant) == [(3, 6)]
    with pytest.raises(CommandError, match="sums differ"):
        command("verify")
    command("refill", "--again", str((timezone.now() - NOON).days + 2))
    assert "All sums" in command("verify")
    assert score_counts(tenant, environment="staging") == [(1, 7)]


WAITS = "SELECT count(*) FROM pg_locks WHERE relation = 'rollup_state'::regclass AND NOT granted"


@pytest.mark.usefixtures("previous_database")
def test_a_migration_waits_for_the_writers_that_run_and_stops_none(tenant: Tenant) -> None:
    previous.store(tenant.workspace.id, old_rows(random.Random(8), 1, 3))
    settings = connections["analytics"].settings_dict
    with (
        psycopg.connect(host=settings["HOST"], user=settings["USER"], dbname=settings["NAME"]) as migrating,
        ThreadPoolExecutor() as pool,
    ):
        with write_cursor() as cursor:
            cursor.execute(previous.FILLED_UNTIL, {"workspace_id": tenant.workspace.id})
            [statement, *_] = FOLLOWERS_FILE.read_text().split(";\n\n")
            done = pool.submit(migrating.execute, statement)
            while not cursor.execute(WAITS).fetchone()[0]:  # type: ignore[index]
                time.sleep(0.01)
            cursor.execute("UPDATE traces SET status = status; UPDATE scores SET name = name")
        done.result(timeout=10)


@pytest.fixture
def unfilled(tenant: Tenant) -> Tenant:
    """A workspace with rows of ten days, and a state as after an upgrade."""
    draw = random.Random(7)
    rows = [row_with_everything(NOON - draw.randrange(10 * 24 * 60) * MINUTE, draw) for _ in range(120)]
    writer.store(tenant.workspace.id, rows)
    run("UPDATE rollup_state SET followed_since = NULL, followed_until = NULL")
    return tenant


def test_it_can_be_stopped_and_run_again(unfilled: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refill, "ROWS_AT_ONCE", 10)
    parts = refill.refill(unfilled.workspace.id)
    for _ in range(5):
        next(parts)
    parts.close()
    [(since, until)] = rows_of(STATE, unfilled)
    assert EARLIEST < since < until  # type: ignore[operator]
    monkeypatch.setattr(refill, "ROWS_AT_ONCE", 50)
    command("refill", str(unfilled.workspace.id))
    assert_rollups_hold_the_rows(unfilled)


def test_the_worker_fills_for_a_minute_at_a_time(unfilled: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refill, "ROWS_AT_ONCE", 10)
    monkeypatch.setattr(tasks, "REFILL_SECONDS", -1)
    for _ in range(2):
        tasks.refill_for_a_minute()
        assert refill_jobs() == 1
    [(since, _)] = rows_of(STATE, unfilled)
    assert EARLIEST < since < NOON  # type: ignore[operator]
    run("CREATE SCHEMA replaced_sums CREATE TABLE places_hourly (workspace_id uuid, bucket timestamptz, calls bigint)")
    monkeypatch.setattr(tasks, "REFILL_SECONDS", 1000)
    tasks.refill_for_a_minute()
    assert refill_jobs() == 1
    assert not refill.is_needed()
    assert_rollups_hold_the_rows(unfilled)


def test_a_workspace_that_cannot_be_filled_stops_no_other(unfilled: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = uuid4()
    writer.store(bad, [row_with_everything(NOON, random.Random(3))])
    run("UPDATE rollup_state SET followed_since = NULL, followed_until = NULL")
    usual = refill.refill

    def refill_or_fail(workspace_id: UUID) -> Iterator[refill.Filled]:
        if workspace_id == bad:
            raise OSError("broken")
        return usual(workspace_id)

    monkeypatch.setattr(refill, "refill", refill_or_fail)
    with pytest.raises(OSError, match="broken"):
        tasks.refill_for_a_minute()
    assert refill.workspaces_to_refill() == [bad]


def refill_jobs() -> int:
    return ProcrastinateJob.objects.filter(task_name="traces.refill").count()


@pytest.mark.parametrize(("embedded_databases", "jobs"), [([], 0), (["observability_analytics"], 1)])
def test_make_run_has_the_worker_fill_its_own_database(
    unfilled: Tenant, monkeypatch: pytest.MonkeyPatch, embedded_databases: list[str], jobs: int, capsys: Any
) -> None:
    monkeypatch.setattr(first_start.embedded, "missing_databases", lambda: embedded_databases)
    monkeypatch.setattr(first_start.embedded, "create_database", lambda name: None)
    monkeypatch.setattr(first_start.django, "setup", lambda: None)
    # The last steps are not of the databases, and close their connections.
    monkeypatch.setattr(first_start, "check_static_files", lambda: sys.exit())
    for _ in range(2):
        prepare_databases()
        assert refill_jobs() == jobs
        shown = capsys.readouterr().out
        assert ("manage.py refill" in shown) == (jobs == 0)
        assert ("filling new sums" in shown) == (jobs == 1)
    command("refill")
    ProcrastinateJob.objects.all().delete()
    prepare_databases()
    assert refill_jobs() == 0
    assert "sums" not in capsys.readouterr().out


def prepare_databases() -> None:
    with pytest.raises(SystemExit):
        first_start.prepare_data()


def test_rows_that_change_in_an_hour_that_is_filled_in_part_are_counted_once(
    unfilled: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refill, "ROWS_AT_ONCE", 2)
    hour = NOON - 3 * HOUR
    rows = unfilled.calls(1, hour + 50 * MINUTE) + unfilled.calls(1, hour + 40 * MINUTE, user_id="ada")
    unfilled.calls(4, hour + 20 * MINUTE, user_id="ada")
    parts = refill.refill(unfilled.workspace.id)
    while rows_of(STATE, unfilled)[0][0] != hour + 40 * MINUTE:
        next(parts)
    rows[0].environment = "staging"
    unfilled.calls(2, hour + 45 * MINUTE, environment="staging")
    with writer.writing(unfilled.workspace.id) as cursor:
        writer.correct(cursor, unfilled.workspace.id, rows[:1])
    monkeypatch.setattr(refill, "ROWS_AT_ONCE", 50)
    command("refill")
    assert_rollups_hold_the_rows(unfilled)


def test_a_transaction_has_no_more_rows_than_a_writer_can_wait_for(
    unfilled: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refill, "ROWS_AT_ONCE", 6)
    parts = list(refill.refill(unfilled.workspace.id))
    assert sum(part.rows for part in parts) == 120
    assert max(part.rows for part in parts) <= 6
    assert [part.day for part in parts] == sorted((part.day for part in parts), reverse=True)


def test_sums_whose_rows_were_deleted_stay(unfilled: Tenant) -> None:
    command("refill")
    ENGINE.follow(timezone.now())
    sums = "SELECT bucket, sum(calls) FROM places_daily WHERE workspace_id = %(workspace_id)s GROUP BY 1"
    before = rows_of(sums, unfilled)
    run(f"DELETE FROM traces WHERE timestamp < '{iso(NOON.replace(hour=0) - 4 * DAY)}'")
    command("refill", "--again", "30")
    assert rows_of(sums, unfilled) == before


def test_again_takes_away_what_has_no_row(unfilled: Tenant) -> None:
    command("refill")
    ENGINE.follow(timezone.now())
    day = NOON.replace(hour=0) - 2 * DAY
    run(f"DELETE FROM traces WHERE timestamp >= '{iso(day)}' AND timestamp < '{iso(day + DAY)}'")
    command("refill", "--again", "30")
    for rollup in FOLLOWERS:
        for width, table in rollup.tables.items():
            found = f"SELECT * FROM {table} WHERE calls <> 0 AND bucket >= '{iso(day)}' AND bucket < '{iso(day + DAY)}'"
            assert width.name == "weekly" or not rows_of(found, unfilled), table
