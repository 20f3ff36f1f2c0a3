"""The comparison with other products asks this one for totals that no cache has."""

from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.peers import our_totals
from tests.tenant import Tenant


@pytest.mark.django_db(databases="__all__")
def test_each_question_for_totals_is_answered_and_new(tenant: Tenant) -> None:
    tenant.calls(3, datetime.now(UTC) - timedelta(hours=1))
    for number in range(3):
        method, path, _ = our_totals(number)
        answer = tenant.client.generic(method, path)
        assert answer.status_code == 200, answer.content
        assert answer["X-Cache"] == "miss"
        assert answer.json()["total_calls"] == 3
