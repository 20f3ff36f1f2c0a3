"""Rows are stored once and summed by the policies, whenever they come and however old their chunk is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.tenant import NOON, Tenant, a_row
from tests.timescaledb.conftest import RunQuery
from traces import writer

pytestmark = pytest.mark.django_db(databases=["default", "analytics"])

Run = Callable[[str], None]
DAYS = timedelta(days=1)
OLD = NOON - 20 * DAYS
"""In a chunk that the policy compresses."""

OF_USERS = """
SELECT bucket, user_id, calls, cost_usd
FROM {} AS users
JOIN user_numbers ON user_numbers.workspace_id = users.workspace_id AND number = user_number
WHERE users.workspace_id = %s
ORDER BY 1, 2
"""
HOURS, DAYS_OF_USERS = OF_USERS.format("users_hourly"), OF_USERS.format("users_daily")
SETS = "SELECT bucket, bit_count(user_bits) FROM user_sets_{} WHERE workspace_id = %s ORDER BY 1"
ROWS = "SELECT count(*) FROM traces WHERE workspace_id = %s"
COMPRESSED = """
SELECT count(*) FROM timescaledb_information.chunks
WHERE hypertable_name = 'traces' AND is_compressed AND %s >= range_start AND %s < range_end
"""


def test_a_batch_delivered_twice_is_stored_once(timescaledb: RunQuery, tenant: Tenant) -> None:
    rows = tenant.calls(3)
    assert writer.store(tenant.workspace.id, [*rows, a_row()]) == (1, 0, 3)
    assert timescaledb(ROWS, tenant.workspace.id) == [(4,)]


def test_a_row_of_this_hour_is_in_hours_and_days_at_once(
    timescaledb: RunQuery, tenant: Tenant, run_policies: Run
) -> None:
    run_policies("refresh")
    now = datetime.now(UTC)
    tenant.calls(2, now, user_id="ada", cost_usd="0.25")
    hour, day = now.replace(minute=0, second=0, microsecond=0), now.replace(hour=0, minute=0, second=0, microsecond=0)
    assert timescaledb(HOURS, tenant.workspace.id) == [(hour, "ada", 2, Decimal("0.5"))]
    assert timescaledb(DAYS_OF_USERS, tenant.workspace.id) == [(day, "ada", 2, Decimal("0.5"))]


def test_a_late_row_is_in_every_rollup_after_the_next_run_of_the_policies(
    timescaledb: RunQuery, tenant: Tenant, run_policies: Run
) -> None:
    tenant.calls(1, OLD, user_id="ada", cost_usd="1")
    run_policies("refresh")
    tenant.calls(2, OLD + timedelta(minutes=30), user_id="ada", cost_usd="1")
    run_policies("refresh")
    assert timescaledb(HOURS, tenant.workspace.id) == [(OLD, "ada", 3, Decimal(3))]
    assert timescaledb(DAYS_OF_USERS, tenant.workspace.id) == [(OLD.replace(hour=0), "ada", 3, Decimal(3))]


def test_a_corrected_row_leaves_its_old_rollups_and_joins_the_new(
    timescaledb: RunQuery, tenant: Tenant, run_policies: Run
) -> None:
    [row, _] = tenant.calls(2, user_id="ada", cost_usd="1")
    run_policies("refresh")
    correct(tenant, row, "grace")
    run_policies("refresh")
    assert timescaledb(HOURS, tenant.workspace.id) == [(NOON, "ada", 1, Decimal(1)), (NOON, "grace", 1, Decimal(5))]
    assert timescaledb(SETS.format("hourly"), tenant.workspace.id) == [(NOON, 2)]
    correct(tenant, row, "ada")
    run_policies("refresh")
    assert timescaledb(SETS.format("hourly"), tenant.workspace.id) == [(NOON, 1)]
    assert timescaledb(SETS.format("daily"), tenant.workspace.id) == [(NOON.replace(hour=0), 1)]


def test_compressed_rows_are_still_found_completed_corrected_and_stored_once(
    timescaledb: RunQuery, tenant: Tenant, run_policies: Run
) -> None:
    [row, other] = tenant.calls(2, OLD, user_id="ada", cost_usd="1", attributes={"note": "kept"})
    run_policies("compression")
    assert timescaledb(COMPRESSED, OLD, OLD) == [(1,)]
    late = a_row(OLD, user_id="ada", cost_usd="1")
    assert writer.store(tenant.workspace.id, [row, other, late]) == (1, 0, 2)
    correct(tenant, row, "grace")
    run_policies("refresh")
    assert timescaledb(HOURS, tenant.workspace.id) == [(OLD, "ada", 2, Decimal(2)), (OLD, "grace", 1, Decimal(5))]
    rows_with_note = "SELECT count(*) FROM traces WHERE workspace_id = %s AND attributes->>'note' = 'kept'"
    assert timescaledb(rows_with_note, tenant.workspace.id) == [(2,)]
    run_policies("compression")
    assert timescaledb(ROWS, tenant.workspace.id) == [(3,)]


def correct(tenant: Tenant, row: writer.Row, user_id: str) -> None:
    row.user_id, row.cost_usd = user_id, Decimal(5)
    with writer.writing(tenant.workspace.id) as cursor:
        writer.correct(cursor, tenant.workspace.id, [row])


BY_LABEL = """
SELECT bucket, name, value, calls
FROM label_totals_{}
JOIN label_values USING (workspace_id)
WHERE workspace_id = %s AND label_number = number AND calls > 0
ORDER BY 1, 2, 3
"""


@pytest.mark.parametrize("at", [NOON, OLD])
def test_labels_are_summed_and_follow_corrections_and_moves(
    timescaledb: RunQuery, tenant: Tenant, run_policies: Run, at: datetime
) -> None:
    [corrected, moved] = tenant.calls(2, at, labels={"customer": "acme", "feature": "search"}, environment="production")
    run_policies("refresh")
    run_policies("compression")
    assert timescaledb(BY_LABEL.format("hourly"), tenant.workspace.id) == [
        (at, "customer", "acme", 2),
        (at, "feature", "search", 2),
    ]
    corrected.labels = {"customer": "initech"}
    moved.timestamp = at + DAYS
    with writer.writing(tenant.workspace.id) as cursor:
        writer.correct(cursor, tenant.workspace.id, [corrected])
        writer.move(cursor, tenant.workspace.id, [(moved, at)])
    run_policies("refresh")
    days = [at.replace(hour=0), at.replace(hour=0) + DAYS]
    assert timescaledb(BY_LABEL.format("daily"), tenant.workspace.id) == [
        (days[0], "customer", "initech", 1),
        (days[1], "customer", "acme", 1),
        (days[1], "feature", "search", 1),
    ]
    places = "SELECT bucket, environment, calls FROM places_hourly WHERE workspace_id = %s ORDER BY 1"
    assert timescaledb(places, tenant.workspace.id) == [(at, "production", 1), (at + DAYS, "production", 1)]


def test_rows_past_their_retention_are_deleted_and_their_sums_stay(
    timescaledb: RunQuery, tenant: Tenant, run_policies: Run, settings
) -> None:  # type: ignore[no-untyped-def]
    past = NOON - (settings.RETENTION_DAYS + 2) * DAYS
    tenant.calls(2, past)
    tenant.calls(1)
    timescaledb("CALL refresh_continuous_aggregate('totals_hourly', %s, %s)", past - DAYS, past + DAYS)
    timescaledb("CALL refresh_continuous_aggregate('totals_daily', %s, %s)", past - DAYS, past + DAYS)
    run_policies("retention")
    run_policies("refresh")
    assert timescaledb(ROWS, tenant.workspace.id) == [(1,)]
    sums = "SELECT bucket, calls FROM totals_daily WHERE workspace_id = %s ORDER BY bucket"
    assert timescaledb(sums, tenant.workspace.id) == [(past.replace(hour=0), 2), (NOON.replace(hour=0), 1)]


def test_a_merged_row_is_stored_also_in_a_compressed_chunk(
    timescaledb: RunQuery, tenant: Tenant, run_policies: Run
) -> None:
    [row] = tenant.calls(1, OLD, user_id="ada", cost_usd="1", attributes={"note": "first"})
    run_policies("compression")
    row.attributes, row.user_id, row.cost_usd = {"note": "second"}, "grace", Decimal(5)
    with writer.writing(tenant.workspace.id) as cursor:
        writer.merge(cursor, tenant.workspace.id, [row])
    run_policies("refresh")
    assert timescaledb(HOURS, tenant.workspace.id) == [(OLD, "grace", 1, Decimal(5))]
    notes = "SELECT attributes->>'note' FROM traces WHERE workspace_id = %s"
    assert timescaledb(notes, tenant.workspace.id) == [("second",)]


def test_rows_that_move_leave_their_sums_and_sets_and_join_others(
    timescaledb: RunQuery, tenant: Tenant, run_policies: Run
) -> None:
    """Of two rows in one hour one moves, so its user stays there; the other moves out of a compressed chunk."""
    [first, _] = tenant.calls(2, user_id="ada", cost_usd="1")
    [old] = tenant.calls(1, OLD, user_id="bob", cost_usd="1")
    run_policies("compression")
    run_policies("refresh")
    moved = [(first, NOON), (old, OLD)]
    first.timestamp = old.timestamp = NOON - 2 * DAYS
    with writer.writing(tenant.workspace.id) as cursor:
        writer.move(cursor, tenant.workspace.id, moved)
    run_policies("refresh")
    assert timescaledb(HOURS, tenant.workspace.id) == [
        (NOON - 2 * DAYS, "ada", 1, Decimal(1)),
        (NOON - 2 * DAYS, "bob", 1, Decimal(1)),
        (NOON, "ada", 1, Decimal(1)),
    ]
    sets = [(bucket, users) for bucket, users in timescaledb(SETS.format("hourly"), tenant.workspace.id) if users]
    assert sets == [(NOON - 2 * DAYS, 2), (NOON, 1)]
