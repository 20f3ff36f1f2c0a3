"""TimescaleDB answers every question as PostgreSQL does, over the same rows, also late and compressed ones."""

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import product
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from analytics.catalogue import METRICS
from analytics.page_questions import users_and_agents_over_time
from tests.tenant import NOON, Tenant, a_row, iso
from tests.timescaledb.conftest import RunQuery, in_place
from traces import engines, writer
from traces.engines import timescaledb as timescaledb_engine
from traces.engines.protocol import Aggregate
from traces.filters import Filters
from traces.rollups.catalogue import AGGREGATE_TABLES
from traces.row import Row

pytestmark = pytest.mark.django_db(databases=["default", "analytics"])

DAYS, HOURS, MINUTES = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
MIDNIGHT = NOON - 12 * HOURS
WINDOWS = {
    "with ragged edges": (NOON - 11 * DAYS + 13 * MINUTES, NOON + 7 * HOURS + 11 * MINUTES),
    "of whole days": (MIDNIGHT - 9 * DAYS, MIDNIGHT),
    "of whole hours": (NOON - 30 * HOURS, NOON),
    "within an hour": (NOON - 9 * DAYS + 5 * MINUTES, NOON - 9 * DAYS + 50 * MINUTES),
}
FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"agent_id": "agent-1"},
    {"model": "model-0", "provider": "provider-0"},
    {"operation": "embeddings"},
)
FILTERS_OF_ONE_WINDOW: tuple[dict[str, Any], ...] = (
    {"model": ["model-0", "model-1"], "not_agent_id": "agent-2"},
    {"not_operation": ["chat", "invoke_agent"], "not_error_type": "rate_limit"},
    {"user_id": ["user-1", "user-2"]},
    {"not_user_id": ["user-1", "user-3"], "status": ["error", "timeout"]},
    {"environment": "production", "not_session_id": "monday"},
    {"not_release": "42", "label.customer": ["acme", "globex"], "not_label.it's": "new"},
)
BATCH = 50


class Clock(datetime):
    """A stopped clock: a projection changes with the time of the request."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return datetime.fromtimestamp((NOON + DAYS).timestamp(), tz)


def some_rows() -> list[Row]:
    """Returns rows in random order; a tenth of them are in the shortest window."""
    random = Random(8)
    return [a_random_row(random, minutes) for minutes in random.sample(range(12 * 24 * 60), 360)] + [
        a_random_row(random, minutes) for minutes in random.sample(range(3 * 24 * 60, 3 * 24 * 60 + 50), 40)
    ]


def a_random_row(random: Random, minutes: int) -> Row:
    status = random.choice(["success", "success", "error", "timeout"])
    model = random.randrange(3)
    return a_row(
        NOON - 12 * DAYS + minutes * MINUTES + timedelta(microseconds=random.randrange(60_000_000)),
        operation=random.choice(["chat", "chat", "chat", "embeddings", "invoke_agent"]),
        agent_id=f"agent-{random.randrange(3)}",
        provider=f"provider-{model}",
        model=f"model-{model}",
        user_id=random.choice([None, *(f"user-{number}" for number in range(5))]),
        session_id=random.choice([None, "monday", "friday"]),
        environment=random.choice([None, "production", "staging"]),
        release=random.choice([None, "41", "42"]),
        labels=random.choice([None, {"customer": "acme"}, {"customer": "globex", "it's": "new"}, {"it's": "old"}]),
        status=status,
        error_type=random.choice([None, "rate_limit", "overloaded"]) if status == "error" else None,
        latency_ms=random.choice([None, 0.0, random.lognormvariate(6, 1)]),
        cost_usd=random.choice([None, f"0.{random.randrange(10**6):06}"]),
        input_tokens=random.choice([None, random.randrange(5000)]),
        output_tokens=random.randrange(500),
    )


@pytest.fixture
def query_both(
    postgresql: BaseDatabaseWrapper, timescaledb: RunQuery, tenant: Tenant, run_policies: Callable[[str], None]
) -> Callable[..., tuple[Any, Any]]:
    """Stores the same rows in both engines, and returns a function that queries both."""
    rows = some_rows()
    for first in range(0, len(rows), BATCH):
        batch = rows[first : first + BATCH]
        writer.store(tenant.workspace.id, batch)
        with in_place(postgresql):
            writer.store(tenant.workspace.id, batch)
        if first == 2 * BATCH:
            # The rows after these are late, and some of their chunks are compressed.
            run_policies("refresh")
            run_policies("compression")
    run_policies("refresh")

    def query(metric: str, **query: Any) -> tuple[Any, Any]:
        answer = tenant.ask(metric, **query)
        with in_place(postgresql):
            return answer, tenant.ask(metric, **query)

    return query


def test_every_answer_is_the_same(
    query_both: Callable[..., tuple[Any, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("budgets.spending.datetime", Clock)
    questions = [*product(FILTERS, WINDOWS), *product(FILTERS_OF_ONE_WINDOW, ["with ragged edges"])]
    for metric, (filters, name) in product(METRICS, questions):
        start, end = WINDOWS[name]
        active_filters = {} if metric == "cost/budget" else filters
        actual, expected = query_both(metric, start=iso(start), end=iso(end), **active_filters)
        assert are_same(actual, expected), f"{metric} {active_filters} {name}: {actual} is not {expected}"


def test_every_percentile_from_the_histogram_is_the_same(
    query_both: Callable[..., tuple[Any, Any]],
    settings,
) -> None:  # type: ignore[no-untyped-def]
    settings.EXACT_PERCENTILE_ROWS = 0
    for metric, (name, (start, end)) in product(("performance/overview", "performance/latency"), WINDOWS.items()):
        actual, expected = query_both(metric, start=iso(start), end=iso(end))
        assert are_same(actual, expected), f"{metric} {name}: {actual} is not {expected}"


ZONES = ("America/New_York", "Asia/Kolkata", "Asia/Kathmandu")
SERIES = ("usage/calls-over-time", "cost/trend", "performance/latency", "performance/throughput")


def test_every_series_in_a_zone_is_the_same(query_both: Callable[..., tuple[Any, Any]]) -> None:
    for metric, zone, granularity in product(SERIES, ZONES, ("daily", "monthly")):
        for name, filters in (("of whole days", {}), ("with ragged edges", {"agent_id": "agent-1"})):
            start, end = WINDOWS[name]
            query = {"start": iso(start), "end": iso(end), "zone": zone, "granularity": granularity}
            actual, expected = query_both(metric, **query, **filters)
            assert are_same(actual, expected), f"{metric} {query} {filters}: {actual} is not {expected}"


def test_users_of_each_day_of_a_zone_are_the_same(
    query_both: Callable[..., tuple[Any, Any]], postgresql: BaseDatabaseWrapper, tenant: Tenant
) -> None:
    start, end = WINDOWS["with ragged edges"]
    query_both("usage/overview", start=iso(start), end=iso(end))
    for zone, granularity in product(ZONES, ("daily", "weekly")):
        filters = Filters(tenant.workspace.id, start, end, granularity, zone=ZoneInfo(zone))  # type: ignore[arg-type]
        actual = users_and_agents_over_time(filters)
        with in_place(postgresql):
            assert actual == users_and_agents_over_time(filters)
            assert sum(bucket["users"] for bucket in actual["data"]) > 0


def are_same(first: Any, second: Any) -> bool:
    """Compares two answers, ignoring the order in which floats were added up."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(are_same(first[key], second[key]) for key in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(are_same, first, second))
    if isinstance(first, float) and isinstance(second, float):
        return math.isclose(first, second, rel_tol=1e-9)
    return bool(first == second)


def test_what_the_policies_have_not_summed_yet_is_read_from_rows(
    timescaledb: RunQuery, tenant: Tenant, run_policies: Callable[[str], None]
) -> None:
    now = datetime.now(UTC)
    tenant.calls(1, now - 9 * DAYS, user_id="ada", status="error", error_message="early")
    run_policies("refresh")
    tenant.calls(2, now, user_id="ada", status="error", error_message="late")
    window = {"start": iso(now - 20 * DAYS), "end": iso(now + 1 * MINUTES)}
    assert tenant.ask("usage/overview", **window)["total_calls"] == 3
    [user] = tenant.ask("usage/top-users", **window)["data"]
    assert (user["calls"], user["last_seen"]) == (3, iso(now))
    [group] = tenant.ask("performance/errors", **window)["data"]
    facts = group["calls"], group["first_seen"], group["last_seen"], group["sample_message"]
    assert facts == (3, iso(now - 9 * DAYS), iso(now), "late")


def test_aggregates_that_a_migration_made_again_are_looked_up_again(
    timescaledb: RunQuery, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = dict.fromkeys(AGGREGATE_TABLES, Aggregate("of_before", NOON))
    monkeypatch.setitem(timescaledb_engine._aggregates, engines.database_name(), (time.monotonic() - 11, gone))
    tenant.calls(2, datetime.now(UTC))
    assert tenant.ask("usage/calls-over-time", range="24h")["total_calls"] == 2


QUERIES: tuple[dict[str, str], ...] = (
    {"measures": "calls,cost_usd,unique_users,p95_latency_ms", "by": "model", "compare": "previous"},
    {"measures": "cost_usd,input_tokens,cache_read_tokens", "by": "label.customer,agent_id", "limit": "2"},
    {"measures": "p50_latency_ms,errors", "by": "agent_id", "granularity": "daily", "zone": "Asia/Kathmandu"},
    {"measures": "unique_users,calls", "by": "agent_id", "order": "unique_users", "compare": "last_week"},
    {"measures": "unique_users,avg_latency_ms", "granularity": "daily", "compare": "last_week"},
    {"measures": "calls,error_rate", "by": "status,error_type", "environment": "production"},
)


def test_every_query_is_answered_the_same(
    query_both: Callable[..., tuple[Any, Any]],
    settings,
) -> None:  # type: ignore[no-untyped-def]
    for query, (name, (start, end)), exact_rows in product(QUERIES, WINDOWS.items(), (0, 200_000)):
        settings.EXACT_PERCENTILE_ROWS = exact_rows
        actual, expected = query_both("query", start=iso(start), end=iso(end), **query)
        assert are_same(actual, expected), f"{query} {name}: {actual} is not {expected}"
