"""`GET /api/v1/query`: any measures by up to two dimensions, as a table or a series."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema_rs
import pytest
from django.http import QueryDict

from analytics import query
from analytics.query_measures import MEASURES
from ingest.store import store_scores
from observability.launcher.demo import fill
from tests.factories import WorkspaceFactory
from tests.tenant import NOON, Tenant, a_row
from traces import writer
from traces.scores import Score

pytestmark = pytest.mark.django_db(databases="__all__")

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/query.md"
QUESTIONS = re.findall(r"^\| [A-Z][^|]*\? \| `([^`]*)` \|$", DOCUMENT.read_text(), re.MULTILINE)
HOUR = timedelta(hours=1)


def lines(tenant: Tenant, **parameters: Any) -> Any:
    return tenant.ask("query", **parameters)["data"]


def message(tenant: Tenant, **parameters: Any) -> str:
    [error] = tenant.ask("query", expect=422, **parameters)["errors"]
    return f"{error['loc'][1]}: {error['msg']}"


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


def test_without_parameters_it_counts_the_calls(tenant: Tenant) -> None:
    tenant.calls(3)
    assert lines(tenant) == [{"calls": 3}]


def test_without_a_call_a_total_is_0_and_a_ratio_null(tenant: Tenant) -> None:
    answer = tenant.ask("query", measures="calls,cost_usd,error_rate,p95_latency_ms,unique_users")
    expected = {"calls": 0, "cost_usd": 0, "error_rate": None, "p95_latency_ms": None, "unique_users": 0}
    assert answer["data"] == [expected]
    assert answer["totals"] == expected
    assert lines(tenant, by="model") == []


def test_it_sums_by_two_dimensions_and_names_them_as_asked(tenant: Tenant) -> None:
    tenant.calls(2, labels={"customer": "acme"}, release="2")
    tenant.calls(1, labels={"customer": "globex"}, release="1")
    tenant.calls(1, labels={"team": "search"})
    assert lines(tenant, by="label.customer,release") == [
        {"label.customer": "acme", "release": "2", "calls": 2},
        {"label.customer": "globex", "release": "1", "calls": 1},
        {"label.customer": None, "release": None, "calls": 1},
    ]


def test_what_is_past_the_limit_is_the_rest(tenant: Tenant) -> None:
    for number, calls in enumerate([3, 2, 1]):
        tenant.calls(calls, model=f"model {number}", user_id="ada", latency_ms=10.0 * number)
    answer = tenant.ask("query", measures="calls,unique_users,p50_latency_ms", by="model", limit=1)
    assert answer["data"] == [{"model": "model 0", "calls": 3, "unique_users": 1, "p50_latency_ms": 0}]
    assert answer["rest"] == {"calls": 3, "unique_users": 1, "p50_latency_ms": 10}
    assert answer["totals"] == {"calls": 6, "unique_users": 1, "p50_latency_ms": 5}


def test_the_smallest_come_first_where_the_order_has_no_minus(tenant: Tenant) -> None:
    tenant.calls(2, model="fast", latency_ms=10.0)
    tenant.calls(1, model="slow", latency_ms=90.0)
    tenant.calls(1, model="unknown")
    asked = {"measures": "calls,p95_latency_ms", "by": "model"}
    assert [line["model"] for line in lines(tenant, **asked, order="p95_latency_ms")] == ["fast", "slow", "unknown"]
    assert [line["model"] for line in lines(tenant, **asked, order="-p95_latency_ms")] == ["slow", "fast", "unknown"]
    assert [line["model"] for line in lines(tenant, **asked)] == ["fast", "slow", "unknown"]


def test_a_series_has_a_point_for_each_bucket_of_each_group_and_of_the_rest(tenant: Tenant) -> None:
    tenant.calls(2, NOON - HOUR, model="a")
    tenant.calls(1, NOON, model="b")
    answer = tenant.ask("query", by="model", granularity="hourly", limit=1)
    assert answer["granularity"] == "hourly"
    assert [point["calls"] for point in answer["data"]] == [0] * 11 + [2] + [0] * 12
    assert {point["model"] for point in answer["data"]} == {"a"}
    assert answer["rest"]["calls"] == 1
    assert [point["calls"] for point in answer["rest"]["data"]] == [0] * 12 + [1] + [0] * 11


def test_it_compares_with_the_window_before_and_with_last_week(tenant: Tenant) -> None:
    tenant.calls(3, NOON - timedelta(days=7))
    tenant.calls(2, NOON - timedelta(days=1))
    tenant.calls(1, NOON)
    assert lines(tenant, compare="previous") == [{"calls": 1, "previous": {"calls": 2}}]
    assert lines(tenant, compare="last_week") == [{"calls": 1, "previous": {"calls": 3}}]
    series = lines(tenant, compare="last_week", granularity="hourly")
    assert series[12]["previous"] == {"calls": 3}


def test_last_week_is_the_same_wall_clock_where_clocks_have_changed(tenant: Tenant) -> None:
    # New York changed its clocks on 1 November 2026: midnight was 4:00 in UTC before and is 5:00 after.
    tenant.calls(1, datetime(2026, 10, 27, 4, 0, tzinfo=UTC))
    asked = {"start": "2026-11-03T05:00:00Z", "end": "2026-11-05T05:00:00Z", "zone": "America/New_York"}
    days = lines(tenant, **asked, compare="last_week", granularity="daily")
    assert [day["previous"]["calls"] for day in days] == [1, 0]


def test_tool_calls_are_measured_by_tool_without_costs(tenant: Tenant) -> None:
    tenant.calls(1, cost_usd="1")
    tenant.calls(2, operation="execute_tool", tool="search", latency_ms=20.0)
    tenant.calls(1, operation="execute_tool", tool="sql", status="error", error_type="syntax")
    expected = [
        {"tool": "search", "calls": 2, "error_rate": 0, "cost_usd": None, "p50_latency_ms": 20},
        {"tool": "sql", "calls": 1, "error_rate": 100, "cost_usd": None, "p50_latency_ms": None},
    ]
    assert lines(tenant, measures="calls,error_rate,cost_usd,p50_latency_ms", by="tool") == expected
    assert lines(tenant, tool="sql", by="error_type") == [{"error_type": "syntax", "calls": 1}]
    assert lines(tenant, not_tool="sql") == [{"calls": 2}]


def test_a_filter_for_another_operation_leaves_no_tool_call(tenant: Tenant) -> None:
    """The same from sums (no dimension, model) and from rows (user, label)."""
    tenant.calls(2, operation="execute_tool", tool="search", user_id="ann", labels={"customer": "acme"})
    tenant.calls(3, operation="chat", user_id="ann", latency_ms=20.0, labels={"customer": "acme"})
    for by in ("", "model", "user_id", "label.customer"):
        of_calls = tenant.ask("query", by=by, measures="calls,p50_latency_ms", not_tool="sql", operation="chat")
        assert of_calls["totals"] == {"calls": 0, "p50_latency_ms": None}
        of_both = tenant.ask("query", by=by, not_tool="sql", operation=["chat", "execute_tool"])
        assert of_both["totals"] == {"calls": 2}


def test_it_averages_scores_by_the_dimensions_of_their_traces(tenant: Tenant) -> None:
    [good] = tenant.calls(1, model="a")
    [bad] = tenant.calls(1, model="b")
    for place, (row, number) in enumerate([(good, "1"), (good, "0.5"), (bad, "0")]):
        span = {"trace_id": row.trace_id, "span_id": row.span_id}
        score = Score(id=f"{place}", timestamp=NOON, name="helpful", source="api", number=Decimal(number), **span)
        store_scores(tenant.workspace.id, [score])
    assert lines(tenant, measures="score.helpful", by="model") == [
        {"model": "a", "score.helpful": 0.75},
        {"model": "b", "score.helpful": 0},
    ]
    assert lines(tenant, measures="score.unknown") == [{"score.unknown": None}]


def test_another_workspace_is_not_seen(tenant: Tenant) -> None:
    other = WorkspaceFactory(id=uuid4())
    writer.store(other.id, [a_row(labels={"customer": "acme"}, user_id="ada", latency_ms=1.0)])
    for by in ("", "model", "label.customer", "user_id,tool"):
        answer = tenant.ask("query", measures=",".join(MEASURES), by=by, compare="previous")
        assert answer["totals"]["calls"] == 0
        assert answer["totals"]["unique_users"] == 0
        assert answer["totals"]["p50_latency_ms"] is None


def test_it_names_what_does_not_fit(tenant: Tenant) -> None:
    assert message(tenant, measures="cost").startswith("measures: must be 1 to 20 of calls, errors")
    assert (
        message(tenant, measures="calls,calls") == "measures: must not name anything twice, nor contain a NUL character"
    )
    assert message(tenant, by="model,user_id,tool").startswith("by: must be at most 2 of agent_id")
    assert message(tenant, by="label.").startswith("by: must be at most 2 of agent_id")
    assert message(tenant, order="-cost_usd") == "order: must be one of the measures: calls"
    assert message(tenant, compare="yesterday") == "compare: must be one of previous, last_week"
    assert message(tenant, measures="score.a", by="status").startswith("measures: scores have no status; they have")
    assert message(tenant, granularity="minute", by="model", limit=20).startswith("limit: 1,440 buckets of 20")


@pytest.mark.parametrize("measure", ["calls", "cost_usd", "p95_latency_ms", "unique_users"])
def test_the_calls_of_a_session_are_told_apart_by_label(tenant: Tenant, measure: str) -> None:
    """Two calls of the session are for acme, one for nobody; a third of acme is in another session."""
    common = {"user_id": "ada", "latency_ms": 100, "cost_usd": Decimal(1)}
    tenant.calls(2, labels={"customer": "acme"}, session_id="s", **common)
    tenant.calls(1, session_id="s", **common)
    tenant.calls(1, labels={"customer": "acme"}, session_id="other", **common)
    measures = ",".join(dict.fromkeys(("calls", measure)))
    found = lines(tenant, measures=measures, by="label.customer", session_id="s")
    assert {line["label.customer"]: line["calls"] for line in found} == {"acme": 2, None: 1}


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("-p95_latency_ms", ["slow", "middle", "fast", "untimed"]),
        ("p95_latency_ms", ["fast", "middle", "slow", "untimed"]),
    ],
)
def test_groups_are_ranked_by_estimated_percentiles(
    tenant: Tenant, settings: Any, order: str, expected: list[str]
) -> None:
    settings.EXACT_PERCENTILE_ROWS = 0
    tenant.calls(3, model="middle", latency_ms=50.0)
    tenant.calls(5, model="fast", latency_ms=5.0)
    tenant.calls(1, model="slow", latency_ms=500.0)
    tenant.calls(9, model="untimed", latency_ms=None)
    found = lines(tenant, measures="p95_latency_ms", by="model", order=order)
    assert [line["model"] for line in found] == expected
    assert [line["model"] for line in lines(tenant, measures="p95_latency_ms", by="model", order=order, limit=2)] == (
        expected[:2]
    )
    by_name = {line["model"]: line["p95_latency_ms"] for line in found}
    assert by_name["slow"] == pytest.approx(500, rel=0.015)
    assert by_name["untimed"] is None


def test_a_label_may_have_a_comma_in_its_name(tenant: Tenant) -> None:
    tenant.calls(1, labels={"region, country": "eu"})
    assert lines(tenant, by=r"label.region\, country") == [{"label.region, country": "eu", "calls": 1}]


def test_users_and_percentiles_by_two_dimensions_read_a_bounded_number_of_calls(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant.calls(3, latency_ms=5.0, user_id="ada")
    monkeypatch.setattr(query, "MAX_ROWS", 2)
    for measure in ("unique_users", "p95_latency_ms", "p50_first_token_ms"):
        for by in ("model,environment", "user_id"):
            assert "the window holds 3 calls" in message(tenant, measures=measure, by=by)
        assert len(lines(tenant, measures=measure, by="model")) == 1
    assert len(lines(tenant, measures="cost_usd", by="model,agent_id")) == 1


def test_long_names_do_not_make_an_answer_too_large(tenant: Tenant) -> None:
    writer.store(tenant.workspace.id, [a_row(model=f"{number}{'x' * 490}") for number in range(100)])
    minutes = {"start": f"{NOON:%Y-%m-%dT%H:%M}:00Z", "end": f"{NOON + 3 * HOUR:%Y-%m-%dT%H:%M}:00Z"}
    assert "the names in this answer make it" in message(tenant, by="model", granularity="minute", limit=100, **minutes)


def test_the_document_has_ten_questions() -> None:
    assert len(QUESTIONS) == 10


def test_each_question_of_the_document_is_answered_as_declared(tenant: Tenant) -> None:
    fill(tenant.workspace.id, datetime.now(UTC), days=2)
    document = tenant.client.get("/api/v1/openapi.json").json()
    responses = document["paths"]["/api/v1/query"]["get"]["responses"]
    declared = responses["200"]["content"]["application/json"]["schema"]
    for question in QUESTIONS:
        answer = tenant.ask("query", **dict(QueryDict(question).lists()))
        jsonschema_rs.validate(declared, answer)
        assert answer["data"], question
        names = {name for name in answer["measures"] if any(line[name] for line in answer["data"])}
        assert names == {*answer["measures"]}, question
