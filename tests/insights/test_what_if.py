"""What if: the calls of a window on another model, tier, cache share or price list, by API and as a page."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache

from ingest.model_names import base_model
from insights import what_if
from prices.models import PriceOverride
from prices.overrides import overrides_of
from prices.pricing import CallToPrice, price_calls
from prices.what_if import provider_and_model
from tests.factories import WorkspaceFactory
from tests.tenant import NOON, Tenant, a_row, iso
from traces import writer
from traces.row import Row

pytestmark = pytest.mark.django_db(databases="__all__")

PATH = "/api/v1/insights/what-if"
START, END = NOON - timedelta(days=1), NOON + timedelta(hours=12)
WINDOW = {"start": iso(START), "end": iso(END)}
MILLION = 1_000_000


def ask(tenant: Tenant, expect: int = 200, **query: Any) -> Any:
    cache.clear()
    window = {} if "range" in query or "start" in query else WINDOW
    response = tenant.client.get(PATH, window | query)
    assert response.status_code == expect, response.content
    return response.json()


def panel(tenant: Tenant, **query: Any) -> str:
    response = tenant.client.get(PATH, WINDOW | query, headers={"HX-Request": "true"})
    assert response.status_code == 200, response.content
    return " ".join(response.content.decode().split())


def paid(tenant: Tenant, count: int = 1, at: datetime = NOON, **values: Any) -> None:
    """Stores calls of gpt-4o with a million tokens each way. It costs $2.50 in and $10 out."""
    used = {"input_tokens": MILLION, "output_tokens": MILLION, "cost_usd": "12.5"}
    tenant.calls(count, at, **used | values)


def test_calls_are_priced_on_another_model(tenant: Tenant) -> None:
    """gpt-4o-mini costs $0.15 and $0.60."""
    paid(tenant, 2)
    found = ask(tenant, model="gpt-4o-mini")
    totals = found["totals"]
    assert (totals["now_cost_usd"], totals["then_cost_usd"], totals["difference_usd"]) == (25, 1.5, -23.5)
    assert totals["difference_percentage"] == -94
    assert (found["method"], totals["calls"], totals["compared_calls"]) == ("calls", 2, 2)
    [line] = found["by_model"]
    assert (line["provider"], line["model"], line["then_cost_usd"]) == ("openai", "gpt-4o", 1.5)
    assert found["target"]["model"] == "gpt-4o-mini"


def test_the_trend_has_both_costs_of_each_bucket(tenant: Tenant) -> None:
    paid(tenant)
    paid(tenant, 2, NOON - timedelta(hours=20))
    points = ask(tenant, model="gpt-4o-mini", granularity="hourly")["data"]
    assert [(p["now_cost_usd"], p["then_cost_usd"]) for p in points if p["now_cost_usd"]] == [(25, 1.5), (12.5, 0.75)]
    assert len(points) == 36
    assert points[24]["timestamp"] == iso(NOON)


def test_a_tier_has_its_own_price_and_a_call_in_it_already_keeps_it(tenant: Tenant) -> None:
    paid(tenant, model="gpt-4.1", cost_usd="10")
    paid(tenant, model="gpt-4.1", cost_usd="5", usage_details={"service_tier": "batch"})
    batch = ask(tenant, tier="batch")["totals"]
    own = ask(tenant)["totals"]
    assert (batch["then_cost_usd"], own["then_cost_usd"]) == (10, 15)


def test_a_share_of_the_input_is_read_from_a_cache(tenant: Tenant) -> None:
    """Half of a million tokens at $2.50, half at $1.25."""
    paid(tenant, output_tokens=0, cost_usd="2.5")
    assert ask(tenant, cache_share=50)["totals"]["then_cost_usd"] == 1.875


def test_the_price_list_of_another_day_counts(tenant: Tenant) -> None:
    """o3 cost $10 and $40 before June 2025, and $2 and $8 since."""
    paid(tenant, model="o3", cost_usd="10")
    assert ask(tenant, price_date="2025-05-01")["totals"]["then_cost_usd"] == 50
    assert ask(tenant, price_date="2025-07-01")["totals"]["then_cost_usd"] == 10


def test_a_price_of_the_workspace_counts_from_its_moment(tenant: Tenant) -> None:
    """Before it the list counts, to the microsecond, and the buckets of the trend stay whole."""
    PriceOverride.objects.create(
        workspace=tenant.workspace,
        model_pattern="gpt-4o-mini",
        input_usd_per_million=1,
        output_usd_per_million=1,
        valid_from=NOON,
    )
    paid(tenant, at=NOON - timedelta(microseconds=1))
    paid(tenant, at=NOON)
    found = ask(tenant, model="gpt-4o-mini", granularity="daily")
    assert found["totals"]["then_cost_usd"] == 2.75
    assert [point["then_cost_usd"] for point in found["data"]] == [0, 2.75]


def test_long_inputs_have_the_price_of_long_inputs(tenant: Tenant) -> None:
    """gemini-2.5-pro: $1.25 up to 200,000 tokens, $2.50 above."""
    tenant.calls(1, NOON, input_tokens=200_000, output_tokens=0, cost_usd="1")
    tenant.calls(1, NOON, input_tokens=200_001, output_tokens=0, cost_usd="1")
    assert ask(tenant, model="gemini-2.5-pro")["totals"]["then_cost_usd"] == pytest.approx(0.25 + 0.5000025)


def test_calls_that_nobody_can_price_are_said_and_in_no_amount(tenant: Tenant) -> None:
    paid(tenant)
    paid(tenant, model="my-own", cost_usd=None)
    tenant.calls(1, NOON, input_tokens=10, cost_usd="1")  # no output: half of its usage
    totals = ask(tenant, model="gpt-4o-mini")["totals"]
    assert (totals["calls"], totals["compared_calls"]) == (3, 1)
    assert (totals["unpriced_now_calls"], totals["unpriced_then_calls"]) == (1, 1)
    assert (totals["now_cost_usd"], totals["then_cost_usd"], totals["then_of_unpriced_usd"]) == (12.5, 0.75, 0.75)
    shown = panel(tenant, model="gpt-4o-mini")
    assert "The amounts are of 1 of 3 calls. 1 have no price now and would cost $0.75." in shown


def test_a_model_that_nobody_knows_has_no_price(tenant: Tenant) -> None:
    paid(tenant)
    totals = ask(tenant, model="acme/unheard-of")["totals"]
    assert (totals["compared_calls"], totals["unpriced_then_calls"], totals["then_cost_usd"]) == (0, 1, 0)


def test_filters_begin_with_from(tenant: Tenant) -> None:
    paid(tenant, agent_id="a", labels={"team": "x"})
    paid(tenant, agent_id="b", model="gpt-4.1")
    assert ask(tenant, model="gpt-4o-mini", from_agent_id="a")["totals"]["calls"] == 1
    assert ask(tenant, model="gpt-4o-mini", from_model="gpt-4.1")["by_model"][0]["model"] == "gpt-4.1"
    assert ask(tenant, model="gpt-4o-mini", from_not_agent_id="a")["totals"]["calls"] == 1
    assert ask(tenant, model="gpt-4o-mini", **{"from_label.team": "x"})["totals"]["calls"] == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("agent_id", "a"),
        ("target", "gpt-4o"),
        ("label.team", "x"),
        ("from_colour", "red"),
        ("tier", "cheap"),
        ("cache_share", "101"),
        ("price_date", "yesterday"),
        ("from_status", "tired"),
    ],
)
def test_a_bad_parameter_is_named_as_it_was_sent(tenant: Tenant, name: str, value: str) -> None:
    problem = ask(tenant, 422, **{name: value})
    assert [error["loc"] for error in problem["errors"]] == [["query", name]]


def test_scores_of_both_models_stand_beside_and_without_them_nothing_judges(tenant: Tenant) -> None:
    paid(tenant)
    found = ask(tenant, model="gpt-4o-mini")
    assert found["scores"] == []
    assert "Nothing here judges the quality" in found["notes"][0]
    for model, value in (("gpt-4o", 1.0), ("gpt-4o-mini", 0.5)):
        [row] = tenant.calls(1, NOON, model=model)
        score = {"trace_id": row.trace_id, "name": "helpful", "value": value, "timestamp": iso(NOON)}
        tenant.client.post("/api/v1/scores", score, content_type="application/json")
    assert ask(tenant, model="gpt-4o-mini")["scores"] == [
        {"name": "helpful", "now": 1, "now_scores": 1, "then": 0.5, "then_scores": 1}
    ]


def test_another_workspace_is_not_in_it(tenant: Tenant) -> None:
    writer.store(WorkspaceFactory().id, [a_row(NOON, input_tokens=1, output_tokens=1, cost_usd="1")])
    assert ask(tenant, model="gpt-4o-mini")["totals"]["calls"] == 0
    assert "What the calls of this window would have cost. No call" in panel(tenant)


# --- The same as pricing each call ---

MODELS = [
    *(("openai", "gpt-4o"), ("openai", "gpt-5.4"), ("anthropic", "claude-haiku-4-5"), ("deepseek", "deepseek-v4-pro")),
    *(("gcp.gemini", "gemini-2.5-pro"), ("acme", "my-own"), (None, "gpt-4o-mini")),
]
TARGETS = [None, "gpt-4o-mini", "openai/gpt-5.4", "gemini-2.5-pro", "claude-sonnet-4-5", "deepseek/deepseek-v4-pro"]


def a_call(dice: random.Random, start: datetime) -> Row:
    provider, model = dice.choice(MODELS)
    size = dice.choice([100, 10_000, 200_000, 200_100, 300_000])
    read = dice.choice([None, 0, size // 2])
    details = dice.choice([None, None, {"service_tier": "batch"}, {"service_tier": "flex"}, {"web_searches": 2}])
    return a_row(
        start + timedelta(minutes=dice.randrange(36 * 60)),
        provider=provider,
        model=model,
        operation=dice.choice(["chat", "chat", "embeddings"]),
        input_tokens=dice.choice([size, size, size, None, 0]),
        output_tokens=dice.choice([100, 700, None]),
        cache_read_tokens=read,
        cache_write_tokens=dice.choice([None, size // 4]),
        reasoning_tokens=dice.choice([None, 50]),
        usage_details=details,
        cost_usd=dice.choice(["0.3", "1.7", None]),
        cost_source="reported",
    )


def cost_of_one(row: Row, query: dict[str, Any], overrides: Any) -> Decimal | None:
    """Returns the cost as the product would have priced this one call."""
    call = replace(row)
    if target := query.get("model"):
        call.provider, call.model = provider_and_model(target)
    names = (call.model or "",)
    call.model = base_model(call.model)
    if "tier" in query:
        call.usage_details = (call.usage_details or {}) | {"service_tier": query["tier"]}
    if "price_date" in query:
        call.timestamp = datetime.combine(date.fromisoformat(query["price_date"]), time(12), UTC)
    if share := query.get("cache_share"):
        call.cache_read_tokens = (call.input_tokens or 0) * share // 100
        call.cache_write_tokens = (call.cache_write_tokens or 0) * (100 - share) // 100
    price_calls(overrides, [CallToPrice(call, names)])
    return call.cost_usd


def is_usable(row: Row) -> bool:
    """Returns whether the cache of the call fits its input, before another share is asked for."""
    cached = (row.cache_read_tokens or 0) + (row.cache_write_tokens or 0)
    return row.operation == "embeddings" or cached <= (row.input_tokens or 0)


@pytest.mark.parametrize("seed", range(6))
def test_the_answer_is_the_sum_of_each_call_priced_in_python(tenant: Tenant, seed: int) -> None:
    dice = random.Random(seed)
    start = START + timedelta(minutes=dice.randrange(60))
    rows = [a_call(dice, START) for _ in range(150)]
    writer.store(tenant.workspace.id, rows)
    PriceOverride.objects.create(
        workspace=tenant.workspace,
        model_pattern="gpt-4o-mini",
        input_usd_per_million=dice.randrange(9),
        output_usd_per_million=7,
        valid_from=START + timedelta(hours=dice.randrange(40)),
    )
    overrides = overrides_of(tenant.workspace.id)
    for _ in range(6):
        query: dict[str, Any] = {"model": dice.choice(TARGETS), "tier": dice.choice([None, "batch", "standard"])}
        query |= {"cache_share": dice.choice([None, 20]), "price_date": dice.choice([None, "2026-03-01"])}
        query = {name: value for name, value in query.items() if value is not None}
        totals = ask(tenant, start=iso(start), end=iso(END), **query)["totals"]
        inside = [row for row in rows if start <= row.timestamp < END]
        now = then = Decimal(0)
        unpriced = 0
        for row in inside:
            has_more = bool(row.usage_details and "web_searches" in row.usage_details)
            left_out = "cache_share" in query and (has_more or not is_usable(row))
            cost = None if left_out else cost_of_one(row, query, overrides)
            unpriced += cost is None
            if cost is not None and row.cost_usd is not None:
                now, then = now + row.cost_usd, then + cost
        assert totals["calls"] == len(inside)
        assert totals["unpriced_then_calls"] == unpriced, query
        assert totals["now_cost_usd"] == pytest.approx(float(now))
        assert totals["then_cost_usd"] == pytest.approx(float(then), rel=1e-12), query


def test_a_price_of_the_workspace_starts_within_a_day_whose_other_prices_change(tenant: Tenant) -> None:
    """deepseek-v4-pro costs more in some hours. The price of gpt-4o-mini starts at noon, at $1 and $1."""
    PriceOverride.objects.create(
        workspace=tenant.workspace,
        model_pattern="gpt-4o-mini",
        input_usd_per_million=1,
        output_usd_per_million=1,
        valid_from=NOON,
    )
    tenant.calls(1, NOON, provider="deepseek", model="deepseek-v4-pro", input_tokens=10, output_tokens=1, cost_usd="1")
    paid(tenant, at=NOON + timedelta(hours=14), model="gpt-4o-mini", cost_usd="2")
    found = ask(tenant, start=iso(START), end=iso(NOON + timedelta(hours=20)))
    lines = {line["model"]: line["then_cost_usd"] for line in found["by_model"]}
    assert lines["gpt-4o-mini"] == 2


def test_of_very_many_models_the_dearest_have_a_line(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(what_if, "MOST_MODELS", 1)
    paid(tenant, 2)
    paid(tenant, 1, model="gpt-4.1", cost_usd="10")
    found = ask(tenant, model="gpt-4o-mini")
    assert [(line["model"], line["then_cost_usd"]) for line in found["by_model"]] == [("gpt-4o", 1.5), (None, 0.75)]
    assert "the others have no line of their own" in " ".join(found["notes"])
    assert ask(tenant)["totals"]["unpriced_then_calls"] == 1


# --- From sums ---


@pytest.fixture
def few_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(what_if, "MOST_CALLS", 3)


@pytest.mark.usefixtures("few_calls")
def test_very_many_calls_are_priced_from_sums_with_the_same_result(tenant: Tenant) -> None:
    paid(tenant, 3)
    paid(tenant, 2, NOON - timedelta(hours=20), model="gpt-4.1", cost_usd="10")
    tenant.calls(1, NOON, status="error")
    found = ask(tenant, model="gpt-4o-mini", granularity="hourly")
    assert found["method"] == "sums"
    assert (found["totals"]["now_cost_usd"], found["totals"]["then_cost_usd"]) == (57.5, 3.75)
    assert found["totals"]["unpriced_now_calls"] == 1
    assert [p["then_cost_usd"] for p in found["data"] if p["then_cost_usd"]] == [1.5, 2.25]
    assert "Sums do not know service tiers" in " ".join(found["notes"])
    assert "Sums do not know service tiers" not in " ".join(ask(tenant, tier="standard")["notes"])


@pytest.mark.usefixtures("few_calls")
def test_sums_do_not_know_long_inputs_so_the_answer_is_a_range(tenant: Tenant) -> None:
    tenant.calls(4, NOON, input_tokens=MILLION, output_tokens=0, cost_usd="1")
    found = ask(tenant, model="gemini-2.5-pro")
    assert (found["totals"]["then_cost_usd"], found["totals"]["then_at_most_usd"]) == (5, 10)
    assert "Inputs above 200,000 tokens cost more" in " ".join(found["notes"])
    assert "$5.00 to $10.00" in panel(tenant, model="gemini-2.5-pro")


@pytest.mark.usefixtures("few_calls")
def test_sums_leave_out_a_model_whose_price_changes_within_the_day(tenant: Tenant) -> None:
    paid(tenant, 4)
    found = ask(tenant, model="deepseek/deepseek-chat", price_date="2025-03-01")
    assert found["totals"]["unpriced_then_calls"] == 0
    found = ask(tenant, model="deepseek/deepseek-v4-pro")
    assert (found["totals"]["compared_calls"], found["totals"]["unpriced_then_calls"]) == (0, 4)
    assert "changes within the day" in " ".join(found["notes"])


@pytest.mark.usefixtures("few_calls")
def test_sums_say_how_many_calls_without_a_price_may_be_in_them(tenant: Tenant) -> None:
    paid(tenant, 3)
    paid(tenant, 1, cost_usd=None)
    assert "1 calls have no price now" in " ".join(ask(tenant, model="gpt-4o-mini")["notes"])


# --- The page ---


def page(tenant: Tenant, expect: int = 200, **query: Any) -> str:
    query = {"workspace": str(tenant.workspace.id), **query}
    response = tenant.client.get("/dashboard/insights/what-if", query)
    assert response.status_code == expect, response.content
    return " ".join(response.content.decode().split())


def test_the_page_asks_with_its_filters_as_those_of_the_calls(tenant: Tenant) -> None:
    shown = page(tenant, target="gpt-4o-mini", agent_id="support", model="gpt-4o", cache_share="30", tier="")
    assert (
        f'hx-get="{PATH}?model=gpt-4o-mini&amp;from_agent_id=support&amp;from_model=gpt-4o&amp;cache_share=30'
        "&amp;range=30d" in shown
    )
    assert 'value="gpt-4o-mini"' in shown


def test_the_page_says_what_is_wrong(tenant: Tenant) -> None:
    assert "must be one of" in page(tenant, 422, tier="cheap")


def test_a_fault_has_the_name_that_the_page_uses_and_can_be_left_out(tenant: Tenant) -> None:
    shown = page(tenant, 422, status="lost", agent_id="support")
    assert "<b>status</b>" in shown
    left_out = shown.partition("<b>status</b>")[2].partition("Leave it out")[0]
    assert "status=lost" not in left_out
    assert "agent_id=support" in left_out
    assert "<b>target</b>" in page(tenant, 422, target="x" * 2000)


def test_a_form_without_values_changes_nothing(tenant: Tenant) -> None:
    paid(tenant)
    assert "by today&#x27;s price list" in panel(tenant) or "the same by today" in panel(tenant)
    page(tenant, target="", tier="", cache_share="", price_date="")
