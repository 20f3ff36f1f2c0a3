"""While the clocks of server and database differ, ingestion waits. A client's clock that is ahead is named."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError, connections
from django.test import Client

from observability.health import checks
from tests.factories import UserFactory, an_api_key
from tests.security.world import BACKEND
from tests.tenant import Tenant, iso
from traces.db import rows
from web.clock import clock
from workspaces.models import ApiKey

pytestmark = pytest.mark.django_db(databases="__all__")

JSON = "application/json"


def in_two_hours() -> datetime:
    return datetime.now(UTC) + timedelta(hours=2)


@pytest.fixture(autouse=True)
def nothing_measured() -> Iterator[None]:
    for measured in (clock, checks):
        measured.forget()
    yield
    for measured in (clock, checks):
        measured.forget()


@pytest.fixture
def database_ahead() -> Callable[[int], None]:
    """Sets the clock of the database, for this transaction."""

    def set_ahead(seconds: int) -> None:
        with connections["analytics"].cursor() as cursor:
            cursor.execute(
                f"""
                CREATE SCHEMA IF NOT EXISTS shifted;
                CREATE OR REPLACE FUNCTION shifted.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
                'SELECT pg_catalog.clock_timestamp() + make_interval(secs => {seconds})';
                SET LOCAL search_path = shifted, pg_catalog, public
                """
            )

    return set_ahead


def otlp(start: datetime) -> Any:
    ids = {"traceId": "01" * 16, "spanId": "02" * 8, "name": "chat"}
    span = ids | {"startTimeUnixNano": str(int(start.timestamp() * 10**9))}
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {"name": "x"}, "spans": [span]}]}]}


def event(start: datetime) -> Any:
    body = {"id": "g", "traceId": "t", "startTime": start.isoformat()}
    return {"batch": [{"id": "e", "type": "span-create", "timestamp": start.isoformat(), "body": body}]}


def sdk_span(start: datetime) -> Any:
    return {"data": [{"object": "trace.span", "id": "s", "trace_id": "t", "started_at": start.isoformat()}]}


BODIES: dict[str, Callable[[datetime], Any]] = {
    "/api/v1/traces": lambda start: {"agent_id": "a", "timestamp": start.isoformat()},
    "/v1/traces": otlp,
    "/api/public/ingestion": event,
    "/v1/traces/ingest": sdk_span,
    "/api/v1/scores": lambda start: {"trace_id": "t", "name": "n", "value": 1, "timestamp": start.isoformat()},
}


@pytest.mark.parametrize("seconds", [7200, -7200, 75, -75])
def test_nothing_is_judged_by_its_time_while_the_clocks_differ(
    tenant: Tenant, database_ahead: Callable[[int], None], seconds: int
) -> None:
    database_ahead(seconds)
    for path, body in BODIES.items():
        answer = tenant.client.post(path, body(datetime.now(UTC) + timedelta(seconds=seconds)), content_type=JSON)
        assert (answer.status_code, "Retry-After" in answer) == (503, True), path
        assert f"{abs(seconds)} s {'behind' if seconds > 0 else 'ahead of'} the clock" in answer.json()["detail"]
    assert not rows("SELECT 1 AS one FROM traces WHERE workspace_id = %(id)s", {"id": tenant.workspace.id})
    ready = Client().get("/readyz")
    assert ready.status_code == 503
    assert f"{abs(seconds)} s" in ready.json()["clock"]


def test_a_difference_of_seconds_is_normal(tenant: Tenant, database_ahead: Callable[[int], None]) -> None:
    database_ahead(45)
    for path, body in BODIES.items():
        assert tenant.client.post(path, body(datetime.now(UTC)), content_type=JSON).status_code in (200, 207), path
    assert Client().get("/readyz").json()["clock"] == "ok"


def test_a_server_whose_clock_is_set_back_notices_at_once(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tenant.client.post("/api/v1/traces", {"agent_id": "a"}, content_type=JSON).status_code == 200
    right_time = time.time
    monkeypatch.setattr("web.clock.time.time", lambda: right_time() - 7200)
    assert tenant.client.post("/api/v1/traces", {"agent_id": "a"}, content_type=JSON).status_code == 503
    monkeypatch.undo()
    assert tenant.client.post("/api/v1/traces", {"agent_id": "a"}, content_type=JSON).status_code == 200


def test_the_clocks_are_compared_every_few_seconds_only(tenant: Tenant, django_assert_num_queries: Any) -> None:
    clock.fault()
    with django_assert_num_queries(0, using="analytics"):
        for _ in range(100):
            assert clock.fault() is None


@pytest.mark.parametrize("path", sorted(set(BODIES) - {"/api/v1/scores"}))
def test_the_pages_of_keys_name_those_whose_clients_are_ahead(path: str) -> None:
    key, secret = an_api_key("ingest", name="fast agent")
    an_api_key("ingest", workspace=key.workspace, name="good agent")
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    answer = client.post(path, BODIES[path](in_two_hours()), content_type=JSON)
    assert "at most 1 hour ahead" in json.dumps(answer.json())  # by name, as it was
    admin = Client()
    admin.force_login(UserFactory(is_staff=True, is_superuser=True), backend=BACKEND)
    for page in ("apikey/", f"workspace/{key.workspace_id}/change/", f"apikey/{key.pk}/change/"):
        shown = admin.get(f"/admin/workspaces/{page}").content.decode()
        assert shown.count("120 min ahead") + shown.count("119 min ahead") == 1, page


def test_a_clock_ahead_is_noted_once_a_minute_and_shown_for_a_day() -> None:
    key, secret = an_api_key("ingest")
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    client.post("/v1/traces", otlp(in_two_hours()), content_type=JSON)
    noted = ApiKey.objects.get(pk=key.pk)
    client.post("/v1/traces", otlp(in_two_hours() + timedelta(hours=5)), content_type=JSON)
    assert ApiKey.objects.get(pk=key.pk).seconds_ahead == noted.seconds_ahead
    noted.ahead_at -= timedelta(days=1, minutes=1)
    assert not noted.clock_fault


def test_a_span_that_is_too_old_says_nothing_about_a_clock() -> None:
    key, secret = an_api_key("ingest")
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    for path, body in BODIES.items():
        client.post(path, body(datetime.now(UTC) - timedelta(days=500)), content_type=JSON)
    assert ApiKey.objects.get(pk=key.pk).ahead_at is None


def test_readyz_asks_the_databases_once_in_some_seconds(
    django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("observability.health.CHECKED_EVERY_SECONDS", 60)
    first = Client().get("/readyz").json()
    with django_assert_num_queries(0), django_assert_num_queries(0, using="analytics"):
        for _ in range(10):
            assert Client().get("/readyz").json() == first


def test_what_cannot_be_noted_about_a_clock_makes_no_stored_batch_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A 503 would let the client send the batch again, and items without an id would be stored twice."""
    _, secret = an_api_key("ingest")
    monkeypatch.setattr(ApiKey, "record_clock_ahead", Mock(side_effect=OperationalError("gone")))
    items = [{"agent_id": "good"}, {"agent_id": "early", "timestamp": iso(in_two_hours())}]
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    answer = client.post("/api/v1/traces", {"traces": items}, content_type=JSON)
    assert (answer.status_code, answer.json()["accepted"], len(answer.json()["rejected"])) == (200, 1, 1)


def test_metrics_are_taken_whatever_the_clock_says(tenant: Tenant, database_ahead: Callable[[int], None]) -> None:
    database_ahead(7200)
    assert tenant.client.post("/v1/metrics", {"resourceMetrics": []}, content_type=JSON).status_code == 200
