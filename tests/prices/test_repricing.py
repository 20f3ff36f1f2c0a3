"""`manage.py reprice` shows what would change first, and uses every fact that decides a price."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command

from prices.models import PriceOverride
from prices.repricing import KIND_OF_COLUMN
from tests.ingest.test_otlp import JSON, TRACE, a_span, override, post, request_of, stored
from tests.tenant import NOON, Tenant, iso
from traces import db, writer
from traces.lookup import rows_after
from traces.row import CORRECTED_COLUMNS, COST_COLUMNS

pytestmark = pytest.mark.django_db(databases="__all__")

DAY = timedelta(days=1)
NO_USAGE = {"gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 0}
ACME = {"gen_ai.request.model": "acme-7b", "gen_ai.provider.name": "acme"}


@pytest.fixture
def reprice(tenant: Tenant, capsys: Any) -> Any:
    """Returns a function that runs the command and returns the lines it prints."""

    def run(*options: str) -> list[str]:
        workspace = ["--workspace", str(tenant.workspace.id)]
        call_command("reprice", *workspace, "--from", "2020-01-01", "--to", "2100-01-01", *options)
        return list(capsys.readouterr().out.splitlines())

    return run


def costs(tenant: Tenant) -> list[tuple[Decimal, str]]:
    return [(row["cost_usd"], row["cost_source"]) for row in stored(tenant) if row["cost_source"]]


def test_a_dry_run_says_what_would_change_by_model_and_changes_nothing(tenant: Tenant, reprice: Any) -> None:
    acme = [a_span(number, attributes=ACME) | {"traceId": "ab" * 16} for number in (2, 3)]
    free = {
        "agent_id": "a",
        "provider": "acme",
        "model": "acme-7b",
        "input_tokens": 1000,
        "output_tokens": 0,
        "cost_usd": 0.5,
    }
    post(tenant, request_of(a_span(1), *acme))
    tenant.client.post("/api/v1/traces", json.dumps(free | {"timestamp": iso(NOON)}), content_type=JSON)
    override(tenant, model_pattern="acme-*")
    expected = [
        "calls     4",
        "before    0.5035 USD, 2 unpriced",
        "after     0.0535 USD, 0 unpriced",
        "would change 3",
        "by kind   cost class 3, price 3",
        # 1,000 tokens at 10 USD a million are 0.01, 100 at 100 are 0.01 more.
        "  acme acme-7b: 3 of 3 calls, 0.5 USD, 2 unpriced -> 0.05 USD, 0 unpriced",
    ]
    assert reprice("--dry-run") == expected
    assert reprice("--dry-run") == expected
    assert reprice()[3:] == ["changed   3", *expected[-2:]]
    assert reprice()[2:] == ["after     0.0535 USD, 0 unpriced", "changed   0"]


def test_the_largest_change_comes_first(tenant: Tenant, reprice: Any) -> None:
    nameless = {"agent_id": "a", "input_tokens": 1000, "output_tokens": 0, "timestamp": iso(NOON)}
    post(
        tenant, request_of(a_span(1), a_span(2, attributes={"gen_ai.request.model": "gpt-4"}) | {"traceId": "ab" * 16})
    )
    tenant.client.post("/api/v1/traces", json.dumps(nameless), content_type=JSON)
    override(tenant, model_pattern="*", input_usd_per_million=0, output_usd_per_million=1)
    assert reprice("--dry-run")[3:] == [
        "would change 3",
        "by kind   cost class 3, price 3",
        "  openai gpt-4: 1 of 1 calls, 0.036 USD, 0 unpriced -> 0.0001 USD, 0 unpriced",
        "  openai gpt-4o: 1 of 1 calls, 0.0035 USD, 0 unpriced -> 0.0001 USD, 0 unpriced",
        "  no provider no model: 1 of 1 calls, 0 USD, 1 unpriced -> 0 USD, 0 unpriced",
    ]


@pytest.mark.parametrize("override_comes_first", [True, False])
@pytest.mark.parametrize("own", [0.25, 0.0, 1e-07])
def test_the_clients_figure_of_a_json_call_counts_again_without_the_override(
    tenant: Tenant, reprice: Any, own: float, override_comes_first: bool
) -> None:
    item = {"agent_id": "a", "model": "gpt-4o", "input_tokens": 1000, "output_tokens": 100, "cost_usd": own}
    if override_comes_first:
        override(tenant)
    tenant.client.post("/api/v1/traces", json.dumps(item | {"timestamp": iso(NOON)}), content_type=JSON)
    if not override_comes_first:
        override(tenant)
        reprice()
    assert costs(tenant) == [(Decimal("0.02"), "override")]
    PriceOverride.objects.all().delete()
    assert reprice()[3] == "changed   1"
    assert costs(tenant) == [(Decimal(repr(own)), "reported")]


def test_a_json_call_in_the_trace_of_spans_stays_as_it_was_sent(tenant: Tenant) -> None:
    item = {
        "agent_id": "mine",
        "trace_id": TRACE,
        "span_id": "json",
        "parent_span_id": "0000000000000001",
        "cost_usd": 2,
    }
    tenant.client.post("/api/v1/traces", json.dumps(item | {"timestamp": iso(NOON)}), content_type=JSON)
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "theirs", **NO_USAGE}
    assert post(tenant, request_of(a_span(1, attributes=agent))).status_code == 200
    assert {row["agent_id"]: row["operation"] for row in stored(tenant)} == {"mine": "chat", "theirs": "invoke_agent"}


@pytest.mark.parametrize(
    "placement", [{}, {"traceId": "ab" * 16, "parentSpanId": ""}], ids=["same trace", "another trace"]
)
@pytest.mark.parametrize(
    ("inner", "usd", "source"),
    [
        # 1,000 at 4.25 and 100 at 17 USD a million
        ({"openai.response.service_tier": "priority"}, "0.00595", "genai-prices"),
        ({"operation.cost": {"doubleValue": 0.25}}, "0.25", "reported"),
    ],
    ids=["tier", "cost"],
)
def test_a_call_sent_twice_is_repriced_with_all_that_is_known_of_it(
    tenant: Tenant, reprice: Any, inner: dict[str, Any], usd: str, source: str, placement: dict[str, Any]
) -> None:
    same_id = {"gen_ai.response.id": "chatcmpl-1"}
    post(tenant, request_of(a_span(1, attributes=same_id), a_span(2, 1, attributes=same_id | inner, **placement)))
    assert costs(tenant) == [(Decimal(usd), source)]
    assert reprice()[3:] == ["changed   0"]
    override(tenant)
    assert reprice()[3] == "changed   1"
    assert costs(tenant) == [(Decimal("0.02"), "override")]
    PriceOverride.objects.all().delete()
    reprice()
    assert costs(tenant) == [(Decimal(usd), source)]


def test_batches_go_on_where_the_last_one_stopped(
    tenant: Tenant, reprice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prices.repricing.BATCH", 2)
    post(tenant, request_of(*(a_span(number) for number in range(1, 6))))
    override(tenant)
    assert reprice()[0::3] == ["calls     5", "changed   5"]
    assert costs(tenant) == [(Decimal("0.02"), "override")] * 5


@pytest.mark.parametrize("first", [0, 1])
def test_the_order_of_two_spans_of_a_call_does_not_matter(tenant: Tenant, first: int) -> None:
    same_id = {"gen_ai.response.id": "chatcmpl-1"}
    spans = [
        a_span(1, attributes=same_id),
        a_span(2, 1, attributes=same_id | {"operation.cost": {"doubleValue": 0.25}}),
    ]
    post(tenant, request_of(spans[first]))
    post(tenant, request_of(spans[1 - first]))
    assert costs(tenant) == [(Decimal("0.25"), "reported")]


def test_a_span_that_adds_nothing_to_a_call_does_not_reprice_it(tenant: Tenant) -> None:
    same_id = {"gen_ai.response.id": "chatcmpl-1"}
    post(tenant, request_of(a_span(1, attributes=same_id), a_span(2, 1, attributes=same_id)))
    before = costs(tenant)
    override(tenant)
    post(tenant, request_of(a_span(3, 1, attributes={"gen_ai.operation.name": "execute_tool"})))
    assert costs(tenant) == before


def store_as_before(tenant: Tenant, **values: Any) -> None:
    """Gives all stored rows, and their sums, values that an earlier version stored."""
    with writer.writing(tenant.workspace.id) as cursor:
        rows = rows_after(cursor, tenant.workspace.id, (NOON - DAY, "", ""), NOON + DAY, 100)
        for row in rows:
            for name, value in values.items():
                setattr(row, name, value)
        writer.correct(cursor, tenant.workspace.id, rows)


def test_names_of_providers_and_models_are_carried_into_rows_and_sums(tenant: Tenant, reprice: Any) -> None:
    named = {"gen_ai.provider.name": "vertex_ai", "gen_ai.request.model": "claude-sonnet-4@20250514"}
    post(tenant, request_of(a_span(1, attributes=named), a_span(2, attributes=named)))
    right = tenant.ask("cost/by-model")
    store_as_before(tenant, provider="vertex_ai", model="claude-sonnet-4@20250514")
    assert tenant.ask("cost/by-model") != right
    assert reprice("--dry-run")[3:5] == ["would change 2", "by kind   model name 2, provider name 2"]
    assert tenant.ask("cost/by-model") != right
    reprice()
    assert tenant.ask("cost/by-model") == right
    assert reprice()[3:] == ["changed   0"]


def test_json_calls_get_the_name_of_their_provider_too(tenant: Tenant, reprice: Any) -> None:
    tenant.calls(2, provider="google", model="gemini-2.5-flash", input_tokens=1000, output_tokens=0)
    assert "provider name 2" in reprice()[4]
    [line] = tenant.ask("cost/by-model")["data"]
    assert (line["provider"], line["calls"], line["cost_usd"]) == ("gcp.gemini", 2, pytest.approx(0.0006))


def test_each_column_that_changes_is_named_by_its_kind(tenant: Tenant, reprice: Any) -> None:
    post(tenant, request_of(a_span(1, attributes={"gen_ai.response.id": "r"})))
    store_as_before(tenant, latency_ms=1.5, response_id="other")
    assert reprice("--dry-run")[3:5] == ["would change 1", "by kind   latency 1, response id 1"]


def test_every_column_that_may_change_has_a_kind() -> None:
    assert set(KIND_OF_COLUMN) == set(CORRECTED_COLUMNS)


def test_a_row_that_is_a_call_by_now_becomes_one(tenant: Tenant, reprice: Any) -> None:
    post(tenant, request_of(a_span(1), a_span(2)))
    right = tenant.ask("usage/agent-distribution")
    nothing = dict.fromkeys(("provider", "model", "input_tokens", "output_tokens", "cost_usd", *COST_COLUMNS))
    store_as_before(tenant, operation="other", agent_id="wrong", cost_source=None, price_id=None, **nothing)
    assert tenant.ask("cost/overview")["total_spend_usd"] == 0
    assert reprice("--dry-run")[3:5] == [
        "would change 2",
        "by kind   agent, user or session 2, cost class 2, model name 2, now a call 2, operation 2, price 2, "
        "provider name 2, usage 2",
    ]
    assert reprice()[:3] == ["calls     2", "before    0 USD, 0 unpriced", "after     0.007 USD, 0 unpriced"]
    assert tenant.ask("usage/agent-distribution") == right
    assert tenant.ask("cost/overview")["total_spend_usd"] == pytest.approx(0.007)


def test_a_row_that_is_no_call_by_now_costs_nothing(tenant: Tenant, reprice: Any) -> None:
    tool = {"gen_ai.operation.name": "execute_tool"}
    post(tenant, request_of(a_span(1), a_span(2, 1, attributes=tool)))
    right = tenant.ask("cost/by-model")
    store_as_before(tenant, operation="chat", cost_usd=Decimal(5), cost_source="genai-prices")
    assert tenant.ask("cost/overview")["total_spend_usd"] == 10
    assert reprice()[:4] == [
        "calls     2",
        "before    10 USD, 0 unpriced",
        "after     0.0035 USD, 0 unpriced",
        "changed   2",
    ]
    assert tenant.ask("cost/by-model") == right
    assert [row["operation"] for row in stored(tenant)] == ["chat", "execute_tool"]


def test_scores_of_repriced_calls_get_the_name_of_the_provider(tenant: Tenant, reprice: Any) -> None:
    post(tenant, request_of(a_span(1, attributes={"gen_ai.provider.name": "vertex_ai"})))
    store_as_before(tenant, provider="vertex_ai")
    score = {"trace_id": TRACE, "name": "helpful", "value": 1, "timestamp": iso(NOON)}
    assert tenant.client.post("/api/v1/scores", json.dumps(score), content_type=JSON).json()["accepted"] == 1
    reprice()
    for table in ("scores", "score_sums WHERE scores > 0"):
        assert db.rows(f"SELECT provider FROM {table}", {}) == [{"provider": "gcp.vertex_ai"}]
