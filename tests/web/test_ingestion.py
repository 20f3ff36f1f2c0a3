"""What programs send with a key is answered without the middleware for people, and answered the same."""

import json
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.sessions.middleware import SessionMiddleware
from django.test import Client

from tests.ingest.otlp_spans import chat, stored
from tests.tenant import Tenant
from workspaces.models import ApiKey

pytestmark = pytest.mark.django_db(databases="__all__")
BODY = json.dumps({"resourceSpans": [chat(1).request()]})


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Counts the requests that reach the middleware of sessions."""
    process_request = SessionMiddleware.process_request
    reached = Mock()

    def count(middleware: SessionMiddleware, request: Any) -> None:
        reached(request.path)
        process_request(middleware, request)

    monkeypatch.setattr(SessionMiddleware, "process_request", count)
    return reached


@pytest.fixture
def key(tenant: Tenant) -> str:
    return ApiKey.objects.issue(tenant.workspace, "agents", ["ingest"])[1]


def post(path: str, key: str, body: str = BODY, **headers: str) -> Any:
    headers = {"Authorization": f"Bearer {key}"} | headers
    return Client(raise_request_exception=False).post(path, body, content_type="application/json", headers=headers)


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/traces/", "/api/public/otel/v1/traces"])
def test_a_request_with_a_key_goes_straight_to_its_view(tenant: Tenant, sessions: Mock, key: str, path: str) -> None:
    for _ in range(2):
        response = post(path, key)
        assert (response.status_code, response.content) == (200, b"{}")
    assert len(stored(tenant)) == 1
    assert not sessions.called


def test_its_response_has_the_headers_of_every_other(sessions: Mock, key: str, tenant: Tenant) -> None:
    straight = post("/v1/traces", key)
    headers = {"X-Workspace-ID": str(tenant.workspace.id)}
    around = tenant.client.post("/v1/traces", BODY, content_type="application/json", headers=headers)
    assert sessions.call_count == 1
    names = {name for name in around.headers if name != "Vary"}
    assert names == {name for name in straight.headers if name != "Vary"}
    assert straight.headers["Content-Length"] == "2"


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/traces", {"Authorization": "Bearer aop_nobody"}, 401),
        ("/v1/traces", {"Content-Encoding": "br"}, 415),
        ("/v1/traces", {"Host": "elsewhere.example.com"}, 400),
        ("/v1/nothing", {}, 404),
        ("/api/public/projects", {}, 405),
    ],
)
def test_it_is_refused_as_any_other(sessions: Mock, key: str, path: str, headers: dict[str, str], status: int) -> None:
    response = post(path, key, **headers)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_fault_of_the_product_is_a_500(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.views.store_spans", Mock(side_effect=KeyError("a bug")))
    response = post("/v1/traces", key)
    assert response.status_code == 500
    assert "fault of the server" in response.json()["detail"]


def test_a_key_that_is_revoked_is_refused_at_the_next_request(tenant: Tenant, key: str) -> None:
    assert post("/v1/traces", key).status_code == 200
    ApiKey.objects.filter(workspace=tenant.workspace).delete()
    assert post("/v1/traces", key).status_code == 401


def test_a_question_goes_the_long_way(sessions: Mock, key: str) -> None:
    Client().get("/v1/traces", headers={"Authorization": f"Bearer {key}"})
    assert sessions.called
