"""Makes rules, channels and calls for tests."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from alerts import budget_news, evaluation, notices
from alerts.models import AlertEvent, Channel, Rule, RuleState
from tests.tenant import Tenant, a_row
from traces import writer
from workspaces.models import Workspace

NOW = datetime(2026, 11, 16, 12, 0, 30, tzinfo=UTC)
END = datetime(2026, 11, 16, 12, tzinfo=UTC)
"""Of the windows of a round at NOW."""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def a_channel(tenant: Tenant, name: str = "team", **values: Any) -> Channel:
    return Channel.objects.create(
        workspace=tenant.workspace,
        name=name,
        **({"kind": "email", "options": {"addresses": ["team@example.com"]}} | values),
    )


def a_rule(tenant: Tenant, channels: list[Channel] | None = None, **values: Any) -> Rule:
    usual: dict[str, Any] = {"name": "a rule", "metric": "cost_usd", "window_minutes": 60, "comparison": "above"}
    if not {"warning", "critical"} & values.keys():
        usual["warning"] = 10
    rule = Rule.objects.create(workspace=tenant.workspace, **(usual | values))
    rule.channels.set(channels or [])
    return rule


def calls(tenant: Tenant, number: int = 1, at: datetime = END - 10 * MINUTE, **values: Any) -> None:
    writer.store(tenant.workspace.id, [a_row(at, **values) for _ in range(number)])


def an_event(workspace: Workspace, event_id: UUID | None = None, rule: Rule | None = None, **values: Any) -> AlertEvent:
    """Makes an event that is not told: a warning about spend."""
    details = {"metric": "cost_usd", "comparison": "above", "filters": {}, "per": "", "window_minutes": 60, "calls": 1}
    usual = {"name": "Spend", "threshold": "warning", "state": "warning", "value": 12, "limit": 10, "at": END}
    values = usual | {"since": END, "details": details} | values
    return AlertEvent.objects.create(id=event_id or uuid4(), workspace=workspace, rule=rule, **values)


def a_round(now: datetime = NOW) -> None:
    """Does what the worker does each minute."""
    evaluation.evaluate(now)
    budget_news.collect(now)
    notices.tell(now)


def told(rule: Rule) -> list[str]:
    """Returns the states of the rule's events, the oldest first."""
    return [event.state for event in rule.events.order_by("at", "id")]


def state_of(rule: Rule, group: str = "") -> str:
    return RuleState.objects.get(rule=rule, group=group).state


def the_event(rule: Rule, state: str = "warning") -> AlertEvent:
    return rule.events.get(state=state)
