"""The ledger: every token and dollar by day, model, class and price, by API and as a page."""

import csv
import random
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections
from django.test.utils import CaptureQueriesContext

from insights import ledger
from tests.factories import WorkspaceFactory
from tests.tenant import NOON, Tenant, a_row, iso
from traces import writer

pytestmark = pytest.mark.django_db(databases="__all__")

PATH = "/api/v1/cost/ledger"
WINDOW = {"start": iso(NOON - timedelta(hours=12)), "end": iso(NOON + timedelta(hours=12))}
WEEK = {"start": iso(NOON - timedelta(days=6, hours=12)), "end": iso(NOON + timedelta(hours=12))}
LIST_ID = "genai-prices-1.0:openai/gpt-4o"


def raw(tenant: Tenant, expect: int = 200, headers: dict[str, str] | None = None, **query: Any) -> Any:
    cache.clear()
    response = tenant.client.get(PATH, (WINDOW if "start" not in query else {}) | query, headers=headers or {})
    assert response.status_code == expect, response.content
    return response


def lines(answer: Any) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Returns tokens, unit price and cost by model, class and price."""
    names = ("model", "token_class", "price_id")
    figures = ("tokens", "usd_per_million_tokens", "cost_usd")
    return {tuple(line[name] for name in names): tuple(line[name] for name in figures) for line in answer["data"]}


def priced(**values: Any) -> dict[str, Any]:
    """Returns a call of 1,000 input tokens, 400 of them from the cache, and 100 output tokens, for $0.01."""
    usual = {
        "input_tokens": 1000,
        "output_tokens": 100,
        "cache_read_tokens": 400,
        "cost_usd": Decimal("0.010"),
        "input_cost_usd": Decimal("0.006"),
        "cache_read_cost_usd": Decimal("0.002"),
        "output_cost_usd": Decimal("0.002"),
        "cost_source": "genai-prices",
        "price_id": LIST_ID,
    }
    return usual | values


def test_each_class_has_its_tokens_its_price_and_its_cost(tenant: Tenant) -> None:
    tenant.calls(3, **priced())
    answer = raw(tenant).json()
    assert lines(answer) == {
        ("gpt-4o", "input", LIST_ID): (1800, 10.0, 0.018),
        ("gpt-4o", "output", LIST_ID): (300, 20.0, 0.006),
        ("gpt-4o", "cache_read", LIST_ID): (1200, 5.0, 0.006),
    }
    assert {line["calls"] for line in answer["data"]} == {3}
    assert (answer["total_cost_usd"], answer["total_calls"], answer["unpriced_calls"]) == (0.03, 3, 0)
    assert answer["data"][0]["timestamp"] == iso(NOON - timedelta(hours=12))


def test_prices_of_one_day_are_told_apart(tenant: Tenant) -> None:
    tenant.calls(1, **priced())
    tenant.calls(1, **priced(cost_source="override", price_id="override:7"))
    tenant.calls(1, **priced(cost_usd=None, input_cost_usd=None, cache_read_cost_usd=None, output_cost_usd=None,
                             cost_source="unknown", price_id=None))  # fmt: skip
    answer = raw(tenant).json()
    of_input = {line["price_id"]: line for line in answer["data"] if line["token_class"] == "input"}
    assert [of_input[name]["cost_usd"] for name in (LIST_ID, "override:7", None)] == [0.006, 0.006, None]
    assert (of_input[None]["price_source"], of_input[None]["unpriced_calls"]) == ("unknown", 1)
    assert answer["unpriced_calls"] == 1


def test_a_total_that_a_client_reports_is_of_no_class(tenant: Tenant) -> None:
    tenant.calls(2, input_tokens=10, cost_usd=Decimal("0.5"), cost_source="reported")
    assert lines(raw(tenant).json()) == {
        ("gpt-4o", "input", None): (20, None, 0),
        ("gpt-4o", "other", None): (None, None, 1.0),
    }


def test_a_call_that_used_nothing_has_a_line(tenant: Tenant) -> None:
    tenant.calls(1, cost_source="unknown")
    [line] = raw(tenant).json()["data"]
    assert (line["token_class"], line["cost_usd"], line["unpriced_calls"]) == ("other", None, 1)


def test_the_audio_of_a_call_makes_its_price_by_token_unknown(tenant: Tenant) -> None:
    tenant.calls(1, **priced(cost_usd=Decimal("1.010"), audio_cost_usd=Decimal(1)))
    found = lines(raw(tenant).json())
    assert found["gpt-4o", "audio", LIST_ID] == (None, None, 1.0)
    assert found["gpt-4o", "input", LIST_ID] == (600, None, 0.006)


def some_history(tenant: Tenant, seed: int) -> None:
    source = random.Random(seed)
    rows = []
    for _ in range(150):
        tokens = source.randrange(1, 10_000)
        parts = [Decimal(source.randrange(0, 10**6)) / 10**9 for _ in range(3)]
        has_price = source.random() < 0.8
        costs = dict(zip(("input_cost_usd", "output_cost_usd", "cache_read_cost_usd"), parts, strict=True))
        rows.append(
            a_row(
                NOON - timedelta(minutes=source.randrange(0, 6 * 24 * 60)),
                model=source.choice(["gpt-4o", "gpt-4o-mini", "o3", None]),
                provider=source.choice(["openai", "azure.ai.openai", None]),
                agent_id=source.choice(["support", "triage"]),
                input_tokens=tokens,
                cache_read_tokens=source.randrange(0, tokens),
                output_tokens=source.randrange(0, 500),
                **(costs if has_price else {}),
                cost_usd=sum(parts) + Decimal("0.000000001") * source.randrange(0, 3) if has_price else None,
                price_id=source.choice(["a:1", "a:2"]) if has_price else None,
                cost_source="genai-prices" if has_price else "unknown",
            )
        )
    writer.store(tenant.workspace.id, rows)


def money(lines: Any, **values: Any) -> Decimal:
    return sum(
        (
            Decimal(str(line["cost_usd"] or 0))
            for line in lines
            if all(line[name] == value for name, value in values.items())
        ),
        Decimal(0),
    )


@pytest.mark.parametrize("most", [300_000, 0], ids=["from rows", "from sums"])
@pytest.mark.parametrize("query", [{}, {"agent_id": "triage"}, {"limit": "2"}, {"zone": "Asia/Kolkata"}], ids=str)
def test_it_adds_up_to_the_cost_trend(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, most: int, query: dict[str, str]
) -> None:
    monkeypatch.setattr(ledger, "MOST_CALLS_WITH_PRICES", most)
    some_history(tenant, 7)
    window = WEEK | query
    answer = raw(tenant, **window).json()
    trend = tenant.ask("cost/trend", **window, granularity="daily")
    overview = tenant.ask("cost/overview", **window)
    assert answer["has_prices"] == bool(most)
    assert answer["total_cost_usd"] == overview["total_spend_usd"]
    assert answer["unpriced_calls"] == overview["unpriced_calls"]
    assert money(answer["data"]) == Decimal(str(answer["total_cost_usd"]))
    for point in trend["data"]:
        names = {name: point[name] for name in ("timestamp", "provider", "model")}
        assert money(answer["data"], **names) == Decimal(str(point["cost_usd"] or 0)), names


def test_sums_and_rows_give_the_same_lines(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant.calls(5, **priced())
    of_rows = raw(tenant).json()
    monkeypatch.setattr(ledger, "MOST_CALLS_WITH_PRICES", 4)
    of_sums = raw(tenant).json()
    unpriced = {"price_id": None, "price_source": None}
    assert of_sums["data"] == [line | unpriced for line in of_rows["data"]]
    assert (of_rows["has_prices"], of_sums["has_prices"]) == (True, False)


def test_days_are_those_of_the_zone_and_can_be_months(tenant: Tenant) -> None:
    tenant.calls(1, NOON.replace(hour=20), **priced())
    window = {"start": iso(NOON), "end": iso(NOON + timedelta(hours=12))}
    [day] = {line["timestamp"] for line in raw(tenant, **window, zone="Asia/Tokyo").json()["data"]}
    assert day == iso(NOON + timedelta(hours=3))
    assert raw(tenant, **window, granularity="monthly").json()["total_calls"] == 1
    [error] = raw(tenant, 422, granularity="hourly").json()["errors"]
    assert error["msg"] == "must be one of daily, weekly, monthly"


def test_the_file_has_exactly_the_lines(tenant: Tenant) -> None:
    tenant.calls(2, **priced(model="=cmd()"))
    response = raw(tenant, format="csv")
    found = list(csv.DictReader(StringIO(response.content.decode())))
    assert [row["token_class"] for row in found] == ["input", "output", "cache_read"]
    assert {row["model"] for row in found} == {"'=cmd()"}
    assert 'filename="cost-ledger' in response["Content-Disposition"]


def test_another_workspace_is_unseen_and_nothing_is_no_error(tenant: Tenant) -> None:
    writer.store(WorkspaceFactory().id, [a_row(**priced())])
    answer = raw(tenant).json()
    assert (answer["data"], answer["total_cost_usd"], answer["total_calls"]) == ([], 0, 0)


def test_the_page_leads_from_the_cost_page_to_one_day(tenant: Tenant) -> None:
    tenant.calls(3, **priced())
    by_model = tenant.client.get("/api/v1/cost/by-model", WINDOW, headers={"HX-Request": "true"}).content.decode()
    assert "/dashboard/cost/ledger?" in by_model
    panel = raw(tenant, headers={"HX-Request": "true"}, **WEEK).content.decode()
    text = " ".join(panel.split())
    assert "$0.0300 in 3 calls" in text
    assert "openai/gpt-4o, list 1.0" in text
    assert f"start={NOON:%Y-%m-%d}T00%3A00%3A00Z" in text
    page = tenant.client.get("/dashboard/cost/ledger", {"workspace": str(tenant.workspace.id)})
    assert page.status_code == 200
    assert "range=7d" in page.content.decode()
    bad = tenant.client.get("/dashboard/cost/ledger", {"workspace": str(tenant.workspace.id), "range": "9d"})
    assert bad.status_code == 422


def test_of_many_models_none_is_compared_with_every_other(tenant: Tenant) -> None:
    tenant.calls(1, **priced())
    with CaptureQueriesContext(connections["analytics"]) as asked:
        raw(tenant)
    [lines_sql] = [query["sql"] for query in asked if "token_class" in query["sql"]]
    with connections["analytics"].cursor() as cursor:
        cursor.execute(f"EXPLAIN {lines_sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Join Filter" not in plan, plan
