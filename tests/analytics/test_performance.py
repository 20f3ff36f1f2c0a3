import html
import re
from datetime import timedelta
from typing import Any

import pytest

from tests.factories import WorkspaceFactory
from tests.tenant import NOON, Tenant, a_row, iso
from traces import writer

pytestmark = pytest.mark.django_db(databases="__all__")

METRICS = ["performance/overview", "performance/latency", "performance/throughput", "performance/errors"]
"""Those whose answers say how many calls they are about."""
HOUR = timedelta(hours=1)
HOURS = {"start": iso(NOON), "end": iso(NOON + 2 * HOUR), "granularity": "hourly"}


def total(answer: dict) -> int:
    for name in ("total_requests", "total_errors"):
        if name in answer:
            return answer[name]
    return sum(row.get("total", row.get("calls")) for row in answer["data"])


@pytest.mark.parametrize("metric", METRICS)
class TestEveryPerformanceMetric:
    def test_a_metric_does_not_see_another_workspace(self, tenant: Tenant, metric: str) -> None:
        tenant.calls(3, status="error")
        writer.store(WorkspaceFactory().id, [a_row(status="error") for _ in range(2)])
        assert total(tenant.ask(metric)) == 3

    @pytest.mark.parametrize("name", ["agent_id", "model", "provider"])
    def test_a_metric_filters_by(self, tenant: Tenant, metric: str, name: str) -> None:
        tenant.calls(2, status="error")
        tenant.calls(1, status="error", **{name: "other"})
        assert total(tenant.ask(metric, **{name: "other"})) == 1

    def test_a_metric_counts_model_calls_without_an_operation_filter(self, tenant: Tenant, metric: str) -> None:
        tenant.calls(2, status="error")
        tenant.calls(4, status="error", operation="execute_tool")
        assert total(tenant.ask(metric)) == 2
        assert total(tenant.ask(metric, operation="execute_tool")) == 4

    def test_the_window_is_half_open_to_the_microsecond(self, tenant: Tenant, metric: str) -> None:
        start, end = NOON + timedelta(microseconds=7), NOON + HOUR + timedelta(microseconds=11)
        for at in (start, end - timedelta(microseconds=1)):
            tenant.calls(1, at, status="error")
        for at in (start - timedelta(microseconds=1), end):
            tenant.calls(10, at, status="error")
        assert total(tenant.ask(metric, start=iso(start), end=iso(end))) == 2

    def test_a_metric_answers_an_empty_workspace(self, tenant: Tenant, metric: str) -> None:
        assert total(tenant.ask(metric)) == 0

    def test_a_metric_refuses_a_bad_parameter(self, tenant: Tenant, metric: str) -> None:
        assert tenant.ask(metric, expect=422, limit=0, range="2d")["status"] == 422


def test_overview_compares_with_the_previous_window(tenant: Tenant) -> None:
    tenant.calls(1, NOON - HOUR, latency_ms=50.0)
    tenant.calls(1, NOON - HOUR, latency_ms=50.0, status="error")
    for latency_ms in (0.0, 100.0, 200.0):
        tenant.calls(1, NOON, latency_ms=latency_ms)
    tenant.calls(1, NOON, status="timeout")
    assert tenant.ask("performance/overview", start=iso(NOON), end=iso(NOON + HOUR)) == {
        "p50_latency_ms": 100.0,
        "p95_latency_ms": 190.0,
        "p99_latency_ms": 198.0,
        "avg_latency_ms": 100.0,
        "error_rate": 25.0,
        "success_rate": 75.0,
        "total_requests": 4,
        "requests_per_second": 4 / 3600,
        "percentile_method": "exact",
        "change_from_previous": {
            "p50_latency_ms": 100.0,
            "p95_latency_ms": 280.0,
            "p99_latency_ms": pytest.approx(296),
            "error_rate": -50.0,
        },
    }


@pytest.mark.parametrize("metric", ["performance/overview", "performance/latency"])
def test_many_calls_are_answered_from_a_histogram_within_1_5_percent(
    tenant: Tenant, settings: Any, metric: str
) -> None:
    for latency_ms in (0.5, 3.0, 40.0, 41.0, 900.0, 1000.0, 25_000.0):
        tenant.calls(1, NOON, latency_ms=latency_ms)
    exact = tenant.ask(metric, **HOURS)
    settings.EXACT_PERCENTILE_ROWS = 6
    answer = tenant.ask(metric, **HOURS)
    assert (exact["percentile_method"], answer["percentile_method"]) == ("exact", "histogram")
    for expected, actual in zip(exact.get("data", [exact]), answer.get("data", [answer]), strict=True):
        for name in ("p50_latency_ms", "p95_latency_ms", "p99_latency_ms", "avg_latency_ms"):
            assert actual[name] == (None if expected[name] is None else pytest.approx(expected[name], rel=0.015))


def test_latency_is_null_in_an_empty_bucket(tenant: Tenant) -> None:
    tenant.calls(2, NOON + HOUR / 2, latency_ms=10.0)
    assert tenant.ask("performance/latency", **HOURS)["data"] == [
        {
            "timestamp": iso(NOON),
            "calls": 2,
            "p50_latency_ms": 10.0,
            "p95_latency_ms": 10.0,
            "p99_latency_ms": 10.0,
            "avg_latency_ms": 10.0,
        },
        {
            "timestamp": iso(NOON + HOUR),
            "calls": 0,
            "p50_latency_ms": None,
            "p95_latency_ms": None,
            "p99_latency_ms": None,
            "avg_latency_ms": None,
        },
    ]


def test_throughput_of_a_partial_bucket_is_per_second_of_the_window(tenant: Tenant) -> None:
    tenant.calls(4, NOON + HOUR / 2)
    tenant.calls(2, NOON + HOUR / 2, status="timeout")
    half = {"start": iso(NOON + HOUR / 2), "end": iso(NOON + 2 * HOUR), "granularity": "hourly"}
    first, second = tenant.ask("performance/throughput", **half)["data"]
    assert first == {
        "timestamp": iso(NOON),
        "success": 4,
        "error": 0,
        "timeout": 2,
        "total": 6,
        "requests_per_second": 6 / 1800,
    }
    assert second["total"] == 0


def test_errors_are_grouped_by_type_with_a_recent_sample(tenant: Tenant) -> None:
    tenant.calls(5, NOON)
    failed: dict[str, Any] = {"status": "error", "error_type": "rate_limit"}
    tenant.calls(1, NOON, **failed, user_id="ada", error_message="slow down", trace_id="old")
    tenant.calls(1, NOON + HOUR, **failed, user_id="bob", agent_id="sales", error_message="stop", trace_id="new")
    tenant.calls(1, NOON + 1.5 * HOUR, **failed)
    tenant.calls(2, NOON, status="timeout")
    answer = tenant.ask("performance/errors", limit=1)
    assert (answer["total_errors"], answer["error_rate"]) == (5, 50.0)
    assert answer["data"] == [
        {
            "error_type": "rate_limit",
            "status": "error",
            "calls": 3,
            "percentage": 60.0,
            "error_rate": 30.0,
            "agents": 2,
            "users_affected": 2,
            "first_seen": iso(NOON),
            "last_seen": iso(NOON + 1.5 * HOUR),
            "sample_message": "stop",
            "sample_trace_id": "new",
        }
    ]


def test_the_first_token_counts_only_calls_that_know_it(tenant: Tenant) -> None:
    for first_token_ms in (10.0, 20.0, 110.0):
        tenant.calls(1, NOON, first_token_ms=first_token_ms, latency_ms=5000.0)
    tenant.calls(4, NOON, latency_ms=1.0)
    nothing = {"calls": 0, "p50_first_token_ms": None, "p95_first_token_ms": None}
    assert tenant.ask("performance/first-token", **HOURS) == {
        "granularity": "hourly",
        "percentile_method": "exact",
        "data": [
            {"timestamp": iso(NOON), "calls": 3, "p50_first_token_ms": 20.0, "p95_first_token_ms": pytest.approx(101)},
            {"timestamp": iso(NOON + HOUR), **nothing},
        ],
    }


def test_many_first_tokens_are_answered_from_a_histogram_within_1_5_percent(tenant: Tenant, settings: Any) -> None:
    for first_token_ms in (0.5, 3.0, 40.0, 41.0, 900.0):
        tenant.calls(1, NOON, first_token_ms=first_token_ms)
    exact = tenant.ask("performance/first-token", **HOURS)["data"][0]
    settings.EXACT_PERCENTILE_ROWS = 4
    answer = tenant.ask("performance/first-token", **HOURS)
    assert answer["percentile_method"] == "histogram"
    for name in ("p50_first_token_ms", "p95_first_token_ms"):
        assert answer["data"][0][name] == pytest.approx(exact[name], rel=0.015)


def test_speed_is_output_over_the_time_that_calls_took(tenant: Tenant) -> None:
    tenant.calls(1, NOON, output_tokens=300, latency_ms=1000.0)
    tenant.calls(1, NOON, output_tokens=100, latency_ms=3000.0)
    assert tenant.ask("performance/tokens-per-second", **HOURS)["data"] == [
        {"timestamp": iso(NOON), "output_tokens": 400, "tokens_per_second": 100.0},
        {"timestamp": iso(NOON + HOUR), "output_tokens": 0, "tokens_per_second": None},
    ]


def test_tools_are_listed_with_failures_and_latency(tenant: Tenant) -> None:
    tool_call = {"operation": "execute_tool", "model": None, "provider": None}
    tenant.calls(3, tool="search", latency_ms=10.0, **tool_call)
    tenant.calls(1, tool="search", latency_ms=50.0, status="error", **tool_call)
    tenant.calls(2, tool="sql", status="timeout", **tool_call)
    tenant.calls(1, **tool_call)
    tenant.calls(9)
    writer.store(WorkspaceFactory().id, [a_row(tool="secret", **tool_call)])
    answer = tenant.ask("performance/tools", limit=2)
    search = answer["data"][0]
    assert (answer["total_calls"], answer["total_errors"]) == (7, 3)
    assert search.pop("p95_latency_ms") == pytest.approx(44, rel=0.015)
    assert search == {"tool": "search", "calls": 4, "errors": 1, "error_rate": 25.0, "avg_latency_ms": 20.0}
    assert [(row["tool"], row["calls"], row["error_rate"], row["p95_latency_ms"]) for row in answer["data"][1:]] == [
        ("sql", 2, 100.0, None),
        (None, 1, 0.0, None),
    ]
    assert [row["tool"] for row in tenant.ask("performance/tools", limit=1)["data"]] == ["search", None]
    assert tenant.ask("performance/tools", environment="production")["data"] == []


def test_the_panel_of_tools_leads_to_the_page_that_says_who_calls_one(tenant: Tenant) -> None:
    tenant.calls(1, tool="<b>", operation="execute_tool")
    query = {"start": HOURS["start"], "end": HOURS["end"]}
    text = tenant.client.get("/api/v1/performance/tools", query, headers={"HX-Request": "true"}).content.decode()
    link = html.unescape(re.findall(r'class="row-link"\s+href="([^"]+)"', text)[0])
    assert link.startswith("/dashboard/tools/%3Cb%3E?")
    page = tenant.client.get(link)
    assert page.status_code == 200
    assert "by=agent_id" in page.content.decode()
    assert "<b>" not in text
