"""While the analytics database is unreachable, people sign in, administer and set budgets; spend is unknown, not 0."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

import pytest

from analytics.catalogue import PAGES
from tests.faults.product import FaultTenant, Product
from web.version import VERSION


class Browser:
    def __init__(self, product: Product) -> None:
        self.url = product.url
        self.cookies = CookieJar()
        self.opener: OpenerDirector = build_opener(HTTPCookieProcessor(self.cookies))

    def ask(
        self, path: str, form: dict[str, str] | None = None, method: str | None = None, **headers: str
    ) -> tuple[int, Any, str]:
        token = next((cookie.value for cookie in self.cookies if cookie.name == "csrftoken"), "") or ""
        body = urlencode(form | {"csrfmiddlewaretoken": token}).encode() if form is not None else None
        headers = {"Accept": "text/html"} | {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            answer = self.opener.open(Request(f"{self.url}{path}", body, headers, method=method), timeout=15)
        except HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.headers, answer.read().decode()

    def signed_in(self) -> "Browser":
        self.ask("/sign-in")
        status, _, page = self.ask("/sign-in", {"username": "admin", "password": "a long and winding password"})
        assert status == 200, page
        assert "sessionid" in {cookie.name for cookie in self.cookies}
        return self


@pytest.fixture(scope="module")
def unreachable(product: Product) -> Iterator[Product]:
    with product.postgres.analytics_unreachable():
        yield product


@pytest.fixture(scope="module")
def fault_tenant(product: Product) -> FaultTenant:
    return product.tenants.pop()


@pytest.fixture(scope="module")
def browser(unreachable: Product) -> Browser:
    """Signs in while it is unreachable."""
    return Browser(unreachable).signed_in()


def call(product: Product, fault_tenant: FaultTenant, method: str, path: str, body: Any = None) -> tuple[int, Any, Any]:
    headers = fault_tenant.headers | {"Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    try:
        answer = build_opener().open(Request(f"{product.url}{path}", data, headers, method=method), timeout=15)
    except HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, json.loads(answer.read())


READS = [
    "usage/overview",
    "usage/calls-over-time",
    "usage/agent-distribution",
    "usage/top-users",
    "cost/overview",
    "cost/trend",
    "cost/by-model",
    "cost/budget",
    "performance/overview",
    "performance/latency",
    "performance/throughput",
    "performance/errors",
]


@pytest.fixture(scope="module")
def answers(unreachable: Product, fault_tenant: FaultTenant) -> dict[str, tuple[int, Any, Any]]:
    """Reads all at the same time, since each waits 2 s for a connection."""
    with ThreadPoolExecutor(len(READS)) as pool:
        return dict(
            zip(
                READS,
                pool.map(lambda path: call(unreachable, fault_tenant, "GET", f"/api/v1/{path}"), READS),
                strict=True,
            )
        )


@pytest.fixture(scope="module")
def panels(browser: Browser, fault_tenant: FaultTenant) -> dict[str, tuple[int, Any, str]]:
    headers = {"X_Workspace_ID": fault_tenant.workspace_id, "HX_Request": "true"}
    with ThreadPoolExecutor(len(READS)) as pool:
        results = pool.map(lambda path: browser.ask(f"/api/v1/{path}", **headers), READS)
        return dict(zip(READS, results, strict=True))


@pytest.mark.parametrize("path", READS)
def test_each_read_is_503_and_never_0(answers: dict[str, tuple[int, Any, Any]], path: str) -> None:
    status, headers, problem = answers[path]
    assert (status, headers["Content-Type"], headers["Retry-After"]) == (503, "application/problem+json", "2")
    assert problem["title"] == "Service Unavailable"


@pytest.mark.parametrize("path", READS)
def test_each_panel_says_that_it_is_unreachable(panels: dict[str, tuple[int, Any, str]], path: str) -> None:
    status, headers, panel = panels[path]
    assert (status, headers["Retry-After"]) == (503, "2")
    assert "The database does not answer right now" in panel
    assert "$0" not in panel


def test_ingestion_is_503(unreachable: Product, fault_tenant: FaultTenant) -> None:
    status, headers, _ = call(unreachable, fault_tenant, "POST", "/api/v1/traces", {"agent_id": "a"})
    assert (status, headers["Retry-After"]) == (503, "2")


@pytest.mark.parametrize("domain", [page.domain for page in PAGES])
def test_pages_still_open(browser: Browser, domain: str) -> None:
    status, _, page = browser.ask(f"/dashboard/{domain}")
    assert status == 200
    assert "</html>" in page


def test_a_budget_is_set_and_its_spend_unknown(unreachable: Product, fault_tenant: FaultTenant) -> None:
    status, headers, budget = call(unreachable, fault_tenant, "PUT", "/api/v1/cost/budget", {"monthly_limit_usd": 500})
    assert status == 200, budget
    assert headers["Cache-Control"] == "private, no-store"
    assert budget["monthly_limit_usd"] == 500
    assert budget["current_spend_usd"] is None
    assert budget["used_percentage"] is None
    assert budget["status"] == "unknown"


def test_a_budget_set_on_the_page_is_saved_too(browser: Browser, fault_tenant: FaultTenant) -> None:
    browser.ask("/dashboard/cost")
    token = next(cookie.value for cookie in browser.cookies if cookie.name == "csrftoken")
    headers = {"X_Workspace_ID": fault_tenant.workspace_id, "HX_Request": "true", "X_CSRFToken": token}
    form = {"monthly_limit_usd": "600", "alert_threshold_percentage": "80"}
    status, _, panel = browser.ask("/api/v1/cost/budget", form, "PUT", **headers)
    assert (status, "The budget is saved" in panel) == (200, True)


def test_the_admin_lists_budgets_with_their_spend_unknown(
    browser: Browser, unreachable: Product, fault_tenant: FaultTenant
) -> None:
    browser.ask("/admin/budgets/budget/add/")
    form = {"workspace": fault_tenant.workspace_id, "amount_usd": "500", "alert_threshold_percentage": "80"}
    form |= {"is_workspace_budget": "on", "name": "Whole workspace", "period": "month", "is_active": "on"}
    formset = {"changes-TOTAL_FORMS": "0", "changes-INITIAL_FORMS": "0"}
    browser.ask("/admin/budgets/budget/add/", form | formset)
    status, _, page = browser.ask("/admin/budgets/budget/")
    assert status == 200
    assert re.findall(r'class="field-spend[^"]*">([^<]*)<', page) == ["unknown"]
    assert re.findall(r'class="field-status[^"]*">([^<]*)<', page) == ["unknown"]


@pytest.mark.parametrize("path", ["/admin/", "/admin/workspaces/workspace/", "/admin/workspaces/apikey/"])
def test_the_admin_works(browser: Browser, path: str) -> None:
    assert browser.ask(path)[0] == 200


def test_readyz_names_it_and_livez_ignores_it(browser: Browser) -> None:
    status, _, body = browser.ask("/readyz")
    assert (status, json.loads(body)) == (
        503,
        {
            "default": "ok",
            "analytics": "unavailable",
            "clock": "unknown",
            "cache": "ok",
            "jobs": {"state": "stopped", "lag_seconds": None},
            "version": VERSION,
        },
    )
    assert browser.ask("/livez")[::2] == (200, "ok")


def test_metrics_name_it(browser: Browser) -> None:
    _, _, body = browser.ask("/metrics")
    assert 'observability_database_up{database="analytics"} 0.0' in body
    assert 'observability_database_up{database="default"} 1.0' in body
    assert re.search(r'observability_unavailable_total{cause="pool"} [1-9]', body)
