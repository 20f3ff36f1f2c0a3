"""The pages of budgets: all of them, one of them, and the form."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.test import Client

from budgets.evaluation import evaluate
from budgets.models import Budget
from tests.factories import MembershipFactory, WorkspaceFactory
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__")

HOSTILE = """"><script>alert(1)</script>{{ 7*7 }}' onfocus=x"""
USUAL = {"target": "all", "amount_usd": "100", "period": "month", "actual_percents": "50, 80, 100"}


def page(tenant: Tenant, path: str = "", expect: int = 200, **query: str) -> str:
    response = tenant.client.get(f"/dashboard/budgets{path}", {"workspace": str(tenant.workspace.id), **query})
    assert response.status_code == expect
    return response.content.decode()


def post(tenant: Tenant, path: str, form: dict[str, str], expect: int = 302) -> Any:
    response = tenant.client.post(f"/dashboard/budgets{path}?workspace={tenant.workspace.id}", form)
    assert response.status_code == expect, response.content
    return response


def words(html: str) -> str:
    return " ".join(unescape(re.sub("<[^>]*>", " ", html)).split())


def a_budget(tenant: Tenant, **values: Any) -> Budget:
    values = {"name": "acme", "amount_usd": Decimal(100), **values}
    return Budget.objects.create(workspace=tenant.workspace, **values)


def spend(tenant: Tenant, dollars: str, **values: Any) -> None:
    tenant.calls(1, datetime.now(UTC) - timedelta(seconds=1), cost_usd=dollars, **values)


def test_without_a_budget_the_page_says_what_one_is_for(tenant: Tenant) -> None:
    shown = page(tenant)
    assert "There is no budget." in shown
    assert "/dashboard/budgets/new" in shown


def test_a_card_shows_what_is_left_and_who_spends_the_most(tenant: Tenant) -> None:
    spend(tenant, "30", agent_id="support")
    spend(tenant, "5", agent_id="sales")
    a_budget(tenant, scope={"provider": ["openai"]}, owner="ada")
    shown = page(tenant)
    assert "$35.00 spent, 35 % · $65.00 left" in words(shown)
    assert "$100 in a month · provider openai · ada" in words(shown)
    assert re.search(r'href="/dashboard/traces\?[^"]*provider=openai&amp;agent_id=support[^"]*"', shown)
    assert words(shown).index("agent support") < words(shown).index("agent sales")


def test_a_card_says_when_the_money_ends_and_between_which_days(tenant: Tenant) -> None:
    now = datetime.now(UTC)
    for hours in range(0, 24 * 60, 6):
        tenant.calls(1, now - timedelta(hours=hours, seconds=1), cost_usd="1")
    a_budget(tenant, period="year", amount_usd=Decimal(100_000))
    a_budget(tenant, period="fixed", fixed_from=now.date(), fixed_to=now.date() + timedelta(days=90), amount_usd=200)
    shown = words(page(tenant))
    assert re.search(r"ends on \d+ \w{3} \(\d+( \w{3})? (to \d+( \w{3})?|or later)\)", shown)
    assert re.search(r"Expected \$[\d,.]+k?, between", shown)


def test_templates_are_a_table_with_who_is_over_and_near(tenant: Tenant) -> None:
    for user, dollars in (("ada", "10"), ("bob", "9"), ("cy", "1")):
        spend(tenant, dollars, user_id=user)
    budget = a_budget(tenant, name="every user", per="user", amount_usd=Decimal(10))
    assert "every user user $10.00 in a month 1 over 1 near 3 $20.00" in words(page(tenant))
    one = page(tenant, f"/{budget.pk}")
    assert "ada over $10.00 100 % bob near $9.00 90 % cy within $1.00 10 %" in words(one)
    found = words(page(tenant, f"/{budget.pk}", search="AD"))
    assert "ada over" in found
    assert "bob near" not in found
    assert "has spent anything" in page(tenant, f"/{budget.pk}", search="nobody")


def test_the_page_of_one_has_past_periods_events_and_history(tenant: Tenant) -> None:
    now = datetime.now(UTC)
    budget = a_budget(tenant, period="day", thresholds=[{"basis": "actual", "percent": "50", "severity": "warning"}])
    budget.record_change(None, "ada", "a contract")
    tenant.calls(1, now.replace(hour=0, minute=1) - timedelta(days=1), cost_usd="40")
    spend(tenant, "50")
    evaluate(datetime.now(UTC))
    shown = words(page(tenant, f"/{budget.pk}"))
    assert "$40.00, 40 %" in shown
    assert "50 % spent, passed before it was watched" in shown
    assert "limit $100.00 (a contract)" in shown


def test_the_form_makes_a_budget_for_one_customer_with_the_usual_thresholds(tenant: Tenant) -> None:
    form = USUAL | {"target": "one:label.customer", "value": "acme, inc"}
    form |= {"amount_usd": "1,500", "forecast_percents": "100"}
    post(tenant, "/new", form)
    budget = Budget.objects.get()
    assert (budget.name, budget.amount_usd) == ("Customer acme, inc", 1500)
    assert budget.scope == {"label.customer": ["acme, inc"]}
    assert [one.key for one in budget.threshold_list] == ["actual:50%", "actual:80%", "actual:100%", "forecast:100%"]
    assert [one.severity for one in budget.threshold_list] == ["info", "warning", "critical", "warning"]


def test_percentages_may_have_their_sign(tenant: Tenant) -> None:
    post(tenant, "/new", USUAL | {"actual_percents": "50%, 80%, 100%"})
    assert [one.severity for one in Budget.objects.get().threshold_list] == ["info", "warning", "critical"]


def test_rolling_days_have_no_days_left(tenant: Tenant) -> None:
    budget = a_budget(tenant, period="rolling", rolling_days=7)
    assert not re.search(r"days? left", words(page(tenant) + page(tenant, f"/{budget.pk}")))


@pytest.mark.parametrize(
    ("changes", "period", "per"),
    [
        ({"target": "each:user", "forecast_percents": "100"}, "month", "user"),
        ({"target": "each:label.customer", "period": "week"}, "week", "label.customer"),
        ({"period": "rolling", "rolling_days": "30"}, "rolling", ""),
        ({"period": "fixed", "fixed_from": "2026-11-01", "fixed_to": "2026-12-01"}, "fixed", ""),
    ],
)
def test_the_form_makes_every_kind_of_budget(tenant: Tenant, changes: Any, period: str, per: str) -> None:
    post(tenant, "/new", USUAL | changes)
    budget = Budget.objects.get()
    assert (budget.period, budget.per, len(budget.threshold_list)) == (period, per, 3)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount_usd": "lots"}, "amount"),
        ({"amount_usd": ""}, "amount"),
        ({"target": "one:agent_id", "value": ""}, "value"),
        ({"target": "one:session_id", "value": "s"}, "value"),
        ({"period": "rolling", "rolling_days": "x"}, "period"),
        ({"period": "fixed", "fixed_from": "2026-11-01", "fixed_to": ""}, "period"),
        ({"actual_percents": "50, x"}, "actual"),
        ({"actual_percents": "50, nan"}, "actual"),
        ({"actual_percents": "inf%"}, "actual"),
        ({"amount_usd": "nan"}, "amount"),
        ({"actual_percents": "50, 50"}, "actual"),
    ],
)
def test_the_form_says_what_is_wrong_at_its_field_and_keeps_the_rest(tenant: Tenant, changes: Any, field: str) -> None:
    shown = post(tenant, "/new", USUAL | {"owner": "ada"} | changes, expect=422).content.decode()
    error = re.search(rf'id="{field}-error">([^<]+)<', shown)
    assert error, shown
    assert error[1].strip()
    assert 'value="ada"' in shown
    assert not Budget.objects.exists()


def test_the_form_of_a_budget_keeps_what_it_cannot_show(tenant: Tenant) -> None:
    thresholds = [{"basis": "actual", "amount_usd": "7.00", "severity": "critical", "channels": ["mail"]}]
    scope = {"agent_id": ["support"], "model": ["gpt-4o"]}
    budget = a_budget(tenant, scope=scope, thresholds=thresholds)
    page(tenant, f"/{budget.pk}/edit")
    form = USUAL | {"target": "", "name": "new name", "amount_usd": "7", "actual_percents": "", "forecast_percents": ""}
    post(tenant, f"/{budget.pk}/edit", form)
    budget.refresh_from_db()
    assert (budget.name, budget.amount_usd, budget.scope) == ("new name", 7, scope)
    assert [one.key for one in budget.threshold_list] == ["actual:$7.00"]
    assert budget.threshold_list[0].channels == ("mail",)


def test_a_raise_to_the_end_of_a_day_of_the_zone_and_its_end(tenant: Tenant) -> None:
    tenant.workspace.time_zone = "Asia/Kolkata"
    tenant.workspace.save()
    budget = a_budget(tenant)
    day = (datetime.now(UTC) + timedelta(days=2)).date()
    post(tenant, f"/{budget.pk}", {"amount_usd": "50", "until": day.isoformat(), "reason": "the launch"})
    [raised] = budget.raises.all()
    assert (raised.amount_usd, raised.until) == (50, datetime(day.year, day.month, day.day, 18, 30, tzinfo=UTC))
    assert "raised by $50.00" in words(page(tenant, f"/{budget.pk}"))
    post(tenant, f"/{budget.pk}", {"end": "1"})
    assert "raised by" not in words(page(tenant, f"/{budget.pk}"))
    for wrong in ({"until": "soon"}, {"until": "2020-01-01"}, {"reason": " "}, {"amount_usd": "-1"}):
        form = {"amount_usd": "50", "until": day.isoformat(), "reason": "x"} | wrong
        assert 'role="alert"' in post(tenant, f"/{budget.pk}", form, expect=422).content.decode()


def test_a_budget_is_deleted_from_its_page_but_not_the_own_one(tenant: Tenant) -> None:
    budget, own = a_budget(tenant), a_budget(tenant, is_workspace_budget=True)
    post(tenant, f"/{budget.pk}", {"delete": "1"})
    assert "stays" in post(tenant, f"/{own.pk}", {"delete": "1"}, expect=422).content.decode()
    assert list(Budget.objects.all()) == [own]
    assert tenant.client.get(f"/dashboard/budgets/{own.pk}/edit").status_code == 302


def test_the_preview_says_what_last_month_would_have_crossed(tenant: Tenant) -> None:
    last = datetime.now(UTC).replace(day=1) - timedelta(days=2)
    tenant.calls(1, last, cost_usd="85")
    response = tenant.client.post("/dashboard/budget-preview", USUAL)
    assert f"crossed 50 % spent on {last:%-d %b} and 80 % spent on {last:%-d %b}" in words(response.content.decode())
    response = tenant.client.post("/dashboard/budget-preview", USUAL | {"amount_usd": ""})
    assert "A preview appears" in response.content.decode()


def test_the_preview_has_the_scope_that_the_form_cannot_show(tenant: Tenant) -> None:
    last = datetime.now(UTC).replace(day=1) - timedelta(days=2)
    tenant.calls(1, last, cost_usd="85", agent_id="support", model="gpt-4o")
    tenant.calls(1, last, cost_usd="1000", agent_id="sales")
    budget = a_budget(tenant, scope={"agent_id": ["support"], "model": ["gpt-4o"]})
    assert f'"budget": "{budget.pk}"' in unescape(page(tenant, f"/{budget.pk}/edit"))
    form = USUAL | {"target": "", "budget": str(budget.pk)}
    shown = tenant.client.post("/dashboard/budget-preview", form).content.decode()
    assert "$85.00 spent" in words(shown)
    for unknown in ("x", str(a_budget(Tenant(WorkspaceFactory(), tenant.client)).pk)):
        response = tenant.client.post("/dashboard/budget-preview", form | {"budget": unknown})
        assert "A preview appears" in response.content.decode()


def test_the_form_offers_the_values_that_calls_have(tenant: Tenant) -> None:
    spend(tenant, "1", agent_id="support", labels={"customer": HOSTILE})
    assert "customer" in page(tenant, "/new")
    for target, value in (("one:agent_id", "support"), ("one:label.customer", HOSTILE)):
        offered = tenant.client.get("/dashboard/budget-values", {"target": target}).content.decode()
        assert re.findall('value="([^"]*)"', offered) == [value] or unescape(offered).count(value) == 1
        assert "<script" not in offered
    assert tenant.client.get("/dashboard/budget-values", {"target": "all"}).content.decode().strip() == ""


def test_texts_of_people_and_clients_are_only_text(tenant: Tenant) -> None:
    spend(tenant, "10", agent_id=HOSTILE, user_id=HOSTILE, labels={"customer": HOSTILE})
    plain = a_budget(tenant, name=HOSTILE[:100], owner=HOSTILE, scope={"label.customer": [HOSTILE]})
    plain.record_change(None, HOSTILE, HOSTILE)
    template = a_budget(tenant, name=HOSTILE[:100], per="user", amount_usd=Decimal(5))
    evaluate(datetime.now(UTC))
    for path in ("", f"/{plain.pk}", f"/{plain.pk}/edit", f"/{template.pk}", f"/{template.pk}/edit"):
        shown = page(tenant, path)
        assert "<script>alert" not in shown, path
        assert "49" not in re.findall(r"\{\{ 7\*7 \}\}|49\b", shown.replace("$49", "")), path
        assert 'onfocus=x"' not in shown.replace("&#x27; onfocus=x", ""), path


def test_a_viewer_sees_budgets_and_changes_none(tenant: Tenant) -> None:
    membership = MembershipFactory(role="viewer")
    client = Client()
    client.force_login(membership.user, backend="django.contrib.auth.backends.ModelBackend")
    viewer = Tenant(membership.workspace, client)
    budget = a_budget(viewer)
    shown = page(viewer) + page(viewer, f"/{budget.pk}")
    assert "New budget" not in shown
    assert "Raise for some time" not in shown
    for path in ("/new", f"/{budget.pk}/edit"):
        page(viewer, path, expect=403)
    for path, form in (("/new", USUAL), (f"/{budget.pk}", {"delete": "1"}), (f"/{budget.pk}/edit", USUAL)):
        post(viewer, path, form, expect=403)
    assert Budget.objects.get() == budget


def test_while_the_database_of_traces_is_away_budgets_are_shown_without_spend(tenant: Tenant) -> None:
    budget = a_budget(tenant)
    fault = OperationalError("connection is closed")
    with patch("budgets.counters.union_rows", side_effect=fault):
        assert "What was spent is unknown" in page(tenant)
        assert "What was spent is unknown" in page(tenant, f"/{budget.pk}")


def test_the_cost_page_leads_to_the_budgets(tenant: Tenant) -> None:
    panel = tenant.client.get("/api/v1/cost/budget", headers={"HX-Request": "true"}).content.decode()
    assert f"/dashboard/budgets?workspace={tenant.workspace.id}" in panel
    assert f"/dashboard/budgets/new?workspace={tenant.workspace.id}" in panel
