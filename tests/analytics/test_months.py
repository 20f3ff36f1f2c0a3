"""Days and weeks of a zone add up to its months, and these to the budget's month, over every change of clocks."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from analytics.page_questions import users_and_agents_over_time
from budgets.spending import spending
from tests.tenant import Tenant, a_row, iso
from traces import writer
from traces.filters import Filters

pytestmark = pytest.mark.django_db(databases="__all__")

MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("zone", "year", "month"),
    [
        ("UTC", 2026, 2),
        ("Asia/Kolkata", 2026, 6),
        ("Asia/Kathmandu", 2026, 7),
        ("Australia/Lord_Howe", 2026, 4),
        ("Australia/Lord_Howe", 2026, 10),
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
    for granularity, count in (("daily", len(days) - 1), ("monthly", 1)):
        series = spend_by_bucket(tenant, granularity, days[0], days[-1])
        assert len(series) == count
        assert sum(series.values()) == expected
    daily = spend_by_bucket(tenant, "daily", days[0], days[-1])
    assert list(daily) == [iso(day) for day in days[:-1]]
    assert list(daily.values()) == [Decimal(repr(spend)) for spend in by_day]
    assert sum(spend_by_bucket(tenant, "weekly", days[0], days[-1]).values()) == expected
    assert sum(spend_by_bucket(tenant, "hourly", days[0], days[-1]).values()) == expected
    calls = tenant.ask(
        "usage/calls-over-time", start=iso(days[0]), end=iso(days[-1]), granularity="daily", agent_id="support"
    )
    throughput = tenant.ask("performance/throughput", start=iso(days[0]), end=iso(days[-1]), granularity="daily")
    in_days = [sum(day <= at < following for at in moments) for day, following in pairwise(days)]
    assert [point["calls"] for point in calls["data"]] == [point["total"] for point in throughput["data"]] == in_days
    assert tenant.ask("cost/by-model", start=iso(days[0]), end=iso(days[-1]))["total_cost_usd"] == float(expected)
    assert spending(tenant.workspace, days[-1] - MICROSECOND).spend_usd == expected


def spend_by_bucket(tenant: Tenant, granularity: str, start: datetime, end: datetime) -> dict[str, Decimal]:
    points = tenant.ask("cost/trend", start=iso(start), end=iso(end), granularity=granularity)["data"]
    return {point["timestamp"]: Decimal(repr(point["cost_usd"])) for point in points}


CASE: dict[str, Any] = json.loads((Path(__file__).parent.parent / "cases/daily_buckets_zone.json").read_text())


def test_four_days_in_kolkata_are_four_bars(tenant: Tenant) -> None:
    tenant.workspace.time_zone = "Asia/Kolkata"
    tenant.workspace.save()
    start = datetime.fromisoformat(CASE["body"]["start"])
    writer.store(tenant.workspace.id, [a_row(start + hour * timedelta(hours=1)) for hour in range(96)])
    points = tenant.ask("usage/calls-over-time", granularity="daily", **CASE["body"])["data"]
    assert [point["calls"] for point in points] == [24, 24, 24, 24]
    assert datetime.fromisoformat(points[0]["timestamp"]) == datetime.fromisoformat(CASE["right"]["first"])


def test_a_reader_sees_the_days_of_the_zone_in_the_query(tenant: Tenant) -> None:
    tenant.calls(3, datetime(2026, 11, 20, 18, 29, tzinfo=UTC))  # 23:59 in Kolkata
    tenant.calls(2, datetime(2026, 11, 20, 18, 30, tzinfo=UTC))
    window = {"start": "2026-11-20T00:00:00Z", "end": "2026-11-21T00:00:00Z", "granularity": "daily"}
    in_utc = tenant.ask("usage/calls-over-time", **window)["data"]
    in_kolkata = tenant.ask("usage/calls-over-time", zone="Asia/Kolkata", **window)["data"]
    assert [point["calls"] for point in in_utc] == [5]
    assert [(point["timestamp"], point["calls"]) for point in in_kolkata] == [
        ("2026-11-19T18:30:00Z", 3),
        ("2026-11-20T18:30:00Z", 2),
    ]


def test_users_of_a_day_are_those_of_the_day_in_the_zone(tenant: Tenant) -> None:
    midnight = datetime(2026, 11, 20, 18, 15, tzinfo=UTC)  # in Kathmandu
    for minutes, user in ((-60, "ada"), (-5, "bob"), (-1, "ada"), (0, "ada"), (4, "cy"), (300, "dan")):
        tenant.calls(1, midnight + minutes * timedelta(minutes=1), user_id=user)
    window = (midnight - timedelta(days=1), midnight + timedelta(days=1))
    filters = Filters(tenant.workspace.id, *window, granularity="daily", zone=ZoneInfo("Asia/Kathmandu"))
    days = users_and_agents_over_time(filters)["data"]
    assert [(day["timestamp"], day["users"]) for day in days] == [(window[0], 2), (midnight, 3)]
