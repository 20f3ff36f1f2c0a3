"""The totals of traces are those of their rows, whatever is stored, changed, moved or deleted."""

import random
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import override_settings

from tests.tenant import NOON, Tenant, a_row
from tests.traces.test_rollups import row_with_everything
from traces import trace_totals, writer
from traces.engines.postgresql import ENGINE
from traces.row import Row

pytestmark = pytest.mark.django_db(databases="__all__")

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
STORED = "SELECT trace_id, started_at, latency_ms, cost_usd FROM trace_totals ORDER BY trace_id"


def stored() -> list[tuple[Any, ...]]:
    with connections["analytics"].cursor() as cursor:
        cursor.execute(STORED)
        return cursor.fetchall()


def command(name: str, *arguments: str) -> str:
    output = StringIO()
    call_command(name, *arguments, stdout=output)
    return output.getvalue()


def some_rows(draw: random.Random, number: int) -> list[Row]:
    """Returns spans of ten traces, some of which last for hours."""
    rows = [row_with_everything(NOON - draw.randrange(3 * 24 * 60) * MINUTE, draw) for _ in range(number)]
    for place, row in enumerate(rows):
        row.trace_id = f"trace-{place % 10}"
    return rows


@pytest.mark.parametrize("seed", range(3))
def test_they_are_those_of_the_rows_whatever_is_stored_corrected_or_moved(tenant: Tenant, seed: int) -> None:
    draw, workspace_id = random.Random(seed), tenant.workspace.id
    rows = some_rows(draw, 40)
    writer.store(workspace_id, rows)
    ENGINE.follow(NOON - DAY)
    writer.store(workspace_id, some_rows(draw, 20))
    with writer.writing(workspace_id) as cursor:
        for row in rows[:10]:
            row.cost_usd, row.status, row.environment = None, "timeout", "staging"
        writer.correct(cursor, workspace_id, rows[:10])
        moved = [(row, row.timestamp) for row in rows[10:15]]
        for row, _ in moved:
            row.timestamp -= 5 * MINUTE
        writer.move(cursor, workspace_id, moved)
    assert len(stored()) > 0
    assert "All sums of 1" in command("verify")
    ENGINE.follow(NOON + DAY)
    assert len(stored()) == 10
    assert "All sums of 1" in command("verify")


def test_the_worker_goes_on_where_it_stopped(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_totals, "ROWS_AT_ONCE", 3)
    writer.store(tenant.workspace.id, some_rows(random.Random(1), 30))
    trace_totals.fill_until(tenant.workspace.id, NOON + MINUTE, seconds=0)
    assert trace_totals.workspaces_behind(NOON + MINUTE) == [tenant.workspace.id]
    trace_totals.fill_until(tenant.workspace.id, NOON + MINUTE)
    assert trace_totals.workspaces_behind(NOON + MINUTE) == []
    assert len(stored()) == 10
    assert "All sums of 1" in command("verify")


def test_verify_shows_totals_that_differ_that_are_missing_and_that_have_no_rows(tenant: Tenant) -> None:
    rows = [a_row(NOON - DAY, trace_id=name, latency_ms=1000.0) for name in ("changed", "missing", "right")]
    writer.store(tenant.workspace.id, rows)
    ENGINE.follow(NOON)
    with connections["analytics"].cursor() as cursor:
        cursor.execute("UPDATE trace_totals SET latency_ms = 7 WHERE trace_id = 'changed'")
        cursor.execute("DELETE FROM trace_totals WHERE trace_id = 'missing'")
        cursor.execute("""
            INSERT INTO trace_totals SELECT workspace_id, 'unknown', started_at, 1, 2, 3, 4, '{}'
            FROM trace_totals WHERE trace_id = 'right'
        """)
    output = StringIO()
    with pytest.raises(CommandError, match="3 sums differ"):
        call_command("verify", stdout=output)
    assert "trace_id=changed: tokens" not in output.getvalue()
    assert [name for name in ("changed", "missing", "right", "unknown") if f"trace_id={name}" in output.getvalue()] == [
        "changed",
        "missing",
        "unknown",
    ]


def test_rows_of_an_older_version_are_filled_by_refill(tenant: Tenant) -> None:
    writer.store(tenant.workspace.id, some_rows(random.Random(2), 30))
    with connections["analytics"].cursor() as cursor:
        cursor.execute("UPDATE rollup_state SET traces_until = NULL")
    command("refill")
    assert len(stored()) == 10
    with connections["analytics"].cursor() as cursor:
        cursor.execute("UPDATE trace_totals SET latency_ms = 7")
    command("refill", "--again", "5")
    assert (7.0,) not in {row[2:3] for row in stored()}
    assert "All sums of 1" in command("verify")


def test_traces_are_deleted_with_their_rows(tenant: Tenant) -> None:
    def span(name: str, at: datetime, **values: Any) -> Row:
        return a_row(at, trace_id=name, latency_ms=1000.0, **values)

    midnight = NOON.replace(hour=0)
    rows = [
        span("old", midnight - MINUTE, span_id="1"),
        span("over midnight", midnight - MINUTE, span_id="2"),
        span("over midnight", midnight + MINUTE, span_id="3"),
        span("new", midnight, span_id="4"),
    ]
    writer.store(tenant.workspace.id, rows)
    ENGINE.follow(NOON + DAY)
    assert len(stored()) == 3
    with override_settings(RETENTION_DAYS=1):
        ENGINE.delete_old(NOON + DAY, lambda _: True)
    assert [(name, started_at) for name, started_at, *_ in stored()] == [
        ("new", midnight),
        ("over midnight", midnight + MINUTE),
    ]


def test_a_trace_of_very_many_spans_is_not_summed_again_with_each_of_them(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_totals, "MOST_SPANS", 3)
    rows = [a_row(NOON - DAY, trace_id="endless", span_id=str(number), cost_usd="1") for number in range(9)]
    writer.store(tenant.workspace.id, rows[:3])
    ENGINE.follow(NOON)
    assert [cost for *_, cost in stored()] == [3]
    for row in rows[3:]:
        writer.store(tenant.workspace.id, [row])
    assert [cost for *_, cost in stored()] == [4]
    assert "All sums of 1" in command("verify")
    [listed] = tenant.ask("traces", start=(NOON - 2 * DAY).isoformat(), end=NOON.isoformat(), sort="costliest")["data"]
    assert listed["cost_usd"] == 9
