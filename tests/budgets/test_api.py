"""Budgets by the API: making, changing, raising and deleting them, where they stand, and the check of an agent."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import jsonschema_rs
import orjson
import pytest
from django.core.cache import cache
from django.db import OperationalError, ProgrammingError
from django.test import Client

from budgets.evaluation import evaluate
from budgets.models import Budget, BudgetChange
from tests.factories import MembershipFactory, WorkspaceFactory, an_api_key
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__")

BUDGETS = "/api/v1/budgets"
JSON = "application/json"


def send(tenant: Tenant, method: str, path: str, body: Any = None, expect: int = 200, **headers: str) -> Any:
    response = tenant.client.generic(
        method, path, b"" if body is None else body_of(body), content_type=JSON, headers=headers
    )
    assert response.status_code == expect, response.content
    return response.json() if response.content else None


def body_of(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else orjson.dumps(body)


def make(tenant: Tenant, expect: int = 201, **body: Any) -> Any:
    return send(tenant, "POST", BUDGETS, {"name": "a budget", "amount_usd": 100, **body}, expect)


def spend(tenant: Tenant, dollars: str, **values: Any) -> None:
    tenant.calls(1, datetime.now(UTC) - timedelta(seconds=1), cost_usd=dollars, **values)


def test_a_budget_has_defaults_and_says_where_it_stands(tenant: Tenant) -> None:
    spend(tenant, "30")
    made = make(tenant)
    assert (made["period"], made["scope"], made["per"], made["is_active"]) == ("month", {}, None, True)
    shown = [(one["basis"], one["percent"], one["severity"]) for one in made["thresholds"]]
    assert shown == [
        *(("actual", 50, "info"), ("actual", 80, "warning"), ("actual", 100, "critical")),
        ("forecast", 100, "warning"),
    ]
    state = made["state"]
    assert (state["spent_usd"], state["remaining_usd"], state["used_percentage"], state["status"]) == (30, 70, 30, "ok")
    assert send(tenant, "GET", BUDGETS) == {"data": [made], "next_cursor": None}


def test_the_list_has_50_budgets_at_once(tenant: Tenant) -> None:
    send(tenant, "PUT", "/api/v1/cost/budget", {"monthly_limit_usd": 10})
    rows = [Budget(workspace=tenant.workspace, name=f"{number}", amount_usd=1) for number in range(60)]
    Budget.objects.bulk_create(rows)
    first = send(tenant, "GET", BUDGETS)
    second = send(tenant, "GET", f"{BUDGETS}?cursor={first['next_cursor']}")
    assert (len(first["data"]), len(second["data"]), second["next_cursor"]) == (50, 11, None)
    assert first["data"][0]["is_workspace_budget"]
    assert len({one["id"] for one in first["data"] + second["data"]}) == 61
    page = tenant.client.get("/dashboard/budgets", {"cursor": first["next_cursor"]}).content.decode()
    assert "More budgets" not in page
    assert "More budgets" in tenant.client.get("/dashboard/budgets").content.decode()
    for wrong in ("x", "W10=", "%00"):
        send(tenant, "GET", f"{BUDGETS}?cursor={wrong}", expect=422)


def test_every_answer_is_as_the_document_says(tenant: Tenant) -> None:
    spend(tenant, "30", user_id="ada")
    paths = tenant.client.get("/api/v1/openapi.json").json()["paths"]
    made = [make(tenant), make(tenant, per="user"), make(tenant, period={"from": "2026-01-01", "to": "2026-02-01"})]
    evaluate(datetime.now(UTC))
    for path, found in (
        (BUDGETS, send(tenant, "GET", BUDGETS)),
        *((f"{BUDGETS}/{{budget_id}}", send(tenant, "GET", f"{BUDGETS}/{one['id']}")) for one in made),
        (f"{BUDGETS}/check", send(tenant, "GET", f"{BUDGETS}/check?user_id=ada")),
    ):
        declared = paths[path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema_rs.validate(declared, found)


@pytest.mark.parametrize(
    ("scope", "spent"),
    [
        ({"agent_id": ["support"]}, 3),
        ({"agent_id": ["support", "sales"]}, 7),
        ({"user_id": ["ada"]}, 3),
        ({"label.customer": ["acme"]}, 4),
        ({"provider": ["Gemini"]}, 4),
        ({"model": ["gpt-4o"], "label.customer": ["acme"]}, 0),
        ({"environment": ["production"], "user_id": ["ada"]}, 3),
    ],
)
def test_a_scope_is_and_across_filters_and_or_within(tenant: Tenant, scope: Any, spent: float) -> None:
    spend(tenant, "3", agent_id="support", user_id="ada", model="gpt-4o", environment="production")
    spend(tenant, "4", agent_id="sales", provider="gcp.gemini", model="flash", labels={"customer": "acme"})
    assert make(tenant, scope=scope)["state"]["spent_usd"] == spent


@pytest.mark.parametrize(("per", "values"), [
    ("user", [("ada", 5, "near"), ("bob", 1, "ok")]),
    ("agent", [("support", 6, "over")]),
    ("model", [("gpt-4o", 6, "over")]),
    ("label.customer", [("acme", 5, "near")]),
])  # fmt: skip
def test_a_template_counts_each_value(tenant: Tenant, per: str, values: Any) -> None:
    spend(tenant, "5", user_id="ada", labels={"customer": "acme"})
    spend(tenant, "1", user_id="bob")
    made = make(tenant, amount_usd=6, per=per)
    found = send(tenant, "GET", f"{BUDGETS}/{made['id']}")
    assert [(one["value"], one["spent_usd"], one["state"]) for one in found["values"]] == values
    near, over = (sum(state == name for _, _, state in values) for name in ("near", "over"))
    assert found["state"]["values"] == {"number": len(values), "near": near, "over": over}


def test_values_of_a_template_are_found_by_a_part_of_their_name(tenant: Tenant) -> None:
    for user in ("ada", "ada 100 %", "Bob"):
        spend(tenant, "1", user_id=user)
    made = make(tenant, per="user")

    def names(query: str) -> list[str]:
        return [one["value"] for one in send(tenant, "GET", f"{BUDGETS}/{made['id']}?{query}")["values"]]

    assert names("search=ADA") == ["ada", "ada 100 %"]
    assert names("search=%25") == ["ada 100 %"]
    assert names("limit=1&search=b") == ["Bob"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"amount_usd": -1}, "amount_usd"),
        ({"amount_usd": "5"}, "amount_usd"),
        ({"amount_usd": 1.234}, "amount_usd"),
        ({"amount_usd": 1e12}, "amount_usd"),
        ({"amount_usd": None}, "amount_usd"),
        ({"name": " "}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"period": "decade"}, "period"),
        ({"period": "rolling_0d"}, "period"),
        ({"period": {"rolling_days": 400}}, "period"),
        ({"period": {"from": "2026-02-01", "to": "2026-02-01"}}, "period"),
        ({"period": {"from": "1999-02-01", "to": "2026-02-01"}}, "period"),
        ({"scope": {"session_id": ["s"]}}, "scope"),
        ({"scope": {"agent_id": []}}, "scope"),
        ({"scope": {"agent_id": "support"}}, "scope"),
        ({"scope": {"label.": ["acme"]}}, "scope"),
        ({"per": "session"}, "per"),
        ({"thresholds": [{"basis": "actual"}]}, "thresholds"),
        ({"thresholds": [{"percent": 50}, {"percent": 50.00}]}, "thresholds"),
        ({"thresholds": [{"percent": 0}]}, "thresholds"),
        ({"currency": "EUR"}, "currency"),
    ],
)
def test_a_budget_that_is_not_possible_is_refused_by_its_field(tenant: Tenant, body: Any, field: str) -> None:
    errors = make(tenant, expect=422, **body)["errors"]
    assert {error["loc"][1] for error in errors} == {field}
    assert not Budget.objects.exists()


def test_all_errors_of_a_budget_are_named_at_once(tenant: Tenant) -> None:
    errors = make(tenant, expect=422, amount_usd=-1, period="decade", per="session")["errors"]
    assert {error["loc"][1] for error in errors} == {"amount_usd", "period", "per"}


@pytest.mark.parametrize(("body", "status"), [("{", 400), ("[]", 422), ('{"amount_usd": NaN}', 400)])
def test_a_body_that_is_no_budget_is_refused(tenant: Tenant, body: str, status: int) -> None:
    send(tenant, "POST", BUDGETS, body, expect=status)
    assert tenant.client.post(BUDGETS, body, content_type="text/plain").status_code == 415


def test_the_same_id_sent_again_makes_no_second_budget(tenant: Tenant) -> None:
    budget_id = str(uuid4())
    make(tenant, id=budget_id)
    assert make(tenant, id=budget_id, expect=200)["id"] == budget_id
    assert Budget.objects.count() == 1


def test_a_change_keeps_what_is_left_out_and_is_in_the_history(tenant: Tenant) -> None:
    made = make(tenant, scope={"agent_id": ["support"]}, reason="a contract")
    path = f"{BUDGETS}/{made['id']}"
    changed = send(tenant, "PATCH", path, {"amount_usd": 150, "period": "quarter", "reason": "it grew"})
    assert (changed["amount_usd"], changed["period"], changed["scope"]) == (150, "quarter", {"agent_id": ["support"]})
    assert changed["thresholds"] == made["thresholds"]
    newest, first = send(tenant, "GET", path)["history"]
    assert (first["amount_to_usd"], first["reason"]) == (100, "a contract")
    assert (newest["amount_from_usd"], newest["amount_to_usd"], newest["reason"]) == (100, 150, "it grew")
    assert newest["details"]["period"] == ["month", "quarter"]
    send(tenant, "PATCH", path, {"amount_usd": -1}, expect=422)
    send(tenant, "PATCH", path, {"name": None}, expect=422)
    send(tenant, "PATCH", path, {"name": "new"})
    assert send(tenant, "GET", path)["history"][0]["details"] == {"name": ["a budget", "new"]}


def test_a_raise_counts_until_it_ends_and_is_in_the_history(tenant: Tenant) -> None:
    spend(tenant, "120")
    path = f"{BUDGETS}/{make(tenant)['id']}"
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    raised = send(tenant, "POST", f"{path}/raise", {"amount_usd": 50, "until": until, "reason": "the launch"})
    assert (raised["amount_usd"], raised["limit_usd"], raised["state"]["status"]) == (100, 150, "warning")
    ended = send(tenant, "DELETE", f"{path}/raise")
    assert (ended["limit_usd"], ended["raises"], ended["state"]["status"]) == (100, [], "exceeded")
    last, first, _ = send(tenant, "GET", path)["history"]
    assert (first["reason"], first["details"]["raise"][0], last["details"]["raise"][1]) == ("the launch", None, None)


def test_a_raise_that_is_sent_again_with_its_id_is_added_once(tenant: Tenant) -> None:
    path, other = (f"{BUDGETS}/{make(tenant)['id']}/raise" for _ in range(2))
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    body = {"id": str(uuid4()), "amount_usd": 50, "until": until, "reason": "the launch"}
    assert [send(tenant, "POST", path, body)["limit_usd"] for _ in range(2)] == [150, 150]
    send(tenant, "POST", other, body, expect=409)


def test_a_budget_has_at_most_20_raises_in_force(tenant: Tenant) -> None:
    path = f"{BUDGETS}/{make(tenant)['id']}/raise"
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    body = {"amount_usd": 1, "until": until, "reason": "the launch"}
    for _ in range(20):
        send(tenant, "POST", path, body)
    assert "20 raises" in send(tenant, "POST", path, body, expect=422)["detail"]
    send(tenant, "DELETE", path)
    send(tenant, "POST", path, body)


def test_a_change_is_answered_while_the_database_of_traces_is_away(tenant: Tenant) -> None:
    path = f"{BUDGETS}/{make(tenant)['id']}"
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    body = {"amount_usd": 50, "until": until, "reason": "the launch"}
    with patch("budgets.counters.union_rows", side_effect=OperationalError("connection is closed")):
        raised = send(tenant, "POST", f"{path}/raise", body)
    assert (raised["limit_usd"], raised["state"]) == (150, None)
    with patch("budgets.counters.union_rows", side_effect=ProgrammingError("a fault")), pytest.raises(ProgrammingError):
        send(tenant, "PATCH", path, {"name": "new"})


@pytest.mark.parametrize("days", [-1, 400])
def test_a_raise_ends_within_a_year(tenant: Tenant, days: int) -> None:
    path = f"{BUDGETS}/{make(tenant)['id']}/raise"
    until = (datetime.now(UTC) + timedelta(days=days)).isoformat()
    body = {"amount_usd": 50, "until": until, "reason": "the launch"}
    assert send(tenant, "POST", path, body, expect=422)["errors"][0]["loc"] == ["body", "until"]


def test_raises_and_amount_are_together_no_more_than_a_limit_may_be(tenant: Tenant) -> None:
    path = f"{BUDGETS}/{make(tenant, amount_usd=500_000_000_000)['id']}"
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    body = {"amount_usd": 400_000_000_000, "until": until, "reason": "the launch"}
    send(tenant, "POST", f"{path}/raise", body)
    for refused in (("POST", f"{path}/raise", body), ("PATCH", path, {"amount_usd": 600_000_000_000})):
        assert send(tenant, *refused, expect=422)["errors"][0]["loc"] == ["body", "amount_usd"]
    assert send(tenant, "GET", path)["limit_usd"] == 900_000_000_000


def test_a_deleted_budget_is_gone_with_its_history(tenant: Tenant) -> None:
    path = f"{BUDGETS}/{make(tenant)['id']}"
    send(tenant, "DELETE", path, expect=204)
    send(tenant, "GET", path, expect=404)
    assert not BudgetChange.objects.exists()


def test_the_workspaces_own_budget_is_among_them_and_stays(tenant: Tenant) -> None:
    send(tenant, "PUT", "/api/v1/cost/budget", {"monthly_limit_usd": 10})
    [own] = send(tenant, "GET", BUDGETS)["data"]
    assert (own["is_workspace_budget"], own["amount_usd"]) == (True, 10)
    path = f"{BUDGETS}/{own['id']}"
    send(tenant, "PATCH", path, {"amount_usd": None})
    assert send(tenant, "GET", "/api/v1/cost/budget")["status"] == "unset"
    send(tenant, "PATCH", path, {"scope": {"agent_id": ["support"]}}, expect=422)
    send(tenant, "DELETE", path, expect=409)


def test_the_alert_of_the_own_budget_is_not_stored_a_second_time(tenant: Tenant) -> None:
    send(tenant, "PUT", "/api/v1/cost/budget", {"monthly_limit_usd": 10})
    [own] = send(tenant, "GET", BUDGETS)["data"]
    shown = [{name: value for name, value in one.items() if value is not None} for one in own["thresholds"]]
    changed = send(tenant, "PATCH", f"{BUDGETS}/{own['id']}", {"thresholds": shown})
    assert changed["thresholds"] == own["thresholds"]
    send(tenant, "PUT", "/api/v1/cost/budget", {"alert_threshold_percentage": 70})
    found = send(tenant, "GET", f"{BUDGETS}/{own['id']}")["thresholds"]
    assert [one["percent"] for one in found if one["basis"] == "actual"] == [70, 100]


def test_past_periods_have_the_limit_that_was_in_force(tenant: Tenant) -> None:
    made = make(tenant, period="day", amount_usd=10)
    now = datetime.now(UTC)
    for days in (2, 1):
        tenant.calls(1, now.replace(hour=0, minute=1) - timedelta(days=days), cost_usd="5")
    Budget.objects.filter(pk=made["id"]).update(amount_usd=20)
    BudgetChange.objects.filter(budget=made["id"]).update(changed_at=now - timedelta(days=9))
    BudgetChange.objects.create(budget_id=made["id"], changed_by="ada", limit_from_usd=10, limit_to_usd=20)
    BudgetChange.objects.filter(limit_to_usd=20).update(changed_at=now.replace(hour=0, minute=0) - timedelta(days=1))
    found = send(tenant, "GET", f"{BUDGETS}/{made['id']}")["past_periods"]
    assert [(past["spent_usd"], past["limit_usd"], past["used_percentage"]) for past in found] == [
        (5, 10, 50),
        (5, 20, 25),
    ]


def test_the_largest_contributors_are_told_by_what_the_scope_leaves_open(tenant: Tenant) -> None:
    for agent, dollars in (("a", "1"), ("b", "5"), ("c", "3"), ("d", "2")):
        spend(tenant, dollars, agent_id=agent, model=f"model of {agent}")
    of_all = send(tenant, "GET", f"{BUDGETS}/{make(tenant)['id']}")["contributors"]
    assert [(one["dimension"], one["value"], one["spent_usd"]) for one in of_all] == [
        *(("agent_id", "b", 5), ("agent_id", "c", 3), ("agent_id", "d", 2)),
    ]
    of_one = send(tenant, "GET", f"{BUDGETS}/{make(tenant, scope={'agent_id': ['a']})['id']}")["contributors"]
    assert [(one["dimension"], one["value"]) for one in of_one] == [("model", "model of a")]


# --- Preview ---


def test_a_preview_says_when_last_month_would_have_crossed_what(tenant: Tenant) -> None:
    first = (datetime.now(UTC).replace(day=1) - timedelta(days=1)).replace(day=1, hour=12)
    for day in range(20):
        tenant.calls(1, first + timedelta(days=day), cost_usd="5")
    found = send(tenant, "POST", f"{BUDGETS}/preview", {"name": "x", "amount_usd": 100})["periods"][0]
    assert (found["first_day"], found["spent_usd"]) == (first.date().isoformat(), 100)
    assert [(one["threshold"], date.fromisoformat(one["on"]).day) for one in found["crossed"]] == [
        *(("actual:50%", 10), ("actual:80%", 16), ("actual:100%", 20)),
    ]
    assert not Budget.objects.exists()


def test_a_preview_of_a_template_counts_who_would_have_been_over(tenant: Tenant) -> None:
    last_month = datetime.now(UTC).replace(day=1) - timedelta(days=3)
    for user, dollars in (("ada", "10"), ("bob", "9"), ("cy", "1")):
        tenant.calls(1, last_month, cost_usd=dollars, user_id=user)
    found = send(tenant, "POST", f"{BUDGETS}/preview", {"name": "x", "amount_usd": 10, "per": "user"})["periods"][0]
    assert found["values"] == {"number": 3, "near": 1, "over": 1}


def test_a_preview_of_rolling_days_finds_the_first_day_at_a_threshold(tenant: Tenant) -> None:
    noon = datetime.now(UTC).replace(hour=0, minute=30)
    for days in (30, 29):
        tenant.calls(1, noon - timedelta(days=days), cost_usd="50")
    body = {"name": "x", "amount_usd": 100, "period": "rolling_7d"}
    [found] = send(tenant, "POST", f"{BUDGETS}/preview", body)["periods"]
    days = {one["threshold"]: date.fromisoformat(one["on"]) for one in found["crossed"]}
    assert days["actual:50%"] == (noon - timedelta(days=30)).date()
    assert days["actual:100%"] == (noon - timedelta(days=29)).date()


# --- Check ---


def check(tenant: Tenant, **call: str) -> Any:
    cache.clear()
    response = tenant.client.get(f"{BUDGETS}/check", call)
    assert response.status_code == 200, response.content
    return response.json()


def test_an_agent_may_go_on_until_a_budget_is_spent(tenant: Tenant) -> None:
    make(tenant, name="support", scope={"agent_id": ["support"]})
    nothing = check(tenant, agent_id="sales")
    assert (nothing["allowed"], nothing["budget"], nothing["limit_usd"]) == (True, None, None)
    spend(tenant, "99.99")
    answer = check(tenant, agent_id="support")
    assert (answer["allowed"], answer["budget"]["name"], answer["remaining_usd"]) == (True, "support", 0.01)
    spend(tenant, "0.01")
    answer = check(tenant, agent_id="support")
    assert (answer["allowed"], answer["spent_usd"], answer["limit_usd"], answer["remaining_usd"]) == (
        False,
        100,
        100,
        0,
    )


def test_what_the_call_does_not_say_is_in_no_scope(tenant: Tenant) -> None:
    make(tenant, scope={"agent_id": ["support"], "user_id": ["ada"]})
    make(tenant, per="user")
    assert check(tenant, agent_id="support")["budget"] is None
    assert check(tenant, agent_id="support", user_id="ada")["budget"]["name"] == "a budget"


def test_the_counter_of_a_template_is_that_of_the_value(tenant: Tenant) -> None:
    make(tenant, amount_usd=5, per="label.customer")
    spend(tenant, "5", labels={"customer": "acme"})
    answer = check(tenant, **{"label.customer": "acme"})
    assert (answer["allowed"], answer["budget"]["value"]) == (False, "acme")
    assert check(tenant, **{"label.customer": "globex"})["allowed"] is True


def test_every_budget_must_pass_and_the_first_that_is_spent_is_named(tenant: Tenant) -> None:
    make(tenant, name="large", amount_usd=1000)
    make(tenant, name="first", amount_usd=5)
    make(tenant, name="second", amount_usd=4)
    make(tenant, name="off", amount_usd=1, is_active=False)
    spend(tenant, "5")
    answer = check(tenant)
    assert (answer["allowed"], answer["budget"]["name"]) == (False, "first")


def test_a_limit_of_0_allows_nothing_and_no_limit_everything(tenant: Tenant) -> None:
    send(tenant, "PUT", "/api/v1/cost/budget", {"monthly_limit_usd": None})
    assert check(tenant)["allowed"] is True
    make(tenant, amount_usd=0)
    assert check(tenant)["allowed"] is False


def test_a_change_of_a_budget_is_in_the_next_check(tenant: Tenant, django_capture_on_commit_callbacks: Any) -> None:
    spend(tenant, "100")
    made = make(tenant)
    path = f"{BUDGETS}/check"
    assert tenant.client.get(path).json()["allowed"] is False
    second = tenant.client.get(path)
    assert (second.json()["allowed"], second["X-Cache"]) == (False, "hit")
    with django_capture_on_commit_callbacks(execute=True):
        send(tenant, "PATCH", f"{BUDGETS}/{made['id']}", {"amount_usd": 101})
    assert tenant.client.get(path).json()["allowed"] is True


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("agent=x", "agent"),
        ("agent_id=", "agent_id"),
        ("label.a=1&label.a=2", "label.a"),
        ("not_label.a=1", "not_label.a"),
    ],
)
def test_a_wrong_check_is_refused_by_name(tenant: Tenant, query: str, field: str) -> None:
    response = tenant.client.get(f"{BUDGETS}/check?{query}")
    assert response.status_code == 422
    assert [error["loc"][1] for error in response.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("scopes", "status"), [(("read",), 200), (("ingest",), 200), (("write",), 403), (("ingest", "read"), 200)]
)
def test_keys_that_send_traces_may_check_without_naming_the_workspace(scopes: Any, status: int) -> None:
    workspace = WorkspaceFactory()
    _, secret = an_api_key(*scopes, workspace=workspace)
    response = Client().get(f"{BUDGETS}/check", headers={"Authorization": f"Bearer {secret}"})
    assert response.status_code == status


def test_a_key_for_traces_reads_no_budget() -> None:
    workspace = WorkspaceFactory()
    _, secret = an_api_key("ingest", workspace=workspace)
    headers = {"Authorization": f"Bearer {secret}", "X-Workspace-ID": str(workspace.pk)}
    assert Client().get(BUDGETS, headers=headers).status_code == 403


# --- Who may ---


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("editor", 201), ("owner", 201)])
def test_editors_and_owners_make_budgets(role: str, status: int) -> None:
    membership = MembershipFactory(role=role)
    client = Client(headers={"X-Workspace-ID": str(membership.workspace_id)})
    client.force_login(membership.user, backend="django.contrib.auth.backends.ModelBackend")
    body = {"name": "a budget", "amount_usd": 1}
    assert client.post(BUDGETS, body, content_type=JSON).status_code == status
    assert client.get(BUDGETS).status_code == 200


def test_a_session_needs_the_csrf_token() -> None:
    membership = MembershipFactory(role="owner")
    client = Client(enforce_csrf_checks=True, headers={"X-Workspace-ID": str(membership.workspace_id)})
    client.force_login(membership.user, backend="django.contrib.auth.backends.ModelBackend")
    for path in (BUDGETS, f"{BUDGETS}/preview"):
        assert client.post(path, {"name": "x", "amount_usd": 1}, content_type=JSON).status_code == 403
    page = f"/dashboard/budgets/new?workspace={membership.workspace_id}"
    assert client.post(page, {"amount_usd": "1"}).status_code == 403
    assert not Budget.objects.exists()


def test_a_budget_of_another_workspace_looks_like_none(tenant: Tenant) -> None:
    other = Budget.objects.create(workspace=WorkspaceFactory(), name="theirs", amount_usd=Decimal(7))
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"amount_usd": 1}),
        ("DELETE", "", None),
        ("POST", "/raise", {"amount_usd": 1, "until": until, "reason": "x"}),
        ("DELETE", "/raise", None),
    ):
        there = send(tenant, method, f"{BUDGETS}/{other.pk}{path}", body, expect=404)
        assert there == send(tenant, method, f"{BUDGETS}/{uuid4()}{path}", body, expect=404)
    other.refresh_from_db()
    assert (other.amount_usd, other.raises.count()) == (7, 0)
    assert send(tenant, "GET", BUDGETS)["data"] == []
    assert make(tenant, id=str(other.pk), expect=409)["status"] == 409
    for page in ("", "/edit"):
        assert tenant.client.get(f"/dashboard/budgets/{other.pk}{page}").status_code == 404
