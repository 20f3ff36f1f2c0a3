"""Sorted and filtered lists come from the totals of traces, whose order is that of the rows."""

from datetime import timedelta
from typing import Any

import pytest

from explorer import indexed_traces, traces
from tests.tenant import NOON, Tenant, a_row
from traces import writer
from traces.engines.postgresql import ENGINE

pytestmark = pytest.mark.django_db(databases="__all__")

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WINDOW = {"start": (NOON - 30 * DAY).isoformat(), "end": (NOON + HOUR).isoformat()}


@pytest.fixture
def _no_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a list fail that reads the rows of its window."""

    def scan(*_: Any) -> None:
        raise AssertionError("The rows are read.")

    monkeypatch.setattr(traces, "scan", scan)


def a_trace(tenant: Tenant, name: str, age: timedelta, **values: Any) -> None:
    writer.store(tenant.workspace.id, [a_row(NOON - age, trace_id=name, span_id=f"span of {name}", **values)])


def ids(tenant: Tenant, **query: Any) -> list[str]:
    answer = tenant.ask("traces", **WINDOW, **query)
    assert answer["searched_until"] is None
    return [trace["trace_id"] for trace in answer["data"]]


def all_pages(tenant: Tenant, **query: Any) -> list[str]:
    found: list[str] = []
    cursor = None
    while cursor is not None or not found:
        answer = tenant.ask("traces", **WINDOW, **query, **({"cursor": cursor} if cursor else {}))
        found += [trace["trace_id"] for trace in answer["data"]]
        cursor = answer["next_cursor"]
    return found


def test_a_sorted_list_that_reads_rows_has_pages_too(tenant: Tenant) -> None:
    rows = [a_row(NOON - DAY, trace_id=f"{number:03}", cost_usd=f"0.{number % 7}") for number in range(25)]
    writer.store(tenant.workspace.id, rows)
    expected = [row.trace_id for row in sorted(rows, key=lambda row: (-(row.cost_usd or 0), row.trace_id))]
    assert all_pages(tenant, sort="costliest", limit=10) == expected


def test_a_cursor_belongs_to_one_order(tenant: Tenant) -> None:
    for number in range(3):
        a_trace(tenant, f"trace {number}", DAY)
    cursor = tenant.ask("traces", **WINDOW, sort="slowest", limit=1)["next_cursor"]
    problem = tenant.ask("traces", expect=422, **WINDOW, sort="costliest", cursor=cursor)
    assert problem["errors"] == [
        {"loc": ["query", "cursor"], "msg": "must be the next_cursor of an earlier answer with the same sort"}
    ]


@pytest.mark.usefixtures("_no_scan")
def test_the_dearest_and_the_slowest_of_a_month_come_first_and_equal_ones_by_their_id(tenant: Tenant) -> None:
    for number in range(6):
        a_trace(tenant, f"b{number}", 29 * DAY - number * DAY, cost_usd="0.25", latency_ms=500.0)
        a_trace(tenant, f"a{number}", 20 * DAY - number * HOUR, cost_usd="0.25", latency_ms=100.0 * number)
    a_trace(tenant, "dear", 3 * DAY, cost_usd="2", latency_ms=1.0)
    a_trace(tenant, "unpriced", 3 * DAY, cost_usd=None, latency_ms=9000.0)
    ENGINE.follow(NOON)
    assert ids(tenant, sort="costliest", limit=5) == ["dear", "a0", "a1", "a2", "a3"]
    assert ids(tenant, sort="slowest", limit=5) == ["unpriced", "a5", "b0", "b1", "b2"]
    assert len(ids(tenant, sort="costliest", limit=100)) == 13


@pytest.mark.usefixtures("_no_scan")
def test_more_than_a_hundred_of_one_hour_are_in_order(tenant: Tenant) -> None:
    rows = [
        a_row(NOON - DAY, trace_id=f"{number:03}", span_id=f"{number:03}", latency_ms=float(number % 7), user_id="ada")
        for number in range(150)
    ]
    writer.store(tenant.workspace.id, rows)
    ENGINE.follow(NOON)
    expected = [row.trace_id for row in sorted(rows, key=lambda row: (-(row.latency_ms or 0), row.trace_id))]
    assert ids(tenant, sort="slowest", limit=100) == expected[:100]
    assert all_pages(tenant, sort="slowest", limit=40) == expected
    assert all_pages(tenant, user_id="ada", limit=40) == sorted((row.trace_id for row in rows), reverse=True)


@pytest.mark.usefixtures("_no_scan")
def test_spans_that_are_newer_than_the_totals_and_late_ones_are_in_the_list_at_once(tenant: Tenant) -> None:
    a_trace(tenant, "first", DAY, latency_ms=1000.0)
    a_trace(tenant, "second", DAY, latency_ms=2000.0)
    ENGINE.follow(NOON - HOUR)
    a_trace(tenant, "newer", timedelta(0), latency_ms=1500.0)
    a_trace(tenant, "late", 2 * DAY, latency_ms=1700.0)
    assert ids(tenant, sort="slowest") == ["second", "late", "newer", "first"]
    # The first trace goes on after a day.
    writer.store(tenant.workspace.id, [a_row(NOON, trace_id="first", span_id="next", parent_span_id="span of first")])
    assert ids(tenant, sort="slowest") == ["first", "second", "late", "newer"]
    assert ids(tenant, min_latency_ms="3600000") == ["first"]
    # Another agent fails in the second trace.
    failed = {"span_id": "next", "parent_span_id": "span of second", "agent_id": "other", "status": "error"}
    writer.store(tenant.workspace.id, [a_row(NOON, trace_id="second", **failed)])
    assert ids(tenant, has_error="true", agent_id="support") == ["second"]


@pytest.mark.usefixtures("_no_scan")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"release": "1"}, ["old"]),
        ({"not_release": "1"}, ["labelled", "failed"]),
        ({"status": "error"}, ["failed"]),
        ({"has_error": "false"}, ["labelled", "old"]),
        ({"label.customer": "acme"}, ["labelled"]),
        ({"min_cost_usd": "1"}, ["old"]),
        ({"release": "2", "min_cost_usd": "0.5"}, ["labelled"]),
        ({"release": "2", "model": "unknown"}, []),
    ],
)
def test_each_filter_has_its_index(tenant: Tenant, query: dict[str, str], expected: list[str]) -> None:
    a_trace(tenant, "old", 25 * DAY, release="1", cost_usd="1")
    a_trace(tenant, "failed", 2 * DAY, release="2", cost_usd="0.1", status="error")
    a_trace(tenant, "labelled", DAY, release="2", cost_usd="0.5", labels={"customer": "acme"})
    ENGINE.follow(NOON)
    assert ids(tenant, **query) == expected


BOTH = {"agent_id": "support", "model": "gpt-4o"}


@pytest.fixture
def apart(tenant: Tenant) -> Tenant:
    """A workspace with a trace whose span has both values, and newer ones that have each on another span."""
    a_trace(tenant, "both", 3 * DAY, **BOTH)
    for number in range(5):
        a_trace(tenant, f"apart{number}", 2 * DAY, agent_id="support", model="sonnet")
        row = a_row(
            NOON - 2 * DAY, trace_id=f"apart{number}", span_id=f"other {number}", agent_id="sales", model="gpt-4o"
        )
        writer.store(tenant.workspace.id, [row])
    ENGINE.follow(NOON)
    return tenant


@pytest.mark.usefixtures("_no_scan")
def test_values_on_different_spans_do_not_meet_a_filter_of_both(apart: Tenant) -> None:
    assert ids(apart, **BOTH, limit=1) == ids(apart, **BOTH, limit=1, sort="slowest") == ["both"]


def test_rows_are_read_where_the_worker_is_far_behind(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        a_trace(tenant, f"trace {number}", number * HOUR, latency_ms=1000.0 * number)
    ENGINE.follow(NOON - 2 * HOUR)
    monkeypatch.setattr(indexed_traces, "RECENT_SPANS", 2)
    assert ids(tenant, sort="slowest", limit=2) == ["trace 4", "trace 3"]


def test_rows_are_read_where_too_many_only_seem_to_meet_the_filters(
    apart: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexed_traces, "MOST_LOOKED_UP", 2)
    assert ids(apart, **BOTH, limit=1) == ["both"]
