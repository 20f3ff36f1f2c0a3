import html
import json
import re
import shlex
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request
from uuid import UUID

import jsonschema_rs
import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from alerts.rule_operations import EXAMPLE_EVENT
from analytics.catalogue import METRICS
from analytics.openapi import openapi_document
from insights.anomalies import operations as anomaly_operations
from prices.models import PriceOverride
from reports.schedules.operations import EXAMPLE_RUN
from settings import operations as people_operations
from settings.keys import operations as key_operations
from settings.prices import operations as price_operations
from tests.alerts.rules import an_event
from tests.dashboards.dashboards import the_dashboard_of_the_examples
from tests.factories import MembershipFactory, WorkspaceFactory, an_api_key
from tests.insights.months import a_finding
from tests.reports.schedules import a_run
from tests.settings_pages.test_role_matrix import an_invitation
from tests.tenant import Tenant
from workspaces.demo import DEMO_WORKSPACE_ID
from workspaces.models import ApiKey, Invitation, Role

pytestmark = pytest.mark.django_db(databases="__all__")

NOT_OF_THE_API = {"api/v1/openapi.json", "api/v1/docs", "api/v1/docs/<slug:name>"}


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


def with_parts(document: dict[str, Any], part: Any) -> Any:
    """Replaces the references within a part of the document by what they refer to, once."""
    if isinstance(part, list):
        return [with_parts(document, item) for item in part]
    if not isinstance(part, dict):
        return part
    match part.get("$ref", "").split("/"):
        case ["#", "components", ("parameters" | "responses") as sort, name]:
            return document["components"][sort][name]
    return {key: with_parts(document, value) for key, value in part.items()}


def test_the_served_document_means_the_same_without_repeating_parameters_and_problems(client: Client) -> None:
    served = client.get("/api/v1/openapi.json").json()
    assert with_parts(served, served["paths"]) == openapi_document()["paths"]
    single = [
        json.dumps(part, sort_keys=True) for operation in every_operation(served) for part in operation["parameters"]
    ]
    written_out = [text for text in single if "$ref" not in text]
    assert len(written_out) == len(set(written_out))
    problems = {
        response.get("$ref")
        for operation in every_operation(served)
        for status, response in operation["responses"].items()
        if status == "401"
    }
    assert problems == {"#/components/responses/Problem401"}


def every_operation(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for methods in document["paths"].values() for operation in methods.values()]


@pytest.mark.parametrize("path", ["changes", "compare"])
def test_the_document_says_which_dimensions_there_are(path: str) -> None:
    operation = openapi_document()["paths"][f"/api/v1/insights/{path}"]["get"]
    by = next(parameter["schema"] for parameter in operation["parameters"] if parameter["name"] == "by")
    names = jsonschema_rs.validator_for(by)
    assert [names.is_valid(name) for name in ("model", "label.customer", "colour", "label.")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("path", ["annotations", "annotations/{annotation_id}"])
def test_the_document_says_what_an_annotation_may_be_about(client: Client, path: str) -> None:
    document = client.get("/api/v1/openapi.json").json()
    operations = document["paths"][f"/api/v1/insights/{path}"]
    body = (operations.get("post") or operations["patch"])["requestBody"]["content"]["application/json"]["schema"]
    bodies = jsonschema_rs.validator_for(body | {"components": document["components"]})
    usual = {"label": "release 2.0", "from": "2026-11-23T10:00:00Z"}
    assert bodies.is_valid(usual | {"filters": {"label.customer": ["acme"]}})
    assert not bodies.is_valid(usual | {"filters": {"colour": ["red"]}})


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


@cache
def operations() -> dict[str, str]:
    """Returns the page of each operation, by its id, as everybody sees it who is not signed in."""
    client = Client()
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    names = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    return {name: client.get(f"/api/v1/docs/{name}").content.decode() for name in names}


def words(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", page)))


def test_the_pages_work_offline_and_under_the_policy(client: Client) -> None:
    for address in ("", "/set-cost-budget"):
        page = client.get(f"/api/v1/docs{address}").content.decode()
        assert not re.search(r"(src|href)=\"?https?:|<script(?![^>]* src=)|<style|style=|\son\w+=", page)
    assert client.get("/api/v1/docs/nothing").status_code == 404


def test_the_list_of_calls_is_light_and_leads_to_the_page_of_each(client: Client) -> None:
    page = client.get("/api/v1/docs").content.decode()
    assert "PUT /api/v1/cost/budget" in page.replace("<wbr>", "")
    assert len(page) < 60_000
    listed = set(re.findall(r'href="/api/v1/docs/([\w-]+)"', page))
    pages = operations()
    assert listed == set(pages)
    assert max(map(len, pages.values())) < 80_000


def test_the_page_of_a_call_describes_parameters_bodies_and_answers(client: Client) -> None:
    page = " ".join(words(page) for page in operations().values())
    assert "range 1h, 24h, 7d, 30d, today, month Window that ends now" in page
    assert "limit integer from 1 to 100 The largest number of rows" in page
    assert "monthly_limit_usd number from 0 to 99,999,999.99 or null null: no limit." in page
    assert "alert_threshold_percentage number above 0 to 100 The budget warns" in page
    assert "input_tokens integer from 0 to 1,000,000,000 or null" in page
    assert "avg_calls_per_user number or null Null where no call names a user." in page
    assert "data[].sample_message string or null Of the newest errors, the newest that has a message" in page


def test_words_of_code_are_shown_as_code_and_truth_is_chosen() -> None:
    page = operations()["list-traces"]
    assert "<code>has_error</code>, <code>min_latency_ms</code>" in page
    assert not re.search(r"`\w+`", page)
    assert re.search(
        r'<select name="has_error" data-place="query">\s*<option value=""></option>\s*<option value="true"', page
    )


def the_workspace_of_the_examples(client: Client, settings: Any) -> None:
    """Makes the workspace open, with what the examples name by its id, and signs an owner in."""
    workspace = WorkspaceFactory(id=UUID(DEMO_WORKSPACE_ID))
    settings.OPEN_WORKSPACE_IDS = frozenset({workspace.id})
    owner = MembershipFactory(workspace=workspace, role=Role.OWNER).user
    client.force_login(owner, "django.contrib.auth.backends.ModelBackend")
    key, _ = an_api_key("ingest", workspace=workspace)
    ApiKey.objects.filter(pk=key.pk).update(id=key_operations.SOME_KEY)
    PriceOverride.objects.create(
        pk=price_operations.SOME_PRICE,
        workspace=workspace,
        model_pattern="acme",
        input_usd_per_million=1,
        output_usd_per_million=1,
        valid_from="2026-01-01T00:00:00Z",
    )
    MembershipFactory(pk=people_operations.EXAMPLE_MEMBER["path"]["member_id"], workspace=workspace)
    invitation_id = people_operations.EXAMPLE_INVITATION["path"]["invitation_id"]
    Invitation.objects.filter(pk=an_invitation(workspace).pk).update(id=invitation_id)
    an_event(workspace, UUID(EXAMPLE_EVENT))
    a_finding(workspace, anomaly_operations.SOME_ID)
    a_run(workspace, UUID(EXAMPLE_RUN))
    the_dashboard_of_the_examples(workspace)


def body_of(response: Any) -> bytes:
    return bytes(response.getvalue() if response.streaming else response.content)


def samples(client: Client, language: str) -> list[str]:
    pages = [client.get(f"/api/v1/docs/{name}").content.decode() for name in operations()]
    found = [re.findall(rf'<code class="example {language}">(.*?)</code>', page, re.DOTALL) for page in pages]
    assert all(len(of_page) == 1 for of_page in found)
    return [html.unescape(sample) for [sample] in found]


def test_every_example_runs(client: Client, settings: Any) -> None:
    the_workspace_of_the_examples(client, settings)
    for example in samples(client, "curl"):
        response = run(client, example)
        assert 200 <= response.status_code < 300, example
        assert b"rejectedSpans" not in body_of(response)
    assert (
        client.get("/api/v1/usage/overview", headers={"X-Workspace-ID": DEMO_WORKSPACE_ID}).json()["total_calls"] == 3
    )


def test_every_example_in_python_runs(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # some examples store a file
    the_workspace_of_the_examples(client, settings)
    statuses = []

    def urlopen(request: Request) -> BytesIO:
        url = urlsplit(request.full_url)
        # Request changes the case of headers, which the client of Django's tests does not expect.
        headers = {name.title(): value for name, value in request.headers.items()}
        response = client.generic(
            request.get_method(),
            url.path,
            request.data or b"",
            content_type=headers.pop("Content-Type", ""),
            headers=headers,
            QUERY_STRING=url.query,
        )
        statuses.append(response.status_code)
        return BytesIO(body_of(response))

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    examples = samples(client, "python")
    for example in examples:
        exec(compile(example, "example", "exec"), {})  # noqa: S102 (our own text)
    assert len(statuses) == len(examples)
    assert all(200 <= status < 300 for status in statuses)


def test_examples_name_the_readers_workspace_and_where_a_key_belongs(client: Client) -> None:
    membership = MembershipFactory()
    client.force_login(membership.user)
    response = client.get("/api/v1/docs/usage-overview", HTTP_HOST="testserver")
    assert "no-store" in response["Cache-Control"]
    page = words(response.content.decode())
    assert f"X-Workspace-ID: {membership.workspace_id}" in page
    assert "Authorization: Bearer YOUR_API_KEY" in page
    assert "http://testserver/api/v1/usage/overview?range=7d" in page
    stranger = words(Client().get("/api/v1/docs/usage-overview").content.decode())
    assert "X-Workspace-ID: YOUR_WORKSPACE_ID" in stranger
    assert str(membership.workspace_id) not in stranger


def test_each_parameter_but_the_workspace_can_be_tried() -> None:
    document = openapi_document()["paths"]
    pages = operations()
    for methods in document.values():
        for operation in methods.values():
            page = pages[operation["operationId"]]
            names = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] != "header"}
            single = {name for name in names if not name.startswith("not_") and not name.endswith("label.<name>")}
            assert set(re.findall(r'name="([^"]*)"\s+data-place', page)) == single
            assert ("<textarea" in page) == ("requestBody" in operation)
            assert ('type="checkbox" required' in page) == (
                operation not in [one.get("get") for one in document.values()]
            )


def run(client: Client, curl: str) -> Any:
    """Sends the request that curl would send. -d makes a POST."""
    program, *words = shlex.split(curl.replace("\\\n", " "))
    assert program == "curl"
    options: dict[str, list[str]] = {"-X": [], "-H": [], "-d": [], "-o": [], "url": []}
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
