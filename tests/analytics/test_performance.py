from datetime import timedelta
from typing import Any

import pytest

from analytics import catalogue
from tests.factories import WorkspaceFactory
from tests.given import NOON, Given, a_row, iso

pytestmark = pytest.mark.django_db(databases="__all__")

METRICS = [route for route, metric in catalogue.METRICS.items() if metric.domain == "performance"]
HOUR = timedelta(hours=1)
HOURS = {"start": iso(NOON), "end": iso(NOON + 2 * HOUR), "granularity": "hourly"}


def total(answer: dict) -> int:
    for name in ("total_requests", "total_errors"):
        if name in answer:
            return answer[name]
    return sum(row.get("total", row.get("calls")) for row in answer["data"])


@pytest.mark.parametrize("metric", METRICS)
class TestEveryPerformanceMetric:
    def test_it_does_not_see_another_workspace(self, given: Given, metric: str) -> None:
        from traces import writer

        given.calls(3, status="error")
        writer.store(WorkspaceFactory().id, [a_row(status="error") for _ in range(2)])
        assert total(given.ask(metric)) == 3

    @pytest.mark.parametrize("name", ["agent_id", "model", "provider"])
    def test_it_narrows_by(self, given: Given, metric: str, name: str) -> None:
        given.calls(2, status="error")
        given.calls(1, status="error", **{name: "other"})
        assert total(given.ask(metric, **{name: "other"})) == 1

    def test_it_counts_model_calls_unless_asked_for_another_operation(self, given: Given, metric: str) -> None:
        given.calls(2, status="error")
        given.calls(4, status="error", operation="execute_tool")
        assert total(given.ask(metric)) == 2
        assert total(given.ask(metric, operation="execute_tool")) == 4

    def test_its_window_is_half_open_to_the_microsecond(self, given: Given, metric: str) -> None:
        start, end = NOON + timedelta(microseconds=7), NOON + HOUR + timedelta(microseconds=11)
        for at in (start, end - timedelta(microseconds=1)):
            given.calls(1, at, status="error")
        for at in (start - timedelta(microseconds=1), end):
            given.calls(10, at, status="error")
        assert total(given.ask(metric, start=iso(start), end=iso(end))) == 2

    def test_it_answers_an_empty_workspace(self, given: Given, metric: str) -> None:
        assert total(given.ask(metric)) == 0

    def test_it_refuses_a_bad_parameter(self, given: Given, metric: str) -> None:
        assert given.ask(metric, expect=422, limit=0, range="2d")["status"] == 422


def test_overview_compares_with_the_previous_window(given: Given) -> None:
    given.calls(1, NOON - HOUR, latency_ms=50.0)
    given.calls(1, NOON - HOUR, latency_ms=50.0, status="error")
    for latency_ms in (0.0, 100.0, 200.0):
        given.calls(1, NOON, latency_ms=latency_ms)
    given.calls(1, NOON, status="timeout")
    assert given.ask("performance/overview", start=iso(NOON), end=iso(NOON + HOUR)) == {
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
def test_many_calls_are_answered_from_a_histogram_within_1_5_percent(given: Given, settings: Any, metric: str) -> None:
    for latency_ms in (0.5, 3.0, 40.0, 41.0, 900.0, 1000.0, 25_000.0):
        given.calls(1, NOON, latency_ms=latency_ms)
    exact = given.ask(metric, **HOURS)
    settings.EXACT_PERCENTILE_ROWS = 6
    answer = given.ask(metric, **HOURS)
    assert (exact["percentile_method"], answer["percentile_method"]) == ("exact", "histogram")
    for wanted, found in zip(exact.get("data", [exact]), answer.get("data", [answer]), strict=True):
        for name in ("p50_latency_ms", "p95_latency_ms", "p99_latency_ms", "avg_latency_ms"):
            assert found[name] == (None if wanted[name] is None else pytest.approx(wanted[name], rel=0.015))


def test_latency_is_null_in_an_empty_bucket(given: Given) -> None:
    given.calls(2, NOON + HOUR / 2, latency_ms=10.0)
    assert given.ask("performance/latency", **HOURS)["data"] == [
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


def test_throughput_of_a_partial_bucket_is_per_second_of_the_window(given: Given) -> None:
    given.calls(4, NOON + HOUR / 2)
    given.calls(2, NOON + HOUR / 2, status="timeout")
    half = {"start": iso(NOON + HOUR / 2), "end": iso(NOON + 2 * HOUR), "granularity": "hourly"}
    first, second = given.ask("performance/throughput", **half)["data"]
    assert first == {
        "timestamp": iso(NOON),
        "success": 4,
        "error": 0,
        "timeout": 2,
        "total": 6,
        "requests_per_second": 6 / 1800,
    }
    assert second["total"] == 0


def test_errors_are_grouped_by_type_with_a_recent_sample(given: Given) -> None:
    given.calls(5, NOON)
    failed: dict[str, Any] = {"status": "error", "error_type": "rate_limit"}
    given.calls(1, NOON, **failed, user_id="ada", error_message="slow down", trace_id="old")
    given.calls(1, NOON + HOUR, **failed, user_id="bob", agent_id="sales", error_message="stop", trace_id="new")
    given.calls(1, NOON + 1.5 * HOUR, **failed)
    given.calls(2, NOON, status="timeout")
    answer = given.ask("performance/errors", limit=1)
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
