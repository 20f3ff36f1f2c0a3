"""`GET /api/v1/query`: any measures by up to two dimensions, as a table or a series."""

import pytest

from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__")


def test_it_sums_by_one_dimension_the_largest_first(tenant: Tenant) -> None:
    tenant.calls(2, model="gpt-4o", cost_usd="0.5")
    tenant.calls(1, model="o4-mini", cost_usd="4")
    answer = tenant.ask("query", measures="cost_usd,calls", by="model")
    assert answer == {
        "measures": ["cost_usd", "calls"],
        "by": ["model"],
        "granularity": None,
        "percentile_method": None,
        "data": [
            {"model": "o4-mini", "cost_usd": 4, "calls": 1},
            {"model": "gpt-4o", "cost_usd": 1, "calls": 2},
        ],
        "rest": None,
        "totals": {"cost_usd": 5, "calls": 3},
    }
