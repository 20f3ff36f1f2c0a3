"""When rules change their state: each change is one event, whoever looks and however often."""

from threading import Thread
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.test.utils import CaptureQueriesContext
from psycopg.errors import QueryCanceled

from alerts import readings
from alerts.evaluation import evaluate
from alerts.models import Rule
from tests.alerts.rules import DAY, END, HOUR, MINUTE, NOW, a_channel, a_round, a_rule, calls, state_of, the_event, told
from tests.factories import WorkspaceFactory
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__")


def test_a_limit_that_is_reached_exactly_counts(tenant: Tenant) -> None:
    rule = a_rule(tenant, warning=10)
    calls(tenant, cost_usd="10")
    evaluate(NOW)
    event = the_event(rule)
    assert (event.value, event.limit, event.at, event.since) == (10, 10, END, END)


def test_a_rule_is_told_of_once_while_it_lasts(tenant: Tenant) -> None:
    rule = a_rule(tenant)
    calls(tenant, cost_usd="12")
    for minutes in range(5):
        evaluate(NOW + minutes * MINUTE)
    assert told(rule) == ["warning"]


def test_a_round_that_runs_again_changes_nothing(tenant: Tenant) -> None:
    rule = a_rule(tenant, for_evaluations=2)
    calls(tenant, cost_usd="12")
    evaluate(NOW)
    evaluate(NOW)
    assert told(rule) == []
    evaluate(NOW + MINUTE)
    assert told(rule) == ["warning"]


def test_it_becomes_critical_and_then_ok_again(tenant: Tenant) -> None:
    rule = a_rule(tenant, warning=10, critical=20)
    calls(tenant, cost_usd="12")
    evaluate(NOW)
    calls(tenant, cost_usd="8")
    evaluate(NOW + MINUTE)
    evaluate(NOW + HOUR)
    assert told(rule) == ["warning", "critical", "ok"]
    recovery = the_event(rule, "ok")
    assert (recovery.since, recovery.at) == (END, END + HOUR)
    assert not rule.events.filter(ended_at=None).exists()


def test_the_window_ends_half_a_minute_ago_and_is_half_open(tenant: Tenant) -> None:
    rule = a_rule(tenant)
    calls(tenant, cost_usd="10", at=END)
    calls(tenant, cost_usd="10", at=END - HOUR - MINUTE / 60)
    evaluate(NOW)
    assert told(rule) == []
    evaluate(NOW + MINUTE)
    assert told(rule) == ["warning"]


def test_a_late_row_moves_the_spend_and_makes_one_event(tenant: Tenant) -> None:
    rule = a_rule(tenant, window_minutes=7 * 24 * 60)
    calls(tenant, cost_usd="9.99")
    evaluate(NOW)
    calls(tenant, cost_usd="0.01", at=NOW - 6 * DAY)
    evaluate(NOW + MINUTE)
    evaluate(NOW + 2 * MINUTE)
    assert told(rule) == ["warning"]


def test_without_traffic_there_is_no_event(tenant: Tenant) -> None:
    rules = [
        a_rule(tenant),
        a_rule(tenant, comparison="below", metric="calls"),
        a_rule(tenant, metric="error_rate", no_data="notify"),
        a_rule(tenant, comparison="above_previous_percent"),
    ]
    evaluate(NOW)
    assert [told(rule) for rule in rules] == [[], [], [], []]


def test_silence_is_noticed_where_there_was_traffic(tenant: Tenant) -> None:
    few = a_rule(tenant, comparison="below", metric="calls", warning=None, critical=1)
    none = a_rule(tenant, metric="error_rate", no_data="notify")
    keep = a_rule(tenant, metric="error_rate")
    calls(tenant, at=END - 2 * HOUR)
    evaluate(NOW)
    assert (told(few), told(none), told(keep)) == (["critical"], ["no_data"], [])
    calls(tenant, at=END)
    evaluate(NOW + MINUTE)
    assert (told(few), told(none)) == (["critical", "ok"], ["no_data", "ok"])


def test_unpriced_calls_can_be_watched(tenant: Tenant) -> None:
    rule = a_rule(tenant, metric="unpriced_calls", warning=1)
    calls(tenant, cost_usd="1")
    evaluate(NOW)
    assert told(rule) == []
    calls(tenant, model="unheard-of")
    evaluate(NOW + MINUTE)
    assert told(rule) == ["warning"]


def test_agent_spans_that_repeat_sums_add_nothing(tenant: Tenant) -> None:
    rule = a_rule(tenant)
    calls(tenant, cost_usd="9")
    calls(tenant, operation="invoke_agent", model=None, provider=None)
    evaluate(NOW)
    assert told(rule) == []


def test_few_calls_are_no_reason_to_alarm(tenant: Tenant) -> None:
    rule = a_rule(tenant, metric="error_rate", warning=50, minimum_calls=4)
    calls(tenant, 3, status="error")
    evaluate(NOW)
    assert told(rule) == []
    calls(tenant, status="error")
    evaluate(NOW + MINUTE)
    assert told(rule) == ["warning"]


@pytest.mark.parametrize(
    ("metric", "values", "limit"),
    [
        ("p95_latency_ms", {"latency_ms": 5000.0}, 5000),
        ("p50_latency_ms", {"latency_ms": 5000.0}, 5000),
        ("avg_latency_ms", {"latency_ms": 5000.0}, 5000),
        ("p95_first_token_ms", {"first_token_ms": 300.0}, 300),
        ("error_rate", {"status": "error"}, 100),
        ("errors", {"status": "error"}, 2),
        ("calls", {}, 2),
        ("tokens", {"input_tokens": 10, "output_tokens": 5}, 30),
        ("cost_per_call_usd", {"cost_usd": "3"}, 3),
        ("unique_users", {"user_id": "ada"}, 1),
    ],
)
def test_each_metric_is_measured(tenant: Tenant, metric: str, values: dict[str, Any], limit: float) -> None:
    reached, missed = a_rule(tenant, metric=metric, warning=limit), a_rule(tenant, metric=metric, warning=limit * 1.01)
    by_agent = a_rule(tenant, metric=metric, warning=limit, per="agent")
    calls(tenant, 2, **values)
    evaluate(NOW)
    assert (told(reached), told(missed), told(by_agent)) == (["warning"], [], ["warning"])
    assert the_event(by_agent).group == "support"


def test_a_score_is_measured(tenant: Tenant) -> None:
    rule = a_rule(tenant, metric="score.helpful", comparison="below", warning=0.5)
    [row] = tenant.calls(1, at=END - 10 * MINUTE)
    for value in (0.2, 0.6):
        at = END - (1 + value) * MINUTE
        score = {"trace_id": row.trace_id, "name": "helpful", "value": value, "timestamp": at.isoformat()}
        response = tenant.client.post("/api/v1/scores", score, content_type="application/json")
        assert response.status_code == 200, response.content
    evaluate(NOW)
    assert (told(rule), the_event(rule).value) == (["warning"], 0.4)


@pytest.mark.parametrize(
    ("comparison", "before", "now", "is_told"),
    [
        ("above_previous_percent", "4", "6", True),
        ("above_previous_percent", "4", "5.9", False),
        ("below_previous_percent", "4", "2", True),
        ("below_previous_percent", "4", "2.1", False),
        ("above_last_week_percent", "4", "6", True),
        ("below_last_week_percent", "4", "2", True),
    ],
)
def test_percent_against_an_earlier_window(
    tenant: Tenant, comparison: str, before: str, now: str, is_told: bool
) -> None:
    rule = a_rule(tenant, comparison=comparison, warning=50)
    earlier = HOUR if "previous" in comparison else 7 * DAY
    calls(tenant, cost_usd=before, at=END - MINUTE - earlier)
    calls(tenant, cost_usd=now)
    evaluate(NOW)
    assert told(rule) == (["warning"] if is_told else [])


@pytest.mark.parametrize(("month", "day", "later"), [(10, 28, HOUR), (4, 1, -HOUR)], ids=["autumn", "spring"])
def test_the_same_hour_last_week_is_that_of_the_wall_clock(tenant: Tenant, month: int, day: int, later: Any) -> None:
    """Berlin changed its clocks on 25 October and 29 March 2026, so last week's noon was another hour in UTC."""
    tenant.workspace.time_zone = "Europe/Berlin"
    tenant.workspace.save()
    now = NOW.replace(month=month, day=day, hour=11)
    rule = a_rule(tenant, comparison="above_last_week_percent", warning=50)
    calls(tenant, cost_usd="4", at=now - 7 * DAY - later - 5 * MINUTE)
    calls(tenant, cost_usd="6", at=now - 5 * MINUTE)
    evaluate(now)
    assert told(rule) == ["warning"]


def test_filters_narrow_what_a_rule_looks_at(tenant: Tenant) -> None:
    mine = a_rule(tenant, filters={"agent_id": ["support"], "label.customer": ["acme"]})
    others = a_rule(tenant, filters={"not_agent_id": ["support"]})
    calls(tenant, cost_usd="6", labels={"customer": "acme"})
    calls(tenant, cost_usd="6", labels={"customer": "globex"})
    evaluate(NOW)
    assert (told(mine), told(others)) == ([], [])
    calls(tenant, cost_usd="4", labels={"customer": "acme"})
    evaluate(NOW + MINUTE)
    assert (told(mine), told(others)) == (["warning"], [])


def test_each_group_has_a_state_of_its_own(tenant: Tenant) -> None:
    rule = a_rule(tenant, per="user")
    calls(tenant, cost_usd="12", user_id="ada")
    calls(tenant, cost_usd="2", user_id="ben")
    calls(tenant, cost_usd="20")
    evaluate(NOW)
    assert [(event.group, event.value) for event in rule.events.all()] == [("ada", 12)]
    calls(tenant, cost_usd="12", user_id="ben", at=END + MINUTE)
    evaluate(NOW + HOUR - 5 * MINUTE)
    assert [(event.group, event.state) for event in rule.events.order_by("at", "group")] == [
        ("ada", "warning"),
        ("ada", "ok"),
        ("ben", "warning"),
    ]
    assert Rule.objects.get(pk=rule.pk).groups == 1


def test_another_workspace_is_not_seen(tenant: Tenant) -> None:
    rule = a_rule(tenant)
    other = Tenant(WorkspaceFactory(), tenant.client)
    calls(other, cost_usd="100")
    evaluate(NOW)
    assert told(rule) == []


def test_a_fault_of_one_rule_leaves_the_others_alone(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.query.MAX_ROWS", 0)
    faulty = a_rule(tenant, metric="p95_latency_ms", per="user", warning=1)
    sound = a_rule(tenant)
    calls(tenant, cost_usd="12", latency_ms=10.0, user_id="ada")
    evaluate(NOW)
    assert told(sound) == ["warning"]
    assert "1 calls" in Rule.objects.get(pk=faulty.pk).fault


def a_timeout() -> OperationalError:
    error = OperationalError("canceling statement due to statement timeout")
    error.__cause__ = QueryCanceled()
    return error


def test_a_rule_that_takes_too_long_leaves_the_others_alone(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    real = readings.union_rows
    asked: list[int] = []

    def slow(queries: Any, *rest: Any) -> Any:
        asked.append(len(queries))
        if any("slow" in str(params.values()) for _, params in queries):
            raise a_timeout()
        return real(queries, *rest)

    def slow_figures(*_: Any) -> Any:
        raise a_timeout()

    monkeypatch.setattr(readings, "union_rows", slow)
    monkeypatch.setattr(readings.query, "figures", slow_figures)
    slow_rules = [a_rule(tenant, filters={"agent_id": ["slow"]}), a_rule(tenant, metric="p95_latency_ms", warning=1)]
    sound = [a_rule(tenant), a_rule(tenant, window_minutes=120)]
    calls(tenant, cost_usd="12", latency_ms=10.0)
    evaluate(NOW)
    assert [told(rule) for rule in sound] == [["warning"]] * 2
    assert asked == [3, 1, 1, 1]
    assert [Rule.objects.get(pk=rule.pk).fault for rule in slow_rules] == [readings.TOO_SLOW] * 2


def test_a_database_that_is_away_is_asked_once(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def away(queries: Any, *_: Any) -> Any:
        asked.append(len(queries))
        raise OperationalError("connection refused")

    monkeypatch.setattr(readings, "union_rows", away)
    rules = [a_rule(tenant, window_minutes=60 * number) for number in (1, 2, 3)]
    evaluate(NOW)
    assert asked == [3]
    assert [Rule.objects.get(pk=rule.pk).fault for rule in rules] == [readings.NO_ANSWER] * 3


def test_rules_of_the_same_question_share_it(tenant: Tenant, django_assert_num_queries: Any) -> None:
    for limit in range(20):
        a_rule(tenant, warning=limit + 1, metric=("cost_usd", "calls", "error_rate", "tokens")[limit % 4])
    calls(tenant, cost_usd="12")
    evaluate(NOW)
    with django_assert_num_queries(3, using="analytics"):  # how far the sums are, the sums, and whether an hour closed
        evaluate(NOW + MINUTE)


def test_all_users_of_a_rule_are_one_question(tenant: Tenant, django_assert_num_queries: Any) -> None:
    a_rule(tenant, per="user")
    for user in range(50):
        calls(tenant, cost_usd="1", user_id=f"user-{user}")
    evaluate(NOW)
    with django_assert_num_queries(3, using="analytics"):
        evaluate(NOW + MINUTE)


def test_all_users_that_recover_are_one_question(tenant: Tenant) -> None:
    rule = a_rule(tenant, per="user", warning=1)
    for user in range(10):
        calls(tenant, cost_usd="1", user_id=f"user-{user}")
    evaluate(NOW)
    with CaptureQueriesContext(connections["default"]) as captured:
        evaluate(NOW + HOUR)
    assert not rule.events.filter(ended_at=None).exists()
    assert len([1 for query in captured if query["sql"].startswith('UPDATE "alerts_alertevent"')]) == 1


def test_what_becomes_less_critical_is_an_event_and_no_news(tenant: Tenant) -> None:
    rule = a_rule(tenant, [a_channel(tenant)], warning=10, critical=20)
    calls(tenant, cost_usd="12")
    calls(tenant, cost_usd="12", at=END - 55 * MINUTE)
    evaluate(NOW)
    evaluate(NOW + 10 * MINUTE)
    assert told(rule) == ["critical", "warning"]
    assert [event.is_waiting for event in rule.events.order_by("at")] == [True, False]


def test_two_rounds_at_once_make_one_event(transactional_db: None, tenant: Tenant) -> None:
    rules = [a_rule(tenant, [a_channel(tenant, f"c{number}")]) for number in range(5)]
    calls(tenant, cost_usd="12")

    def work() -> None:
        try:
            a_round()
        finally:
            connections.close_all()

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [told(rule) for rule in rules] == [["warning"]] * 5
    assert [rule.events.get().notice is not None for rule in rules] == [True] * 5
    assert all(channel.deliveries.count() == 1 for rule in rules for channel in rule.channels.all())


def test_a_state_is_shown_with_what_it_last_saw(tenant: Tenant) -> None:
    rule = a_rule(tenant)
    calls(tenant, 3, cost_usd="1")
    evaluate(NOW)
    state = rule.states.get()
    assert (state_of(rule), state.value, state.calls, state.at) == ("ok", 3, 3, END)
