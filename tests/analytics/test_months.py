"""A month's days add up to the month, in the workspace's own time zone."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest

from budgets.spending import spending
from tests.tenant import Tenant, a_row, iso
from traces import writer

pytestmark = pytest.mark.django_db(databases="__all__")

MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("zone", "year", "month"),
    [
        ("UTC", 2026, 2),
        ("Asia/Kolkata", 2026, 6),
        ("America/New_York", 2026, 3),
        ("America/New_York", 2026, 11),
        ("Pacific/Chatham", 2026, 4),
        ("Pacific/Chatham", 2026, 9),
    ],
)
def test_the_days_add_up_to_the_month(tenant: Tenant, zone: str, year: int, month: int) -> None:
    tenant.workspace.time_zone = zone
    tenant.workspace.save()
    first = datetime(year, month, 1, tzinfo=ZoneInfo(zone))
    midnights = [first + timedelta(days=day) for day in range(32)]  # wall time: a day may have 23 or 25 hours
    days = [at.astimezone(UTC) for at in midnights if at.month == month or at.day == 1]
    random = Random(month)
    within = [days[0] + (days[-1] - days[0]) * random.random() for _ in range(100)]
    moments = [*within, *days, *(day - MICROSECOND for day in days)]
    costs = [Decimal(random.randrange(1, 10_000)) / 100 for _ in moments]
    writer.store(tenant.workspace.id, [a_row(at, cost_usd=cost) for at, cost in zip(moments, costs, strict=True)])

    expected = sum(cost for at, cost in zip(moments, costs, strict=True) if days[0] <= at < days[-1])
    by_day = [
        tenant.ask("cost/overview", start=iso(start), end=iso(end))["total_spend_usd"] for start, end in pairwise(days)
    ]
    assert sum(Decimal(repr(spend)) for spend in by_day) == expected
    assert tenant.ask("cost/by-model", start=iso(days[0]), end=iso(days[-1]))["total_cost_usd"] == float(expected)
    assert spending(tenant.workspace, days[-1] - MICROSECOND).spend_usd == expected
