"""What is told, to whom and how often: each message is one that is worth reading at night."""

from datetime import time
from decimal import Decimal
from typing import Any

import pytest

from alerts import budget_news, notices
from alerts.evaluation import evaluate
from alerts.models import AlertEvent, Delivery, Notice
from alerts.rule_bodies import RuleChanges
from alerts.rule_changes import acknowledge, change
from budgets.evaluation import evaluate as evaluate_budgets
from budgets.models import Budget
from budgets.thresholds import ACTUAL, CRITICAL, INFO, WARNING, Threshold
from tests.alerts.rules import DAY, END, HOUR, MINUTE, NOW, a_channel, a_round, a_rule, calls, told
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__")


def messages(tenant: Tenant) -> list[dict[str, Any]]:
    """Returns what was told, the oldest first."""
    return [notice.message for notice in Notice.objects.filter(workspace=tenant.workspace).order_by("at", "id")]


def subjects(tenant: Tenant) -> list[str]:
    return [message["subject"] for message in messages(tenant)]


def a_budget(tenant: Tenant, name: str, *percents: int, **values: Any) -> Budget:
    severities = {50: INFO, 80: WARNING, 100: CRITICAL}
    thresholds = [Threshold(ACTUAL, Decimal(one), None, severities[one], ("team",)) for one in percents]
    return Budget.objects.create(
        workspace=tenant.workspace,
        name=name,
        amount_usd=Decimal(100),
        thresholds=[one.as_json() for one in thresholds],
        evaluated_at=NOW - DAY,
        **values,
    )


def test_the_first_message_goes_out_at_once_and_says_what_happened(tenant: Tenant, settings: Any) -> None:
    settings.PUBLIC_URL = "https://traces.example.com"
    rule = a_rule(tenant, [a_channel(tenant)], name="Spend of support", filters={"agent_id": ["support"]})
    calls(tenant, cost_usd="4", at=END - 90 * MINUTE, model="gpt-4o-mini")
    calls(tenant, 3, cost_usd="5", model="gpt-4o")
    a_round()
    [message] = messages(tenant)
    assert message["subject"] == "Spend of agent support is $15.00 in the last hour, above the warning limit of $10.00"
    assert message["sentences"] == [
        "Since the window before: model gpt-4o +$15.00; model gpt-4o-mini \u2212$4.00.",
        "It is told again when it is ok, or becomes worse.",
    ]
    assert dict(message["facts"]) == {
        "Rule": "Spend of support",
        "Value": "$15.00",
        "Limit": "$10.00",
        "Window": "hour",
        "Calls in it": "3",
        "Since": "16 Nov, 12:00",
    }
    page, traces, own = message["links"]
    window = "start=2026-11-16T11%3A00%3A00Z&end=2026-11-16T12%3A00%3A00Z&agent_id=support"
    base = f"workspace={tenant.workspace.id}&{window}"
    assert page == ["Spend: the page of this window", f"https://traces.example.com/dashboard/cost?{base}"]
    assert traces[1] == f"https://traces.example.com/dashboard/traces?{base}&sort=costliest"
    assert own[1].startswith(f"https://traces.example.com/dashboard/alerts/events/{rule.events.get().pk}")
    assert tenant.client.get(page[1].removeprefix("https://traces.example.com")).status_code == 200
    assert tenant.client.get(traces[1].removeprefix("https://traces.example.com")).status_code == 200
    assert Delivery.objects.get().event_id == Notice.objects.get().pk


def test_a_recovery_says_how_long_it_lasted_and_what_it_cost(tenant: Tenant) -> None:
    a_rule(tenant, [a_channel(tenant)], metric="errors", warning=2)
    calls(tenant, 2, status="error", cost_usd="1")
    a_round()
    calls(tenant, 3, at=END + 5 * MINUTE, cost_usd="2")
    a_round(NOW + HOUR)
    assert subjects(tenant)[1] == "Failed calls are 0 again, after 60 min in warning; its calls cost $6.00 in that time"
    assert messages(tenant)[1]["state"] == "recovered"
    assert messages(tenant)[0]["incident"] == messages(tenant)[1]["incident"]


def test_what_follows_within_five_minutes_is_collected(tenant: Tenant) -> None:
    channel = a_channel(tenant)
    for number in range(4):
        a_rule(tenant, [channel], name=f"rule {number}", warning=10 + number)
    calls(tenant, cost_usd="10")
    a_round()
    for minutes in range(1, 5):
        calls(tenant, cost_usd="1", at=END - MINUTE)
        a_round(NOW + minutes * MINUTE)
    assert len(messages(tenant)) == 1
    a_round(NOW + 5 * MINUTE)
    first, second = messages(tenant)
    assert first["subject"].startswith("Spend is $10.00")
    assert second["subject"].endswith("; and 2 more")
    assert len([line for line in second["sentences"] if line.startswith("Spend is")]) == 3


def test_two_things_that_happen_together_are_both_in_the_subject(tenant: Tenant) -> None:
    channel = a_channel(tenant)
    a_rule(tenant, [channel], metric="errors", critical=1)
    a_rule(tenant, [channel])
    calls(tenant, cost_usd="12", status="error")
    a_round()
    assert subjects(tenant) == [
        "Failed calls are 1 in the last hour, at the critical limit of 1. "
        "Spend is $12.00 in the last hour, above the warning limit of $10.00"
    ]


def test_a_threshold_that_names_no_channel_is_told_on_all_unless_it_is_only_an_information(tenant: Tenant) -> None:
    a_channel(tenant)
    budget = a_budget(tenant, "Customer acme", 50, 80)
    Budget.objects.filter(pk=budget.pk).update(thresholds=[t | {"channels": []} for t in budget.thresholds])
    calls(tenant, cost_usd="60")
    evaluate_budgets(NOW)
    a_round()
    assert messages(tenant) == []
    calls(tenant, cost_usd="20")
    evaluate_budgets(NOW + MINUTE)
    a_round(NOW + MINUTE)
    assert subjects(tenant) == ["Customer acme: the spend is $80.00, it has reached 80 % of $100"]


def test_a_restart_tells_nothing_again(tenant: Tenant) -> None:
    a_rule(tenant, [a_channel(tenant)])
    calls(tenant, cost_usd="12")
    for _ in range(3):
        a_round()
    assert (len(messages(tenant)), Delivery.objects.count()) == (1, 1)


def test_it_is_told_again_only_where_the_rule_asks_until_it_is_acknowledged(tenant: Tenant) -> None:
    rule = a_rule(tenant, [a_channel(tenant)], renotify_minutes=30, window_minutes=24 * 60)
    calls(tenant, cost_usd="12")
    for minutes in range(0, 65, 5):
        a_round(NOW + minutes * MINUTE)
    assert len(messages(tenant)) == 3
    rule.events.update(acknowledged_at=NOW, acknowledged_by="ada")
    a_round(NOW + 3 * HOUR)
    assert len(messages(tenant)) == 3


def test_quiet_hours_are_those_of_the_workspace_and_what_lasts_is_told_at_their_end(tenant: Tenant) -> None:
    tenant.workspace.time_zone = "Asia/Kolkata"
    tenant.workspace.save()
    rule = a_rule(tenant, [a_channel(tenant)], quiet_from=time(17, 0), quiet_to=time(19, 0), window_minutes=24 * 60)
    calls(tenant, cost_usd="12")
    a_round()  # 17:30 in Kolkata
    assert (told(rule), messages(tenant)) == (["warning"], [])
    a_round(NOW + 90 * MINUTE)
    assert len(messages(tenant)) == 1


def test_what_began_and_ended_while_muted_is_an_event_and_no_message(tenant: Tenant) -> None:
    rule = a_rule(tenant, [a_channel(tenant)], muted_until=NOW + 3 * HOUR)
    calls(tenant, cost_usd="12")
    a_round()
    a_round(NOW + 2 * HOUR)
    a_round(NOW + 4 * HOUR)
    assert (told(rule), messages(tenant)) == (["warning", "ok"], [])


def test_a_template_with_many_breaches_is_one_digest(tenant: Tenant) -> None:
    a_rule(tenant, [a_channel(tenant)], name="Each user", per="user")
    for user in range(30):
        calls(tenant, cost_usd=str(10 + user), user_id=f"user-{user}")
    a_round()
    [message] = messages(tenant)
    assert message["subject"] == "Each user: 30 values of user reached a limit"
    assert message["sentences"][0] == (
        "user-29: $39.00, user-28: $38.00, user-27: $37.00, user-26: $36.00, user-25: $35.00 and 25 more."
    )


def test_long_names_do_not_stop_a_message(tenant: Tenant) -> None:
    values = [f"{number:03}" + "x" * 250 for number in range(20)]
    filters = dict.fromkeys(("agent_id", "not_model", f"label.{'y' * 200}", "release", "environment"), values)
    a_rule(tenant, [a_channel(tenant)], filters=filters, comparison="below", metric="calls", warning=1, name="z" * 100)
    row = {"agent_id": values[0], "release": values[0], "environment": values[0], "labels": {"y" * 200: values[0]}}
    calls(tenant, at=END - 2 * HOUR, **row)
    a_round()
    [message] = messages(tenant)
    assert [words for words, _ in message["links"]] == ["This alert"]


def test_that_some_groups_are_ok_again_waits_until_all_are(tenant: Tenant) -> None:
    a_rule(tenant, [a_channel(tenant)], name="Each user", per="user")
    calls(tenant, cost_usd="12", user_id="ada", at=END - 50 * MINUTE)
    calls(tenant, cost_usd="12", user_id="ben")
    a_round()
    a_round(NOW + 20 * MINUTE)
    assert len(messages(tenant)) == 1
    a_round(NOW + 60 * MINUTE)
    assert subjects(tenant)[1] == "Each user: all 2 are ok again"


def test_thresholds_of_a_budget_that_are_reached_at_once_are_one_message(tenant: Tenant) -> None:
    a_channel(tenant)
    a_budget(tenant, "Customer acme", 50, 80, 100)
    calls(tenant, cost_usd="100")
    for minutes in range(3):
        evaluate_budgets(NOW + minutes * MINUTE)
        a_round(NOW + minutes * MINUTE)
    [message] = messages(tenant)
    assert message["subject"] == "Customer acme: the spend is $100, it has reached $100"
    assert (message["state"], dict(message["facts"])["Resets"]) == ("critical", "1 Dec, 00:00")
    assert message["sentences"] == [
        "Most of it: agent support: $100.",
        "The budget begins anew on 1 Dec, 00:00.",
    ]
    assert Budget.objects.get().alert_events.count() == 3


def test_a_month_begins_in_the_zone_of_the_workspace(tenant: Tenant) -> None:
    tenant.workspace.time_zone = "Asia/Kolkata"
    tenant.workspace.save()
    a_channel(tenant)
    a_budget(tenant, "Kolkata", 100)
    first = NOW.replace(month=11, day=30, hour=18, minute=30, second=0)
    calls(tenant, cost_usd="60", at=first - MINUTE)
    calls(tenant, cost_usd="60", at=first)
    evaluate_budgets(first + MINUTE)
    a_round(first + MINUTE)
    assert messages(tenant) == []
    calls(tenant, cost_usd="40", at=first + MINUTE)
    evaluate_budgets(first + 2 * MINUTE)
    a_round(first + 2 * MINUTE)
    assert dict(messages(tenant)[0]["facts"])["Period"] == "1 Dec, 00:00 to 1 Jan 2027"


def test_what_a_budget_had_passed_before_is_no_news(tenant: Tenant) -> None:
    a_channel(tenant)
    budget = a_budget(tenant, "new", 50, 80)
    Budget.objects.update(evaluated_at=None)
    calls(tenant, cost_usd="60")
    evaluate_budgets(NOW)
    a_round()
    assert messages(tenant) == []
    calls(tenant, cost_usd="20")
    evaluate_budgets(NOW + MINUTE)
    a_round(NOW + MINUTE)
    [message] = messages(tenant)
    assert "It had passed 50% before these thresholds were made." in message["sentences"]
    assert budget.alert_events.count() == 1


def test_channels_that_are_on_call_get_a_message_for_each_rule(tenant: Tenant) -> None:
    channels = [a_channel(tenant), a_channel(tenant, "on call", kind="pagerduty")]
    for number in range(2):
        a_rule(tenant, channels, name=f"rule {number}")
    calls(tenant, cost_usd="12")
    a_round()
    assert [channel.deliveries.count() for channel in channels] == [1, 2]
    assert len({delivery.message["incident"] for delivery in channels[1].deliveries.all()}) == 2


def test_a_recovery_is_told_after_the_silence_where_its_breach_was_told(tenant: Tenant) -> None:
    rule = a_rule(tenant, [a_channel(tenant)], quiet_from=time(12, 30), quiet_to=time(14, 0))
    calls(tenant, cost_usd="12")
    a_round()
    a_round(NOW + HOUR)
    assert (told(rule), len(messages(tenant))) == (["warning", "ok"], 1)
    a_round(NOW + 2 * HOUR)
    assert [message["state"] for message in messages(tenant)] == ["warning", "recovered"]


def test_a_deleted_budget_leaves_its_event_and_stops_nobody(tenant: Tenant) -> None:
    channel = a_channel(tenant)
    budget = a_budget(tenant, "Customer acme", 80)
    calls(tenant, cost_usd="90")
    evaluate_budgets(NOW)
    budget_news.collect(NOW)
    a_rule(tenant, [channel], warning=50)
    budget.delete()
    a_round()
    assert subjects(tenant) == ["Spend is $90.00 in the last hour, above the warning limit of $50.00"]
    event = AlertEvent.objects.get(name="Customer acme")
    page = tenant.client.get(f"/dashboard/alerts/events/{event.pk}?workspace={tenant.workspace.id}")
    assert page.status_code == 200


def test_what_cannot_be_told_stops_no_other_message(tenant: Tenant) -> None:
    channel, other = a_channel(tenant), a_channel(tenant, "other")
    faulty = a_rule(tenant, [channel], name="faulty", critical=9, warning=None)
    a_rule(tenant, [channel], metric="calls", warning=1)
    a_rule(tenant, [other], warning=5)
    calls(tenant, cost_usd="12")
    evaluate(NOW)
    faulty.events.update(details={})
    with pytest.raises(KeyError):
        notices.tell(NOW)
    assert sorted(subject.split(" ")[0] for subject in subjects(tenant)) == ["Calls", "Spend"]


def test_a_message_in_any_script_fits(tenant: Tenant) -> None:
    channel = a_channel(tenant)
    names = ("agent_id", "model", "release", "environment", "label.名")
    for number in range(12):
        filters = {name: [f"{number}{place}" + "語" * 200 for place in range(3)] for name in names}
        a_rule(tenant, [channel], filters=filters, comparison="below", metric="calls", warning=1, name="🦉" * 100)
        first = {name.removeprefix("label."): values[0] for name, values in filters.items()}
        label = {"labels": {"名": first.pop("名")}}
        calls(tenant, at=END - 2 * HOUR, **first, **label)
    a_round()
    [message] = messages(tenant)
    assert message["sentences"][-1] == "And 2 more."


def test_an_acknowledged_rule_is_told_again_only_if_it_becomes_worse(tenant: Tenant) -> None:
    rule = a_rule(tenant, [a_channel(tenant)], warning=10, critical=20, renotify_minutes=30, window_minutes=24 * 60)
    calls(tenant, cost_usd="12")
    a_round()
    calls(tenant, cost_usd="12")
    a_round(NOW + 10 * MINUTE)
    acknowledge(tenant.workspace, rule.events.get(state="critical").pk, "ada", NOW)
    for minutes in range(20, 120, 10):
        a_round(NOW + minutes * MINUTE)
    assert [message["state"] for message in messages(tenant)] == ["warning", "critical"]


def test_what_waits_to_be_told_again_is_not_once_it_is_acknowledged(tenant: Tenant) -> None:
    quiet = {"quiet_from": time(12, 20), "quiet_to": time(13, 0)}
    rule = a_rule(tenant, [a_channel(tenant)], renotify_minutes=30, window_minutes=24 * 60, **quiet)
    calls(tenant, cost_usd="12")
    a_round()
    a_round(NOW + 31 * MINUTE)
    assert rule.events.get().is_waiting
    acknowledge(tenant.workspace, rule.events.get().pk, "ada", NOW + 40 * MINUTE)
    a_round(NOW + 61 * MINUTE)
    assert len(messages(tenant)) == 1


def test_what_is_told_again_says_how_it_is_now(tenant: Tenant) -> None:
    a_rule(tenant, [a_channel(tenant)], renotify_minutes=30, window_minutes=24 * 60)
    calls(tenant, cost_usd="12", model="gpt-4o")
    a_round()
    calls(tenant, cost_usd="30", at=END + 10 * MINUTE, model="gpt-4o-mini")
    for minutes in range(1, 31):
        a_round(NOW + minutes * MINUTE)
    first, second = messages(tenant)
    assert second["subject"] == "Spend is $42.00 in the last day, above the warning limit of $10.00"
    assert dict(second["facts"]) | {"Value": "$42.00", "Calls in it": "2"} == dict(second["facts"])
    assert dict(second["facts"])["Since"] == dict(first["facts"])["Since"]
    assert second["sentences"][0] == "Since the window before: agent support +$42.00."
    assert AlertEvent.objects.get().value == 12


def test_an_alert_of_a_budget_ends_with_its_period(tenant: Tenant) -> None:
    a_channel(tenant)
    a_budget(tenant, "Customer acme", 80)
    calls(tenant, cost_usd="90")
    evaluate_budgets(NOW)
    a_round()
    assert AlertEvent.objects.get().ended_at is None
    evaluate_budgets(NOW + 15 * DAY)
    a_round(NOW + 15 * DAY)
    assert AlertEvent.objects.get().ended_at == NOW + 15 * DAY


def test_a_budget_opens_no_incident_since_nothing_would_close_it(tenant: Tenant) -> None:
    channel = a_channel(tenant, kind="pagerduty")
    a_budget(tenant, "Customer acme", 80)
    calls(tenant, cost_usd="90")
    evaluate_budgets(NOW)
    a_round()
    [delivery] = channel.deliveries.all()
    assert delivery.message["incident"] == ""
    page = tenant.client.get(f"/dashboard/alerts/events/{AlertEvent.objects.get().pk}?workspace={tenant.workspace.id}")
    assert f"/dashboard/alerts/channels/{channel.pk}" in page.content.decode()


def test_a_budget_that_never_begins_anew_says_when_it_ends(tenant: Tenant) -> None:
    a_channel(tenant)
    days = {"fixed_from": NOW.date(), "fixed_to": (NOW + 10 * DAY).date()}
    a_budget(tenant, "Launch", 80, period="fixed", **days)
    calls(tenant, cost_usd="90")
    evaluate_budgets(NOW)
    a_round()
    assert messages(tenant)[0]["sentences"][-1] == "The budget ends on 26 Nov, 00:00."


def test_a_group_without_calls_is_over_in_words(tenant: Tenant) -> None:
    a_rule(tenant, [a_channel(tenant)], metric="error_rate", per="agent", window_minutes=5)
    calls(tenant, at=END - MINUTE, status="error")
    a_round()
    a_round(NOW + 10 * MINUTE)
    assert subjects(tenant)[1].startswith(
        "Error rate of agent support is ok again: no call comes any more, after 10 min"
    )


@pytest.mark.parametrize("changes", [{"warning": 20}, {"window": "6h"}, {"is_active": False}])
def test_who_was_told_hears_that_a_change_of_the_rule_ended_it(tenant: Tenant, changes: dict[str, Any]) -> None:
    rule = a_rule(tenant, [a_channel(tenant, kind="pagerduty")])
    calls(tenant, cost_usd="12")
    a_round()
    change(tenant.workspace, rule.pk, RuleChanges(**changes), "ada", NOW + 10 * MINUTE)
    notices.tell(NOW + 10 * MINUTE)
    first, second = messages(tenant)
    assert (second["subject"], second["state"]) == ("Spend is ok, because the rule was changed", "recovered")
    assert second["incident"] == first["incident"]


def test_a_threshold_whose_channels_are_gone_is_told_on_all(tenant: Tenant) -> None:
    channel = a_channel(tenant, "renamed")
    a_budget(tenant, "Customer acme", 80)
    calls(tenant, cost_usd="90")
    evaluate_budgets(NOW)
    a_round()
    assert [delivery.message["state"] for delivery in channel.deliveries.all()] == ["warning"]


def test_a_threshold_whose_channel_is_off_is_told_nowhere_else(tenant: Tenant) -> None:
    a_channel(tenant, is_active=False)
    a_channel(tenant, "other")
    a_budget(tenant, "Customer acme", 80)
    calls(tenant, cost_usd="90")
    evaluate_budgets(NOW)
    a_round()
    assert messages(tenant) == []
