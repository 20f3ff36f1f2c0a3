import re
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
from django.core.cache import cache
from django.db import OperationalError

from analytics import cache as answers
from analytics.catalogue import METRICS, PAGES
from budgets.models import Budget
from tests.factories import WorkspaceFactory
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__")

OVERVIEW = "/api/v1/usage/overview"
PANELS = [route for route, metric in METRICS.items() if metric.domain == "usage"]
HTMX = {"HX-Request": "true"}


def test_an_answer_is_cached_and_says_so(tenant: Tenant) -> None:
    first, second = tenant.client.get(OVERVIEW), tenant.client.get(OVERVIEW)
    assert (first["X-Cache"], second["X-Cache"]) == ("miss", "hit")
    assert first.content == second.content
    assert first["Cache-Control"] == "private"
    for name in ("HX-Request", "X-Workspace-ID", "Authorization", "Cookie"):
        assert name in first["Vary"]


def test_the_panel_and_the_json_share_one_answer(tenant: Tenant) -> None:
    tenant.calls(3, user_id="ada")
    tenant.client.get(OVERVIEW)
    assert tenant.client.get(OVERVIEW, headers=HTMX)["X-Cache"] == "hit"


def test_workspaces_share_nothing(tenant: Tenant, settings: Any) -> None:
    tenant.calls(3, at=now())
    other = WorkspaceFactory()
    settings.OPEN_WORKSPACE_IDS |= {other.id}
    assert tenant.client.get(OVERVIEW).json()["total_calls"] == 3
    answer = tenant.client.get(OVERVIEW, headers={"X-Workspace-ID": str(other.id)})
    assert (answer["X-Cache"], answer.json()["total_calls"]) == ("miss", 0)


def test_newer_traces_renew_an_answer_before_its_tier_is_over(tenant: Tenant) -> None:
    assert tenant.client.get(OVERVIEW).json()["total_calls"] == 0
    tenant.calls(1, at=now())
    with patch.object(answers, "FRESH_SECONDS", -1), patch.object(answers, "RENEWAL_FACTOR", 0):
        assert tenant.client.get(OVERVIEW).json()["total_calls"] == 1


def test_a_changed_budget_renews_every_answer_of_its_workspace(tenant: Tenant) -> None:
    tenant.client.get(OVERVIEW)
    Budget.objects.create(is_workspace_budget=True, workspace=tenant.workspace)
    assert tenant.client.get(OVERVIEW)["X-Cache"] == "miss"


def test_a_changed_time_zone_renews_every_answer_of_its_workspace(tenant: Tenant) -> None:
    tenant.client.get(OVERVIEW)
    tenant.workspace.time_zone = "Asia/Kolkata"
    tenant.workspace.save()
    assert tenant.client.get(OVERVIEW)["X-Cache"] == "miss"


def test_a_cached_answer_takes_one_query(tenant: Tenant, django_assert_num_queries: Any) -> None:
    tenant.client.get(OVERVIEW)
    with django_assert_num_queries(1):  # the workspace, with its epoch
        assert tenant.client.get(OVERVIEW)["X-Cache"] == "hit"


@pytest.mark.parametrize("panel", [panel for panel in PANELS if panel != "usage/scores"])
@pytest.mark.parametrize("calls", [0, 3])
def test_every_usage_panel_shows_its_calls(tenant: Tenant, panel: str, calls: int) -> None:
    tenant.calls(
        calls,
        at=now(),
        user_id="ada <b>",
        agent_id="<script>alert(1)</script>",
        cost_usd="0.5",
        latency_ms=9.0,
        input_tokens=5,
    )
    page = tenant.client.get(f"/api/v1/{panel}", headers=HTMX).content.decode()
    assert "<script>alert" not in page
    assert ("No call" in page or '"0 calls in' in page) == (calls == 0)
    assert "style=" not in page


@pytest.mark.parametrize("calls", [0, 3])
@pytest.mark.parametrize("panel", METRICS)
def test_every_panel_renders_text_as_text(tenant: Tenant, panel: str, calls: int) -> None:
    tenant.calls(calls, now(), status="error", error_type="<b>bad", model="<i>m", cost_usd="0.5", latency_ms=9.0)
    response = tenant.client.get(f"/api/v1/{panel}", headers=HTMX)
    page = response.content.decode()
    assert response.status_code == 200
    assert "style=" not in page
    assert "<b>bad" not in page
    assert "<i>m" not in page


def test_the_budget_form_answers_with_the_panel(tenant: Tenant) -> None:
    body = "monthly_limit_usd=12.50&alert_threshold_percentage=70"
    response = tenant.client.put(
        "/api/v1/cost/budget", body, content_type="application/x-www-form-urlencoded", headers=HTMX
    )
    assert response.status_code == 200
    assert 'value="12.50"' in response.content.decode()


@pytest.mark.parametrize("domain", [page.domain for page in PAGES])
def test_every_page_opens(tenant: Tenant, domain: str) -> None:
    assert tenant.client.get(f"/dashboard/{domain}").status_code == 200


def test_an_error_is_a_problem_for_clients_and_a_sentence_for_the_page(tenant: Tenant) -> None:
    response = tenant.client.get(f"{OVERVIEW}?range=2d")
    assert (response.status_code, response["Content-Type"]) == (422, "application/problem+json")
    assert set(response.json()) == {"type", "title", "status", "detail", "errors"}
    page = tenant.client.get(f"{OVERVIEW}?range=2d", headers=HTMX)
    assert page.status_code == 422
    assert "range" in page.content.decode()


def test_a_database_that_does_not_answer_is_503_with_retry_after(tenant: Tenant) -> None:
    cache.clear()
    with patch("traces.db.connections") as connections:
        connections.__getitem__.side_effect = OperationalError("gone")
        response = tenant.client.get(OVERVIEW)
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0


def test_a_wrong_header_does_not_hide_a_wrong_parameter(tenant: Tenant) -> None:
    response = tenant.client.get(f"{OVERVIEW}?limit=0", headers={"X-Workspace-ID": "mine"})
    assert response.status_code == 422
    assert [error["loc"] for error in response.json()["errors"]] == [["header", "X-Workspace-ID"], ["query", "limit"]]


def test_an_unknown_address_is_a_problem_too(tenant: Tenant) -> None:
    response = tenant.client.get("/api/v1/usage/nothing")
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


def test_only_reading_methods_are_allowed(tenant: Tenant) -> None:
    refused = tenant.client.post(OVERVIEW)
    assert (refused.status_code, refused["Content-Type"]) == (405, "application/problem+json")
    assert refused["Allow"] == "GET, HEAD"
    assert tenant.client.head(OVERVIEW).status_code == 200


def test_the_page_is_a_shell_without_inline_script_or_style(tenant: Tenant, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(3):
        response = tenant.client.get("/dashboard/usage?range=7d&agent_id=support")
    page = response.content.decode()
    assert response.status_code == 200
    assert page.count('class="panel ') == len(PANELS)
    assert "range=7d&amp;agent_id=support" in page
    assert not re.search(r"<script(?![^>]* src=)|<style|style=|\son\w+=", page)
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def now() -> datetime:
    return datetime.now(UTC)


def test_an_answer_from_the_cache_says_its_age(tenant: Tenant) -> None:
    assert tenant.client.get(OVERVIEW)["Age"] == "0"
    later = datetime.now(UTC).timestamp() + 40
    with patch.object(answers.time, "time", lambda: later):
        assert int(tenant.client.get(OVERVIEW)["Age"]) >= 39


@pytest.mark.parametrize(("took", "stale_after"), [(0.001, 1.0), (0.05, 5.0), (0.5, 8.0), (3.0, 30.0)])
def test_newer_traces_are_shown_within_seconds_and_slow_answers_are_computed_rarely(
    took: float, stale_after: float
) -> None:
    assert answers.stale_after(took) == pytest.approx(stale_after)
