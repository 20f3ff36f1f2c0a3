"""In the demo data the planted events are found, and nothing else of weight. Storing five weeks takes half a minute."""

from datetime import UTC, datetime, timedelta

import pytest

from insights.anomalies.search import unusual
from observability.launcher.demo import fill
from observability.launcher.demo_company import INCIDENT_PROVIDER, SPIKE_AGENT
from tests.tenant import Tenant

pytestmark = [pytest.mark.faults, pytest.mark.django_db(databases="__all__")]

NOW = datetime(2026, 11, 27, 14, 30, tzinfo=UTC)
OF_WEIGHT = 0.1
"""Of a usual day of the workspace."""


def test_the_dear_agent_and_the_slow_provider_are_found_and_nothing_else_of_weight(tenant: Tenant) -> None:
    fill(tenant.workspace.id, NOW, days=38)
    events = unusual(tenant.workspace, NOW - timedelta(days=7), NOW, NOW).events
    found = {(event.measure, *event.scope.items()) for event in events if event.impact.share_of_day >= OF_WEIGHT}
    assert found == {("spend", ("agent_id", SPIKE_AGENT)), ("latency", ("provider", INCIDENT_PROVIDER))}
