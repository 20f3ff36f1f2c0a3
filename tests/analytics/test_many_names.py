"""Very many names in a workspace make no question slow: no statement compares each name with each other name."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections

from analytics import views
from analytics.catalogue import METRICS
from analytics.page_questions import CHOICES
from tests.tenant import NOON, Tenant, a_row
from traces import writer
from traces.db import rows
from traces.engines.postgresql import REMOVE_USERS, as_arrays, close_hours
from traces.rollups.catalogue import LOST_CALL
from web import deadline

pytestmark = pytest.mark.django_db(databases="__all__")

NAMES = 250
WINDOW = f"start={NOON:%Y-%m-%d}T00:00:00Z&end={NOON:%Y-%m-%d}T18:30:00Z"
MINUTES = f"start={NOON:%Y-%m-%d}T00:00:00Z&end={NOON:%Y-%m-%d}T23:59:00Z&granularity=minute"
FORGET = "DELETE FROM pg_statistic WHERE starelid >= 16384"


@pytest.fixture(params=["ANALYZE", FORGET], ids=["with statistics", "without"])
def names(request: pytest.FixtureRequest, tenant: Tenant) -> None:
    writer.store(
        tenant.workspace.id,
        [
            a_row(
                agent_id=f"agent {number}",
                model=f"model {number}",
                provider=f"provider {number}",
                user_id=f"user {number}",
                status="error",
                error_type=f"error {number}",
                labels={"customer": f"customer {number}"},
            )
            for number in range(NAMES)
        ],
    )
    with connections["analytics"].cursor() as cursor:
        cursor.execute(request.param)


def comparisons(plan: dict[str, Any]) -> float:
    """Returns how many rows the joins and the scans of a plan compared in vain. A subquery for each row is a scan."""
    removed = plan.get("Rows Removed by Join Filter", 0) + plan.get("Rows Removed by Filter", 0)
    return removed * plan["Actual Loops"] + sum(comparisons(part) for part in plan.get("Plans", ()))


def compared(statement: Any, params: Any) -> float:
    with connections["analytics"].cursor() as cursor:
        text = statement.decode() if isinstance(statement, bytes) else statement
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", params)
        [(plans,)] = cursor.fetchall()
    [entry] = json.loads(plans) if isinstance(plans, str) else plans
    return comparisons(entry["Plan"])


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """Collects the statements that run in the database of traces."""
    collected: list[tuple[str, Any]] = []

    def collect(execute: Any, sql: str, params: Any, *arguments: Any) -> Any:
        collected.append((sql, params))
        return execute(sql, params, *arguments)

    with connections["analytics"].execute_wrapper(collect):
        yield collected


QUERIES = [
    f"/api/v1/query?measures=cost_usd,unique_users,p95_latency_ms&by={by}&compare=previous{more}&"
    for by in ("model", "agent_id,error_type", "user_id,label.customer")
    for more in ("", "&granularity=hourly", "&order=-p95_latency_ms")
]
QUESTIONS = [
    *(f"/api/v1/{route}?" for route in METRICS),
    *QUERIES,
    *(f"/dashboard/choices/{name}?" for name in CHOICES),
]


@pytest.mark.usefixtures("names")
def test_no_question_compares_each_name_with_each_other(tenant: Tenant) -> None:
    cache.clear()
    with statements() as collected:
        for path in QUESTIONS:
            headers = {"HX-Request": "true"}
            assert tenant.client.get(f"{path}{WINDOW}", headers=headers).status_code == 200
    selects = [(sql, params) for sql, params in collected if sql.strip().startswith(("SELECT", "WITH"))]
    assert len(selects) > len(QUESTIONS)
    assert {sql: count for sql, params in selects if (count := compared(sql, params)) > 20 * NAMES} == {}


@pytest.mark.usefixtures("names")
def test_looking_for_other_calls_of_users_compares_no_name_with_each_other(tenant: Tenant) -> None:
    until = NOON + timedelta(hours=1)
    calls = [
        {"hour": NOON, "user_number": number, "status": "error", "error_type": f"error {number}"}
        for number in range(NAMES)
    ]
    params = {"workspace_id": tenant.workspace.id} | as_arrays(LOST_CALL, calls)
    with writer.writing(tenant.workspace.id) as cursor:
        close_hours(cursor, tenant.workspace.id, until)
        for sql in REMOVE_USERS:
            cursor.execute(sql, params)
    assert rows("SELECT count(*) AS count FROM failure_sets_hourly", {})[0]["count"] == NAMES
    assert max(compared(sql, params) for sql in REMOVE_USERS) <= 20 * NAMES


def test_a_series_has_20_000_points_at_most(tenant: Tenant) -> None:
    response = tenant.client.get(f"/api/v1/cost/trend?{MINUTES}&limit=100")
    assert response.status_code == 422
    message = "1,439 buckets of 100 series make more than 20,000 points; use 12 or less or granularity hourly"
    assert response.json()["errors"] == [{"loc": ["query", "limit"], "msg": message}]
    assert tenant.client.get(f"/api/v1/cost/trend?{MINUTES}&limit=12").status_code == 200
    assert tenant.client.get(f"/api/v1/cost/by-model?{MINUTES}&limit=100").status_code == 200


def test_an_error_of_the_header_does_not_hide_that_there_are_too_many_points(tenant: Tenant) -> None:
    response = tenant.client.get(f"/api/v1/cost/trend?{MINUTES}&limit=100", headers={"X-Workspace-ID": "x"})
    assert [error["loc"] for error in response.json()["errors"]] == [["header", "X-Workspace-ID"], ["query", "limit"]]


def test_models_without_a_slot_have_the_colour_of_their_name(tenant: Tenant, monkeypatch: Any) -> None:
    tenant.calls(3, model="late", cost_usd="1")
    monkeypatch.setattr("analytics.panel_extras.model_slots", lambda *_: {})
    panel = tenant.client.get(f"/api/v1/cost/by-model?{WINDOW}", headers={"HX-Request": "true"}).content.decode()
    assert 'class="swatch c' in panel


def test_rendering_ends_with_the_time_of_the_request(tenant: Tenant, monkeypatch: Any) -> None:
    tenant.calls(3)
    answer = views.answer

    def late_answer(*arguments: Any) -> Any:
        result = answer(*arguments)
        deadline._deadline.set(0.0)
        return result

    monkeypatch.setattr(views, "answer", late_answer)
    monkeypatch.setattr("analytics.panel_extras.model_slots", lambda *_: {})
    response = tenant.client.get(f"/api/v1/cost/by-model?{WINDOW}", headers={"HX-Request": "true"})
    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert b"longer than a request may" in response.content


def test_names_that_make_an_answer_too_large_are_a_422(tenant: Tenant) -> None:
    writer.store(
        tenant.workspace.id,
        [a_row(model="\x01" * 240 + str(number), provider="p", cost_usd="1") for number in range(12)],
    )
    for headers in ({}, {"HX-Request": "true"}):
        response = tenant.client.get(f"/api/v1/cost/trend?{MINUTES}&limit=12", headers=headers)
        assert response.status_code == 422
        assert b"use a smaller limit, wider buckets or a shorter window" in response.content
    assert tenant.client.get(f"/api/v1/cost/trend?{WINDOW}&limit=12").status_code == 200


@pytest.mark.parametrize("address", ["http://[", "http://[%5D", "?was=%", "\x7f"])
def test_a_panel_is_shown_whatever_page_the_browser_names(tenant: Tenant, address: str) -> None:
    tenant.calls(1)
    headers = {"HX-Request": "true", "HX-Current-URL": address, "HX-Current-URL-URI-AutoEncoded": "true"}
    for path in ("/api/v1/usage/agent-distribution", "/dashboard/usage"):
        assert tenant.client.get(f"{path}?{WINDOW}", headers=headers).status_code == 200
