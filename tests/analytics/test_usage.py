import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from tests.factories import WorkspaceFactory
from tests.tenant import NOON, Tenant, a_row, iso
from traces.rollups.catalogue import BLOCK_SIZE

pytestmark = pytest.mark.django_db(databases="__all__")

METRICS = ["usage/overview", "usage/calls-over-time", "usage/agent-distribution", "usage/top-users"]
"""Those whose answers say how many calls they are about."""
HOUR = timedelta(hours=1)


def total(answer: dict) -> int:
    if "total_calls" in answer:
        return answer["total_calls"]
    return sum(row["calls"] for row in answer["data"])


@pytest.mark.parametrize("metric", METRICS)
class TestEveryUsageMetric:
    def test_a_metric_does_not_see_another_workspace(self, tenant: Tenant, metric: str) -> None:
        from traces import writer

        tenant.calls(3, user_id="ada")
        writer.store(WorkspaceFactory().id, [a_row(user_id="ada") for _ in range(2)])
        assert total(tenant.ask(metric)) == 3

    @pytest.mark.parametrize("name", ["agent_id", "model", "provider"])
    def test_a_metric_filters_by(self, tenant: Tenant, metric: str, name: str) -> None:
        tenant.calls(2, user_id="ada")
        tenant.calls(1, user_id="ada", **{name: "other"})
        assert total(tenant.ask(metric, **{name: "other"})) == 1

    def test_a_metric_counts_model_calls_without_an_operation_filter(self, tenant: Tenant, metric: str) -> None:
        tenant.calls(2, user_id="ada")
        tenant.calls(1, user_id="ada", operation="embeddings")
        tenant.calls(4, user_id="ada", operation="execute_tool")
        tenant.calls(5, user_id="ada", operation="invoke_agent")
        assert total(tenant.ask(metric)) == 3
        assert total(tenant.ask(metric, operation="execute_tool")) == 4

    def test_the_window_is_half_open_to_the_microsecond(self, tenant: Tenant, metric: str) -> None:
        start, end = NOON + timedelta(microseconds=7), NOON + HOUR + timedelta(microseconds=11)
        for at in (start, end - timedelta(microseconds=1)):
            tenant.calls(1, at, user_id="ada")
        for at in (start - timedelta(microseconds=1), end):
            tenant.calls(10, at, user_id="ada")
        assert total(tenant.ask(metric, start=iso(start), end=iso(end))) == 2

    def test_a_metric_answers_an_empty_workspace(self, tenant: Tenant, metric: str) -> None:
        assert total(tenant.ask(metric)) == 0


@pytest.mark.parametrize(
    ("query", "calls"),
    [
        ({"release": "42"}, 2),
        ({"release": ["41", "42"]}, 3),
        ({"not_release": "42"}, 4),
        ({"not_release": ["41", "42"]}, 3),
        ({"release": ["41", "42"], "not_release": "42"}, 1),
        ({"label.customer": "acme"}, 2),
        ({"not_label.customer": "acme"}, 4),
        ({"label.nothing": "acme"}, 0),
        ({"not_label.nothing": "acme"}, 6),
        ({"user_id": "ada", "environment": "production"}, 1),
        ({"not_user_id": ["ada", "nobody"]}, 4),
    ],
)
def test_filters_select_any_of_their_values_and_keep_calls_without_a_value(
    tenant: Tenant, query: dict[str, Any], calls: int
) -> None:
    tenant.calls(2, release="42", labels={"customer": "acme"})
    tenant.calls(1, release="41", user_id="ada", environment="production")
    tenant.calls(1, user_id="ada", environment="staging", labels={"customer": "globex"})
    tenant.calls(2)
    assert tenant.ask("usage/overview", **query)["total_calls"] == calls


def test_overview_compares_with_the_previous_window(tenant: Tenant) -> None:
    tenant.calls(2, NOON - HOUR, user_id="ada", agent_id="support")
    tenant.calls(3, NOON, user_id="ada", agent_id="support")
    tenant.calls(1, NOON, user_id="bob", agent_id="sales")
    tenant.calls(2, NOON)
    assert tenant.ask("usage/overview", start=iso(NOON), end=iso(NOON + HOUR)) == {
        "total_calls": 6,
        "unique_users": 2,
        "active_agents": 2,
        "avg_calls_per_user": 3.0,
        "change_from_previous": {
            "total_calls": 200.0,
            "unique_users": 100.0,
            "active_agents": 100.0,
            "avg_calls_per_user": 50.0,
        },
    }


def test_overview_of_nothing_has_no_ratio_and_no_change(tenant: Tenant) -> None:
    assert tenant.ask("usage/overview") == {
        "total_calls": 0,
        "unique_users": 0,
        "active_agents": 0,
        "avg_calls_per_user": None,
        "change_from_previous": {
            "total_calls": None,
            "unique_users": None,
            "active_agents": None,
            "avg_calls_per_user": None,
        },
    }


def test_calls_over_time_has_every_bucket_of_the_window(tenant: Tenant) -> None:
    tenant.calls(2, NOON + 1.5 * HOUR)
    tenant.calls(1, NOON + 1.5 * HOUR, status="timeout")
    answer = tenant.ask("usage/calls-over-time", start=iso(NOON + HOUR / 2), end=iso(NOON + 3 * HOUR))
    assert answer["granularity"] == "minute"
    assert len(answer["data"]) == 150
    answer = tenant.ask(
        "usage/calls-over-time", start=iso(NOON + HOUR / 2), end=iso(NOON + 3 * HOUR), granularity="hourly"
    )
    assert answer["total_calls"] == 3
    assert answer["data"] == [
        {"timestamp": iso(NOON), "calls": 0, "errors": 0},
        {"timestamp": iso(NOON + HOUR), "calls": 3, "errors": 1},
        {"timestamp": iso(NOON + 2 * HOUR), "calls": 0, "errors": 0},
    ]


def test_agent_distribution_sums_the_agents_past_the_limit(tenant: Tenant) -> None:
    tenant.calls(5, agent_id="a", latency_ms=100.0, cost_usd="0.10")
    tenant.calls(3, agent_id="b", status="error")
    tenant.calls(1, agent_id="c", latency_ms=10.0, cost_usd="0.25")
    tenant.calls(1, agent_id="d", latency_ms=30.0)
    answer = tenant.ask("usage/agent-distribution", limit=2)
    assert answer["total_calls"] == 10
    assert answer["data"] == [
        {
            "agent_id": "a",
            "calls": 5,
            "percentage": 50.0,
            "avg_latency_ms": 100.0,
            "error_rate": 0.0,
            "cost_usd": 0.5,
        },
        {
            "agent_id": "b",
            "calls": 3,
            "percentage": 30.0,
            "avg_latency_ms": None,
            "error_rate": 100.0,
            "cost_usd": None,
        },
        {
            "agent_id": None,
            "calls": 2,
            "percentage": 20.0,
            "avg_latency_ms": 20.0,
            "error_rate": 0.0,
            "cost_usd": 0.25,
        },
    ]


def test_top_users_trend_against_the_previous_window(tenant: Tenant) -> None:
    window = {"start": iso(NOON), "end": iso(NOON + HOUR)}
    for user, before, now in (("up", 2, 5), ("flat", 4, 4), ("down", 4, 3), ("new", 0, 2), ("gone", 9, 0)):
        tenant.calls(before, NOON - HOUR, user_id=user)
        tenant.calls(now, NOON + HOUR / 2, user_id=user, cost_usd="0.5", agent_id=user)
    tenant.calls(1, NOON, agent_id="nobody")
    answer = tenant.ask("usage/top-users", **window)
    assert [(row["user_id"], row["calls"], row["change_from_previous"]) for row in answer["data"]] == [
        ("up", 5, 150.0),
        ("flat", 4, 0.0),
        ("down", 3, -25.0),
        ("new", 2, None),
    ]
    assert [row["trend"] for row in answer["data"]] == ["up", "flat", "down", "new"]
    assert answer["data"][0] | {"trend": "", "change_from_previous": 0} == {
        "user_id": "up",
        "calls": 5,
        "cost_usd": 2.5,
        "active_agents": 1,
        "last_seen": iso(NOON + HOUR / 2),
        "change_from_previous": 0,
        "trend": "",
    }
    assert len(tenant.ask("usage/top-users", **window, limit=1)["data"]) == 1


def test_users_count_once_across_the_blocks_of_their_numbers(tenant: Tenant) -> None:
    with connections["analytics"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO user_numbers (workspace_id, user_id, number) VALUES (%s, 'before', %s)",
            [tenant.workspace.id, BLOCK_SIZE - 3],
        )
    users = ["ada", "bob", "cy", "dee"]
    for user_id in users:
        tenant.calls(1, NOON - 5 * HOUR, user_id=user_id, status="error")  # of a closed hour, in sets
    for user_id in (*users[1:3], "eve"):
        tenant.calls(1, NOON, user_id=user_id, status="error")
    assert tenant.ask("usage/overview")["unique_users"] == 5
    assert tenant.ask("usage/overview", start=iso(NOON), end=iso(NOON + HOUR))["unique_users"] == 3
    [group] = tenant.ask("performance/errors")["data"]
    assert group["users_affected"] == 5


def test_tokens_are_counted_by_class_and_bucket_with_the_share_of_caches(tenant: Tenant) -> None:
    parts = {"cache_read_tokens": 30, "cache_write_tokens": 10, "reasoning_tokens": 4}
    tenant.calls(2, NOON, input_tokens=100, output_tokens=9, **parts)
    tenant.calls(1, NOON, input_tokens=40, output_tokens=1)
    tenant.calls(5, NOON, operation="execute_tool")
    answer = tenant.ask("usage/tokens", start=iso(NOON), end=iso(NOON + 2 * HOUR), granularity="hourly")
    counts = {
        "input_tokens": 240,
        "output_tokens": 19,
        "cache_read_tokens": 60,
        "cache_write_tokens": 20,
        "reasoning_tokens": 8,
        "cache_read_percentage": 25.0,
    }
    nothing = dict.fromkeys(counts, 0) | {"cache_read_percentage": None}
    assert answer == {
        "granularity": "hourly",
        **counts,
        "data": [{"timestamp": iso(NOON), **counts}, {"timestamp": iso(NOON + HOUR), **nothing}],
    }


def test_tokens_of_an_empty_workspace_are_none(tenant: Tenant) -> None:
    answer = tenant.ask("usage/tokens")
    assert (answer["input_tokens"], answer["cache_read_percentage"]) == (0, None)
    assert len(answer["data"]) == 24


def test_the_panel_of_tokens_draws_classes_that_do_not_overlap(tenant: Tenant) -> None:
    tenant.calls(1, NOON, input_tokens=100, cache_read_tokens=30, cache_write_tokens=10, output_tokens=9)
    query = {"start": iso(NOON), "end": iso(NOON + HOUR), "granularity": "hourly"}
    text = tenant.client.get("/api/v1/usage/tokens", query, headers={"HX-Request": "true"}).content.decode()
    figure = json.loads(re.findall(r'<script id="figure-usage-tokens"[^>]*>(.*?)</script>', text)[0])
    drawn = {series["name"]: (series["y"], series["customdata"]) for series in figure["data"]}
    assert drawn == {
        "Input": ([60], ["60 tokens"]),
        "Input from caches": ([30], ["30 tokens"]),
        "Input to caches": ([10], ["10 tokens"]),
        "Output": ([9], ["9 tokens"]),
    }
    assert "<b>30 %</b> of it from caches" in text
