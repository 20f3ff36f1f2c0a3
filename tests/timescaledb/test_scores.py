"""Scores and their sums are ordinary tables here too, corrected with the chunks of `traces`."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ingest.store import store_scores
from tests.tenant import NOON, Tenant
from tests.timescaledb.conftest import RunQuery
from traces import engines
from traces.scores import Score

pytestmark = pytest.mark.django_db(databases=["default", "analytics"])

SUMS = "SELECT agent_id, scores, number FROM score_sums WHERE workspace_id = %s AND scores > 0"
COUNT = "SELECT count(*) FROM scores WHERE workspace_id = %s"


def a_score(**changes: Any) -> Score:
    values: dict[str, Any] = {"id": "1", "timestamp": NOON, "name": "helpful", "trace_id": "t", "number": Decimal(1)}
    return Score(source="api", **(values | changes))


@pytest.mark.parametrize("days", [0, 20])
def test_a_score_before_its_trace_is_corrected(timescaledb: RunQuery, tenant: Tenant, days: int) -> None:
    moment = NOON - timedelta(days=days)
    store_scores(tenant.workspace.id, [a_score(timestamp=moment)])
    tenant.calls(1, moment, trace_id="t")
    assert timescaledb(SUMS, tenant.workspace.id) == [("support", 1, Decimal(1))]
    assert tenant.ask("usage/scores", start=moment.isoformat(), end=(moment + timedelta(hours=1)).isoformat())["data"]


def test_old_scores_are_deleted(timescaledb: RunQuery, tenant: Tenant, settings: Any) -> None:
    now = datetime.now(UTC)
    store_scores(tenant.workspace.id, [a_score(timestamp=now - timedelta(days=40)), a_score(id="2", timestamp=now)])
    settings.RETENTION_DAYS = 30
    engines.current().delete_old(now, lambda _: True)
    assert timescaledb(COUNT, tenant.workspace.id) == [(1,)]
