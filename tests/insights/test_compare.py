"""Slices of the calls side by side, by API and as a page."""

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from statistics import mean
from typing import Any

import pytest
from django.core.cache import cache

from insights import arms
from methods.comparison import (
    Arm,
    Comparison,
    Interval,
    compare_means,
    compare_rates,
    interval_of_mean,
    interval_of_rate,
    users_of,
)
from tests.factories import WorkspaceFactory
from tests.tenant import NOON, Tenant, a_row, iso
from traces import writer
from traces.row import Row

pytestmark = pytest.mark.django_db(databases="__all__")

PATH = "/api/v1/insights/compare"
WINDOW = {"start": iso(NOON - timedelta(hours=12)), "end": iso(NOON + timedelta(hours=12))}
PAIR = {"a": "model:small", "b": "model:large"}


def raw(tenant: Tenant, expect: int = 200, **query: Any) -> Any:
    cache.clear()
    response = tenant.client.get(PATH, WINDOW | query)
    assert response.status_code == expect, response.content
    return response


def compared(tenant: Tenant, expect: int = 200, **query: Any) -> Any:
    return raw(tenant, expect, **query).json()


def measures(answer: Any) -> dict[str, Any]:
    return {line["measure"]: line for line in answer["measures"]}


def estimates(answer: Any, measure: str) -> list[float]:
    return [one["estimate"] for one in measures(answer)[measure]["slices"]]


def panel(tenant: Tenant, **query: Any) -> str:
    response = tenant.client.get(PATH, WINDOW | query, headers={"HX-Request": "true"})
    assert response.status_code == 200, response.content
    return " ".join(response.content.decode().split())


def page(tenant: Tenant, expect: int = 200, **query: Any) -> Any:
    response = tenant.client.get("/dashboard/insights/compare", {"workspace": str(tenant.workspace.id), **query})
    assert response.status_code == expect, response.content
    return response


def mixed(count: int, model: str, factor: int, rng: random.Random, **values: Any) -> list[Row]:
    return [
        a_row(
            NOON + timedelta(seconds=place),
            model=model,
            cost_usd=Decimal(factor * rng.randint(1, 3)),
            input_tokens=10 * factor,
            output_tokens=rng.randint(1, 5),
            latency_ms=float(rng.randint(100, 200) * factor),
            first_token_ms=float(rng.randint(10, 20)),
            status="error" if place % 50 == 0 else "success",
            **values,
        )
        for place in range(count)
    ]


def two_models(tenant: Tenant, small: int = 200, large: int = 200, factor: int = 2) -> list[Row]:
    rng = random.Random(1)
    stored = mixed(small, "small", 1, rng) + mixed(large, "large", factor, rng)
    writer.store(tenant.workspace.id, stored)
    return stored


def test_two_models_stand_side_by_side_with_intervals(tenant: Tenant) -> None:
    stored = two_models(tenant)
    answer = compared(tenant, **PAIR)
    costs = [mean(float(row.cost_usd or 0) for row in stored if row.model == name) for name in ("small", "large")]
    assert estimates(answer, "cost_per_call_usd") == pytest.approx(costs)
    assert estimates(answer, "input_tokens_per_call") == [10, 20]
    assert estimates(answer, "error_rate") == [2, 2]
    cost = measures(answer)["cost_per_call_usd"]
    for one in cost["slices"]:
        assert one["value"]["low"] < one["estimate"] < one["value"]["high"]
        assert one["calls"] == 200
    [against] = cost["against_first"]
    assert (against["slice"], against["verdict"]) == ("b", "higher")
    assert against["difference"]["estimate"] == pytest.approx(costs[1] - costs[0])
    assert against["ratio"]["low"] < costs[1] / costs[0] < against["ratio"]["high"]
    assert answer["words"].startswith("Cost per call of large is ")
    assert " higher than that of small: between " in answer["words"]
    assert measures(answer)["error_rate"]["against_first"][0]["verdict"] == "no_difference_seen"


def test_percentiles_come_from_the_histogram(tenant: Tenant) -> None:
    two_models(tenant)
    found = measures(compared(tenant, **PAIR))
    assert found["p50_latency_ms"]["slices"][0]["estimate"] == pytest.approx(150, rel=0.05)
    assert found["p50_latency_ms"]["against_first"][0]["ratio"]["estimate"] == pytest.approx(2, rel=0.06)
    assert found["p99_latency_ms"]["against_first"][0]["verdict"] == "too_few_calls"
    assert found["p50_first_token_ms"]["against_first"][0]["verdict"] == "no_difference_seen"


def test_below_a_hundred_calls_there_is_no_verdict(tenant: Tenant) -> None:
    two_models(tenant, small=40, large=200, factor=9)
    [against] = measures(compared(tenant, **PAIR))["cost_per_call_usd"]["against_first"]
    assert (against["verdict"], against["calls_missing"]) == ("too_few_calls", 60)
    assert against["words"] == "Cost per call: too few calls yet, about 60 more of each."
    shown = panel(tenant, **PAIR)
    assert "too few calls yet, about 60 more" in shown
    assert "higher than" not in shown


def test_by_a_dimension_its_two_largest_values_are_compared(tenant: Tenant) -> None:
    tenant.calls(5, model="first")
    tenant.calls(4, model="second")
    tenant.calls(3, model="third")
    tenant.calls(9, model=None)
    answer = compared(tenant, by="model")
    assert [(one["value"], one["calls"]) for one in answer["slices"]] == [("first", 5), ("second", 4)]
    assert [one["value"] for one in compared(tenant)["slices"]] == ["first", "second"]


def test_one_value_is_nothing_to_compare(tenant: Tenant) -> None:
    tenant.calls(3)
    answer = compared(tenant, by="model")
    assert answer["words"] == "Only one value of model has calls in this window: there is nothing to compare."
    assert answer["measures"] == []
    assert "Only one value of model" in panel(tenant, by="model")


def test_four_slices_are_compared_with_the_first(tenant: Tenant) -> None:
    for name in ("one", "two", "three", "four"):
        tenant.calls(2, release=name, cost_usd="1")
    asked = {letter: f"release:{name}" for letter, name in zip("abcd", ("one", "two", "three", "four"), strict=True)}
    answer = compared(tenant, **asked)
    assert [one["slice"] for one in answer["slices"]] == ["a", "b", "c", "d"]
    assert [one["slice"] for one in measures(answer)["cost_per_call_usd"]["against_first"]] == ["b", "c", "d"]


def test_windows_are_slices_too(tenant: Tenant) -> None:
    earlier = NOON - timedelta(days=1)
    tenant.calls(3, NOON, cost_usd="2")
    tenant.calls(5, earlier, cost_usd="1")
    window = {"b_start": iso(earlier - timedelta(hours=1)), "b_end": iso(earlier + timedelta(hours=1))}
    answer = compared(tenant, **window)
    assert [(one["value"], one["calls"]) for one in answer["slices"]] == [(None, 3), (None, 5)]
    assert estimates(answer, "cost_per_call_usd") == [2, 1]
    both = compared(tenant, a="model:gpt-4o", b="model:gpt-4o", **window)
    assert [one["calls"] for one in both["slices"]] == [3, 5]


def test_labels_are_slices(tenant: Tenant) -> None:
    tenant.calls(2, labels={"variant": "old"}, cost_usd="1")
    tenant.calls(3, labels={"variant": "new"}, cost_usd="2")
    answer = compared(tenant, a="label.variant:old", b="label.variant:new")
    assert [one["calls"] for one in answer["slices"]] == [2, 3]
    assert {one["value"] for one in compared(tenant, by="label.variant")["slices"]} == {"old", "new"}


def test_the_filters_narrow_all_slices(tenant: Tenant) -> None:
    tenant.calls(2, model="small", agent_id="support")
    tenant.calls(3, model="large", agent_id="support")
    tenant.calls(7, model="small", agent_id="triage")
    assert [one["calls"] for one in compared(tenant, **PAIR, agent_id="support")["slices"]] == [2, 3]
    assert [one["calls"] for one in compared(tenant, **PAIR, not_agent_id="support")["slices"]] == [7, 0]


def test_the_calls_of_a_user_count_as_alike(tenant: Tenant) -> None:
    """Ten users with ten equal calls each say less than a hundred calls of nobody known."""
    for model in ("small", "large"):
        rows = [
            a_row(model=model, cost_usd=str(user + 1), user_id=f"{model} {user}")
            for user in range(10)
            for _ in range(10)
        ]
        writer.store(tenant.workspace.id, rows)
    known = compared(tenant, **PAIR)
    assert [(one["variance"], one["users"]) for one in known["slices"]] == [("by_user", 10)] * 2
    width = measures(known)["cost_per_call_usd"]["slices"][0]["value"]
    # Variance of the mean: 10 users 0.917 with CR3, 100 calls 0.083.
    assert width["high"] - width["low"] > 3
    assert "The calls of one user count as alike." in panel(tenant, **PAIR)


def test_a_few_users_with_many_calls_are_too_few_users(tenant: Tenant) -> None:
    for model in ("small", "large"):
        rows = [a_row(model=model, cost_usd=str(place % 3), user_id=f"u{place % 4}") for place in range(120)]
        writer.store(tenant.workspace.id, rows)
    [against] = measures(compared(tenant, **PAIR))["cost_per_call_usd"]["against_first"]
    assert (against["verdict"], against["calls_missing"]) == ("too_few_calls", None)
    assert against["words"] == "Cost per call: too few users yet, at least 5 of each."
    assert "too few users yet, at least 5" in panel(tenant, **PAIR)


def plain_arm(rows: Sequence[Row], value: Callable[[Row], float | None]) -> Arm:
    """Sums up the values by user, in plain Python. A call without a user is a user of its own."""
    users: dict[Any, tuple[int, float]] = {}
    values = []
    for place, row in enumerate(rows):
        if (found := value(row)) is not None:
            key = row.user_id or place
            n, y = users.get(key, (0, 0.0))
            users[key] = n + 1, y + found
            values.append(found)
    return Arm(len(values), sum(values), sum(one**2 for one in values), users_of([*users.values()]))


VALUES: dict[str, Callable[[Row], float | None]] = {
    "cost_per_call_usd": lambda row: None if row.cost_usd is None else float(row.cost_usd),
    "input_tokens_per_call": lambda row: float(row.input_tokens or 0),
    "output_tokens_per_call": lambda row: float(row.output_tokens or 0),
    "avg_latency_ms": lambda row: row.latency_ms,
}


def random_calls(model: str, count: int, rng: random.Random) -> list[Row]:
    return [
        a_row(
            NOON + timedelta(seconds=rng.random() * 3600),
            model=model,
            user_id=rng.choice([None, *(f"{model} {number}" for number in range(12))]),
            cost_usd=rng.choice([None, Decimal(rng.randint(1, 900)) / 1000]),
            input_tokens=rng.choice([None, rng.randint(0, 5000)]),
            output_tokens=rng.randint(0, 500),
            latency_ms=rng.choice([None, rng.expovariate(1 / 800)]),
            status=rng.choice(["success", "success", "success", "error", "timeout"]),
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_interval_is_that_of_plain_python_over_the_calls(tenant: Tenant, seed: int) -> None:
    rng = random.Random(seed)
    small, large = random_calls("small", 180, rng), random_calls("large", 260, rng)
    writer.store(tenant.workspace.id, small + large)
    found = measures(compared(tenant, **PAIR))
    for name, value in VALUES.items():
        one, other = (plain_arm(rows, value) for rows in (small, large))
        check(found[name], [interval_of_mean(one), interval_of_mean(other)], compare_means(one, other), 1)
    one, other = (plain_arm(rows, lambda row: float(row.status != "success")) for rows in (small, large))
    check(found["error_rate"], [interval_of_rate(one), interval_of_rate(other)], compare_rates(one, other), 100)


def check(line: Any, values: Sequence[Interval | None], expected: Comparison, factor: float) -> None:
    for shown, value in zip(line["slices"], values, strict=True):
        same_interval(shown["value"], value, factor)
    [against] = line["against_first"]
    assert against["verdict"] == expected.verdict
    same_interval(against["difference"], expected.difference, factor)
    same_interval(against["ratio"], expected.ratio, 1)


def same_interval(shown: Any, expected: Interval | None, factor: float) -> None:
    assert (shown is None) == (expected is None)
    if expected:
        assert [shown[name] for name in ("estimate", "low", "high")] == pytest.approx(
            [factor * number for number in expected], rel=1e-6, abs=1e-9
        )


def test_a_large_window_is_judged_by_a_sample_and_says_so(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arms, "MOST_ROWS", 100)
    monkeypatch.setattr(arms, "SAMPLE_ROWS", 200)
    rng = random.Random(2)
    start = NOON - timedelta(hours=12)
    for model, factor in (("small", 1), ("large", 2)):
        rows = [
            a_row(
                start + timedelta(seconds=rng.random() * 86_000),
                model=model,
                cost_usd=Decimal(factor * rng.randint(1, 3)),
                latency_ms=float(factor * rng.randint(100, 200)),
                user_id=f"{model} {rng.randint(1, 40)}",
            )
            for _ in range(400)
        ]
        writer.store(tenant.workspace.id, rows)
    answer = compared(tenant, **PAIR)
    for one in answer["slices"]:
        assert (one["calls"], one["users"], one["variance"]) == (400, 40, "by_user_sample")
        assert 0 < one["sampled_calls"] < 400
    cost = measures(answer)["cost_per_call_usd"]
    assert [one["calls"] for one in cost["slices"]] == [400, 400]
    assert cost["against_first"][0]["verdict"] == "higher"
    assert "comes from a sample of" in panel(tenant, **PAIR)


def test_scores_are_compared_by_name(tenant: Tenant) -> None:
    rows = tenant.calls(3, model="small") + tenant.calls(3, model="large")
    for place, row in enumerate(rows):
        for name, value in (("helpful", place), ("ok", place % 2 == 0)):
            response = tenant.client.post(
                "/api/v1/scores",
                {"trace_id": row.trace_id, "name": name, "value": value, "timestamp": iso(NOON)},
                content_type="application/json",
            )
            assert response.status_code in (200, 201, 202), response.content
    answer = compared(tenant, **PAIR)
    assert estimates(answer, "score.helpful") == [1, 4]
    assert estimates(answer, "score.ok") == pytest.approx([2 / 3, 1 / 3])


def test_another_workspace_is_not_in_it(tenant: Tenant) -> None:
    two_models(tenant, small=3, large=4)
    writer.store(WorkspaceFactory().id, [a_row(model="small") for _ in range(9)])
    assert [one["calls"] for one in compared(tenant, **PAIR)["slices"]] == [3, 4]


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ({"a": "model:x"}, "b", "slices are a and b"),
        ({"a": "model:x", "c": "model:y"}, "b", "slices are a and b"),
        ({"b": "model:x"}, "a", "slices are a and b"),
        ({"a": "model", "b": "model:x"}, "a", "must be <dimension>:<value>"),
        ({"a": "size:x", "b": "model:x"}, "a", "must be one of"),
        ({"a": "user_id:x", "b": "model:y"}, "a", "users cannot be compared"),
        ({"by": "user_id"}, "by", "users cannot be compared"),
        ({"a": "status:fine", "b": "status:error"}, "a", "status must be one of"),
        ({"by": "model", "a": "model:x", "b": "model:y"}, "by", "either by, or slices"),
        ({"a": "model:x", "b": "model:y", "model": "x"}, "b", "the filter model leaves it out"),
        ({"a": "model:x", "b": "model:y", "not_model": "x"}, "a", "the filter model leaves it out"),
        ({"b_start": iso(NOON)}, "b_end", "go together"),
        ({"b_start": iso(NOON), "b_end": iso(NOON)}, "b_end", "must be later"),
        ({"b_start": iso(NOON - timedelta(days=500)), "b_end": iso(NOON)}, "b_start", "400 days"),
    ],
)
def test_slices_that_make_no_sense_are_refused(tenant: Tenant, query: dict[str, str], field: str, message: str) -> None:
    errors = compared(tenant, 422, **query)["errors"]
    assert [error["loc"][1] for error in errors] == [field]
    assert message in errors[0]["msg"]


def test_the_panel_leads_to_the_traces_of_each_slice(tenant: Tenant) -> None:
    two_models(tenant)
    shown = panel(tenant, **PAIR)
    assert "model=small" in shown
    assert "model=large" in shown
    assert shown.count("<circle") > 10


def test_the_page_keeps_what_was_chosen_and_turns_its_form_into_an_address(tenant: Tenant) -> None:
    shown = page(tenant, **PAIR).content.decode()
    assert 'value="small"' in shown
    response = page(tenant, 302, a_by="model", a_value="small", b_by="label.x:y", b_value="z", by="model", a_from="")
    assert "a=model%3Asmall" in response["Location"]
    assert "b=label.x%5C%3Ay%3Az" in response["Location"]
    assert "by=" not in response["Location"].replace("a_by", "")
    assert "must be one of" in page(tenant, 422, by="size").content.decode()


def test_the_form_offers_the_values_of_the_dimension(tenant: Tenant) -> None:
    tenant.calls(2, model="small")
    found = tenant.client.get("/dashboard/slice-values", {"b_by": "model"}).content.decode()
    assert "small" in found
    assert tenant.client.get("/dashboard/slice-values", {"b_by": "size"}).content.decode().strip() == ""


@pytest.mark.parametrize(("metric", "by"), [("cost/by-model", "model"), ("usage/agent-distribution", "agent_id")])
def test_the_panels_of_models_and_agents_lead_to_the_comparison(tenant: Tenant, metric: str, by: str) -> None:
    tenant.calls(2)
    shown = tenant.client.get(f"/api/v1/{metric}", WINDOW, headers={"HX-Request": "true"}).content.decode()
    assert f"/dashboard/insights/compare?start={iso(NOON - timedelta(hours=12))}".replace(":", "%3A") in shown.replace(
        "&amp;", "&"
    )
    assert f"by={by}" in shown
