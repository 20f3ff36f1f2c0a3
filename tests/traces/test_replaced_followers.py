"""A database of version 0.1.0 gets new tables for its followers, and keeps the sums of days whose rows are deleted."""

import json
import random
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.utils import timezone

from tests.tenant import NOON, Tenant, iso
from tests.timescaledb.conftest import in_place
from tests.traces.test_refill import DAY, HOUR, MINUTE, command, database_named, upgrade
from tests.traces.test_rollups import row_with_everything, rows_of, run, sums_in
from traces import engines, refill, writer
from traces.engines.postgresql import ENGINE
from traces.filters import EARLIEST
from traces.rollups import statements
from traces.rollups.catalogue import Rollup
from traces.rollups.statements import REPLACED_FOLLOWERS

pytestmark = pytest.mark.django_db(databases="__all__")

LAST_RELEASED = "0006"
JOIN = "\nJOIN rollup_state USING (workspace_id)"
REPLACED = "SELECT count(*) FROM pg_namespace WHERE nspname = 'replaced_sums' AND %(workspace_id)s IS NOT NULL"


def as_before(rollup: Rollup) -> Rollup:
    """Returns a follower as version 0.1.0 had it: a row for each bucket of a histogram, and hours at the narrowest."""
    return rollup._replace(packed=None, widths=tuple(width for width in rollup.widths if width.length >= HOUR))


OLD_FOLLOWERS = tuple(as_before(rollup) for rollup in REPLACED_FOLLOWERS)


@pytest.fixture
def released_database(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Puts a database of version 0.1.0 in place of the analytics database: with rows of eight days."""
    name = f"released_{uuid4().hex}"
    with closing(database_named("postgres")) as server:
        with server.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        with closing(database_named(name)) as wrapper, in_place(wrapper):
            call_command("migrate", "traces", LAST_RELEASED, database="analytics", verbosity=0)
            draw = random.Random(11)
            rows = [row_with_everything(NOON - draw.randrange(8 * 24 * 60) * MINUTE, draw) for _ in range(150)]
            writer.store(tenant.workspace.id, rows)
            run(f"UPDATE rollup_state SET followed_since = '{iso(EARLIEST)}', followed_until = '{iso(NOON + HOUR)}'")
            with monkeypatch.context() as old:
                old.setattr(statements, "FOLLOWERS", OLD_FOLLOWERS)
                for statement in statements.fill_followers_sql(JOIN):
                    run(statement)
            yield
        with server.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    engines.forget_engines()


def sums_of(rollups: tuple[Rollup, ...], tenant: Tenant) -> dict[str, list[tuple[object, ...]]]:
    return {
        table: sums_in(rollup, table, tenant)
        for rollup in rollups
        for width, table in rollup.tables.items()
        if width.length >= HOUR
    }


def rounded(values: Any) -> Any:
    """Returns values whose floats do not depend on the order in which they were added."""
    return json.loads(json.dumps(values, default=str), parse_float=lambda text: round(float(text), 6))


SEVERAL: dict[str, str] = {"environment": "production", "model": "gpt-4o"}
QUESTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("usage/overview", SEVERAL),
    ("usage/overview", {"status": "success", "release": "42", "agent_id": "support"}),
    ("usage/top-users", SEVERAL),
    ("performance/overview", SEVERAL),
    ("performance/latency", SEVERAL | {"granularity": "hourly"}),
    ("performance/first-token", SEVERAL | {"granularity": "daily"}),
    ("performance/latency", {"agent_id": "support", "model": "gpt-4o", "granularity": "hourly"}),
    ("performance/tools", {"environment": "production"}),
    ("performance/errors", SEVERAL),
    ("usage/calls-over-time", {"environment": "production", "granularity": "hourly"}),
)


def answers(tenant: Tenant) -> list[Any]:
    window = {"start": iso(NOON - 9 * DAY + 7 * MINUTE), "end": iso(NOON + 25 * MINUTE)}
    return [rounded(tenant.ask(metric, **window, **filters)) for metric, filters in QUESTIONS]


@pytest.mark.usefixtures("released_database")
def test_answers_are_the_same_from_rows_and_from_the_new_sums(tenant: Tenant, settings: Any) -> None:
    settings.EXACT_PERCENTILE_ROWS = 0
    assert "refill" in upgrade()
    from_rows = answers(tenant)
    assert all(answer for answer in from_rows)
    parts = refill.refill(tenant.workspace.id)
    for _ in range(3):
        next(parts)
        assert answers(tenant) == from_rows
    parts.close()
    command("refill")
    ENGINE.follow(timezone.now())
    assert answers(tenant) == from_rows
    assert "All sums" in command("verify", str(tenant.workspace.id))


@pytest.mark.usefixtures("released_database")
def test_sums_of_days_whose_rows_are_deleted_are_kept(tenant: Tenant) -> None:
    before = sums_of(OLD_FOLLOWERS, tenant)
    assert before["agent_latency_daily"]
    assert before["user_errors_weekly"]
    run(f"DELETE FROM traces WHERE timestamp < '{iso(NOON.replace(hour=0) - 3 * DAY)}'")
    upgrade()
    command("refill")
    ENGINE.follow(timezone.now())
    after = sums_of(REPLACED_FOLLOWERS, tenant)
    assert rounded(after) == rounded(before)
    command("refill", "--again", "9")
    assert rounded(sums_of(REPLACED_FOLLOWERS, tenant)) == rounded(before)


FOLLOWED_SINCE = "SELECT followed_since FROM rollup_state WHERE workspace_id = %(workspace_id)s"


@pytest.mark.usefixtures("released_database")
@pytest.mark.parametrize("parts_before", [2, 9])
def test_a_retention_between_two_parts_of_a_refill_loses_and_doubles_nothing(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, parts_before: int
) -> None:
    monkeypatch.setattr(refill, "ROWS_AT_ONCE", 8)
    before = sums_of(OLD_FOLLOWERS, tenant)
    upgrade()
    parts = refill.refill(tenant.workspace.id)
    for _ in range(parts_before):
        next(parts)
    parts.close()
    [(since,)] = rows_of(FOLLOWED_SINCE, tenant)
    run(f"DELETE FROM traces WHERE timestamp < '{iso(since)}'")  # type: ignore[arg-type]
    parts = refill.refill(tenant.workspace.id)
    next(parts)
    parts.close()
    command("refill")
    ENGINE.follow(timezone.now())
    assert rounded(sums_of(REPLACED_FOLLOWERS, tenant)) == rounded(before)


@pytest.mark.usefixtures("released_database")
def test_an_old_row_hides_no_kept_day(tenant: Tenant) -> None:
    before = sums_of(OLD_FOLLOWERS, tenant)
    run(f"DELETE FROM traces WHERE timestamp < '{iso(NOON.replace(hour=0) - 3 * DAY)}'")
    upgrade()
    old = row_with_everything(NOON - 60 * DAY, random.Random(2))
    writer.store(tenant.workspace.id, [old])
    command("refill")
    ENGINE.follow(timezone.now())
    after = sums_of(REPLACED_FOLLOWERS, tenant)
    assert rounded([row for row in after["places_daily"] if row[0] > NOON - 50 * DAY]) == rounded(
        before["places_daily"]
    )  # type: ignore[operator]
    assert len(after["places_daily"]) == len(before["places_daily"]) + 1


@pytest.mark.usefixtures("released_database")
def test_retention_begins_to_follow_where_nobody_has_refilled(tenant: Tenant) -> None:
    upgrade()
    ENGINE.delete_old(timezone.now(), lambda workspace_id: True)
    [(since,)] = rows_of(FOLLOWED_SINCE, tenant)
    assert since == (timezone.now() - DAY).replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.mark.usefixtures("released_database")
def test_the_old_sums_are_dropped_when_no_workspace_needs_them(tenant: Tenant) -> None:
    writer.store(uuid4(), [row_with_everything(NOON, random.Random(3))])
    upgrade()
    assert rows_of(REPLACED, tenant) == [(1,)]
    command("refill", str(tenant.workspace.id))
    assert rows_of(REPLACED, tenant) == [(1,)]
    command("refill")
    assert rows_of(REPLACED, tenant) == [(0,)]


def test_a_new_database_has_no_old_sums(tenant: Tenant) -> None:
    assert rows_of(REPLACED, tenant) == [(0,)]


def test_sums_are_made_again_while_the_worker_follows(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(5)
    rows = [row_with_everything(NOON - draw.randrange(20 * 60) * MINUTE, draw) for _ in range(60)]
    writer.store(tenant.workspace.id, rows)
    ENGINE.follow(NOON - 30 * MINUTE)
    oldest_stored_day = refill.oldest_stored_day

    def meanwhile(*args: Any) -> Any:
        found = oldest_stored_day(*args)
        ENGINE.follow(NOON + timedelta(minutes=40))
        return found

    monkeypatch.setattr(refill, "oldest_stored_day", meanwhile)
    list(refill.refill_again(tenant.workspace.id, 2))
    assert "All sums" in command("verify", str(tenant.workspace.id))
