from datetime import timedelta
from decimal import Decimal

import pytest

from analytics import catalogue
from budgets.models import Budget
from tests.factories import WorkspaceFactory
from tests.tenant import NOON, Tenant, a_row, iso

pytestmark = pytest.mark.django_db(databases="__all__")

METRICS = [route for route, metric in catalogue.METRICS.items() if metric.domain == "cost" and metric.panel.has_filters]
HOUR = timedelta(hours=1)
CLASSES = ("input", "output", "cache_read", "cache_write", "audio", "image", "search", "other")
NO_PARTS = dict.fromkeys(CLASSES, 0)


def total(answer: dict) -> float:
    if "total_spend_usd" in answer:
        return answer["total_spend_usd"]
    return sum(row["cost_usd"] for row in answer["data"])


@pytest.mark.parametrize("metric", METRICS)
class TestEveryCostMetric:
    def test_a_metric_does_not_see_another_workspace(self, tenant: Tenant, metric: str) -> None:
        from traces import writer

        tenant.calls(3, cost_usd="1")
        writer.store(WorkspaceFactory().id, [a_row(cost_usd="1") for _ in range(2)])
        assert total(tenant.ask(metric)) == 3

    @pytest.mark.parametrize("name", ["agent_id", "model", "provider"])
    def test_a_metric_filters_by(self, tenant: Tenant, metric: str, name: str) -> None:
        tenant.calls(2, cost_usd="1")
        tenant.calls(1, cost_usd="1", **{name: "other"})
        assert total(tenant.ask(metric, **{name: "other"})) == 1

    def test_the_window_is_half_open_to_the_microsecond(self, tenant: Tenant, metric: str) -> None:
        start, end = NOON + timedelta(microseconds=7), NOON + HOUR + timedelta(microseconds=11)
        for at in (start, end - timedelta(microseconds=1)):
            tenant.calls(1, at, cost_usd="1")
        for at in (start - timedelta(microseconds=1), end):
            tenant.calls(10, at, cost_usd="1")
        assert total(tenant.ask(metric, start=iso(start), end=iso(end))) == 2

    def test_a_metric_answers_an_empty_workspace(self, tenant: Tenant, metric: str) -> None:
        assert total(tenant.ask(metric)) == 0

    def test_money_is_exact(self, tenant: Tenant, metric: str) -> None:
        tenant.calls(10, cost_usd="0.1")
        assert total(tenant.ask(metric, start=iso(NOON), end=iso(NOON + HOUR), granularity="hourly")) == 1.0

    def test_a_metric_refuses_a_bad_parameter(self, tenant: Tenant, metric: str) -> None:
        assert tenant.ask(metric, expect=422, limit=0, range="2d")["status"] == 422


def test_overview_counts_unpriced_calls_and_compares_with_the_previous_window(tenant: Tenant) -> None:
    tenant.calls(1, NOON - HOUR, cost_usd="2")
    tenant.calls(2, NOON, cost_usd="1.50")
    tenant.calls(3, NOON)
    Budget.objects.create(is_workspace_budget=True, workspace=tenant.workspace, amount_usd=10)
    answer = tenant.ask("cost/overview", start=iso(NOON), end=iso(NOON + HOUR))
    assert answer["total_spend_usd"] == 3.0
    assert answer["avg_cost_per_call_usd"] == 1.5
    assert answer["unpriced_calls"] == 3
    assert answer["change_from_previous"] == 50.0
    assert answer["budget_limit_usd"] == 10.0


def test_calls_without_any_price_have_no_known_spend(tenant: Tenant) -> None:
    tenant.calls(3)
    assert tenant.ask("cost/overview")["total_spend_usd"] is None
    assert tenant.ask("cost/by-model")["total_cost_usd"] is None


def test_trend_sums_the_models_past_the_limit(tenant: Tenant) -> None:
    tenant.calls(1, NOON, model="a", cost_usd="3")
    tenant.calls(1, NOON, model="b", cost_usd="2")
    tenant.calls(1, NOON, model="c", cost_usd="1")
    tenant.calls(1, NOON, model=None)
    answer = tenant.ask("cost/trend", start=iso(NOON), end=iso(NOON + 2 * HOUR), granularity="hourly", limit=1)
    assert answer["models"] == ["a"]
    assert answer["data"] == [
        {"timestamp": iso(NOON), "provider": "openai", "model": "a", "cost_usd": 3.0, "calls": 1},
        {"timestamp": iso(NOON), "provider": None, "model": None, "cost_usd": 3.0, "calls": 3},
        {"timestamp": iso(NOON + HOUR), "provider": "openai", "model": "a", "cost_usd": 0.0, "calls": 0},
        {"timestamp": iso(NOON + HOUR), "provider": None, "model": None, "cost_usd": 0.0, "calls": 0},
    ]


def test_by_model_sums_the_models_past_the_limit(tenant: Tenant) -> None:
    tenant.calls(3, model="a", cost_usd="1", input_tokens=10, output_tokens=1)
    tenant.calls(1, model="b", cost_usd="0.75")
    tenant.calls(1, model="c", cost_usd="0.25")
    tenant.calls(1, model="c")
    answer = tenant.ask("cost/by-model", limit=1)
    assert answer["total_cost_usd"] == 4.0
    assert answer["data"] == [
        {
            "provider": "openai",
            "model": "a",
            "calls": 3,
            "input_tokens": 30,
            "output_tokens": 3,
            "cost_usd": 3.0,
            "percentage": 75.0,
            "avg_cost_per_call_usd": 1.0,
            "unpriced_calls": 0,
            "cost_by_class": NO_PARTS | {"other": 3.0},
        },
        {
            "provider": None,
            "model": None,
            "calls": 3,
            "input_tokens": 0,
            "output_tokens": 0,
            "cost_usd": 1.0,
            "percentage": 25.0,
            "avg_cost_per_call_usd": 0.5,
            "unpriced_calls": 1,
            "cost_by_class": NO_PARTS | {"other": 1.0},
        },
    ]


def test_by_model_says_what_the_cost_is_made_of(tenant: Tenant) -> None:
    parts = {"input_cost_usd": Decimal("0.25"), "output_cost_usd": Decimal("0.5"), "search_cost_usd": Decimal("0.125")}
    tenant.calls(2, model="a", cost_usd="1", **parts)
    tenant.calls(1, model="a", cost_usd="2")
    tenant.calls(1, model="b")
    for narrower in ({}, {"agent_id": "support"}, {"provider": "openai"}):
        a, b = tenant.ask("cost/by-model", **narrower)["data"]
        assert a["cost_by_class"] == NO_PARTS | {"input": 0.5, "output": 1.0, "search": 0.25, "other": 2.25}
        assert sum(a["cost_by_class"].values()) == a["cost_usd"] == 4.0
        assert b["cost_by_class"] is None
    window = {"start": iso(NOON - HOUR), "end": iso(NOON + HOUR)}
    panel = tenant.client.get("/api/v1/cost/by-model", window, headers={"HX-Request": "true"}).text
    assert "search $0.25" in panel
    assert "image" not in panel
