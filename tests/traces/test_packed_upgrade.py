"""A database of version 0.1.0 keeps its sums when its histograms become one row each, and its new sums begin empty."""

import json
import random
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command

from tests.tenant import NOON, Tenant, iso
from tests.timescaledb.conftest import in_place
from tests.traces.test_refill import DAY, HOUR, MINUTE, answers, command, database_named, upgrade
from tests.traces.test_rollups import row_with_everything, rows_of, run, sums_in
from traces import engines, writer
from traces.engines.postgresql import ENGINE
from traces.filters import EARLIEST
from traces.rollups import statements
from traces.rollups.catalogue import ADDED_TABLES, FOLLOWERS, Rollup
from traces.rollups.catalogue import HOUR as HOUR_WIDTH

pytestmark = pytest.mark.django_db(databases="__all__")

LAST_RELEASED = "0006"
FOLLOWED_UNTIL = NOON - 3 * HOUR + 25 * MINUTE
ADDED_SINCE = "SELECT added_since FROM rollup_state WHERE workspace_id = %(workspace_id)s"
JOIN = "\nJOIN rollup_state USING (workspace_id)"


def as_before(rollup: Rollup) -> Rollup:
    """Returns a follower as version 0.1.0 had it: a row for each bucket of a histogram, and hours at the narrowest."""
    return rollup._replace(packed=None, widths=tuple(width for width in rollup.widths if width.length >= HOUR))


OLD_FOLLOWERS = tuple(as_before(rollup) for rollup in FOLLOWERS if not rollup.is_added)


def fill(rollup: Rollup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fills the tables of a follower as its worker did: the narrowest to the minute, the others by whole hours."""
    with monkeypatch.context() as only:
        only.setattr(statements, "FOLLOWERS", [rollup])
        run(next(statements.fill_followers_sql(JOIN)))
    for width in rollup.widths[1:]:
        whole_hours = "bucket < time_bucket('1 hour', followed_until)"
        run(statements.add_buckets(rollup, width, f"{rollup.narrowest}{JOIN}", whole_hours))


@pytest.fixture
def released_database(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Puts a database of version 0.1.0 in place of the analytics database: with rows of nine days, most followed."""
    name = f"released_{uuid4().hex}"
    with closing(database_named("postgres")) as server:
        with server.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        with closing(database_named(name)) as wrapper, in_place(wrapper):
            call_command("migrate", "traces", LAST_RELEASED, database="analytics", verbosity=0)
            draw = random.Random(11)
            rows = [row_with_everything(NOON - draw.randrange(8 * 24 * 60) * MINUTE, draw) for _ in range(150)]
            writer.store(tenant.workspace.id, rows)
            followed = f"followed_since = '{iso(EARLIEST)}', followed_until = '{iso(FOLLOWED_UNTIL)}'"
            run(f"UPDATE rollup_state SET {followed}")
            for rollup in OLD_FOLLOWERS:
                fill(rollup, monkeypatch)
            yield
        with server.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    engines.forget_engines()


def rounded(tenant: Tenant) -> Any:
    """Returns answers whose floats do not depend on the order in which they were added."""
    return json.loads(json.dumps(answers(tenant)), parse_float=lambda text: round(float(text), 6))


def sums_of(rollups: tuple[Rollup, ...], tenant: Tenant) -> dict[str, list[tuple[object, ...]]]:
    return {
        table: sums_in(rollup, table, tenant)
        for rollup in rollups
        for table in rollup.tables.values()
        if table not in ADDED_TABLES
    }


@pytest.mark.usefixtures("released_database")
def test_an_upgrade_keeps_every_sum(tenant: Tenant) -> None:
    before = sums_of(OLD_FOLLOWERS, tenant)
    assert before["agent_latency_daily"]
    assert before["label_first_token_hourly"]
    run(f"DELETE FROM traces WHERE timestamp < '{iso(NOON.replace(hour=0) - 3 * DAY)}'")  # as a retention does
    assert "refill" not in upgrade()
    after = sums_of(FOLLOWERS, tenant)
    for rollup in FOLLOWERS:
        if rollup.widths[0].length < HOUR:
            # The hour that is not full is in the narrowest buckets now.
            hours = (*after[rollup.table(HOUR_WIDTH)], *sums_in(rollup, rollup.narrowest, tenant))
            after[rollup.table(HOUR_WIDTH)] = sorted(hours, key=repr)
    assert after == before


@pytest.mark.usefixtures("released_database")
def test_sums_that_an_upgrade_adds_begin_the_next_day(tenant: Tenant) -> None:
    upgrade()
    midnight = NOON.replace(hour=0) + DAY
    assert rows_of(ADDED_SINCE, tenant) == [(midnight,)]
    right = rounded(tenant)
    assert "All sums" in command("verify", str(tenant.workspace.id))
    draw = random.Random(12)
    for _ in range(3):
        times = (NOON - draw.randrange(9 * 24 * 60) * MINUTE for _ in range(5))
        late = [row_with_everything(moment, draw) for moment in times]
        writer.store(tenant.workspace.id, [*late, row_with_everything(NOON + 2 * DAY, draw)])
        ENGINE.follow(NOON + timedelta(days=2, hours=1))
        assert "All sums" in command("verify", str(tenant.workspace.id))
    assert rounded(tenant) != right
    assert rows_of(ADDED_SINCE, tenant) == [(midnight,)]


@pytest.mark.usefixtures("released_database")
def test_refill_again_brings_older_rows_into_them(tenant: Tenant) -> None:
    upgrade()
    right = rounded(tenant)
    command("refill", str(tenant.workspace.id), "--again", "5")
    since = NOON.replace(hour=0) - 4 * DAY
    assert rows_of(ADDED_SINCE, tenant) == [(since,)]
    assert rounded(tenant) == right
    assert "All sums" in command("verify", str(tenant.workspace.id))
