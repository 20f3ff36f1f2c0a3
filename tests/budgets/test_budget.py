import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.test import Client

from budgets.models import Budget, BudgetChange
from budgets.periods import Days
from budgets.spending import period, spend_by_day, spending
from methods.forecast import Forecast, NoForecast
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory, an_api_key
from tests.tenant import Tenant, a_row
from traces import writer

pytestmark = pytest.mark.django_db(databases="__all__")

BUDGET = "/api/v1/cost/budget"
FORM = "application/x-www-form-urlencoded"
OVERVIEW = "/api/v1/cost/overview"
BACKEND = "django.contrib.auth.backends.ModelBackend"


def put(client: Client, body: Any, expect: int = 200, **headers: str) -> Any:
    response = client.put(BUDGET, body, content_type="application/json", headers=headers)
    assert response.status_code == expect, response.content
    return response.json()


def test_a_workspace_starts_without_a_limit(tenant: Tenant) -> None:
    tenant.calls(1, datetime.now(UTC), cost_usd="2.50")
    answer = tenant.client.get(BUDGET).json()
    assert answer["status"] == "unset"
    assert (answer["monthly_limit_usd"], answer["remaining_usd"], answer["used_percentage"]) == (None, None, None)
    assert (answer["current_spend_usd"], answer["alert_threshold_percentage"]) == (2.5, 80.0)


def test_a_field_that_is_left_out_keeps_its_value(tenant: Tenant) -> None:
    put(tenant.client, {"monthly_limit_usd": 2000.00, "alert_threshold_percentage": 85.0})
    answer = put(tenant.client, {"alert_threshold_percentage": 90})
    assert (answer["monthly_limit_usd"], answer["alert_threshold_percentage"]) == (2000.0, 90.0)
    assert put(tenant.client, {"monthly_limit_usd": None})["status"] == "unset"


def test_every_change_is_stored_with_its_author(tenant: Tenant) -> None:
    _, secret = an_api_key("write", workspace=tenant.workspace)
    put(tenant.client, {"monthly_limit_usd": 10}, Authorization=f"Bearer {secret}")
    put(tenant.client, {"monthly_limit_usd": 20.25})
    put(tenant.client, {"monthly_limit_usd": 20.25})
    latest, first = BudgetChange.objects.all()
    assert (latest.limit_from_usd, latest.limit_to_usd) == (Decimal("10.00"), Decimal("20.25"))
    assert latest.changed_by == "anyone"
    assert first.changed_by.startswith("key aop_")


def test_all_errors_come_at_once(tenant: Tenant) -> None:
    body = {"monthly_limit_usd": "5", "alert_threshold_percentage": 0, "currency": "EUR"}
    errors = put(tenant.client, body, expect=422)["errors"]
    assert [error["loc"][1] for error in errors] == ["monthly_limit_usd", "alert_threshold_percentage", "currency"]


@pytest.mark.parametrize(
    ("form", "status", "stored"),
    [
        ("monthly_limit_usd=$500&alert_threshold_percentage=85%25", 200, (500, 85)),
        ("monthly_limit_usd=%24+1,500.50", 200, (1500.5, 80)),
        ("monthly_limit_usd=1,000", 200, (1000, 80)),
        ("monthly_limit_usd=1,50", 422, None),
        ("monthly_limit_usd=%E2%82%AC500", 422, None),
        ("monthly_limit_usd=50%25", 422, None),
        ("alert_threshold_percentage=$85", 422, None),
        ("monthly_limit_usd=$-5", 422, None),
    ],
)
def test_a_form_takes_the_unit_of_each_field_and_no_other(
    tenant: Tenant, form: str, status: int, stored: tuple[float, float] | None
) -> None:
    response = tenant.client.put(BUDGET, form, content_type=FORM, headers={"HX-Request": "true"})
    assert response.status_code == status
    if stored:
        answer = tenant.ask("cost/budget")
        assert (answer["monthly_limit_usd"], answer["alert_threshold_percentage"]) == stored


@pytest.mark.parametrize("limit", ["-0.01", "1.001", "100000000", "true", '"1"', "1e400"])
def test_a_limit_is_refused(tenant: Tenant, limit: str) -> None:
    put(tenant.client, f'{{"monthly_limit_usd": {limit}}}', expect=422)


@pytest.mark.parametrize("body", ["{", '{"monthly_limit_usd": NaN}', "\x00"])
def test_a_body_that_is_not_json_is_refused(tenant: Tenant, body: str) -> None:
    put(tenant.client, body, expect=400)


@pytest.mark.parametrize(
    "number", ["0." + "0" * 16_400, "0e-999999", "-0e999999", "12." + "0" * 16_400, "12e-" + "0" * 99]
)
def test_zeros_without_end_are_the_number_without_them(tenant: Tenant, number: str) -> None:
    expected = 12 if number.startswith("12") else 0
    for content_type in ("application/json", "application/x-www-form-urlencoded"):
        is_json = content_type == "application/json"
        body = f'{{"monthly_limit_usd": {number}}}' if is_json else f"monthly_limit_usd={number}"
        answer = tenant.client.put(
            BUDGET, body, content_type=content_type, headers={} if is_json else {"HX-Request": "true"}
        )
        assert answer.status_code == 200
        assert tenant.ask("cost/budget")["monthly_limit_usd"] == expected


def test_the_dashboard_sends_a_form(tenant: Tenant) -> None:
    response = tenant.client.put(BUDGET, "monthly_limit_usd=12.30", content_type=FORM, headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert Budget.objects.get().amount_usd == Decimal("12.30")


def test_a_member_may_send_a_form() -> None:
    membership = MembershipFactory(role="editor")
    client = Client(headers={"X-Workspace-ID": str(membership.workspace_id)})
    client.force_login(membership.user, backend=BACKEND)
    assert client.put(BUDGET, "monthly_limit_usd=12.30", content_type=FORM).json()["monthly_limit_usd"] == 12.3


@pytest.mark.parametrize("content_type", [FORM, "text/plain"])
@pytest.mark.parametrize("with_key", [True, False])
def test_json_that_curl_sends_as_a_form_is_refused_by_its_type(
    tenant: Tenant, content_type: str, with_key: bool
) -> None:
    _, secret = an_api_key("write", workspace=tenant.workspace)
    headers = {"Authorization": f"Bearer {secret}"} if with_key else {}
    response = tenant.client.put(BUDGET, '{"monthly_limit_usd": 5}', content_type=content_type, headers=headers)
    assert response.status_code == 415
    assert "application/json" in response.json()["detail"]
    assert not Budget.objects.exists()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"monthly_limit_usd": -0.01}', "must be at least 0"),
        ('{"monthly_limit_usd": 100000000}', "must be at most 99,999,999.99"),
        ('{"monthly_limit_usd": 1.001}', "must have at most two decimals"),
        ('{"monthly_limit_usd": "1"}', "must be a number"),
        ('{"alert_threshold_percentage": 0}', "must be above 0 and at most 100"),
        ('{"alert_threshold_percentage": 100.01}', "must be above 0 and at most 100"),
        ('{"alert_threshold_percentage": 80.001}', "must have at most two decimals"),
        ('{"currency": "EUR"}', "unknown field"),
        ('"lots"', "must be an object"),
    ],
)
def test_an_error_is_explained_in_plain_words(tenant: Tenant, body: str, words: str) -> None:
    assert [error["msg"] for error in put(tenant.client, body, expect=422)["errors"]] == [words]


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("editor", 200), ("owner", 200)])
def test_a_member_needs_the_role_of_editor(role: str, status: int) -> None:
    membership = MembershipFactory(role=role)
    client = Client(headers={"X-Workspace-ID": str(membership.workspace_id)})
    client.force_login(membership.user, backend=BACKEND)
    put(client, {"monthly_limit_usd": 1}, expect=status)


def test_a_session_needs_the_csrf_token() -> None:
    membership = MembershipFactory(role="owner")
    client = Client(enforce_csrf_checks=True, headers={"X-Workspace-ID": str(membership.workspace_id)})
    client.force_login(membership.user, backend=BACKEND)
    put(client, {"monthly_limit_usd": 1}, expect=403)


def test_a_key_needs_the_scope_write(tenant: Tenant) -> None:
    _, secret = an_api_key("read", "ingest", workspace=tenant.workspace)
    put(tenant.client, {"monthly_limit_usd": 1}, expect=403, Authorization=f"Bearer {secret}")


def test_the_next_reader_sees_the_change(tenant: Tenant, django_capture_on_commit_callbacks: Any) -> None:
    for path in (OVERVIEW, BUDGET):
        tenant.client.get(path)
    with django_capture_on_commit_callbacks(execute=True):
        put(tenant.client, {"monthly_limit_usd": 7})
    assert tenant.client.get(OVERVIEW).json()["budget_limit_usd"] == 7.0
    assert tenant.client.get(BUDGET).json()["monthly_limit_usd"] == 7.0


@pytest.mark.parametrize(
    ("spend", "threshold", "status"),
    [
        ("79.99", "80", "ok"),
        ("80", "80", "warning"),
        ("90", "80", "critical"),
        ("94", "95", "ok"),
        ("95", "95", "critical"),
        ("100", "100", "exceeded"),
    ],
)
def test_the_status_follows_from_spend_and_threshold(spend: str, threshold: str, status: str) -> None:
    budget = Budget(is_workspace_budget=True, amount_usd=Decimal(100), alert_threshold_percentage=Decimal(threshold))
    assert budget.status(Decimal(spend)) == status


@pytest.mark.parametrize(
    ("zone", "day", "start", "hours"),
    [
        ("Asia/Kolkata", datetime(2026, 6, 10, tzinfo=UTC), datetime(2026, 5, 31, 18, 30, tzinfo=UTC), 720),
        ("America/New_York", datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 1, 5, tzinfo=UTC), 743),
        ("America/New_York", datetime(2026, 11, 10, tzinfo=UTC), datetime(2026, 11, 1, 4, tzinfo=UTC), 721),
        ("Pacific/Chatham", datetime(2026, 4, 10, tzinfo=UTC), datetime(2026, 3, 31, 10, 15, tzinfo=UTC), 721),
    ],
)
def test_the_month_is_the_workspaces_own(zone: str, day: datetime, start: datetime, hours: int) -> None:
    first, last = period(WorkspaceFactory(time_zone=zone), day)
    assert (first, last - first) == (start, timedelta(hours=hours))


def test_below_three_days_of_history_there_is_no_forecast_and_the_answer_says_so(tenant: Tenant) -> None:
    now = datetime(2026, 11, 16, 12, tzinfo=UTC)
    tenant.calls(1, now - timedelta(days=2), cost_usd="10")
    found = spending(tenant.workspace, now)
    assert (found.spend_usd, found.forecast) == (10, NoForecast("too_little_history"))


def test_a_quiet_workspace_has_no_forecast(tenant: Tenant) -> None:
    answer = tenant.ask("cost/budget", range="24h")
    assert answer["projected_monthly_spend_usd"] is None
    assert answer["no_projection_reason"] == "no_traffic"
    assert answer["reached_on"] == []


def test_a_steady_workspace_goes_on_as_before(tenant: Tenant) -> None:
    now = datetime(2026, 11, 16, 12, tzinfo=UTC)
    for day in range(100):
        tenant.calls(1, now - timedelta(days=day, hours=1), cost_usd="2")
    found = expected(spending(tenant.workspace, now).forecast)
    # 16 days are over, but for half of the last; 14 and a half are left.
    assert found.spent == 32
    assert round(found.expected, 1) == 61.0
    assert found.low <= found.expected <= found.high
    assert found.exhaustion(50).expected == date(2026, 11, 25)


def test_a_days_spend_counts_on_its_day_of_the_workspaces_zone(tenant: Tenant) -> None:
    tenant.workspace.time_zone = "Asia/Kolkata"
    tenant.calls(1, datetime(2026, 11, 15, 18, 29, tzinfo=UTC), cost_usd="1")
    tenant.calls(1, datetime(2026, 11, 15, 18, 30, tzinfo=UTC), cost_usd="2")
    days = spend_by_day(tenant.workspace, Days(date(2026, 11, 15), date(2026, 11, 18)))
    assert days == {date(2026, 11, 15): 1, date(2026, 11, 16): 2, date(2026, 11, 17): 0}


def expected(found: Forecast | NoForecast) -> Forecast:
    assert isinstance(found, Forecast)
    return found


def test_the_admin_lists_spend_and_status_in_few_queries(django_assert_max_num_queries: Any) -> None:

    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True), backend=BACKEND)
    for cost in ("5", "25"):
        workspace = WorkspaceFactory()
        Budget.objects.create(is_workspace_budget=True, workspace=workspace, amount_usd=20)
        writer.store(workspace.id, [a_row(datetime.now(UTC), cost_usd=cost)])
    with django_assert_max_num_queries(10):
        page = client.get("/admin/budgets/budget/").content.decode()
    assert "$25.00" in page
    assert "125 %" in page
    page = client.get("/admin/budgets/budget/?status=exceeded").content.decode()
    assert "$25.00" in page
    assert "$5.00" not in page


def test_the_admin_does_not_list_a_tiny_spend_as_none() -> None:
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True), backend=BACKEND)
    budget = Budget.objects.create(is_workspace_budget=True, workspace=WorkspaceFactory(), amount_usd=20)
    writer.store(budget.workspace_id, [a_row(datetime.now(UTC), cost_usd="0.0000002")])
    page = client.get("/admin/budgets/budget/").content.decode()
    assert "&lt;$0.01" in page
    assert "&lt;0.1 %" in page


def test_the_admin_shows_the_history() -> None:
    client = Client()
    client.force_login(UserFactory(username="root", is_staff=True, is_superuser=True), backend=BACKEND)
    budget = Budget.objects.create(is_workspace_budget=True, workspace=WorkspaceFactory(), amount_usd=20)
    path = f"/admin/budgets/budget/{budget.pk}/change/"
    inline = {"changes-TOTAL_FORMS": 0, "changes-INITIAL_FORMS": 0}
    client.post(path, {"amount_usd": "30", "alert_threshold_percentage": "80", **inline})
    [change] = budget.changes.all()
    assert (change.changed_by, change.limit_from_usd, change.limit_to_usd) == ("root", 20, 30)
    assert "root" in client.get(path).content.decode()


@pytest.mark.parametrize(
    ("zone", "now", "hours"),
    [
        ("America/New_York", datetime(2026, 3, 20, 4, tzinfo=UTC), 743),
        ("America/New_York", datetime(2026, 11, 20, 5, tzinfo=UTC), 721),
        ("Pacific/Chatham", datetime(2026, 4, 20, 11, 15, tzinfo=UTC), 721),
        ("Asia/Kolkata", datetime(2026, 6, 20, 18, 30, tzinfo=UTC), 720),
    ],
)
def test_a_dollar_an_hour_makes_nearly_the_hours_of_the_month_across_clock_changes(
    tenant: Tenant, zone: str, now: datetime, hours: int
) -> None:
    tenant.workspace.time_zone = zone
    since = now - timedelta(days=84)
    quarters = [since + timedelta(minutes=15) * count for count in range(84 * 96)]
    writer.store(tenant.workspace.id, [a_row(at, cost_usd="0.25") for at in quarters])
    # A day of 23 or 25 hours belongs to what is over, and the method sees one odd day.
    assert expected(spending(tenant.workspace, now).forecast).expected == pytest.approx(hours, rel=0.005)


@pytest.mark.parametrize(
    ("limit", "threshold", "words"),
    [
        ("-1", "80", "The limit must not be negative."),
        ("1000000000000", "80", "no more than 12 digits before the decimal point"),
        ("1.001", "80", "no more than 2 decimal places"),
        ("lots", "80", "Enter a number."),
        ("10", "0", "The threshold must be above 0 percent."),
        ("10", "100.01", "The threshold must be at most 100 percent."),
        ("10", "", "This field is required."),
    ],
)
def test_the_admin_says_what_is_wrong(limit: str, threshold: str, words: str) -> None:
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True), backend=BACKEND)
    budget = Budget.objects.create(is_workspace_budget=True, workspace=WorkspaceFactory(), amount_usd=20)
    form = {"amount_usd": limit, "alert_threshold_percentage": threshold}
    inline = {"changes-TOTAL_FORMS": 0, "changes-INITIAL_FORMS": 0}
    page = client.post(f"/admin/budgets/budget/{budget.pk}/change/", form | inline).content.decode()
    assert words in page
    budget.refresh_from_db()
    assert (budget.amount_usd, budget.changes.count()) == (20, 0)


@pytest.mark.parametrize("status", ["unset", "ok", "warning", "critical", "exceeded"])
def test_the_admin_filters_by_the_status_of_the_running_month(status: str) -> None:
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True), backend=BACKEND)
    workspaces = {}
    for name, of_25 in (("unset", None), ("ok", 100), ("warning", 30), ("critical", 27), ("exceeded", 25)):
        workspaces[name] = WorkspaceFactory(name=f"spender {name}")
        Budget.objects.create(is_workspace_budget=True, workspace=workspaces[name], amount_usd=of_25)
        writer.store(workspaces[name].id, [a_row(datetime.now(UTC), cost_usd="25")])
    page = client.get(f"/admin/budgets/budget/?status={status}").content.decode()
    assert [name for name in workspaces if f"spender {name}" in page] == [status]


def test_the_admin_says_unknown_while_the_analytics_database_is_unreachable() -> None:
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True), backend=BACKEND)
    Budget.objects.create(is_workspace_budget=True, workspace=WorkspaceFactory(), amount_usd=20)
    with patch("traces.db.connections") as connections:
        connections.__getitem__.side_effect = OperationalError("gone")
        page = client.get("/admin/budgets/budget/").content.decode()
        filtered = client.get("/admin/budgets/budget/?status=exceeded").content.decode()
    assert page.count("unknown") == 2
    assert "$0.00" not in page
    assert "the spend is unknown" in filtered


def test_the_history_of_all_budgets_is_read_and_never_written() -> None:
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True), backend=BACKEND)
    budget = Budget.objects.create(is_workspace_budget=True, workspace=WorkspaceFactory(name="spender"), amount_usd=20)
    budget.record_change(None, "ada")
    [change] = budget.changes.all()
    base = "/admin/budgets/budgetchange/"
    page = client.get(f"{base}?q=ada").content.decode()
    assert "spender" in page
    assert "delete_selected" not in page
    assert client.get(f"{base}{change.pk}/change/").status_code == 200
    for closed in (f"{base}add/", f"{base}{change.pk}/delete/"):
        assert client.post(closed, {"post": "yes"}).status_code == 403
    assert client.post(f"{base}{change.pk}/change/", {"changed_by": "eve"}).status_code == 403
    assert client.post(f"/admin/budgets/budget/{budget.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not BudgetChange.objects.exists()


def test_the_example_of_the_documents_is_true(tenant: Tenant) -> None:
    now = datetime(2026, 11, 28, tzinfo=UTC)
    for week in range(20):
        tenant.calls(1, datetime(2026, 11, 23, 9, tzinfo=UTC) - timedelta(weeks=week), cost_usd="8")
        tenant.calls(1, datetime(2026, 11, 24, 9, tzinfo=UTC) - timedelta(weeks=week), cost_usd="1")
    month = spending(tenant.workspace, now)
    found = expected(month.forecast)
    assert month.spend_usd == 36
    assert [round(amount, 2) for amount in (found.expected, found.low, found.high)] == [43.35, 42.59, 44.25]


@pytest.mark.parametrize(
    ("spent", "status", "words"),
    [
        ("79.99", "within budget", "79.9 %"),
        ("80", "past the alert threshold", "80 % of the budget is spent, past the alert threshold of 80 %."),
        ("90", "past 90 %", "90 % of the budget is spent, past 90 %."),
        ("100", "exceeded", "The budget is exceeded by $0.00."),
        ("142", "exceeded", "The budget is exceeded by $42.00."),
    ],
)
def test_the_panel_warns_at_the_thresholds(tenant: Tenant, spent: str, status: str, words: str) -> None:
    Budget.objects.create(
        is_workspace_budget=True, workspace=tenant.workspace, amount_usd=100, alert_threshold_percentage=80
    )
    tenant.calls(1, datetime.now(UTC) - timedelta(microseconds=1), cost_usd=spent)
    panel = tenant.client.get(BUDGET, headers={"HX-Request": "true"}).content.decode()
    text = " ".join(re.sub("<[^>]*>", "", panel).split())
    assert re.search(rf'class="badge[^>]*>\s*{status}\s*<', panel), panel
    assert words in text
