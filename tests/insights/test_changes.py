"""Why did it change: the parts of a change between two windows, by API and as a page."""

import json
import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache

from tests.factories import WorkspaceFactory
from tests.tenant import NOON, Tenant, a_row, iso
from traces import writer

pytestmark = pytest.mark.django_db(databases="__all__")

BEFORE = NOON - timedelta(days=1)
PATH = "/api/v1/insights/changes"
WINDOW = {"start": iso(NOON - timedelta(hours=12)), "end": iso(NOON + timedelta(hours=12))}


def raw(tenant: Tenant, expect: int = 200, **query: Any) -> Any:
    cache.clear()
    window = {} if "range" in query else WINDOW
    response = tenant.client.get(PATH, window | query)
    assert response.status_code == expect, response.content
    return response


def changes(tenant: Tenant, expect: int = 200, **query: Any) -> Any:
    return raw(tenant, expect, **query).json()


def parts(answer: Any) -> dict[tuple[Any, ...], float]:
    names = ("value", "kind", "token_class")
    return {tuple(line[name] for name in names): line["contribution"] for line in answer["contributions"]}


def panel(tenant: Tenant, **query: Any) -> str:
    response = tenant.client.get(PATH, WINDOW | query, headers={"HX-Request": "true"})
    assert response.status_code == 200, response.content
    return " ".join(response.content.decode().split())


def page(tenant: Tenant, expect: int = 200, **query: Any) -> Any:
    query = {"workspace": str(tenant.workspace.id), **query}
    response = tenant.client.get("/dashboard/insights/why", query)
    assert response.status_code == expect, response.content
    return response


def paid(tenant: Tenant, count: int, at: Any, tokens: int, cost: str, **values: Any) -> None:
    cost_usd = Decimal(cost)
    tenant.calls(count, at, input_tokens=tokens, cost_usd=cost_usd, input_cost_usd=cost_usd, **values)


def test_a_new_agent_is_the_cause(tenant: Tenant) -> None:
    paid(tenant, 2, BEFORE, 100, "1")
    paid(tenant, 2, NOON, 100, "1")
    paid(tenant, 3, NOON, 100, "2", agent_id="triage")
    answer = changes(tenant)
    assert (answer["before"], answer["after"], answer["change"]) == (2, 8, 6)
    assert parts(answer) == {("triage", "new", None): 6}
    assert answer["steps"] == [{"kind": "new", "token_class": None, "contribution": 6}]
    assert "Most of it: agent triage, new (+$6.00)." in panel(tenant)


def test_more_calls_longer_prompts_and_a_price_are_told_apart(tenant: Tenant) -> None:
    """2 calls of 100 tokens for $1; then 4 calls of 150 tokens for $3, which is twice the price of a token."""
    paid(tenant, 2, BEFORE, 100, "1")
    paid(tenant, 4, NOON, 150, "3")
    answer = changes(tenant)
    assert parts(answer) == {
        ("support", "volume", None): 2,
        ("support", "tokens", "input"): 2,
        ("support", "price", "input"): 6,
    }


def test_an_agent_that_changes_its_model_changes_the_mix(tenant: Tenant) -> None:
    paid(tenant, 2, BEFORE, 100, "1")
    paid(tenant, 1, NOON, 100, "1")
    paid(tenant, 1, NOON, 100, "5", model="gpt-5")
    assert {kind for _, kind, _ in parts(changes(tenant))} == {"mix", "volume"}
    assert parts(changes(tenant, by="model"))["gpt-5", "new", None] == 5


def test_a_reported_cost_goes_with_the_calls(tenant: Tenant) -> None:
    tenant.calls(2, BEFORE, cost_usd="1", input_tokens=100)
    tenant.calls(4, NOON, cost_usd="3", input_tokens=100)
    assert parts(changes(tenant)) == {("support", "volume", None): 2, ("support", "within", None): 8}


def test_calls_without_a_price_are_said_and_left_out(tenant: Tenant) -> None:
    paid(tenant, 1, BEFORE, 100, "1")
    paid(tenant, 1, NOON, 100, "1")
    tenant.calls(3, NOON)
    answer = changes(tenant)
    assert (answer["change"], answer["contributions"]) == (0, [])
    assert answer["after_window"]["unpriced_calls"] == 3
    assert "3 of the calls have no price, 0 before" in panel(tenant)


def test_latency_and_errors_are_split_into_mix_and_within(tenant: Tenant) -> None:
    tenant.calls(2, BEFORE, latency_ms=100.0)
    tenant.calls(2, NOON, latency_ms=300.0, status="error")
    slower, failing = changes(tenant, measure="avg_latency_ms"), changes(tenant, measure="error_rate")
    assert parts(slower) == {("support", "within", None): 200}
    assert (failing["before"], failing["after"], parts(failing)) == (0, 100, {("support", "within", None): 100})


def test_calls_and_tokens_have_causes(tenant: Tenant) -> None:
    tenant.calls(2, BEFORE, input_tokens=10, output_tokens=1)
    tenant.calls(4, NOON, input_tokens=10, output_tokens=2)
    assert parts(changes(tenant, measure="calls")) == {("support", "volume", None): 2}
    assert parts(changes(tenant, measure="tokens")) == {
        ("support", "volume", None): 22,
        ("support", "tokens", "output"): 4,
    }


@pytest.mark.parametrize("by", ["user_id", "environment", "release", "provider", "label.customer", "operation"])
def test_any_dimension_explains_it(tenant: Tenant, by: str) -> None:
    labelled = {"labels": {"customer": "acme"}} if by.startswith("label.") else {}
    values = {} if by in ("operation", "provider") or labelled else {by: "acme"}
    paid(tenant, 1, NOON, 100, "2", **labelled, **values)
    paid(tenant, 1, NOON, 100, "1", **({"agent_id": "other"}))
    value = {"operation": "chat", "provider": "openai"}.get(by, "acme")
    found = parts(changes(tenant, by=by))
    assert found[value, "new", None] == (3 if by in ("operation", "provider") else 2)
    if by not in ("operation", "provider"):
        assert found[None, "new", None] == 1


def test_any_two_windows_are_compared(tenant: Tenant) -> None:
    long_ago = NOON - timedelta(days=9)
    paid(tenant, 5, long_ago, 100, "1")
    paid(tenant, 1, NOON, 100, "1")
    earlier = {"before_start": iso(long_ago - timedelta(hours=1)), "before_end": iso(long_ago + timedelta(hours=1))}
    answer = changes(tenant, **earlier)
    assert (answer["before"], answer["change"]) == (5, -4)
    assert answer["before_window"] == {
        "start": earlier["before_start"],
        "end": earlier["before_end"],
        "calls": 5,
        "unpriced_calls": 0,
    }


def test_a_week_before_is_the_same_wall_clock(tenant: Tenant) -> None:
    paid(tenant, 1, NOON - timedelta(days=7), 100, "1")
    paid(tenant, 1, NOON, 100, "2")
    assert changes(tenant, compare="last_week")["before"] == 1


def test_filters_narrow_both_windows_and_other_workspaces_are_unseen(tenant: Tenant) -> None:
    paid(tenant, 1, BEFORE, 100, "1", environment="staging")
    paid(tenant, 1, NOON, 100, "4", environment="production")
    paid(tenant, 1, NOON, 100, "9", environment="staging")
    writer.store(WorkspaceFactory().id, [a_row(NOON, cost_usd="100")])
    assert changes(tenant)["after"] == 13
    answer = changes(tenant, environment="staging")
    assert (answer["before"], answer["after"]) == (1, 9)


def test_nothing_is_no_change(tenant: Tenant) -> None:
    answer = changes(tenant)
    assert (answer["before"], answer["after"], answer["change"], answer["contributions"]) == (0, 0, 0, [])
    rate = changes(tenant, measure="error_rate")
    assert (rate["before"], rate["change"], rate["contributions"]) == (None, None, [])
    assert "What a change is made of." in panel(tenant)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"measure": "p95_latency_ms"}, "measure"),
        ({"by": "colour"}, "by"),
        ({"by": "user_id", "measure": "tokens"}, "by"),
        ({"by": "label."}, "by"),
        ({"compare": "never"}, "compare"),
        ({"before_start": "2026-11-01T00:00:00Z"}, "before_end"),
        ({"before_start": "2026-11-02T00:00:00Z", "before_end": "2026-11-01T00:00:00Z"}, "before_end"),
        ({"nonsense": "1"}, "nonsense"),
    ],
)
def test_a_wrong_parameter_is_named(tenant: Tenant, query: dict[str, str], field: str) -> None:
    assert [error["loc"] for error in changes(tenant, expect=422, **query)["errors"]] == [["query", field]]
    assert page(tenant, expect=422, **query)


CASES = 12


@pytest.mark.parametrize("seed", range(CASES))
def test_parts_of_random_changes_add_up_to_the_last_digit(tenant: Tenant, seed: int) -> None:
    """As a client reads them: the digits of the JSON, added as decimals."""
    draw = random.Random(seed)
    names: list[str | None] = ["a", "b", "c", None]
    for at in (BEFORE, NOON):
        rows = [
            a_row(
                at,
                agent_id=draw.choice("abcdefghijklmno"),
                model=draw.choice(names),
                environment=draw.choice(names),
                latency_ms=draw.choice([None, draw.random() * 5000]),
                status=draw.choice(["success", "success", "error"]),
                input_tokens=draw.randrange(5000),
                output_tokens=draw.randrange(500),
                cost_usd=draw.choice([None, Decimal(draw.randrange(10**12)).scaleb(-draw.choice([9, 12]))]),
            )
            for _ in range(draw.randrange(1, 60))
        ]
        writer.store(tenant.workspace.id, rows)
    for measure in ("cost_usd", "calls", "tokens", "avg_latency_ms", "error_rate", "cost_per_call_usd"):
        response = raw(tenant, measure=measure, by=draw.choice(["agent_id", "environment", "model"]), limit=3)
        answer = decimals(response.content)
        if answer["change"] is None:
            continue
        assert answer["after"] - answer["before"] == answer["change"], measure
        for lines in (answer["steps"], answer["contributions"]):
            assert sum(line["contribution"] for line in lines) == answer["change"], measure


def decimals(body: bytes) -> Any:
    return json.loads(body, parse_float=Decimal, parse_int=Decimal)


def test_groups_past_the_largest_are_others(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insights.changes.MOST_GROUPS", 2)
    for number in range(5):
        paid(tenant, 1, NOON, 100, str(number + 1), agent_id=f"agent-{number}")
    assert parts(changes(tenant)) == {
        ("agent-4", "new", None): 5,
        ("agent-3", "new", None): 4,
        (None, "others", None): 6,
    }


def test_cards_lead_to_why(tenant: Tenant) -> None:
    paid(tenant, 1, BEFORE, 100, "1", user_id="ada", latency_ms=5.0)
    paid(tenant, 1, NOON, 100, "2", user_id="ada", latency_ms=9.0)
    address = f"http://testserver/dashboard/cost?workspace={tenant.workspace.id}&environment=&range=7d"
    for route, measures in {
        "usage/overview": ("calls",),
        "cost/overview": ("cost_usd", "cost_per_call_usd"),
        "performance/overview": ("avg_latency_ms", "error_rate"),
        "agents/support": ("calls", "error_rate", "avg_latency_ms", "cost_usd"),
        "users/ada": ("calls",),
    }.items():
        headers = {"HX-Request": "true", "HX-Current-URL": address}
        shown = tenant.client.get(f"/api/v1/{route}", WINDOW, headers=headers).content.decode()
        for measure in measures:
            if f"measure={measure}" in shown:
                assert "/dashboard/insights/why?" in shown
            else:
                assert measure == "error_rate", (route, measure)  # no change from 0
    agent = tenant.client.get("/api/v1/agents/support", WINDOW, headers=headers).content.decode()
    assert "agent_id=support" in agent
    assert "by=model" in agent


def test_the_page_has_its_query_and_the_form_makes_one(tenant: Tenant) -> None:
    shown = page(tenant, range="7d", measure="tokens", by="model", split="release").content.decode()
    assert "/api/v1/insights/changes?range=7d&amp;measure=tokens&amp;by=model" in shown
    form = {"measure": "calls", "by": "agent_id", "before_from": "2026-11-01T10:00", "before_to": "2026-11-02T10:00"}
    location = page(tenant, expect=302, **form)["Location"]
    assert "before_start=2026-11-01T10%3A00%3A00Z&before_end=2026-11-02T10%3A00%3A00Z" in location
    assert "before_from" not in page(tenant, expect=302, before_from="", before_to="")["Location"]


def test_the_first_page_asks_for_a_sentence_of_each_measure(tenant: Tenant) -> None:
    paid(tenant, 1, BEFORE, 100, "1")
    paid(tenant, 1, NOON, 100, "1")
    paid(tenant, 1, NOON, 100, "3", agent_id="triage")
    query = {"workspace": str(tenant.workspace.id), "environment": "production", "measure": "tokens"}
    shown = tenant.client.get("/dashboard/insights", query).content.decode()
    for measure in ("cost_usd", "calls", "error_rate", "avg_latency_ms"):
        assert f"/api/v1/insights/changes?environment=production&amp;range=7d&amp;measure={measure}" in shown
    order = ["panel-forecast", "panel-open-anomalies", "panel-sentence-cost_usd", "largest-saving"]
    assert sorted(order, key=lambda name: shown.index(f'id="{name}"')) == order
    headers = {"HX-Request": "true", "HX-Trigger": "panel-sentence-cost_usd"}
    sentence = tenant.client.get(PATH, WINDOW, headers=headers).content.decode()
    assert "Spend was $4.00, 300 % more than $1.00 before. Most of it: agent triage, new (+$3.00)." in sentence
    assert "waterfall" not in sentence
    of_week = tenant.client.get(PATH, {"range": "7d"}, headers=headers).content.decode()
    assert "range=7d" in of_week
    assert tenant.client.get("/dashboard/insights", {**query, "range": "2y"}).status_code == 422
