"""Pages of listed origins may send traces with a key: on ingestion paths only, and never while a workspace is open."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from ingest.urls import PATHS
from tests.factories import an_api_key
from tests.ingest.test_otlp import a_span, request_of

pytestmark = pytest.mark.django_db(databases="__all__")

APP, OTHER = "https://app.example.com", "https://other.example.com"
CORS = "Access-Control-"
POSTED = sorted({*PATHS, "api/v1/scores"} - {"api/public/projects"})


@pytest.fixture(autouse=True)
def one_origin(settings: Any) -> None:
    settings.INGEST_ALLOWED_ORIGINS = frozenset({APP})
    settings.OPEN_WORKSPACE_IDS = frozenset()


def preflight(path: str, origin: str = APP, method: str = "POST") -> Any:
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    return Client().options(path, headers=headers | {"Access-Control-Request-Headers": "authorization,content-type"})


def send(origin: str = APP, path: str = "/v1/traces", **headers: str) -> Any:
    _, secret = an_api_key("ingest")
    headers = {"Origin": origin, "Authorization": f"Bearer {secret}", "Sec-Fetch-Site": "cross-site"} | headers
    return Client().post(path, request_of(a_span()), content_type="application/json", headers=headers)


def permissions(response: Any) -> set[str]:
    return {name for name in response.headers if name.startswith(CORS)}


@pytest.mark.parametrize("path", [f"/{path}{slash}" for path in POSTED for slash in ("", "/")])
def test_a_preflight_of_every_ingestion_path_is_answered(path: str) -> None:
    response = preflight(path)
    assert (response.status_code, response.content) == (204, b"")
    assert response["Access-Control-Allow-Origin"] == APP
    assert response["Access-Control-Allow-Methods"] == "POST"
    allowed = {name.strip().lower() for name in response["Access-Control-Allow-Headers"].split(",")}
    assert allowed == {"authorization", "x-api-key", "content-type"}
    assert "Access-Control-Allow-Credentials" not in response
    assert "Origin" in response["Vary"]


def test_a_page_of_a_listed_origin_sends_and_reads_the_answer() -> None:
    response = send()
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (200, APP)
    assert "Access-Control-Allow-Credentials" not in response
    assert "Origin" in response["Vary"]


def test_the_page_may_read_why_it_was_refused() -> None:
    response = send(Authorization="Bearer wrong")
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (401, APP)


@pytest.mark.parametrize("origin", [OTHER, "null", f"{APP}.evil.com", "http://app.example.com", f"{APP}:8443", ""])
def test_other_origins_get_no_permission(origin: str) -> None:
    assert permissions(preflight("/v1/traces", origin)) == set()
    response = send(origin)
    assert permissions(response) == set()
    assert "Origin" in response["Vary"]


@pytest.mark.parametrize(
    "path",
    ["/api/v1/usage/overview", "/api/v1/cost/budget", "/dashboard/usage", "/sign-in", "/admin/", "/livez", "/nothing"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_no_other_path_gives_a_permission(path: str, method: str) -> None:
    assert permissions(preflight(path, method=method)) == set()
    assert permissions(Client().generic(method, path, headers={"Origin": APP})) == set()


def test_scores_may_be_sent_and_not_read() -> None:
    assert permissions(preflight("/api/v1/scores", method="GET")) == set()
    _, secret = an_api_key("read")
    response = Client().get("/api/v1/scores", headers={"Origin": APP, "Authorization": f"Bearer {secret}"})
    assert permissions(response) == set()


def test_while_a_workspace_is_open_nothing_is_permitted(settings: Any) -> None:
    settings.OPEN_WORKSPACE_IDS = frozenset({uuid4()})
    assert permissions(preflight("/v1/traces")) == set()
    assert permissions(send()) == set()


def test_by_default_nothing_is_permitted(settings: Any) -> None:
    settings.INGEST_ALLOWED_ORIGINS = frozenset()
    assert permissions(preflight("/v1/traces")) == set()
    response = send()
    assert permissions(response) == set()
    assert "Origin" not in response.get("Vary", "")
