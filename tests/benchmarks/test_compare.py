from decimal import Decimal

from benchmarks.compare import differences


def test_equal_answers_have_no_difference() -> None:
    ours = {"total_calls": 3, "cost_usd": Decimal("1.50"), "data": [{"agent_id": None, "error_rate": 1 / 3}]}
    raw = {"total_calls": 3, "cost_usd": 1.5, "data": [{"agent_id": None, "error_rate": 0.1 / 0.3}]}
    assert list(differences(ours, raw)) == []


def test_a_field_that_only_the_product_has_is_not_compared() -> None:
    assert list(differences({"total_calls": 3, "granularity": "daily"}, {"total_calls": 3})) == []


def test_one_call_more_is_a_difference() -> None:
    ours, raw = {"data": [{"calls": 1_000_001}]}, {"data": [{"calls": 1_000_000}]}
    assert list(differences(ours, raw)) == [".data[0].calls: 1000001 instead of 1000000"]


def test_a_missing_row_is_a_difference() -> None:
    assert list(differences({"data": []}, {"data": [{"calls": 1}]})) == [".data: 0 instead of 1"]


def test_null_is_not_zero() -> None:
    assert list(differences({"cost_usd": 0}, {"cost_usd": None})) == [".cost_usd: 0 instead of None"]


def test_percentiles_may_be_off_by_the_width_of_the_histogram() -> None:
    assert list(differences({"p95_latency_ms": 1014}, {"p95_latency_ms": 1000})) == []
    assert list(differences({"p95_latency_ms": 1016}, {"p95_latency_ms": 1000}))


def test_the_change_of_percentiles_may_be_off_by_twice_that() -> None:
    assert list(differences({"change": {"p95_latency_ms": 12}}, {"change": {"p95_latency_ms": 10}})) == []
    assert list(differences({"change": {"p95_latency_ms": 14}}, {"change": {"p95_latency_ms": 10}}))


def test_exact_percentiles_are_compared_exactly() -> None:
    assert list(differences({"p95_latency_ms": 1001}, {"p95_latency_ms": 1000}, tolerance=0))
