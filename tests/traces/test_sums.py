"""Checks which rollup a query reads."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from traces import sums
from traces.engines.protocol import RollupState
from traces.filters import LATEST, Filters
from traces.rollups.catalogue import ALL_TABLES

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


def test_only_the_traces_app_names_a_table_of_sums() -> None:
    root = Path(__file__).parents[2]
    apps = [
        path.parent for path in root.glob("*/__init__.py") if path.parent.name not in ("traces", "tests", "benchmarks")
    ]
    assert {"analytics", "budgets"} <= {app.name for app in apps}
    table = re.compile(rf"\b({'|'.join(ALL_TABLES)})\b")
    assert [path for app in apps for path in app.rglob("*.py") if table.search(path.read_text())] == []
