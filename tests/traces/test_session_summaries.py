"""What is stored of sessions is the sum of their rows, whatever is stored, changed, moved or deleted."""

import random
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import override_settings

from tests.tenant import NOON, Tenant, a_row
from tests.traces.test_rollups import row_with_everything
from traces import session_summaries, writer
from traces.engines.postgresql import ENGINE
from traces.row import Row

pytestmark = pytest.mark.django_db(databases="__all__")

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
STORED = "SELECT session_id, spans, started_at FROM session_summaries ORDER BY session_id"


def stored() -> list[tuple[Any, ...]]:
    with connections["analytics"].cursor() as cursor:
        cursor.execute(STORED)
        return cursor.fetchall()


def verified() -> str:
    output = StringIO()
    call_command("verify", stdout=output)
    return output.getvalue()


def some_rows(draw: random.Random, number: int) -> list[Row]:
    """Returns spans of ten sessions, which last for days, and of none."""
    rows = [row_with_everything(NOON - draw.randrange(3 * 24 * 60) * MINUTE, draw) for _ in range(number)]
    for place, row in enumerate(rows):
        row.session_id = f"session-{place % 10}" if place % 11 else None
    return rows


@pytest.mark.parametrize("seed", range(3))
def test_they_are_those_of_the_rows_whatever_is_stored_corrected_or_moved(tenant: Tenant, seed: int) -> None:
    draw, workspace_id = random.Random(seed), tenant.workspace.id
    rows = some_rows(draw, 60)
    writer.store(workspace_id, rows)
    ENGINE.follow(NOON - DAY)
    writer.store(workspace_id, some_rows(draw, 20))
    with writer.writing(workspace_id) as cursor:
        for row in rows[:10]:
            row.cost_usd, row.status, row.environment, row.session_id = None, "timeout", "staging", "another"
        writer.merge(cursor, workspace_id, rows[:10])
        moved = [(row, row.timestamp) for row in rows[10:15]]
        for row, _ in moved:
            row.timestamp -= 5 * MINUTE
        writer.move(cursor, workspace_id, moved)
    assert "another" in {session_id for session_id, *_ in stored()}
    assert "All sums of 1" in verified()
    ENGINE.follow(NOON + DAY)
    assert len(stored()) == 11
    assert "All sums of 1" in verified()


def test_the_worker_goes_on_where_it_stopped(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_summaries, "ROWS_AT_ONCE", 3)
    writer.store(tenant.workspace.id, some_rows(random.Random(1), 30))
    session_summaries.fill_until(tenant.workspace.id, NOON + MINUTE, seconds=0)
    assert session_summaries.workspaces_behind(NOON + MINUTE) == [tenant.workspace.id]
    session_summaries.fill_until(tenant.workspace.id, NOON + MINUTE)
    assert session_summaries.workspaces_behind(NOON + MINUTE) == []
    assert len(stored()) == 10
    assert "All sums of 1" in verified()


def test_verify_shows_sessions_that_differ_that_are_missing_and_that_have_no_rows(tenant: Tenant) -> None:
    rows = [a_row(NOON - DAY, session_id=name) for name in ("changed", "missing", "other agent", "right")]
    writer.store(tenant.workspace.id, rows)
    ENGINE.follow(NOON)
    with connections["analytics"].cursor() as cursor:
        cursor.execute("UPDATE session_summaries SET tokens = 7 WHERE session_id = 'changed'")
        cursor.execute("UPDATE session_summaries SET agents = '{nobody}' WHERE session_id = 'other agent'")
        cursor.execute("DELETE FROM session_summaries WHERE session_id = 'missing'")
        cursor.execute("""
            INSERT INTO session_summaries
            SELECT workspace_id, 'unknown', started_at, last_seen, 1, 1, 1, 0, 0, 0, 0, 0, '{}', '{}', '{}', '{}', true
            FROM session_summaries WHERE session_id = 'right'
        """)
    output = StringIO()
    with pytest.raises(CommandError, match="4 sums differ"):
        call_command("verify", stdout=output)
    assert "session_id=right" not in output.getvalue()


def test_rows_of_an_older_version_are_filled_by_refill(tenant: Tenant) -> None:
    writer.store(tenant.workspace.id, some_rows(random.Random(2), 30))
    with connections["analytics"].cursor() as cursor:
        cursor.execute("UPDATE rollup_state SET sessions_until = NULL")
    call_command("refill", stdout=StringIO())
    assert len(stored()) == 10
    with connections["analytics"].cursor() as cursor:
        cursor.execute("UPDATE session_summaries SET tokens = 7")
    call_command("refill", "--again", "5", stdout=StringIO())
    assert len(stored()) == 10
    assert "All sums of 1" in verified()


def test_sessions_are_deleted_with_their_rows(tenant: Tenant) -> None:
    midnight = NOON.replace(hour=0)
    rows = [
        a_row(midnight - MINUTE, session_id="old"),
        a_row(midnight - MINUTE, session_id="over midnight"),
        a_row(midnight + MINUTE, session_id="over midnight"),
        a_row(midnight, session_id="new"),
    ]
    writer.store(tenant.workspace.id, rows)
    ENGINE.follow(NOON + DAY)
    assert len(stored()) == 3
    with override_settings(RETENTION_DAYS=1):
        ENGINE.delete_old(NOON + DAY, lambda _: True)
    assert stored() == [("new", 1, midnight), ("over midnight", 1, midnight + MINUTE)]


def test_a_session_of_very_many_spans_is_not_summed_again_with_each_late_one(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_summaries, "MOST_SPANS", 3)
    window = {"start": (NOON - 2 * DAY).isoformat(), "end": NOON.isoformat()}
    writer.store(tenant.workspace.id, [a_row(NOON - DAY, session_id="endless", cost_usd="1") for _ in range(5)])
    ENGINE.follow(NOON)
    writer.store(tenant.workspace.id, [a_row(NOON - DAY - MINUTE, session_id="endless", cost_usd="1")])
    assert [spans for _, spans, _ in stored()] == [5]
    assert "All sums of 1" in verified()
    [listed] = tenant.ask("sessions", sort="-cost_usd", **window)["data"]
    assert listed["cost_usd"] == 6
    [listed] = tenant.ask("sessions", sort="-cost_usd", **(window | {"end": (NOON - DAY).isoformat()}))["data"]
    assert listed["cost_usd"] == 1
