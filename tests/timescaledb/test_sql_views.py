"""The views of docs/sql.md have the same rows on TimescaleDB, and a role sees its workspace alone."""

from collections.abc import Callable
from decimal import Decimal
from uuid import uuid4

import pytest

from tests.factories import WorkspaceFactory
from tests.tenant import NOON, Tenant, a_row
from tests.timescaledb.conftest import RunQuery
from traces import read_roles, writer

pytestmark = pytest.mark.django_db(databases=["default", "analytics"])


def test_a_role_sees_its_workspace_alone(
    timescaledb: RunQuery, tenant: Tenant, run_policies: Callable[[str], None]
) -> None:
    tenant.calls(1, cost_usd="1.00", latency_ms=500.0, trace_id="t", input_tokens=3)
    tenant.calls(1, cost_usd="2.00", latency_ms=100.0, trace_id="t")
    writer.store(WorkspaceFactory().id, [a_row(cost_usd="70.00")])
    role = f"reader_{uuid4().hex}"
    read_roles.make(role, tenant.workspace.id)
    timescaledb(f"SET ROLE {role}")
    try:
        assert timescaledb("SELECT count(*), sum(cost_usd) FROM observability_v1.calls") == [(2, Decimal(3))]
        traces = "SELECT trace_id, started_at, latency_ms, spans, tokens, cost_usd FROM observability_v1.traces"
        assert timescaledb(traces) == [("t", NOON, 500.0, 2, 3.0, 3.0)]
        assert timescaledb("SELECT day, calls, cost_usd FROM observability_v1.spend_by_day") == [(NOON.date(), 2, 3)]
        assert timescaledb("SELECT hour, calls FROM observability_v1.spend_by_hour") == [(NOON, 2)]
    finally:
        timescaledb("RESET ROLE")
    run_policies("refresh")  # the sums say which workspaces there are
    read_roles.make(role, None)
    timescaledb(f"SET ROLE {role}")
    try:
        assert timescaledb("SELECT sum(cost_usd) >= 73 FROM observability_v1.calls") == [(True,)]
    finally:
        timescaledb("RESET ROLE")
        read_roles.drop(role)
