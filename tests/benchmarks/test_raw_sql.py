from datetime import timedelta

import pytest
from django.http import QueryDict

from analytics.catalogue import METRICS
from analytics.query_string import parse_filters
from benchmarks.compare import differences
from benchmarks.raw_sql import QUESTIONS
from tests.tenant import NOON, Tenant, iso
from traces.db import rows

# The endpoints whose times docs/performance.md compares with raw SQL. A newer endpoint need not be among them.
MEASURED = {
    "usage/overview",
    "usage/calls-over-time",
    "usage/agent-distribution",
    "usage/top-users",
    "cost/overview",
    "cost/trend",
    "cost/by-model",
    "cost/budget",
    "performance/overview",
    "performance/latency",
    "performance/throughput",
    "performance/errors",
}

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def stored(tenant: Tenant) -> Tenant:
    """Stores calls of two days, with two agents and users, a call that failed and one without a price."""
    before = NOON - timedelta(days=1)
    tenant.calls(2, before, user_id="ada", latency_ms=100, cost_usd="0.5", input_tokens=10, output_tokens=1)
    tenant.calls(3, user_id="ada", latency_ms=200, cost_usd="0.25", input_tokens=20, output_tokens=2)
    tenant.calls(1, NOON + timedelta(hours=3), user_id="bob", agent_id="sales", latency_ms=50)
    tenant.calls(1, user_id="bob", model="o4-mini", status="error", error_type="overloaded", error_message="later")
    return tenant


def test_the_twelve_measured_questions_are_here_and_each_is_one_of_the_product() -> None:
    assert MEASURED <= QUESTIONS.keys() <= METRICS.keys()


@pytest.mark.parametrize("route", sorted(QUESTIONS.keys() - {"cost/budget", "cost/overview"}))
@pytest.mark.parametrize("filter_query", ["", "&agent_id=support", "&model=gpt-4o", "&provider=nobody"])
def test_raw_rows_answer_as_the_product_does(stored: Tenant, route: str, filter_query: str) -> None:
    window = f"start={iso(NOON - timedelta(hours=12))}&end={iso(NOON + timedelta(hours=12))}"
    filters = parse_filters(QueryDict(window + filter_query), stored.workspace.id)
    assert list(differences(METRICS[route].question(filters), QUESTIONS[route](rows, filters))) == []


def test_the_budget_of_raw_rows_is_that_of_the_product(stored: Tenant) -> None:
    from budgets.spending import spending
    from methods.forecast import Forecast

    end = NOON + timedelta(hours=1)
    for day in range(30):
        stored.calls(1, end - timedelta(days=day, minutes=day), cost_usd="4")
    filters = parse_filters(QueryDict(f"start={iso(NOON)}&end={iso(end)}"), stored.workspace.id)
    month = spending(stored.workspace, now=end)
    assert isinstance(month.forecast, Forecast)
    ours = {"current_spend_usd": month.spend_usd, "projected_monthly_spend_usd": month.forecast.expected}
    assert list(differences(ours, QUESTIONS["cost/budget"](rows, filters))) == []
