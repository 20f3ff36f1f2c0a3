"""What a period will cost: the endpoint, its scopes and periods, and the command that says how far it was off."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from budgets.forecast_answer import forecast_answer
from budgets.models import Budget
from tests.tenant import Tenant, a_row
from traces import writer
from traces.filters import FilterValues

pytestmark = pytest.mark.django_db(databases="__all__")

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)


def spend(tenant: Tenant, dollars: str, days: int = 200, now: datetime = NOW, **values: Any) -> None:
    """Stores one call a day, of the last days until an hour ago."""
    moments = [now - timedelta(days=day, hours=1) for day in range(days)]
    writer.store(tenant.workspace.id, [a_row(at, cost_usd=dollars, **values) for at in moments])


def test_the_endpoint_forecasts_the_month_and_says_how_far_it_was_off(tenant: Tenant) -> None:
    spend(tenant, "2", now=datetime.now(UTC))
    answer = tenant.client.get("/api/v1/insights/forecast?limit_usd=1000000").json()
    assert answer["period"] == "month"
    assert answer["low_usd"] <= answer["expected_usd"] <= answer["high_usd"]
    assert answer["days"][-1]["expected_usd"] == answer["expected_usd"]
    assert answer["limit"] == {
        "limit_usd": 1000000.0,
        **dict.fromkeys(("expected", "earliest", "latest")),
        "probability": 0.0,
    }
    assert answer["past_error"]["days_before_end"] == 10
    assert answer["past_error"]["median_error_percentage"] < 1


def test_it_is_about_what_the_filters_select(tenant: Tenant) -> None:
    spend(tenant, "2", agent_id="support", user_id="ada", labels={"customer": "acme"})
    spend(tenant, "5", agent_id="sales", user_id="bob", labels={"customer": "globex"})
    for name, value in (("agent_id", "support"), ("user_id", "ada"), ("label.customer", "acme")):
        answer = forecast_answer(tenant.workspace, {name: FilterValues((value,))}, "month", None, NOW)
        assert (answer["spent_usd"], round(answer["expected_usd"] or 0)) == (32, 61), name
    nobody = forecast_answer(tenant.workspace, {"user_id": FilterValues(("nobody",))}, "month", None, NOW)
    assert (nobody["spent_usd"], nobody["expected_usd"], nobody["reason"]) == (0, None, "no_traffic")


@pytest.mark.parametrize(
    ("period", "first", "until"),
    [
        ("week", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"),
        ("quarter", "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("year", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
    ],
)
def test_other_periods_have_forecasts_too(tenant: Tenant, period: Any, first: str, until: str) -> None:
    spend(tenant, "2")
    answer = forecast_answer(tenant.workspace, {}, period, None, NOW)
    assert answer["period_start"] == datetime.fromisoformat(first)
    assert answer["period_end"] == datetime.fromisoformat(until)
    days_left = (answer["period_end"] - NOW) / timedelta(days=1)
    assert answer["expected_usd"] == pytest.approx(answer["spent_usd"] + 2 * days_left, rel=0.01)


def test_the_workspaces_month_has_the_limit_of_its_budget(tenant: Tenant) -> None:
    spend(tenant, "2")
    Budget.objects.create(is_workspace_budget=True, workspace=tenant.workspace, amount_usd=50)
    limit = forecast_answer(tenant.workspace, {}, "month", None, NOW)["limit"]
    assert limit is not None
    assert (limit["limit_usd"], limit["expected"]) == (50, date(2026, 11, 25))
    of_an_agent = {"agent_id": FilterValues(("support",))}
    assert forecast_answer(tenant.workspace, of_an_agent, "month", None, NOW)["limit"] is None
    assert forecast_answer(tenant.workspace, {}, "quarter", None, NOW)["limit"] is None


def test_past_periods_before_the_first_spend_prove_nothing(tenant: Tenant) -> None:
    spend(tenant, "2", days=20)
    assert forecast_answer(tenant.workspace, {}, "month", None, NOW)["past_error"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("period=decade", "period"),
        ("limit_usd=-1", "limit_usd"),
        ("limit_usd=1.234", "limit_usd"),
        ("range=7d", "range"),
        ("status=error", "status"),
        ("agent_id=", "agent_id"),
    ],
)
def test_a_wrong_question_is_refused_by_name(tenant: Tenant, query: str, field: str) -> None:
    response = tenant.client.get(f"/api/v1/insights/forecast?{query}")
    assert response.status_code == 422
    assert [error["loc"][1] for error in response.json()["errors"]] == [field]


def test_the_command_prints_the_error_beside_simpler_ways(tenant: Tenant) -> None:
    spend(tenant, "2", days=300, now=datetime.now(UTC))
    printed = StringIO()
    call_command("forecast_error", str(tenant.workspace.id), months=3, stdout=printed)
    assert "15 forecasts of 3 months" in printed.getvalue()
    assert "forecast              0.00" in printed.getvalue()
    for way in ("month's pace", "average day", "same day last week"):
        assert way in printed.getvalue()


def test_the_command_says_what_is_missing(tenant: Tenant) -> None:
    printed = StringIO()
    call_command("forecast_error", str(tenant.workspace.id), stdout=printed)
    assert "too little history" in printed.getvalue()
    with pytest.raises(CommandError, match="There is no workspace"):
        call_command("forecast_error", "00000000-0000-0000-0000-00000000dead")


def test_the_cost_page_says_how_far_past_forecasts_were_off(tenant: Tenant) -> None:
    spend(tenant, "2", now=datetime.now(UTC))
    panel = tenant.client.get("/api/v1/cost/budget", headers={"HX-Request": "true"}).content.decode()
    assert "months, 10 days before the end, the forecast was" in panel
