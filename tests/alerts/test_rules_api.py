"""Rules and events over HTTP: made, changed, tried out, listed, acknowledged."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from alerts.evaluation import evaluate
from alerts.models import AlertEvent, Rule
from tests.alerts.rules import HOUR, MINUTE, a_channel, a_round, a_rule, calls, told
from tests.factories import WorkspaceFactory, an_api_key
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__")

RULES, EVENTS = "/api/v1/alerts/rules", "/api/v1/alerts/events"
SPEND = {"name": "Spend", "metric": "cost_usd", "window": "1h", "comparison": "above", "warning": 10}


def send(tenant: Tenant, body: Any, path: str = RULES, method: str = "post", expect: int = 0) -> Any:
    response = getattr(tenant.client, method)(path, body, content_type="application/json")
    assert response.status_code == expect or (not expect and response.status_code < 300), response.content
    return response.json() if response.content else None


def errors(answer: Any) -> dict[str, str]:
    return {".".join(map(str, error["loc"][1:])): error["msg"] for error in answer["errors"]}


def test_a_rule_needs_only_name_metric_window_comparison_and_one_limit(tenant: Tenant) -> None:
    made = send(tenant, SPEND, expect=201)
    assert made["created_by"] == "anyone"
    assert {name: made[name] for name in SPEND} == SPEND
    assert (made["state"], made["no_data"], made["critical"], made["channels"]) == ("ok", "keep", None, [])
    assert send(tenant, None, RULES, "get")["data"] == [made]
    assert send(tenant, None, f"{RULES}/{made['id']}", "get") == made


def test_a_rule_that_is_sent_again_is_not_made_again(tenant: Tenant) -> None:
    body = SPEND | {"id": str(uuid4())}
    send(tenant, body, expect=201)
    send(tenant, body, expect=200)
    assert Rule.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"name": " "}, "name"),
        ({"metric": "spend"}, "metric"),
        ({"window": "4m"}, "window"),
        ({"window": "31d"}, "window"),
        ({"comparison": "over"}, "comparison"),
        ({"warning": None}, "warning"),
        ({"warning": "10"}, "warning"),
        ({"warning": True}, "warning"),
        ({"warning": -1}, "warning"),
        ({"critical": 5}, "critical"),
        ({"comparison": "below", "critical": 20}, "critical"),
        ({"filters": {"agent": ["support"]}}, "filters.agent.[key]"),
        ({"filters": {"status": ["late"]}}, "filters"),
        ({"per": "session"}, "per"),
        ({"minimum_calls": -1}, "minimum_calls"),
        ({"for_evaluations": 0}, "for_evaluations"),
        ({"no_data": "page"}, "no_data"),
        ({"renotify": 1}, "renotify"),
        ({"quiet_hours": {"from": "25:00", "to": "07:00"}}, "quiet_hours.from"),
        ({"quiet_hours": {"from": "22:00", "to": "22:00"}}, "quiet_hours"),
        ({"muted_until": "2126-01-01T00:00:00Z"}, "muted_until"),
        ({"channels": ["nobody"]}, "channels.0"),
        ({"comparison": "unusual", "metric": "tokens"}, "comparison"),
        ({"comparison": "unusual", "window": "1d"}, "window"),
        ({"metric": "p95_latency_ms", "per": "user", "window": "7d"}, "window"),
        ({"metric": "score.helpful", "filters": {"status": ["error"]}}, "filters"),
        ({"treshold": 5}, "treshold"),
    ],
)
def test_what_is_not_possible_is_named(tenant: Tenant, change: dict[str, Any], where: str) -> None:
    assert where in errors(send(tenant, SPEND | change, expect=422))
    assert not Rule.objects.exists()


def test_every_field_is_stored_and_can_be_changed(tenant: Tenant) -> None:
    channel = a_channel(tenant)
    everything = SPEND | {
        "critical": 20,
        "filters": {"agent_id": ["support"], "not_model": ["gpt-4o"], "label.customer": ["acme", "globex"]},
        "per": "label.team",
        "minimum_calls": 5,
        "for_evaluations": 3,
        "no_data": "notify",
        "renotify": 60,
        "quiet_hours": {"from": "22:00", "to": "07:00"},
        "channels": [str(channel.pk)],
        "is_active": False,
    }
    made = send(tenant, everything)
    assert {name: made[name] for name in everything} == everything
    changed = send(tenant, {"warning": 12, "filters": {"agent_id": "search"}}, f"{RULES}/{made['id']}", "patch")
    assert (changed["warning"], changed["critical"], changed["filters"]) == (12, 20, {"agent_id": ["search"]})
    send(tenant, {"critical": 1}, f"{RULES}/{made['id']}", "patch", expect=422)
    assert send(tenant, None, f"{RULES}/{made['id']}", "delete", expect=204) is None
    send(tenant, None, f"{RULES}/{made['id']}", "get", expect=404)


def a_breached_rule(tenant: Tenant, **values: Any) -> Rule:
    rule = a_rule(tenant, **values)
    now = timezone.now()
    calls(tenant, cost_usd="12", at=now - 10 * MINUTE)
    evaluate(now)
    return rule


def test_a_higher_limit_arms_only_what_is_above_the_present_value(tenant: Tenant) -> None:
    rule = a_breached_rule(tenant)
    now = timezone.now()
    send(tenant, {"warning": 11}, f"{RULES}/{rule.pk}", "patch")
    evaluate(now + MINUTE)
    assert told(rule) == ["warning"]
    send(tenant, {"warning": 20}, f"{RULES}/{rule.pk}", "patch")
    assert told(rule) == ["warning", "ok"]
    calls(tenant, cost_usd="12", at=now - 10 * MINUTE)
    evaluate(now + 2 * MINUTE)
    assert told(rule) == ["warning", "ok", "warning"]
    assert rule.events.get(state="ok").details["is_changed"]


def test_what_looks_at_other_calls_begins_anew(tenant: Tenant) -> None:
    rule = a_breached_rule(tenant)
    changed = send(tenant, {"filters": {"agent_id": ["search"]}}, f"{RULES}/{rule.pk}", "patch")
    assert (changed["state"], changed["evaluated_at"]) == ("ok", None)
    assert not rule.events.filter(ended_at=None).exists()


def test_a_rule_can_be_muted_and_its_history_says_by_whom(tenant: Tenant) -> None:
    rule = a_rule(tenant)
    until = (timezone.now() + HOUR).isoformat()
    assert send(tenant, {"muted_until": until}, f"{RULES}/{rule.pk}", "patch")["state"] == "muted"
    assert send(tenant, {"muted_until": None}, f"{RULES}/{rule.pk}", "patch")["state"] == "ok"
    [event] = send(tenant, None, EVENTS, "get")["data"]
    assert event["state"] == "muted"
    assert event["message"].endswith("by anyone")


def test_events_are_listed_with_their_message_and_acknowledged_once(tenant: Tenant) -> None:
    rule = a_breached_rule(tenant)
    [event] = send(tenant, None, EVENTS, "get")["data"]
    assert event["message"] == "Spend is $12.00 in the last hour, above the warning limit of $10.00"
    assert (event["rule_id"], event["budget_id"], event["group"]) == (str(rule.pk), None, None)
    assert (event["value"], event["limit"], event["acknowledged_by"]) == (12, 10, None)
    first = send(tenant, None, f"{EVENTS}/{event['id']}/acknowledge")
    assert first["acknowledged_by"] == "anyone"
    assert send(tenant, None, f"{EVENTS}/{event['id']}/acknowledge") == first
    assert send(tenant, None, f"{EVENTS}?open=false", "get")["data"] == []
    assert send(tenant, None, f"{EVENTS}?state=warning&rule_id={rule.pk}", "get")["data"] == [first]


def test_events_stay_when_their_rule_is_deleted(tenant: Tenant) -> None:
    rule = a_breached_rule(tenant, name="Of old")
    send(tenant, None, f"{RULES}/{rule.pk}", "delete", expect=204)
    [event] = send(tenant, None, EVENTS, "get")["data"]
    assert (event["rule_id"], event["name"]) == (None, "Of old")
    assert event["ended_at"]


def test_a_rule_that_is_deleted_closes_the_incident_that_it_has_opened(tenant: Tenant) -> None:
    on_call = a_channel(tenant, kind="pagerduty", options={"region": "us"})
    rule, calm = a_rule(tenant, [on_call], name="Spend"), a_rule(tenant, [on_call], name="Calm", warning=1_000)
    calls(tenant, cost_usd="12")
    a_round()
    opened = on_call.deliveries.get().message
    for one in (rule, calm):
        send(tenant, None, f"{RULES}/{one.pk}", "delete", expect=204)
    closed = on_call.deliveries.get(message__state="recovered").message
    assert closed["incident"] == opened["incident"] == f"rule:{rule.pk}"
    assert closed["subject"] == "Spend: the rule was deleted while it had an open alert"


def test_pages_of_events_follow_each_other(tenant: Tenant) -> None:
    rule = a_rule(tenant)
    now = timezone.now()
    AlertEvent.objects.bulk_create(
        AlertEvent(
            workspace=tenant.workspace,
            rule=rule,
            name=rule.name,
            threshold="warning",
            episode=number,
            state="warning",
            value=1,
            at=now - number // 2 * MINUTE,
            since=now,
            details=event_details(),
        )
        for number in range(60)
    )
    first = send(tenant, None, EVENTS, "get")
    second = send(tenant, None, f"{EVENTS}?cursor={first['next_cursor']}", "get")
    ids = [event["id"] for event in (*first["data"], *second["data"])]
    assert (len(ids), len({*ids}), second["next_cursor"]) == (60, 60, None)


def event_details() -> dict[str, Any]:
    return {"metric": "cost_usd", "comparison": "above", "filters": {}, "per": "", "window_minutes": 60, "calls": 1}


def test_a_rule_is_tried_out_before_it_is_made(tenant: Tenant) -> None:
    calls(tenant, cost_usd="12", at=timezone.now() - timedelta(days=3))
    found = send(tenant, SPEND, f"{RULES}/preview")
    assert (found["fired"], found["every_minutes"], len(found["events"])) == (1, 1, 2)
    assert {*found["events"][0]} == {"at", "state", "group", "value", "message"}
    assert not Rule.objects.exists()


def test_another_workspace_has_neither_rules_nor_events(tenant: Tenant) -> None:
    rule = a_breached_rule(tenant)
    _, secret = an_api_key("read", "write", workspace=WorkspaceFactory())
    other = Client(headers={"Authorization": f"Bearer {secret}"})
    workspace = str(_.workspace_id)
    for method, path in (
        ("get", f"{RULES}/{rule.pk}"),
        ("patch", f"{RULES}/{rule.pk}"),
        ("delete", f"{RULES}/{rule.pk}"),
        ("get", f"{EVENTS}/{rule.events.get().pk}"),
        ("post", f"{EVENTS}/{rule.events.get().pk}/acknowledge"),
    ):
        response = getattr(other, method)(
            path, {}, content_type="application/json", headers={"X-Workspace-ID": workspace}
        )
        assert response.status_code == 404, path
    assert other.get(RULES, headers={"X-Workspace-ID": workspace}).json() == {"data": []}
    channel = a_channel(tenant)
    response = other.post(
        RULES,
        SPEND | {"channels": [str(channel.pk)]},
        content_type="application/json",
        headers={"X-Workspace-ID": workspace},
    )
    assert response.status_code == 422


def test_a_workspace_has_at_most_so_many_rules(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.rule_changes.MAX_RULES", 1)
    send(tenant, SPEND)
    send(tenant, SPEND, expect=422)


def test_what_was_changed_during_a_round_is_left_to_the_next(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    from alerts import readings

    rule = a_rule(tenant)
    now = timezone.now()
    calls(tenant, cost_usd="12", at=now - 10 * MINUTE)
    read = readings.read

    def changed_meanwhile(*args: Any) -> Any:
        found = read(*args)
        send(tenant, {"warning": 20}, f"{RULES}/{rule.pk}", "patch")
        return found

    monkeypatch.setattr(readings, "read", changed_meanwhile)
    evaluate(now)
    assert told(rule) == []


def test_readers_of_the_api_see_what_was_told(tenant: Tenant) -> None:
    rule = a_rule(tenant, [a_channel(tenant)])
    now = timezone.now()
    calls(tenant, cost_usd="12", at=now - 10 * MINUTE)
    a_round(now)
    [event] = send(tenant, None, f"{EVENTS}?rule_id={rule.pk}", "get")["data"]
    deliveries = send(tenant, None, f"/api/v1/alerts/deliveries?event_id={event['notice_id']}", "get")["data"]
    assert [delivery["subject"] for delivery in deliveries] == [event["message"]]
