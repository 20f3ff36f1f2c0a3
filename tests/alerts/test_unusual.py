"""Rules about what is unusual for its hour of the week."""

from typing import Any

import pytest

from alerts.backtest import backtest
from alerts.evaluation import evaluate
from alerts.models import Notice, Rule, RuleState
from tests.alerts.rules import END, HOUR, MINUTE, NOW, a_channel, a_round, a_rule, calls, told
from tests.tenant import Tenant, a_row
from traces import writer
from workspaces.models import Annotation

pytestmark = pytest.mark.django_db(databases="__all__")

DAYS = 45


@pytest.fixture
def usual(tenant: Tenant) -> Tenant:
    """A workspace in which each hour is like the others."""
    rows = [a_row(END - hours * HOUR - 30 * MINUTE) for hours in range(24 * DAYS) for _ in range(3)]
    writer.store(tenant.workspace.id, rows)
    return tenant


def unusual_rule(tenant: Tenant, **values: Any) -> Rule:
    return a_rule(tenant, **({"comparison": "unusual", "metric": "calls", "warning": 50} | values))


def planned(tenant: Tenant, agent: str = "") -> None:
    filters = {"agent_id": [agent]} if agent else {}
    Annotation.objects.create(
        workspace=tenant.workspace,
        kind="planned",
        label="load test",
        starts_at=END - 40 * MINUTE,
        ends_at=END - 10 * MINUTE,
        filters=filters,
    )


def test_planned_hours_are_not_unusual_now_and_in_the_past(usual: Tenant) -> None:
    every, each = unusual_rule(usual), unusual_rule(usual, per="agent")
    planned(usual, "support")
    calls(usual, 200, at=END - 30 * MINUTE)
    evaluate(NOW)
    assert [told(rule) for rule in (every, each)] == [[], []]
    assert backtest(every, NOW)["events"] == []


def test_a_plan_for_other_calls_hides_nothing(usual: Tenant) -> None:
    rules = [unusual_rule(usual, filters={"agent_id": ["support"]}), unusual_rule(usual, per="agent")]
    planned(usual, "research")
    calls(usual, 200, at=END - 30 * MINUTE)
    evaluate(NOW)
    assert [told(rule) for rule in rules] == [["warning"], ["warning"]]


def test_a_group_that_is_gone_is_ok_again(usual: Tenant) -> None:
    rule = unusual_rule(usual, per="agent")
    RuleState.objects.create(
        rule=rule, group="gone", state="warning", since=END - HOUR, breached_at=END - HOUR, episode=1
    )
    evaluate(NOW)
    evaluate(NOW + MINUTE)
    assert [(event.group, event.state) for event in rule.events.all()] == [("gone", "ok")]


@pytest.mark.parametrize(
    ("metric", "values", "subject", "value"),
    [
        (
            "error_rate",
            {"status": "error"},
            "Error rate is unusual: 60 failed calls off, the limit is 20 failed calls",
            "off by 60 failed calls",
        ),
        (
            "p95_latency_ms",
            {"latency_ms": 90_000.0},
            "p95 latency is unusual in 60 calls, the limit is 20 calls",
            "unusual in 60 calls",
        ),
    ],
)
def test_messages_count_what_the_limit_counts(
    tenant: Tenant, metric: str, values: dict[str, Any], subject: str, value: str
) -> None:
    past = [END - hours * HOUR - 20 * MINUTE for hours in range(1, 24 * 30)]
    writer.store(tenant.workspace.id, [a_row(at, latency_ms=500.0) for at in past for _ in range(20)])
    calls(tenant, 60, at=END - 20 * MINUTE, **values)
    rule = unusual_rule(tenant, metric=metric, warning=20)
    rule.channels.add(a_channel(tenant))
    a_round()
    message = Notice.objects.get().message
    assert (message["subject"], dict(message["facts"])["Value"]) == (subject, value)
    query = f"workspace={tenant.workspace.id}"
    assert f"Now it is {value}." in tenant.client.get(f"/dashboard/alerts/rules/{rule.pk}?{query}").content.decode()
    event = tenant.client.get(f"/dashboard/alerts/events/{rule.events.get().pk}?{query}").content.decode()
    assert 'class="line"' in event
    assert 'class="limit"' not in event
