"""Compares `/api/v1/query` with plain Python over the same random rows, as tests/analytics/test_oracle.py does."""

import random
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analytics import histories, query_oracle
from tests.analytics.oracle import Money, difference
from tests.analytics.query_oracle import QueryQuestion
from tests.analytics.test_oracle import IS_ON_DEMAND, QUESTIONS, ask, at, oracle_settings, settings_of, workspace_with
from traces.row import Row

pytestmark = pytest.mark.django_db(databases="__all__")

MEASURES = [
    *("calls", "errors", "cost_usd", "unpriced_calls", "error_rate", "avg_latency_ms", "cost_per_call_usd"),
    *query_oracle.TOKENS,
    *("tokens_per_second", "unique_users", "p50_latency_ms", "p95_latency_ms", "p99_latency_ms"),
    *("p50_first_token_ms", "p95_first_token_ms"),
]
# Sums of floats depend on their order, and so does which of two equal groups is first.
NOT_RANKED = {"avg_latency_ms", "tokens_per_second"}
DIMENSIONS = [
    *("agent_id", "model", "provider", "operation", "user_id", "environment", "release", "status", "error_type"),
    *("tool", "label.customer", "label.team's %(name)s {}", "label.a, comma"),
]
TOOLS = ["search", "sql"]
TOOL_FILTERS = [{name: texts} for name in ("tool", "not_tool") for texts in (["search"], ["sql", "search"], ["nobody"])]


def enrich(row: Row) -> None:
    """Adds the columns that other reads do not show. They depend on the span, so that all copies have the same."""
    rng = random.Random(row.span_id)
    is_call = row.operation not in ("execute_tool", "invoke_agent")
    tool, first_token_ms, tokens = rng.choice([None, *TOOLS]), rng.choice([None, 10.0, 80.5]), rng.randrange(9)
    row.tool = tool if row.operation == "execute_tool" else None
    row.first_token_ms = first_token_ms if is_call else None
    row.cache_read_tokens = tokens or None if is_call else None
    row.cache_write_tokens = row.reasoning_tokens = tokens * 3 if is_call else None


@st.composite
def deliveries(draw: st.DrawFn, money: Money) -> histories.Delivery:
    delivery = draw(histories.deliveries(money.now))
    for row in [*(row for batch in delivery.batches for row in batch), *delivery.corrections]:
        enrich(row)
    return delivery


@st.composite
def queries(draw: st.DrawFn, money: Money, rows: list[Row]) -> tuple[dict[str, Any], QueryQuestion]:
    """Draws a query: its query string, and its meaning for the oracle."""
    query, question = draw(histories.questions(money, rows))
    measures = tuple(draw(st.lists(st.sampled_from(MEASURES), min_size=1, max_size=6, unique=True)))
    by = tuple(draw(st.lists(st.sampled_from(DIMENSIONS), max_size=2, unique=True)))
    tools = draw(st.sampled_from([{}] * 6 + TOOL_FILTERS))
    is_series = draw(st.booleans())
    compare = draw(st.sampled_from([None, "previous", "last_week"]))
    meant = QueryQuestion(question, measures, by, "", compare, tools, is_series)
    ranking = [name for name in measures if name not in NOT_RANKED and not is_near(name, meant)] or ["calls"]
    order = draw(st.sampled_from(["-", ""])) + draw(st.sampled_from(ranking))
    measures = tuple(dict.fromkeys((*measures, order.removeprefix("-"))))
    if not is_series:
        del query["granularity"]
    query |= {"measures": ",".join(measures), "by": ",".join(name.replace(",", "\\,") for name in by), "order": order}
    query |= tools | ({"compare": compare} if compare else {})
    return query, replace(meant, measures=measures, order=order)


def is_near(name: str, query: QueryQuestion) -> bool:
    """Returns whether the product estimates the measure, so that only it knows the order of the groups."""
    return query_oracle.is_percentile(name) and query.question.exact_rows < 200_000


@settings(oracle_settings, max_examples=oracle_settings.max_examples if IS_ON_DEMAND else 15)
@given(data=st.data(), money=histories.budgets)
def test_every_query_is_answered_as_plain_python_does(data: st.DataObject, money: Money) -> None:
    ours, others = data.draw(deliveries(money)), data.draw(deliveries(money))
    workspace, other = workspace_with(money), workspace_with(money)
    ours.arrive(workspace.id)
    others.arrive(other.id)
    client = Client(headers={"X-Workspace-ID": str(workspace.id)})
    for _ in range(QUESTIONS):
        query, meant = data.draw(queries(money, ours.stored))
        with at(money.now), settings_of(workspace, meant.question):
            actual, expected = ask(client, "query", query), query_oracle.answer(ours.stored, meant)
            if expected["percentile_method"] == "histogram" and actual["percentile_method"] == "exact":
                expected["percentile_method"] = "exact"
            assert difference(actual, expected) is None, query
