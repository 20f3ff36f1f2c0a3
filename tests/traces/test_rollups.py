"""The rollups contain the sums of the rows, after every kind of write and in every order."""

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections

from tests.tenant import NOON, Tenant, a_row, iso
from traces import sums, writer
from traces.engines import postgresql
from traces.engines.postgresql import ENGINE, FILLED_UNTIL, hour_of
from traces.rollups import STATEMENTS_FOLDER, read_statement
from traces.rollups.catalogue import (
    ALL_TABLES,
    BIT_SQL,
    BLOCK_SQL,
    HISTOGRAM,
    HOUR,
    ROLLUPS,
    USER_SET_TABLES,
    Rollup,
    UserSetTable,
    Width,
    unpacked_sql,
)
from traces.rollups.files import STATEMENTS, expected_files
from traces.rollups.statements import FOLLOWED_COLUMNS, FOLLOWED_KEYS, SUMMED_COLUMNS
from traces.row import Row

pytestmark = pytest.mark.django_db(databases=["default", "analytics"])


def test_the_sql_that_is_checked_in_is_what_the_catalogue_makes() -> None:
    """`python -m traces.rollups` writes it."""
    expected = expected_files()
    statements = {path for engine in STATEMENTS for path in (STATEMENTS_FOLDER / engine).glob("*.sql")}
    assert statements <= expected.keys()
    for path, text in expected.items():
        assert path.read_text() == text, path


def rows_of(sql: str, tenant: Tenant) -> list[tuple[object, ...]]:
    with connections["analytics"].cursor() as cursor:
        cursor.execute(sql, {"workspace_id": tenant.workspace.id})
        return sorted(cursor.fetchall(), key=repr)


def sums_in(rollup: Rollup, table: str, tenant: Tenant) -> list[tuple[object, ...]]:
    if rollup.packed:
        return packed_sums_in(rollup, table, tenant)
    names = ", ".join(("bucket", *rollup.keys, *rollup.measures))
    return rows_of(f"SELECT {names} FROM {table} WHERE workspace_id = %(workspace_id)s AND calls > 0", tenant)


def packed_sums_in(rollup: Rollup, table: str, tenant: Tenant) -> list[tuple[object, ...]]:
    names = ", ".join(("bucket", *rollup.keys, "packed_calls"))
    condition = "WHERE workspace_id = %(workspace_id)s AND packed_calls <> 0"
    calls = f"{HISTOGRAM}[cardinality({HISTOGRAM}) / 2 + 1:]"
    wrong = f"""
        SELECT * FROM {table}
        WHERE workspace_id = %(workspace_id)s
            AND (calls <> coalesce((SELECT sum(part) FROM unnest({calls}) AS part), 0) OR 0 = ANY({calls}))
    """
    assert rows_of(wrong, tenant) == []
    return rows_of(f"SELECT {names} FROM {unpacked_sql(rollup, table)} {condition}", tenant)


LABELS = "CROSS JOIN LATERAL unnest(label_numbers) AS labels (label_number)"
COLUMNS = ", ".join(dict.fromkeys((*SUMMED_COLUMNS, *FOLLOWED_COLUMNS, *FOLLOWED_KEYS)))


def expected(rollup: Rollup, width: Width, tenant: Tenant, until: str = "infinity") -> list[tuple[object, ...]]:
    keys = ", ".join(rollup.keys)
    sums = ", ".join(f"sum({value}) AS {name}" for name, value in rollup.measures.items())
    places = ", ".join(str(place) for place in range(1, len(rollup.keys) + 2))
    return rows_of(
        f"""
        SELECT time_bucket('{width.interval}', timestamp), {keys}, {sums}
        FROM (SELECT {COLUMNS} FROM traces WHERE workspace_id = %(workspace_id)s) AS stored
            {LABELS if rollup.is_of_labels else ""}
        WHERE {rollup.where_calls} AND timestamp < timestamptz '{until}'
        GROUP BY {places}
        """,
        tenant,
    )


def users_in(user_set: UserSetTable, table: str, tenant: Tenant) -> list[tuple[object, ...]]:
    names = ", ".join(("bucket", *user_set.keys, "user_block", "user_bits"))
    return rows_of(
        f"SELECT {names} FROM {table} WHERE workspace_id = %(workspace_id)s AND bit_count(user_bits) > 0", tenant
    )


def users_expected(user_set: UserSetTable, width: Width, tenant: Tenant, until: str) -> list[tuple[object, ...]]:
    names = ", ".join((*user_set.keys, BLOCK_SQL))
    places = ", ".join(str(place) for place in range(1, len(user_set.keys) + 3))
    return rows_of(
        f"""
        SELECT time_bucket('{width.interval}', timestamp), {names}, bit_or({BIT_SQL})
        FROM traces
        WHERE workspace_id = %(workspace_id)s AND {user_set.source.where_calls} AND timestamp < timestamptz '{until}'
        GROUP BY {places}
        """,
        tenant,
    )


def assert_rollups_hold_the_rows(tenant: Tenant) -> None:
    [(closed, _, followed, *_)] = rows_of(FILLED_UNTIL, tenant)
    until = closed.isoformat()  # type: ignore[attr-defined]
    for rollup in ROLLUPS:
        for width, table in rollup.tables.items():
            is_narrowest = table == rollup.narrowest
            if rollup.is_follower:
                filled = followed if is_narrowest else hour_of(followed)  # type: ignore[arg-type]
                filled_until = filled.isoformat()  # type: ignore[attr-defined]
            else:
                filled_until = "infinity" if rollup.is_filled_by_inserts and is_narrowest else until
            assert sums_in(rollup, table, tenant) == expected(rollup, width, tenant, filled_until)
    for user_set in USER_SET_TABLES:
        for width, table in user_set.tables.items():
            assert users_in(user_set, table, tenant) == users_expected(user_set, width, tenant, until)


DAYS = timedelta(days=1)


MINUTES = timedelta(minutes=1)
HOURLY = "SELECT sum(calls) FROM totals_hourly WHERE workspace_id = %(workspace_id)s GROUP BY bucket"
DAILY = "SELECT sum(calls) FROM totals_daily WHERE workspace_id = %(workspace_id)s GROUP BY bucket"


def test_an_hour_is_summed_ten_minutes_into_the_next(tenant: Tenant) -> None:
    tenant.calls(3, NOON - 59 * MINUTES, user_id="ada", latency_ms=10.0, cost_usd="0.25", status="error")
    tenant.calls(2, NOON + 9 * MINUTES, user_id="bob")
    assert rows_of(HOURLY, tenant) == rows_of(DAILY, tenant) == []
    tenant.calls(1, NOON + 10 * MINUTES)
    assert rows_of(HOURLY, tenant) == rows_of(DAILY, tenant) == [(3,)]
    tenant.calls(1, NOON + 70 * MINUTES)
    assert rows_of(HOURLY, tenant) == [(3,), (3,)]
    assert rows_of(DAILY, tenant) == [(6,)]
    assert_rollups_hold_the_rows(tenant)


def test_more_hours_than_one_request_may_take_are_summed_by_the_next_ones(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(postgresql, "close_hours", lambda cursor, *_: cursor.filled_until)
        for hour in (1, 2, 3):
            tenant.calls(hour, NOON - DAYS + hour * HOUR.length, user_id="ada", latency_ms=10.0)
    monkeypatch.setattr(postgresql, "CLOSING_SECONDS", 0)
    day_before = DAILY.replace("GROUP BY", f"AND bucket < '{NOON.date()}' GROUP BY")
    for summed in (1 + 1, 1 + 2 + 2, 1 + 2 + 3 + 3):
        tenant.calls(1, NOON)
        tenant.calls(1, NOON - DAYS, user_id="bob")  # late, in an hour before those that are summed
        assert rows_of(day_before, tenant) == [(summed,)]
        assert_rollups_hold_the_rows(tenant)
    days = {"start": iso(NOON - 2 * DAYS), "end": iso(NOON + DAYS)}
    assert tenant.ask("usage/overview", **days)["total_calls"] == 12


def test_a_late_row_is_in_its_closed_hour_and_in_its_day_and_week(tenant: Tenant) -> None:
    tenant.calls(1, NOON)
    tenant.calls(4, NOON - 3 * DAYS, user_id="ada", status="error", error_type="rate_limit")
    assert rows_of("SELECT calls FROM totals_daily WHERE workspace_id = %(workspace_id)s", tenant) == [(4,)]
    assert_rollups_hold_the_rows(tenant)


def test_a_batch_over_many_days_is_counted_once(tenant: Tenant) -> None:
    rows = [a_row(NOON - days * DAYS, user_id=f"user-{days % 2}", latency_ms=float(days)) for days in range(6)]
    writer.store(tenant.workspace.id, rows)
    writer.store(tenant.workspace.id, rows)
    assert_rollups_hold_the_rows(tenant)
    assert rows_of("SELECT sum(calls) FROM totals_minutely WHERE workspace_id = %(workspace_id)s", tenant) == [(6,)]


@pytest.mark.parametrize("days_ago", [0, 4])
def test_a_corrected_row_leaves_its_old_rollups_and_joins_the_new(tenant: Tenant, days_ago: int) -> None:
    tenant.calls(1, NOON)
    [row, other] = tenant.calls(2, NOON - days_ago * DAYS, user_id="ada", cost_usd="1", latency_ms=5.0)
    row.agent_id, row.user_id, row.cost_usd, row.latency_ms = "billing", "grace", Decimal("0.125"), None
    with writer.writing(tenant.workspace.id) as cursor:
        writer.correct(cursor, tenant.workspace.id, [row])
    assert_rollups_hold_the_rows(tenant)
    users = """
        SELECT user_id, calls
        FROM users_ten_minutely AS users
        JOIN user_numbers ON user_numbers.workspace_id = users.workspace_id AND number = user_number
        WHERE users.workspace_id = %(workspace_id)s AND calls > 0
    """
    assert rows_of(users, tenant) == [("ada", 1), ("grace", 1)]
    assert other.user_id == "ada"


def test_rollups_can_be_filled_from_rows_that_were_there_before(tenant: Tenant) -> None:
    for days_ago in (3, 1, 0):
        tenant.calls(2, NOON - days_ago * DAYS, user_id="ada", cost_usd="0.5", latency_ms=20.0, status="timeout")
    with connections["analytics"].cursor() as cursor:
        cursor.execute(f"TRUNCATE rollup_state, {', '.join(ALL_TABLES)}")
        for statement in read_statement("postgresql", "fill").split(";\n\n"):
            cursor.execute(statement)
    assert rows_of("SELECT sum(calls) FROM totals_daily WHERE workspace_id = %(workspace_id)s", tenant) == [(4,)]
    assert_rollups_hold_the_rows(tenant)


def test_an_hour_that_is_closed_while_an_answer_is_computed_is_counted_once(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant.calls(2, NOON - 2 * HOUR.length)
    tenant.calls(3, NOON - 30 * MINUTES, user_id="ada", status="error")
    calls_sql = sums.calls_sql
    closing = iter([lambda: tenant.calls(1, NOON + 10 * MINUTES)])

    def close_an_hour_afterwards(*args: Any, **values: Any) -> str:
        text = calls_sql(*args, **values)
        next(closing, lambda: None)()
        return text

    monkeypatch.setattr(sums, "calls_sql", close_an_hour_afterwards)
    assert tenant.ask("usage/overview")["total_calls"] == 2 + 3 + 1
    assert rows_of(HOURLY, tenant) == [(2,), (3,)]


def test_only_users_who_lose_a_call_are_looked_for_in_the_sets(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_for: list[object] = []
    monkeypatch.setattr(postgresql, "remove_users", lambda cursor, workspace_id, lost: looked_for.extend(lost))
    [priced, moved, named] = [
        tenant.calls(1, NOON - hours * HOUR.length, user_id=user)[0]
        for hours, user in ((3, "ada"), (2, "ada"), (1, None))
    ]
    tenant.calls(1, NOON + HOUR.length)
    priced.cost_usd, moved.user_id, named.user_id = Decimal(1), "bob", "bob"
    with writer.writing(tenant.workspace.id) as cursor:
        writer.correct(cursor, tenant.workspace.id, [priced, moved, named])
    assert looked_for == [
        {"hour": NOON - 2 * HOUR.length, "user_number": 0, "status": "success", "error_type": None},
    ]


def row_with_everything(at: datetime, draw: random.Random) -> Row:
    operation = draw.choice(("chat", "chat", "embeddings", "execute_tool", "invoke_agent"))
    return a_row(
        at,
        operation=operation,
        user_id=draw.choice(("ada", "bob", None)),
        environment=draw.choice(("production", "staging", None)),
        release=draw.choice(("41", "42", None)),
        labels=draw.choice((None, {"customer": "acme"}, {"customer": "initech", "feature": "search"})),
        tool="search" if operation == "execute_tool" else None,
        status=draw.choice(("success", "success", "error", "timeout")),
        error_type=draw.choice(("rate_limit", None)),
        latency_ms=draw.choice((None, 0.0, 12.5, 1000.0)),
        first_token_ms=draw.choice((None, 3.0, 250.0)),
        cost_usd=draw.choice((None, Decimal("0.125"), Decimal("0.000001"))),
        input_tokens=draw.choice((None, 10)),
        cache_read_tokens=draw.choice((None, 4)),
        reasoning_tokens=draw.choice((None, 1)),
        session_id=("talk", "chat", None)[at.minute % 3],
        parent_span_id=("run", None)[at.minute % 2],
    )


@pytest.mark.parametrize("seed", range(4))
def test_followers_hold_the_rows_of_their_time_whatever_is_stored_changed_or_moved(
    tenant: Tenant, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(seed)
    monkeypatch.setattr(postgresql, "FOLLOWED_AT_ONCE", draw.choice((1, 5, 5_000)))
    stored: list[Row] = []
    for step in range(8):
        until = NOON - 40 * HOUR.length + step * draw.randrange(1, 6) * HOUR.length
        rows = [row_with_everything(until - draw.randrange(60 * 60) * timedelta(minutes=1), draw) for _ in range(12)]
        writer.store(tenant.workspace.id, [*rows, *stored[:2]])
        stored += rows
        if draw.random() < 0.7:
            ENGINE.follow(until - draw.randrange(90) * MINUTES)
        changed = draw.sample(stored, 6)
        for row in changed:
            other = row_with_everything(row.timestamp, draw)
            for name in ("operation", "tool", "environment", "release", "labels", "user_id", "cost_usd", "status"):
                setattr(row, name, getattr(other, name))
        with writer.writing(tenant.workspace.id) as cursor:
            writer.correct(cursor, tenant.workspace.id, changed[:3])
            writer.merge(cursor, tenant.workspace.id, changed[3:])
        moved = draw.sample(stored, 3)
        stored_at = [row.timestamp for row in moved]
        for row in moved:
            row.timestamp += draw.randrange(-3000, 3000) * timedelta(minutes=1)
        with writer.writing(tenant.workspace.id) as cursor:
            writer.move(cursor, tenant.workspace.id, list(zip(moved, stored_at, strict=True)))
        assert_rollups_hold_the_rows(tenant)
    assert rows_of("SELECT sum(calls) FROM label_totals_hourly WHERE workspace_id = %(workspace_id)s", tenant)


WEEK_OF_HOURS = 7 * 24


def rows_of_few_users(count: int) -> list[Row]:
    """Returns calls of three users in some hours of two weeks, so that many have another call in their hour or day."""
    draw = random.Random(1)
    return [
        a_row(
            NOON - draw.choice((1, 2, 20, 30, WEEK_OF_HOURS)) * HOUR.length + number * timedelta(seconds=1),
            user_id=draw.choice(("ada", "bob", "eve", None)),
            status=draw.choice(("success", "error", "timeout")),
            error_type=draw.choice(("rate_limit", None)),
            operation=draw.choice(("chat", "execute_tool")),
        )
        for number in range(count)
    ]


def test_sets_of_users_hold_the_rows_after_many_of_them_have_moved(tenant: Tenant) -> None:
    rows = rows_of_few_users(60)
    writer.store(tenant.workspace.id, rows)
    tenant.calls(1, NOON)
    draw = random.Random(2)
    for _ in range(6):
        moved = draw.sample(rows, 12)
        stored_at = [row.timestamp for row in moved]
        for row in moved:
            row.timestamp = NOON - draw.randrange(2 * WEEK_OF_HOURS) * HOUR.length + timedelta(seconds=1)
        with writer.writing(tenant.workspace.id) as cursor:
            writer.move(cursor, tenant.workspace.id, list(zip(moved, stored_at, strict=True)))
        assert_rollups_hold_the_rows(tenant)
    for row in rows:
        row.user_id, row.status, row.error_type = None, "success", None
    with writer.writing(tenant.workspace.id) as cursor:
        writer.correct(cursor, tenant.workspace.id, rows)
    assert_rollups_hold_the_rows(tenant)
    assert rows_of("SELECT sum(bit_count(user_bits)) FROM user_sets_weekly", tenant) == [(0,)]


USERS_READ = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'users_ten_minutely'"


@pytest.mark.parametrize("move", [True, False])
def test_a_user_leaves_a_set_without_a_look_at_its_other_users(tenant: Tenant, move: bool) -> None:
    rows = [a_row(NOON - 2 * HOUR.length, user_id=f"user {number}") for number in range(1_000)]
    writer.store(tenant.workspace.id, rows)
    tenant.calls(1, NOON)
    run("SET LOCAL enable_seqscan = off")  # as the planner does where there are more users
    [(before,)] = rows_of(USERS_READ, tenant)
    with writer.writing(tenant.workspace.id) as cursor:
        if move:
            rows[0].timestamp = NOON - DAYS
            writer.move(cursor, tenant.workspace.id, [(rows[0], NOON - 2 * HOUR.length)])
        else:
            rows[0].user_id = "user 1"
            writer.correct(cursor, tenant.workspace.id, rows[:1])
    [(after,)] = rows_of(USERS_READ, tenant)
    assert after - before < 10  # type: ignore[operator]
    assert_rollups_hold_the_rows(tenant)


def run(sql: str) -> None:
    with connections["analytics"].cursor() as cursor:
        cursor.execute(sql)
