"""Which thresholds budgets reach: each makes one event, whoever looks and however often."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections

from budgets.bodies import BudgetChanges, NewRaise
from budgets.changes import change, raise_limit
from budgets.evaluation import claim_forecasts, evaluate, evaluate_budgets, reached_actual, store
from budgets.models import Budget, BudgetEvent, BudgetRaise
from budgets.states import running
from budgets.tasks import delete_old_events
from budgets.tasks import evaluate_budgets as evaluate_budgets_task
from budgets.thresholds import ACTUAL, CRITICAL, FORECAST, WARNING, Threshold, default_thresholds
from tests.factories import WorkspaceFactory
from tests.tenant import Tenant, a_row
from traces import writer

pytestmark = pytest.mark.django_db(databases="__all__")

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_budget(tenant: Tenant, amount: str = "100", is_fresh: bool = False, **values: Any) -> Budget:
    thresholds = values.pop("thresholds", default_thresholds(bool(values.get("per"))))
    return Budget.objects.create(
        workspace=tenant.workspace,
        name="a budget",
        amount_usd=Decimal(amount),
        thresholds=[one.as_json() for one in thresholds],
        evaluated_at=None if is_fresh else NOW - timedelta(days=1),
        **values,
    )


def spend(tenant: Tenant, dollars: str, at: datetime = NOW - HOUR, **values: Any) -> None:
    writer.store(tenant.workspace.id, [a_row(at, cost_usd=dollars, **values)])


def keys(budget: Budget, **values: Any) -> list[str]:
    return sorted(budget.events.filter(**values).values_list("threshold", flat=True))


def test_each_threshold_makes_one_event_however_often_somebody_looks(tenant: Tenant) -> None:
    budget = a_budget(tenant)
    spend(tenant, "50")
    for minutes in range(3):
        evaluate(NOW + minutes * timedelta(minutes=1))
    [event] = budget.events.all()
    assert (event.threshold, event.severity, event.spent_usd, event.limit_usd) == ("actual:50%", "info", 50, 100)
    assert (event.at, event.passed_before) == (NOW, False)
    assert event.period_start == datetime(2026, 11, 1, tzinfo=UTC)


def test_thresholds_that_are_reached_at_once_have_the_same_moment(tenant: Tenant) -> None:
    budget = a_budget(tenant)
    spend(tenant, "100")
    evaluate(NOW)
    assert keys(budget) == ["actual:100%", "actual:50%", "actual:80%"]
    assert {*budget.events.values_list("at", flat=True)} == {NOW}


def test_a_late_row_moves_the_spend_and_makes_one_event(tenant: Tenant) -> None:
    budget = a_budget(tenant)
    spend(tenant, "79.99")
    evaluate(NOW)
    spend(tenant, "0.01", at=NOW - timedelta(days=12))
    evaluate(NOW + HOUR)
    assert keys(budget) == ["actual:50%", "actual:80%"]


def test_a_late_row_of_a_past_period_makes_none(tenant: Tenant) -> None:
    budget = a_budget(tenant)
    spend(tenant, "100", at=datetime(2026, 10, 31, 23, tzinfo=UTC))
    evaluate(NOW)
    assert keys(budget) == []


def test_a_new_period_reaches_the_same_thresholds_again(tenant: Tenant) -> None:
    budget = a_budget(tenant, period="day")
    for day in range(2):
        spend(tenant, "50", at=NOW + timedelta(days=day) - HOUR)
        evaluate(NOW + timedelta(days=day))
    assert budget.events.count() == 2
    assert budget.events.filter(ended_at=None).count() == 1


def test_what_a_budget_had_passed_before_it_was_made_is_no_news(tenant: Tenant) -> None:
    budget = a_budget(tenant, is_fresh=True)
    spend(tenant, "60")
    evaluate(NOW)
    spend(tenant, "30")
    evaluate(NOW + HOUR)
    assert keys(budget, passed_before=True) == ["actual:50%"]
    assert keys(budget, passed_before=False) == ["actual:80%"]


def test_a_higher_amount_arms_what_it_puts_out_of_reach(tenant: Tenant) -> None:
    budget = a_budget(tenant)
    spend(tenant, "80")
    evaluate(NOW)
    Budget.objects.filter(pk=budget.pk).update(amount_usd=150, evaluated_at=None)
    evaluate(NOW + HOUR)
    assert keys(budget, ended_at=None) == ["actual:50%"]
    spend(tenant, "40")
    evaluate(NOW + 2 * HOUR)
    assert keys(budget) == ["actual:50%", "actual:80%", "actual:80%"]
    assert [event.passed_before for event in budget.events.all()] == [False, False, False]


def the_forecast_of_61_dollars(tenant: Tenant) -> Budget:
    """Makes a budget of 50 dollars whose month is expected to cost 61, with its event."""
    budget = a_budget(tenant, amount="50", thresholds=[Threshold(FORECAST, Decimal(100), None, WARNING)])
    for day in range(60):
        spend(tenant, "2", at=NOW - timedelta(days=day) - HOUR)
    evaluate(NOW)
    assert keys(budget, ended_at=None) == ["forecast:100%"]
    return budget


def test_a_raise_arms_the_forecast_that_it_puts_out_of_reach(tenant: Tenant) -> None:
    budget = the_forecast_of_61_dollars(tenant)
    body = NewRaise(amount_usd=Decimal(50), until=datetime.now(UTC) + timedelta(days=1), reason="a launch")
    raise_limit(tenant.workspace, budget.pk, body, "ada", datetime.now(UTC))
    BudgetRaise.objects.update(created_at=NOW, until=NOW + 2 * HOUR)
    evaluate(NOW + timedelta(minutes=1))
    assert keys(budget, ended_at=None) == []
    evaluate(NOW + 3 * HOUR)
    assert keys(budget, ended_at=None) == ["forecast:100%"]
    assert budget.events.count() == 2


def test_a_forecast_threshold_that_is_removed_ends_its_event(tenant: Tenant) -> None:
    budget = the_forecast_of_61_dollars(tenant)
    change(tenant.workspace, budget.pk, BudgetChanges(thresholds=[]), "ada")
    evaluate(NOW + timedelta(minutes=1))
    assert keys(budget, ended_at=None) == []


def test_a_new_name_neither_ends_events_nor_makes_news_old(tenant: Tenant) -> None:
    budget = a_budget(tenant)
    spend(tenant, "50")
    evaluate(NOW)
    change(tenant.workspace, budget.pk, BudgetChanges(name="new", owner="ada"), "ada")
    spend(tenant, "30")
    evaluate(NOW + HOUR)
    assert keys(budget, ended_at=None, passed_before=False) == ["actual:50%", "actual:80%"]


@pytest.mark.parametrize("period", ["year", "rolling_3d"])
def test_another_period_ends_the_events_of_the_one_before(tenant: Tenant, period: str) -> None:
    budget = a_budget(tenant)
    spend(tenant, "50")
    evaluate(NOW)
    change(tenant.workspace, budget.pk, BudgetChanges.model_validate({"period": period}), "ada")
    evaluate(NOW + HOUR)
    before, after = budget.events.order_by("at")
    assert (before.threshold, before.ended_at) == ("actual:50%", NOW + HOUR)
    assert (after.threshold, after.ended_at, after.passed_before) == ("actual:50%", None, True)
    assert after.period_start != before.period_start


def test_a_raise_during_a_round_is_looked_at_by_the_next(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    budget = a_budget(tenant, is_fresh=True)
    body = NewRaise(amount_usd=Decimal(50), until=datetime.now(UTC) + timedelta(days=1), reason="a launch")

    def raise_and_store(*reached: Any) -> None:
        raise_limit(tenant.workspace, budget.pk, body, "ada", datetime.now(UTC))
        store(*reached)

    monkeypatch.setattr("budgets.evaluation.store", raise_and_store)
    evaluate(NOW)
    budget.refresh_from_db()
    assert budget.evaluated_at is None


def test_new_forecasts_are_looked_at_first_and_only_where_a_threshold_needs_one(tenant: Tenant) -> None:
    forecast = [Threshold(FORECAST, Decimal(100), None, WARNING)]
    waits, new = (a_budget(tenant, thresholds=forecast) for _ in range(2))
    Budget.objects.filter(pk=waits.pk).update(forecast_at=NOW - 9 * HOUR)
    a_budget(tenant, thresholds=[Threshold(ACTUAL, Decimal(50), None, WARNING)])
    a_budget(tenant, thresholds=forecast, period="rolling", rolling_days=7)
    own = Budget.objects.create(workspace=tenant.workspace, is_workspace_budget=True, amount_usd=100)
    due = claim_forecasts(NOW)
    assert (due.all, due.anew) == ({waits.pk, new.pk, own.pk}, {new.pk, own.pk})


def test_a_raise_counts_until_it_ends(tenant: Tenant) -> None:
    budget = a_budget(tenant, thresholds=[Threshold(ACTUAL, Decimal(100), None, CRITICAL)])
    raised = BudgetRaise.objects.create(
        budget=budget, amount_usd=50, until=NOW + HOUR, reason="a launch", created_by="ada"
    )
    BudgetRaise.objects.filter(pk=raised.pk).update(created_at=NOW - HOUR)
    spend(tenant, "120")
    evaluate(NOW)
    assert keys(budget) == []
    evaluate(NOW + HOUR)
    [event] = budget.events.all()
    assert (event.limit_usd, event.at) == (100, NOW + HOUR)


def test_nothing_spent_reaches_nothing_not_even_a_limit_of_0(tenant: Tenant) -> None:
    budget = a_budget(tenant, amount="0")
    evaluate(NOW)
    assert keys(budget) == []
    spend(tenant, "0.000001")
    evaluate(NOW + HOUR)
    assert "actual:100%" in keys(budget)


def test_a_template_has_an_event_for_each_value(tenant: Tenant) -> None:
    budget = a_budget(tenant, amount="10", per="user")
    for user, dollars in (("ada", "10"), ("bob", "8"), ("cy", "1"), (None, "1000")):
        spend(tenant, dollars, user_id=user)
    evaluate(NOW)
    found = sorted(budget.events.values_list("value", "threshold"))
    assert found == [
        *(("ada", "actual:100%"), ("ada", "actual:50%"), ("ada", "actual:80%")),
        *(("bob", "actual:50%"), ("bob", "actual:80%")),
    ]


def test_a_rolling_period_can_reach_a_threshold_again_once_it_was_below(tenant: Tenant) -> None:
    half = Threshold(ACTUAL, Decimal(50), None, WARNING)
    budget = a_budget(tenant, period="rolling", rolling_days=2, thresholds=[half])
    spend(tenant, "50")
    for day in range(2):
        evaluate(NOW + timedelta(days=day))
    assert budget.events.count() == 1
    evaluate(NOW + timedelta(days=2))  # the day of the spend has left the period
    spend(tenant, "50", at=NOW + timedelta(days=3) - HOUR)
    evaluate(NOW + timedelta(days=3))
    assert budget.events.count() == 2


def test_a_forecast_beyond_the_limit_makes_an_event_with_its_range(tenant: Tenant) -> None:
    budget = a_budget(tenant, amount="50", thresholds=[Threshold(FORECAST, Decimal(100), None, WARNING, ("mail",))])
    for day in range(60):
        spend(tenant, "2", at=NOW - timedelta(days=day) - HOUR)
    evaluate(NOW)
    [event] = budget.events.all()
    assert (event.threshold, event.spent_usd, event.channels) == ("forecast:100%", 32, ["mail"])
    assert event.expected_usd == pytest.approx(61, abs=0.5)
    assert event.low_usd <= event.expected_usd <= event.high_usd


@pytest.mark.parametrize("day", [1, 3])
def test_early_in_a_period_a_forecast_is_no_verdict(tenant: Tenant, day: int) -> None:
    now = datetime(2026, 11, day, 12, tzinfo=UTC)
    budget = a_budget(tenant, amount="1", thresholds=[Threshold(FORECAST, Decimal(100), None, WARNING)])
    for days in range(60):
        spend(tenant, "2", at=now - timedelta(days=days) - HOUR)
    evaluate(now)
    assert keys(budget) == []


def test_values_of_a_template_are_forecast_from_half_of_their_amount_on(tenant: Tenant) -> None:
    budget = a_budget(tenant, amount="50", per="user", thresholds=[Threshold(FORECAST, Decimal(100), None, WARNING)])
    for day in range(60):
        spend(tenant, "2", at=NOW - timedelta(days=day) - HOUR, user_id="ada")
        spend(tenant, "1.5", at=NOW - timedelta(days=day) - HOUR, user_id="bob")
    evaluate(NOW)
    assert list(budget.events.values_list("value", "threshold")) == [("ada", "forecast:100%")]


def test_budgets_that_are_off_over_or_without_a_limit_are_not_watched(tenant: Tenant) -> None:
    off = a_budget(tenant, is_active=False)
    over = a_budget(tenant, period="fixed", fixed_from=date(2026, 10, 1), fixed_to=date(2026, 11, 16))
    running = a_budget(tenant, period="fixed", fixed_from=date(2026, 11, 16), fixed_to=date(2026, 11, 17))
    Budget.objects.create(workspace=tenant.workspace, is_workspace_budget=True)
    spend(tenant, "50")
    evaluate(NOW)
    assert (keys(off), keys(over), keys(running)) == ([], [], ["actual:50%"])


def test_the_workspaces_own_budget_warns_at_its_alert_threshold(tenant: Tenant) -> None:
    budget = Budget.objects.create(
        workspace=tenant.workspace, is_workspace_budget=True, amount_usd=100, alert_threshold_percentage=70
    )
    spend(tenant, "70")
    evaluate(NOW)
    [event] = budget.events.all()
    assert (event.threshold, event.severity) == ("actual:70%", "warning")


def test_a_fault_of_one_workspace_does_not_stop_the_others(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Tenant(WorkspaceFactory(), tenant.client)
    budgets = [a_budget(tenant), a_budget(other)]
    spend(tenant, "50")
    spend(other, "50")

    def faulty(group: Any, *rest: Any) -> None:
        if group[0].workspace == tenant.workspace:
            raise ZeroDivisionError
        evaluate_budgets(group, *rest)

    monkeypatch.setattr("budgets.evaluation.evaluate_budgets", faulty)
    with pytest.raises(ZeroDivisionError):
        evaluate(NOW)
    assert [keys(budget) for budget in budgets] == [[], ["actual:50%"]]


def test_after_a_fault_the_next_minute_is_the_next_attempt() -> None:
    first_attempt: Any = SimpleNamespace(attempts=0)
    strategy = evaluate_budgets_task.retry_strategy
    assert strategy is not None
    assert strategy.get_retry_decision(exception=ZeroDivisionError(), job=first_attempt) is None


def test_forecasts_of_a_faulty_workspace_do_not_take_the_turn_of_others(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    forecast = [Threshold(FORECAST, Decimal(100), None, WARNING)]
    faulty, good = a_budget(tenant, thresholds=forecast), a_budget(Tenant(WorkspaceFactory(), tenant.client))
    Budget.objects.filter(pk=good.pk).update(forecast_at=NOW - 2 * HOUR)
    Budget.objects.filter(pk=faulty.pk).update(forecast_at=NOW - 3 * HOUR)
    monkeypatch.setattr("budgets.evaluation.FORECASTS_OF_A_ROUND", 1)
    monkeypatch.setattr("budgets.evaluation.evaluate_budgets", lambda group, *rest: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        evaluate(NOW)
    assert claim_forecasts(NOW + timedelta(minutes=1)).all == {good.pk}


def test_a_deleted_budget_takes_no_events_of_others_with_it(tenant: Tenant) -> None:
    gone, stays = a_budget(tenant), a_budget(tenant)
    spend(tenant, "50")
    found = [one for budget in (gone, stays) if (one := running(budget, NOW))]
    reached = list(reached_actual(found))
    Budget.objects.get(pk=gone.pk).delete()
    store(reached, NOW)
    assert list(BudgetEvent.objects.values_list("budget", "threshold")) == [(stays.pk, "actual:50%")]


def test_events_are_deleted_after_400_days_but_not_while_they_are_open(tenant: Tenant) -> None:
    budget = a_budget(tenant)
    spend(tenant, "80")
    evaluate(NOW)
    budget.events.filter(threshold="actual:50%").update(ended_at=NOW)
    BudgetEvent.objects.update(at=datetime.now(UTC) - timedelta(days=401))
    delete_old_events(datetime.now(UTC).isoformat())
    assert keys(budget) == ["actual:80%"]


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_two_evaluators_at_once_make_one_event(tenant: Tenant) -> None:
    budget = a_budget(tenant)
    spend(tenant, "80")

    def look() -> None:
        evaluate(NOW)
        connections.close_all()

    threads = [Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert keys(budget) == ["actual:50%", "actual:80%"]
