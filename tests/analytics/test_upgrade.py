"""A database that was migrated before has a new one's schema after `migrate`, and its rollups hold its rows."""

from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.db import connections

from analytics.rollups import TABLES
from tests.analytics.test_rollups import assert_rollups_hold_the_rows
from tests.given import NOON, Given

pytestmark = pytest.mark.django_db(databases="__all__")

# The rollups of an earlier version: what they held is summed anew.
AS_IT_WAS = f"""
DROP TABLE closed_hours, {", ".join(TABLES)};
CREATE TABLE closed_days (workspace_id uuid PRIMARY KEY, closed_before timestamptz NOT NULL);
CREATE TABLE users_hourly (
    workspace_id uuid NOT NULL, bucket timestamptz NOT NULL, user_id text, calls integer NOT NULL,
    UNIQUE NULLS NOT DISTINCT (workspace_id, bucket, user_id)
);
ALTER TABLE traces DROP CONSTRAINT traces_span_key;
ALTER TABLE traces DROP COLUMN user_number;
DROP TABLE user_numbers;
ALTER TABLE traces ADD UNIQUE (workspace_id, timestamp, trace_id, span_id);
ALTER TABLE traces SET (toast_tuple_target = 128);
DROP INDEX idx_traces_workspace_link, idx_traces_workspace_trace;
CREATE INDEX idx_traces_workspace_link ON traces (workspace_id, link, timestamp) WHERE link IS NOT NULL;
CREATE INDEX idx_traces_workspace_trace ON traces (workspace_id, trace_id);
CREATE INDEX idx_traces_error_analysis ON traces (workspace_id, status, error_type, timestamp)
    WHERE status <> 'success';
CREATE INDEX idx_traces_workspace_user ON traces (workspace_id, user_id, agent_id, timestamp) WHERE user_id IS NOT NULL;
"""
SCHEMA = """
SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()
UNION ALL
SELECT relname, 'options', reloptions::text FROM pg_class WHERE relname = 'traces'
ORDER BY 1, 2
"""


def test_what_is_new_is_made_and_filled(given: Given) -> None:
    for days_ago in (3, 1, 0):
        for user_id in ("ada", "bob"):
            at = NOON - timedelta(days=days_ago)
            given.calls(2, at, user_id=user_id, latency_ms=5.0, status="error", cost_usd="0.5")
    short = import_module("analytics.migrations.0006_short_indexes")
    numbers = import_module("analytics.migrations.0007_user_numbers")
    with connections["analytics"].cursor() as cursor:
        cursor.execute(SCHEMA)
        wanted = cursor.fetchall()
        cursor.execute(AS_IT_WAS)
        cursor.execute(SCHEMA)
        assert cursor.fetchall() != wanted
        for operation in short.Migration.operations:
            operation.database_forwards("analytics", connections["analytics"].schema_editor(), None, None)
        numbers.bring_up(None, SimpleNamespace(connection=connections["analytics"]))
        cursor.execute(SCHEMA)
        assert cursor.fetchall() == wanted
    assert_rollups_hold_the_rows(given)
    assert given.ask("usage/overview")["unique_users"] == 2
    assert [user["user_id"] for user in given.ask("usage/top-users")["data"]] == ["ada", "bob"]
    given.calls(1, user_id="cy")
    assert given.ask("usage/overview")["unique_users"] == 3


# As an earlier 0007 left it: hours of latencies were counted at once, from rows.
AFTER_AN_EARLIER_0007 = """
DROP TABLE latency_ten_minutely;
INSERT INTO latency_hourly (workspace_id, bucket, operation, latency_bucket, calls)
SELECT workspace_id, time_bucket('1 hour', timestamp), operation, latency_bucket(latency_ms), count(*)
FROM traces
JOIN closed_hours USING (workspace_id)
WHERE timestamp >= closed_before
GROUP BY 1, 2, 3, 4;
DROP INDEX idx_traces_error_analysis;
CREATE INDEX idx_traces_error_analysis ON traces (workspace_id, status, coalesce(error_type, ''), timestamp)
    WHERE status <> 'success';
"""


def test_a_database_of_the_state_before_is_brought_up_too(given: Given) -> None:
    for days_ago in (3, 1, 0):
        given.calls(2, NOON - timedelta(days=days_ago), latency_ms=5.0, status="error", user_id="ada")
    migration = import_module("analytics.migrations.0008_ten_minutes_of_latency")
    with connections["analytics"].cursor() as cursor:
        cursor.execute(SCHEMA)
        wanted = cursor.fetchall()
        cursor.execute(AFTER_AN_EARLIER_0007)
        for _ in range(2):
            migration.bring_up(None, SimpleNamespace(connection=connections["analytics"]))
            cursor.execute(SCHEMA)
            assert cursor.fetchall() == wanted
    assert_rollups_hold_the_rows(given)
    given.calls(1, NOON + timedelta(hours=2), latency_ms=9.0)
    assert_rollups_hold_the_rows(given)
