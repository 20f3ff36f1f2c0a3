"""`manage.py verify` finds each sum that is not that of its rows, and nothing else."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction

from tests.tenant import NOON, Tenant, a_row
from tests.traces.test_rollups import row_with_everything
from traces import scores, verify, writer
from traces.engines.postgresql import ENGINE
from traces.rollups.catalogue import ALL_TABLES, FOLLOWERS, HISTOGRAM, USER_SET_TABLES
from traces.scores import Score

pytestmark = pytest.mark.django_db(databases="__all__")

DAY = timedelta(days=1)
SETS = {table for user_set in USER_SET_TABLES for table in user_set.tables.values()}
PACKED = {table for rollup in FOLLOWERS if rollup.packed for table in rollup.tables.values()}


def run(sql: str, *params: Any) -> None:
    with connections["analytics"].cursor() as cursor:
        cursor.execute(sql, params)


def verified(tenant: Tenant) -> str:
    output = StringIO()
    call_command("verify", str(tenant.workspace.id), stdout=output)
    return output.getvalue()


def differences(tenant: Tenant) -> list[str]:
    """Returns the lines of the command, which ends with an error."""
    output = StringIO()
    with pytest.raises(CommandError, match=r"sums? differ"):
        call_command("verify", str(tenant.workspace.id), stdout=output)
    return [line.removeprefix(f"{tenant.workspace.id}  ") for line in output.getvalue().splitlines()]


@pytest.fixture
def filled(tenant: Tenant) -> Tenant:
    """A workspace with something in each table: of the week before, whose hours are all closed, and of now."""
    draw = random.Random(3)
    monday = (NOON - 7 * DAY - NOON.weekday() * DAY).replace(hour=0)
    rows = [row_with_everything(monday + draw.randrange(48 * 60) * timedelta(minutes=1), draw) for _ in range(60)]
    failed = a_row(
        monday,
        user_id="ada",
        session_id="talk",
        status="error",
        error_type="rate_limit",
        latency_ms=1.0,
        first_token_ms=1.0,
    )
    writer.store(tenant.workspace.id, [*rows, failed, a_row(NOON)])
    with writer.writing(tenant.workspace.id) as cursor:
        score = Score(id="1", timestamp=monday, name="helpful", trace_id=failed.trace_id, number=1, source="api")
        scores.store(cursor, tenant.workspace.id, [score])
    ENGINE.follow(NOON)
    return tenant


def test_it_finds_nothing_where_every_sum_is_that_of_its_rows(filled: Tenant) -> None:
    assert verified(filled) == "All sums of 1 workspaces are those of their rows.\n"
    ENGINE.follow(NOON + timedelta(hours=30))
    filled.calls(3, NOON - timedelta(minutes=5), environment="staging", labels={"customer": "acme"})
    assert "All sums" in verified(filled)


def test_it_finds_calls_that_are_not_the_sum_of_their_histogram(filled: Tenant) -> None:
    for table in PACKED:
        run(f"UPDATE {table} SET calls = calls + 2 WHERE ctid = (SELECT min(ctid) FROM {table})")
    assert {line.split("  ")[0] for line in differences(filled)} == {*PACKED}


def test_it_finds_a_difference_in_each_table(filled: Tenant) -> None:
    for table in ALL_TABLES:
        measure = "user_bits = ~user_bits" if table in SETS else "calls = calls + 2"
        measure = f"{HISTOGRAM} = histogram_sum({HISTOGRAM}, ARRAY[{HISTOGRAM}[1], 2])" if table in PACKED else measure
        run(f"UPDATE {table} SET {measure} WHERE ctid = (SELECT min(ctid) FROM {table})")
    found = {line.split("  ")[0] for line in differences(filled)}
    assert found == {*ALL_TABLES}


PLANTED_IN_SUMS = {
    "UPDATE totals_daily SET cost_usd = cost_usd + 0.000001": "totals_daily",
    "UPDATE places_hourly SET squared_latency = squared_latency + 2": "squared_latency",
    "UPDATE models_daily SET model = 'other'": "model=other",
    "UPDATE place_calls_daily SET cache_read_tokens = cache_read_tokens + 1": "cache_read_tokens",
    "DELETE FROM label_calls_hourly": "label_calls_hourly",
    "DELETE FROM user_sets_weekly": "user_bits 0, of rows 2",
    "UPDATE score_places_hourly SET number = number + 1": "number 2, of rows 1",
}
PLANTED_IN_ROWS = {
    "UPDATE traces SET user_number = user_number + 1 WHERE operation = 'chat'": "user_number 1, of rows 0",
    "UPDATE traces SET label_numbers = NULL WHERE operation <> 'chat'": "label_numbers none, of rows {",
    "DELETE FROM scores": "scores 1, of rows 0",
    "DELETE FROM traces WHERE tool IS NOT NULL": "tools_daily",
}


@pytest.mark.parametrize("planted", [PLANTED_IN_SUMS, PLANTED_IN_ROWS])
def test_it_says_which_sum_differs_and_by_how_much(filled: Tenant, planted: dict[str, str]) -> None:
    for statement in planted:
        run(statement)
    lines = differences(filled)
    assert [says for says in planted.values() if not any(says in line for line in lines)] == [], lines


def test_a_line_names_table_bucket_and_key(filled: Tenant) -> None:
    row = filled.calls(1, NOON, agent_id="billing")[0]
    run("UPDATE agents_ten_minutely SET calls = 5 WHERE agent_id = 'billing'")
    assert differences(filled) == [
        f"agents_ten_minutely  {row.timestamp:%Y-%m-%d} 12:00  agent_id=billing operation=chat: calls 5, of rows 1"
    ]


def test_another_order_of_adding_durations_is_no_difference(filled: Tenant) -> None:
    run("UPDATE sessions_hourly SET duration_ms = duration_ms + 1e-9")
    run("UPDATE totals_hourly SET latency_ms = latency_ms + 1e-9")
    assert "All sums" in verified(filled)


def test_no_statement_compares_each_sum_with_each(filled: Tenant) -> None:
    """The demo's database has 11,500 traces in a statement: comparing each with each took longer than nine minutes."""
    statements: list[tuple[str, Any]] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if "count(*) OVER ()" in sql:
            statements.append((sql, params))
        return execute(sql, params, many, context)

    with connections["analytics"].execute_wrapper(note):
        verified(filled)
    assert len(statements) >= len(verify.STATEMENTS) - 1  # only TimescaleDB has label_rows
    with transaction.atomic(using="analytics"), connections["analytics"].cursor() as cursor:
        cursor.execute(verify.SETTINGS)
        assert not any(compares_all(plan_of(cursor, *statement)) for statement in statements)
        cursor.execute("SET LOCAL enable_nestloop = on")
        assert any(compares_all(plan_of(cursor, *statement)) for statement in statements)


def plan_of(cursor: Any, sql: str, params: Any) -> dict[str, Any]:
    cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
    [(plans,)] = cursor.fetchall()
    plan: dict[str, Any] = (orjson.loads(plans) if isinstance(plans, str) else plans)[0]["Plan"]
    return plan


def compares_all(plan: dict[str, Any]) -> bool:
    """Returns whether a nested loop joins by a filter, and not by an index or by what the row before says."""
    is_all = plan["Node Type"] == "Nested Loop" and "Join Filter" in plan
    return is_all or any(compares_all(part) for part in plan.get("Plans", ()))


def test_days_with_few_rows_are_compared_together_and_others_alone(
    filled: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("UPDATE totals_daily SET calls = calls + 1")
    together = [*verify.verify(filled.workspace.id)]
    monkeypatch.setattr(verify, "ROWS_AT_ONCE", 1)
    alone = [*verify.verify(filled.workspace.id)]
    assert len(together) == 2 < len(alone)
    assert (alone[0].period, alone[1].period.start) == (
        (together[0].period.start, together[0].period.start + DAY),
        together[0].period.start + DAY,
    )
    assert sum(part.number for part in alone) == sum(part.number for part in together) > 0


def test_many_differences_are_counted_and_some_are_shown(filled: Tenant) -> None:
    run("UPDATE traces SET user_number = user_number + 10")
    assert any("more differ" in line for line in differences(filled))


def test_sums_that_are_older_than_the_rows_are_no_difference(filled: Tenant) -> None:
    run("DELETE FROM traces WHERE timestamp < %s", NOON - DAY)
    run("DELETE FROM scores WHERE timestamp < %s", NOON - DAY)
    assert "All sums" in verified(filled)


def test_days_that_retention_is_deleting_are_left_out(filled: Tenant, settings: Any) -> None:
    settings.RETENTION_DAYS = (datetime.now(UTC) - NOON).days + 1
    run("DELETE FROM traces WHERE timestamp < %s AND span_id < '8'", NOON - 2 * DAY)
    assert "All sums" in verified(filled)


def test_without_a_workspace_it_compares_all(filled: Tenant) -> None:
    writer.store(uuid4(), [a_row(NOON)])
    output = StringIO()
    call_command("verify", stdout=output)
    assert output.getvalue() == "All sums of 2 workspaces are those of their rows.\n"
