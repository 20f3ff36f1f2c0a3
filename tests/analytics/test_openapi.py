import html
import re
import shlex
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import jsonschema_rs
import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from analytics.catalogue import METRICS
from tests.factories import WorkspaceFactory
from tests.tenant import Tenant
from workspaces.demo import DEMO_WORKSPACE_ID

pytestmark = pytest.mark.django_db(databases="__all__")

NOT_OF_THE_API = {"api/v1/openapi.json", "api/v1/docs"}


def routes(resolver: URLResolver) -> list[str]:
    names = []
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            names.append(str(pattern.pattern))
        elif not str(pattern.pattern):
            names += routes(pattern)
    return names


def test_the_document_lists_every_path_of_the_api(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    served = {route for route in routes(get_resolver()) if route.startswith(("api/", "v1/"))}
    paths = {re.sub(r"<\w+:(\w+)>", r"{\1}", f"/{route}") for route in served - NOT_OF_THE_API}
    assert set(document["paths"]) == {path for path in paths if not path.endswith("/")}
    assert set(document["paths"]["/api/v1/cost/budget"]) == {"get", "put"}


@pytest.mark.parametrize("calls", [0, 2])
@pytest.mark.parametrize("route", METRICS)
def test_every_answer_is_as_declared(tenant: Tenant, route: str, calls: int) -> None:
    tenant.calls(calls, user_id="ada", cost_usd="0.5", latency_ms=9.0, status="error", error_type="late")
    document = tenant.client.get("/api/v1/openapi.json").json()
    operation = document["paths"][f"/api/v1/{route}"]["get"]
    declared = operation["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema_rs.validate(declared, tenant.ask(route))


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 200), ({"resourceSpans": []}, 200), ({"resourceLogs": []}, 400), ({"resourceSpans": 1}, 400)],
)
def test_bodies_that_the_document_allows_as_otlp_are_accepted(tenant: Tenant, body: Any, status: int) -> None:
    paths = tenant.client.get("/api/v1/openapi.json").json()["paths"]
    declared = paths["/v1/traces"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert jsonschema_rs.is_valid(declared, body) == (status == 200)
    assert tenant.client.post("/v1/traces", body, content_type="application/json").status_code == status


def test_examples_send_metrics_where_metrics_go(client: Client) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    for path in ("/v1/metrics", "/api/public/otel/v1/metrics"):
        assert set(paths[path]["post"]["x-example"]["body"]) == {"resourceMetrics"}


def test_the_page_works_offline_and_under_the_policy(client: Client) -> None:
    response = client.get("/api/v1/docs")
    page = response.content.decode()
    assert response.status_code == 200
    assert "PUT /api/v1/cost/budget" in page
    assert not re.search(r"(src|href)=\"?https?:|<script(?![^>]* src=)|<style|style=", page)


def test_the_page_describes_parameters_bodies_and_answers(client: Client) -> None:
    page = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", client.get("/api/v1/docs").content.decode())))
    assert "range 1h, 24h, 7d, 30d, today, month Window that ends now" in page
    assert "limit integer from 1 to 100 The largest number of rows" in page
    assert "monthly_limit_usd number from 0 to 99,999,999.99 or null null: no limit." in page
    assert "alert_threshold_percentage number above 0 to 100 The budget warns" in page
    assert "input_tokens integer from 0 to 1,000,000,000 or null" in page
    assert "avg_calls_per_user number or null Null where no call names a user." in page
    assert "data[].sample_message string or null Of the newest errors, the newest that has a message" in page


def test_every_example_of_the_page_runs(client: Client, settings: Any) -> None:
    settings.OPEN_WORKSPACE_IDS = frozenset({WorkspaceFactory(id=UUID(DEMO_WORKSPACE_ID)).id})
    page = client.get("/api/v1/docs").content.decode()
    commands = [
        html.unescape(example) for example in re.findall(r'<code class="example">(.*?)</code>', page, re.DOTALL)
    ]
    document = client.get("/api/v1/openapi.json").json()
    assert len(commands) == sum(len(methods) for methods in document["paths"].values())
    for example in commands:
        response = run(client, example)
        assert 200 <= response.status_code < 300, example
        assert "rejectedSpans" not in response.content.decode()
    assert (
        client.get("/api/v1/usage/overview", headers={"X-Workspace-ID": DEMO_WORKSPACE_ID}).json()["total_calls"] == 3
    )


def run(client: Client, curl: str) -> Any:
    """Sends the request that curl would send. -d makes a POST."""
    program, *words = shlex.split(curl.replace("\\\n", " "))
    assert program == "curl"
    options: dict[str, list[str]] = {"-X": [], "-H": [], "-d": [], "url": []}
    while words:
        word = words.pop(0)
        options[word if word in options else "url"].append(words.pop(0) if word in options else word)
    headers = dict(header.split(": ", 1) for header in options["-H"])
    [url] = map(urlsplit, options["url"])
    method = (options["-X"] or ["POST" if options["-d"] else "GET"])[0]
    return client.generic(
        method,
        url.path,
        "".join(options["-d"]),
        content_type=headers.pop("Content-Type", ""),
        query_params=None,
        headers=headers,
        QUERY_STRING=url.query,
    )
