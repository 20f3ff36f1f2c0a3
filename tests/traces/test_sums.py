"""Checks which rollup a query reads."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from traces import sums
from traces.engines.protocol import RollupState
from traces.filters import LATEST, Filters

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
MONTH = Filters(UUID(int=1), MONDAY - timedelta(days=28), MONDAY, "daily")
FILLED = RollupState(LATEST)


@pytest.mark.parametrize(
    ("columns", "table"),
    [
        (["calls"], "totals_daily"),
        (["status", "calls"], "totals_daily"),
        (["provider", "model", "calls"], "models_daily"),
        (["agent_id", "calls"], "agents_daily"),
        (["agent_id", "model", "calls"], "calls_daily"),
    ],
)
def test_the_smallest_rollup_with_all_columns_is_read(columns: list[str], table: str) -> None:
    assert f"FROM {table}\n" in sums.calls_sql(MONTH, *columns, state=FILLED)


def test_rows_are_read_where_no_rollup_has_a_column() -> None:
    sql = sums.calls_sql(MONTH, "session_id", "calls", state=FILLED)
    assert sql.count("FROM ") == sql.count("FROM traces\n") == 1
    assert "1 AS calls" in sql
    assert "session_id" in sql
