"""A day of a noisy workspace: few messages, and each of them is worth reading at night."""

from datetime import timedelta
from typing import Any

import pytest

from alerts.models import Notice, Rule
from budgets.evaluation import evaluate as evaluate_budgets
from tests.alerts.rules import END, MINUTE, NOW, a_channel, a_round, a_rule
from tests.alerts.test_notices import a_budget
from tests.tenant import Tenant, a_row
from traces import writer

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.faults]


def test_a_day_of_a_noisy_workspace_has_at_most_twelve_messages(tenant: Tenant) -> None:
    """A metric flaps all day, ten budgets are crossed at once, and each five minutes another user is over the limit."""
    channel = a_channel(tenant)
    a_rule(tenant, [channel], name="Errors", metric="errors", warning=1, window_minutes=5)
    a_rule(tenant, [channel], name="Each user", per="user", window_minutes=24 * 60)
    for number in range(10):
        a_budget(tenant, f"Budget {number}", 50, 80, 100)
    rows: list[Any] = []
    steps = range(0, 24 * 60, 10)
    flapping = [a_row(END + step * MINUTE + timedelta(seconds=1), status="error") for step in steps]
    spending = [a_row(END + step * MINUTE, cost_usd="10", user_id=f"user-{step}") for step in steps]
    writer.store(tenant.workspace.id, [*flapping, *spending])
    for minutes in range(0, 24 * 60, 5):
        now = NOW + minutes * MINUTE
        if minutes == 12 * 60:
            evaluate_budgets(now)
        a_round(now)
        rows += [(now, notice) for notice in Notice.objects.filter(at=now)]
    lines = [f"{now:%H:%M} {notice.message['subject']}" for now, notice in rows]
    print("\n".join(lines))
    assert 1 < len(lines) <= 12, lines
    assert Rule.objects.get(name="Errors").events.count() > 200
