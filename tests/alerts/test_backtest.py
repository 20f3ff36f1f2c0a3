"""What a rule would have told in the past: the same as rounds at those moments would have."""

from datetime import datetime
from typing import Any

import pytest
from django.db import connections

from alerts import backtest as backtests
from alerts import series
from alerts.backtest import backtest, preview
from alerts.evaluation import evaluate
from alerts.metrics import METRICS
from alerts.rule_bodies import NewRule, validated
from tests.alerts.rules import DAY, END, HOUR, MINUTE, NOW, a_rule, calls, told
from tests.tenant import Tenant, a_row
from traces import writer

pytestmark = pytest.mark.django_db(databases="__all__")


def a_past(tenant: Tenant) -> None:
    """Three bursts, one of them a week ago, between single calls."""
    for hours in range(0, 200, 5):
        calls(tenant, at=END - hours * HOUR - 3 * MINUTE, cost_usd="1", latency_ms=100.0, user_id=f"u{hours % 3}")
    for moment in (END - 7 * DAY - 35 * MINUTE, END - 2 * DAY - 95 * MINUTE, END - 55 * MINUTE):
        calls(tenant, 5, at=moment, cost_usd="3", latency_ms=4000.0, status="error", user_id="ada")


PERS = ("", "agent", "user")
COMPARED = ("above", "above_last_week_percent", "above_previous_percent")


@pytest.mark.parametrize(("place", "metric"), [*enumerate(METRICS)])
def test_it_tells_what_rounds_would_have(tenant: Tenant, place: int, metric: str) -> None:
    comparison, per = COMPARED[place % 3], PERS[place // 3 % 3]
    values: dict[str, Any] = {"metric": metric, "comparison": comparison, "per": per, "window_minutes": 30}
    warning = 1000 if "latency" in metric else {"error_rate": 50, "unique_users": 1}.get(metric, 4)
    rule = a_rule(tenant, **(values | {"warning": 50 if "percent" in comparison else warning}))
    a_past(tenant)
    found = backtest(rule, NOW)
    every = found["every_minutes"]
    near = [event for event in found["events"] if event["at"] > END - 2 * HOUR]
    # What was reached before, and could not be judged since: the rounds begin in ok.
    near = near[1:] if near and near[0]["state"] == "ok" else near
    for minutes in range(2 * 60 - every, -1, -every):
        evaluate(NOW - minutes * MINUTE)
    rounds = [(event.at, event.state, event.group or None) for event in rule.events.order_by("at", "group")]
    assert [(event["at"], event["state"], event["group"]) for event in near] == rounds


def test_each_moment_is_looked_at_as_its_sums_are_narrow(tenant: Tenant) -> None:
    wide, narrow = a_rule(tenant, window_minutes=24 * 60, per="agent"), a_rule(tenant, per="agent")
    assert backtest(a_rule(tenant), NOW)["every_minutes"] == 1
    assert backtest(narrow, NOW)["every_minutes"] == 10
    assert backtest(wide, NOW)["every_minutes"] == 60
    assert backtest(a_rule(tenant, per="agent", window_minutes=15), NOW)["every_minutes"] == 5


def test_it_counts_shows_and_says_the_moments(tenant: Tenant) -> None:
    a_past(tenant)
    body = validated(
        {"name": "Spend", "metric": "cost_usd", "window": "1h", "comparison": "above", "critical": 12}, NewRule
    )
    found = preview(tenant.workspace, body, NOW)
    assert found["fired"] == 3
    assert [event["state"] for event in found["events"]] == ["critical", "ok"] * 2 + ["critical"]
    assert found["events"][0]["message"] == "Spend is $15.00 in the last hour, above the critical limit of $12.00"
    assert (found["start"], found["end"], found["evaluations"]) == (END - 30 * DAY, END, 30 * 24 * 60)
    assert max(point["value"] or 0 for point in found["series"]) == 16
    assert (found["advice"], found["is_shortened"]) == (None, False)


def test_never_and_very_often_are_said_with_what_to_change(tenant: Tenant) -> None:
    a_past(tenant)
    never = backtest(a_rule(tenant, warning=100), NOW)
    assert never["advice"] == "The highest was $16.00: a limit before it would tell something."
    often = backtest(a_rule(tenant, warning=1, window_minutes=5), NOW)
    assert often["fired"] == 43
    assert str(often["advice"]).startswith("43 times is too often to be read: 1 % of the time is beyond ")


def test_of_very_many_moments_the_newest_are_listed(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    a_past(tenant)
    rule = a_rule(tenant, warning=1, window_minutes=5)
    newest = backtest(rule, NOW)["events"][-3:]
    monkeypatch.setattr(backtests, "MOST_EVENTS", 3)
    assert backtest(rule, NOW)["events"] == newest


def test_a_past_that_takes_too_long_is_cut_short_and_said(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    real = backtests.courses

    def slow(rule: Any, start: datetime, *rest: Any) -> Any:
        if END - start > DAY:
            with connections["analytics"].cursor() as cursor:
                cursor.execute("SELECT pg_sleep(5)")
        return real(rule, start, *rest)

    monkeypatch.setattr(backtests, "courses", slow)
    found = backtest(a_rule(tenant, window_minutes=30), NOW)
    assert (found["start"], found["is_shortened"]) == (END - DAY, True)


def test_each_hour_of_30_days_is_better_than_each_minute_of_a_few(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = backtests.courses

    def slow(rule: Any, start: datetime, end: datetime, step: Any) -> Any:
        if step < HOUR:
            with connections["analytics"].cursor() as cursor:
                cursor.execute("SELECT pg_sleep(5)")
        return real(rule, start, end, step)

    monkeypatch.setattr(backtests, "courses", slow)
    found = backtest(a_rule(tenant), NOW)
    assert (found["start"], found["every_minutes"], found["is_shortened"]) == (END - 30 * DAY, 60, False)


def test_what_is_unusual_is_found_in_the_past_and_now(tenant: Tenant) -> None:
    rule = a_rule(tenant, comparison="unusual", metric="calls", warning=50, window_minutes=60)
    rows = [a_row(END - hours * HOUR - 30 * MINUTE) for hours in range(24 * 45) for _ in range(20)]
    writer.store(tenant.workspace.id, rows)
    evaluate(NOW - HOUR)
    assert told(rule) == []
    calls(tenant, 200, at=END - 30 * MINUTE)
    found = backtest(rule, NOW)
    assert [(event["at"], event["state"]) for event in found["events"]] == [(END, "warning")]
    evaluate(NOW)
    assert told(rule) == ["warning"]
    evaluate(NOW + 4 * HOUR)
    assert told(rule) == ["warning", "ok"]


@pytest.mark.parametrize("metric", ["p95_latency_ms", "unique_users"])
def test_of_many_groups_only_those_that_are_shown_are_read(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, metric: str
) -> None:
    real, read = series.rows, set()

    def seen(*args: Any, **names: Any) -> Any:
        found = real(*args, **names)
        read.update(row["value"] for row in found)
        return found

    monkeypatch.setattr(series, "rows", seen)
    monkeypatch.setattr(series, "MOST_GROUPS", 2)
    for place in range(5):
        calls(tenant, place + 1, agent_id=f"agent-{place}", latency_ms=100.0, user_id="ada")
    backtest(a_rule(tenant, metric=metric, per="agent", warning=1), NOW)
    assert read == {"agent-3", "agent-4"}
