"""The audit: what records, what it shows to whom, and what it never shows."""

import csv
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from budgets.models import Budget
from tests.factories import PASSWORD, MembershipFactory, UserFactory, WorkspaceFactory, an_api_key
from tests.security.world import signed_in
from tests.settings_pages.people import ask, somebody
from workspaces import admin_audit
from workspaces.audit import HIDDEN, record
from workspaces.models import ApiKey, AuditEntry, LabelSource, Workspace
from workspaces.tasks import AUDIT_STORED, delete_old_records

pytestmark = pytest.mark.django_db(databases="__all__")

AUDIT = "/api/v1/settings/audit"
INLINES = ("memberships", "memberships-2", "api_keys")
EMPTY_INLINES = {f"{prefix}-{field}_FORMS": "0" for prefix in INLINES for field in ("TOTAL", "INITIAL")}
BUDGET = {"name": "Support", "amount_usd": 10, "period": "day", "scope": {"agent_id": ["a"]}}
RULE = {"name": "Errors", "metric": "error_rate", "window": "1h", "comparison": "above", "warning": 5}
REPORT = {"name": "Costs", "kind": "cost", "period": "week"}
CHANNEL = {"name": "Ops", "kind": "ntfy", "settings": {"topic": "nobody-guesses-this"}}
WRONG = ("actor=%00", "action=KEY", "action=key.", "start=yesterday", "limit=0", "limit=101", "cursor=x", "format=xml")


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory(name="Acme")


@pytest.fixture
def owner(workspace: Workspace) -> tuple[Client, dict[str, str]]:
    return somebody("owner", workspace)


def entries(workspace: Workspace | None) -> list[tuple[str, str, str]]:
    found = AuditEntry.objects.filter(workspace=workspace).order_by("at")
    return [(entry.actor, entry.action, entry.subject) for entry in found]


def last(workspace: Workspace | None) -> AuditEntry:
    return AuditEntry.objects.filter(workspace=workspace).latest("at")


# --- What records ---


def test_only_the_values_that_differ_are_stored(workspace: Workspace) -> None:
    record(workspace, "ada", "rule.change", "Errors", {"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4})
    assert (last(workspace).before, last(workspace).after) == ({"b": 2}, {"b": 3, "c": 4})
    assert record(workspace, "ada", "rule.change", "Errors", {"a": 1}, {"a": 1}) is None
    assert AuditEntry.objects.count() == 1


def test_no_value_whose_name_speaks_of_a_secret_is_stored(workspace: Workspace) -> None:
    before = {"password": "one", "settings": {"bot_token": "two", "chat": "ops"}}
    after = {"password": "three", "settings": [{"api_secret": "four"}]}
    record(workspace, "ada", "channel.change", "Ops", before, after)
    entry = last(workspace)
    assert entry.before == {"password": HIDDEN, "settings": {"bot_token": HIDDEN, "chat": "ops"}}
    assert entry.after == {"password": HIDDEN, "settings": [{"api_secret": HIDDEN}]}


def test_changes_of_budgets_rules_channels_reports_and_labels_are_recorded(workspace: Workspace) -> None:
    client, headers = somebody("editor", workspace)
    for path, body, changes, kind in (
        ("budgets", BUDGET, {"amount_usd": 20}, "budget"),
        ("alerts/rules", RULE, {"warning": 9}, "rule"),
        ("alerts/channels", CHANNEL, {"name": "On call"}, "channel"),
        ("reports", REPORT, {"link_days": 30}, "report"),
    ):
        made = ask(client, headers, "POST", f"/api/v1/{path}", body)
        assert made.status_code == 201, made.content
        one = f"/api/v1/{path}/{made.json()['id']}"
        assert ask(client, headers, "PATCH", one, changes).status_code == 200
        [(name, value)] = changes.items()
        assert float(last(workspace).after[name]) == value if kind != "channel" else last(workspace).after == changes
        assert ask(client, headers, "DELETE", one).status_code == 204
        found = [action for _, action, _ in entries(workspace) if action.startswith(kind)]
        assert found == [f"{kind}.create", f"{kind}.change", f"{kind}.delete"]
    label = {"attribute": "metadata.customer", "label": "customer"}
    assert ask(client, headers, "POST", "/api/v1/settings/labels", label).status_code == 200
    assert ask(client, headers, "DELETE", "/api/v1/settings/labels?attribute=metadata.customer").status_code == 200
    assert [action for _, action, _ in entries(workspace)][-2:] == ["label.choose", "label.remove"]
    assert {actor for actor, _, _ in entries(workspace)} == {"an-editor"}
    assert "nobody-guesses-this" not in str(list(AuditEntry.objects.values()))


def test_the_budget_of_the_workspace_is_recorded_with_who_set_it(workspace: Workspace) -> None:
    _, secret = an_api_key("write", workspace=workspace)
    headers = {"Authorization": f"Bearer {secret}", "X-Workspace-ID": str(workspace.pk)}
    for limit in (100, 250, 250):
        ask(Client(), headers, "PUT", "/api/v1/cost/budget", {"monthly_limit_usd": limit})
    key = ApiKey.objects.get()
    assert [(actor, action) for actor, action, _ in entries(workspace)] == [
        (f"key {key.prefix}", "budget.create"),
        (f"key {key.prefix}", "budget.change"),
    ]
    assert (last(workspace).before, last(workspace).after) == ({"amount_usd": "100.00"}, {"amount_usd": "250.00"})


def test_commands_are_recorded(workspace: Workspace) -> None:
    call_command("create_api_key", str(workspace.pk), "checkout", scopes="ingest,read", stdout=StringIO())
    assert entries(workspace) == [("command create_api_key", "key.create", "checkout")]
    out = StringIO()
    call_command("create_workspace", "New", stdout=out)
    made = Workspace.objects.get(pk=out.getvalue().strip())
    assert entries(made) == [("command create_workspace", "workspace.create", "New")]


# --- The admin ---


@pytest.fixture
def operator() -> Client:
    client, headers = signed_in(UserFactory(username="operator", is_staff=True, is_superuser=True))
    client.headers = headers  # type: ignore[attr-defined]
    return client


def post(operator: Client, path: str, form: dict[str, Any]) -> None:
    answer = operator.post(f"/admin/{path}", form, headers=operator.headers)  # type: ignore[attr-defined]
    assert answer.status_code in (200, 302), answer.content
    assert b"errornote" not in answer.content


def workspace_form(workspace: Workspace, **values: str) -> dict[str, str]:
    form = {"name": workspace.name, "time_zone": "UTC", "store_content": "on", "content_visible_to": "members"}
    return form | EMPTY_INLINES | values


def test_the_admin_records_before_and_after(operator: Client, workspace: Workspace) -> None:
    form = workspace_form(workspace, content_visible_to="nobody")
    post(operator, f"workspaces/workspace/{workspace.pk}/change/", form)
    entry = last(workspace)
    assert (entry.actor, entry.action, entry.subject, entry.in_admin) == ("operator", "workspace.change", "Acme", True)
    assert (entry.before, entry.after) == ({"content_visible_to": "members"}, {"content_visible_to": "nobody"})
    post(operator, f"workspaces/workspace/{workspace.pk}/change/", form)
    assert AuditEntry.objects.count() == 1


def test_the_admin_records_members_keys_and_prices(operator: Client, workspace: Workspace) -> None:
    member = MembershipFactory(workspace=workspace, role="viewer", user__username="bob")
    form = {"user": member.user.pk, "workspace": str(workspace.pk), "role": "owner"}
    post(operator, f"workspaces/membership/{member.pk}/change/", form)
    assert (last(workspace).before, last(workspace).after) == ({"role": "viewer"}, {"role": "owner"})
    post(operator, f"workspaces/membership/{member.pk}/delete/", {"post": "yes"})
    post(operator, "workspaces/apikey/add/", {"workspace": str(workspace.pk), "name": "checkout", "can_ingest": "on"})
    key = ApiKey.objects.get()
    chosen = {"action": "revoke", "_selected_action": [str(key.pk)]}
    post(operator, "workspaces/apikey/", chosen)
    actions = [action for _, action, _ in entries(workspace)]
    assert actions == ["member.change", "member.delete", "key.create", "key.change"]
    assert list(last(workspace).after) == ["revoked_at"]
    assert key.digest not in str(list(AuditEntry.objects.values()))


def test_the_admin_records_prices_and_budgets_that_are_deleted(operator: Client, workspace: Workspace) -> None:
    prices = {"input_usd_per_million": "1", "output_usd_per_million": "2"}
    since = {"valid_from_0": "2026-11-01", "valid_from_1": "00:00:00"}
    form = {"workspace": str(workspace.pk), "provider": "openai", "model_pattern": "gpt-4o"} | prices | since
    post(operator, "prices/priceoverride/add/", form)
    assert entries(workspace) == [("operator", "price.create", "openai / gpt-4o")]
    assert last(workspace).after["output_usd_per_million"] == "2"
    budget = Budget.objects.create(workspace=workspace, name="Support", amount_usd=5)
    post(operator, f"budgets/budget/{budget.pk}/delete/", {"post": "yes"})
    assert entries(workspace)[-1] == ("operator", "budget.delete", "Support")


def test_the_admin_records_rights_of_users(operator: Client) -> None:
    group, user = Group.objects.create(name="Support staff"), UserFactory(username="carol")
    form = {"username": "carol", "is_active": "on", "is_staff": "on", "groups": [group.pk]}
    joined = {"date_joined_0": "2026-11-01", "date_joined_1": "00:00:00"}
    post(operator, f"auth/user/{user.pk}/change/", form | joined)
    changes = [entry.after for entry in AuditEntry.objects.filter(subject="carol")]
    assert {"groups": ["Support staff"]} in changes
    assert any(change.get("is_staff") is True for change in changes)


def test_the_admin_records_users_without_their_password(operator: Client) -> None:
    names = {"username": "carol", "password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    post(operator, "auth/user/add/", names)
    assert entries(None) == [("operator", "user.create", "carol")]
    stored = str(list(AuditEntry.objects.values()))
    assert "argon2" not in stored
    assert "md5" not in stored
    assert last(None).after["password"] == HIDDEN


def test_deleting_a_workspace_in_the_admin_leaves_one_entry(operator: Client, workspace: Workspace) -> None:
    MembershipFactory(workspace=workspace)
    an_api_key("read", workspace=workspace)
    Budget.objects.create(workspace=workspace, amount_usd=5, is_workspace_budget=True)
    LabelSource.objects.create(workspace=workspace, attribute="a", label="b")
    record(workspace, "ada", "member.change", "bob")
    post(operator, f"workspaces/workspace/{workspace.pk}/delete/", {"post": "yes"})
    assert not Workspace.objects.exists()
    assert entries(None) == [("operator", "workspace.delete", "Acme")]
    assert AuditEntry.objects.count() == 1


def test_every_model_that_the_admin_changes_is_recorded() -> None:
    recorded = {name.lower() for name in admin_audit.DELETED}
    without_workspace = {model for model in admin.site._registry if not has_workspace(model)}
    changed = {model._meta.label_lower for model in admin.site._registry} - {"workspaces.auditentry"}
    # Operators' own tables: sign-ins, background work.
    operators = {model._meta.label_lower for model in without_workspace} - {"auth.user", "auth.group"} - recorded
    assert changed - operators <= recorded | {"budgets.budgetchange"}


def has_workspace(model: Any) -> bool:
    return any(field.name == "workspace" for field in model._meta.get_fields())


def test_nobody_changes_the_audit_in_the_admin(operator: Client, workspace: Workspace) -> None:
    record(workspace, "ada", "member.change", "bob")
    entry = last(workspace)
    for path in ("add/", f"{entry.pk}/delete/"):
        assert operator.get(f"/admin/workspaces/auditentry/{path}").status_code == 403
    assert operator.get(f"/admin/workspaces/auditentry/{entry.pk}/change/").status_code == 200
    answer = operator.post(f"/admin/workspaces/auditentry/{entry.pk}/change/", {}, headers=operator.headers)  # type: ignore[attr-defined]
    assert answer.status_code == 403


# --- What it shows ---


def test_the_list_filters_and_pages(workspace: Workspace, owner: tuple[Client, dict[str, str]]) -> None:
    now = timezone.now()
    for number in range(5):
        actor, verb = "ada" if number % 2 else "bob", "revoke" if number else "create"
        made = record(workspace, actor, f"key.{verb}", f"key {number}")
        assert made
        AuditEntry.objects.filter(pk=made.pk).update(at=now - timedelta(hours=number))
    record(workspace, "ada", "keyring.change", "another kind")
    record(WorkspaceFactory(), "ada", "key.revoke", "of another workspace")

    def subjects(query: str) -> list[str]:
        answer = ask(*owner, "GET", f"{AUDIT}?{query}")
        assert answer.status_code == 200, answer.content
        return [entry["subject"] for entry in answer.json()["data"]]

    assert subjects("action=key") == [f"key {number}" for number in range(5)]
    assert subjects("action=key.create") == ["key 0"]
    assert subjects("action=key&actor=ada") == ["key 1", "key 3"]
    start = (now - timedelta(hours=2)).isoformat().replace("+00:00", "Z")
    assert subjects(f"action=key&start={start}") == ["key 0", "key 1", "key 2"]
    assert subjects(f"action=key&end={start}") == ["key 3", "key 4"]
    first = ask(*owner, "GET", f"{AUDIT}?action=key&limit=3").json()
    assert [entry["subject"] for entry in first["data"]] == ["key 0", "key 1", "key 2"]
    assert subjects(f"action=key&limit=3&cursor={first['next_cursor']}") == ["key 3", "key 4"]


@pytest.mark.parametrize("query", [*WRONG, "who=ada"])
def test_a_wrong_filter_is_refused(owner: tuple[Client, dict[str, str]], query: str) -> None:
    answer = ask(*owner, "GET", f"{AUDIT}?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["query", query.partition("=")[0]]


def test_no_cell_of_the_file_is_a_formula(workspace: Workspace, owner: tuple[Client, dict[str, str]]) -> None:
    record(workspace, "=actor", "rule.create", "@SUM(A1)", after={"=1+1": "-2"})
    answer = ask(*owner, "GET", f"{AUDIT}?format=csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    [head, line] = csv.reader(StringIO(answer.content.decode()))
    assert head == ["at", "actor", "action", "subject", "before", "after", "in_admin"]
    assert line[1:] == ["'=actor", "rule.create", "'@SUM(A1)", "", "'=1+1=-2", "False"]
    page = owner[0].get("/settings/audit.csv", {"workspace": str(workspace.pk), "actor": "nobody"})
    assert page.content.decode().count("\r\n") == 1


def test_the_page_shows_text_of_users_as_text(workspace: Workspace, owner: tuple[Client, dict[str, str]]) -> None:
    script = "<script>alert(1)</script>"
    record(workspace, script, "rule.create", script, before={script: script}, after={"deep": {script: [script]}})
    content = owner[0].get("/settings/audit", {"workspace": str(workspace.pk)}).content.decode()
    assert script not in content
    assert content.count("&lt;script&gt;") >= 6


def test_the_page_filters_by_days_of_the_zone(workspace: Workspace, owner: tuple[Client, dict[str, str]]) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(time_zone="Asia/Tokyo")
    made = record(workspace, "ada", "key.create", "made at night")
    assert made
    # 23:30 in UTC is the next morning in Tokyo.
    AuditEntry.objects.filter(pk=made.pk).update(at=datetime.fromisoformat("2026-11-20T23:30:00+00:00"))
    own = {"workspace": str(workspace.pk)}
    shown = [
        b"made at night" in owner[0].get("/settings/audit", own | {"from": day, "until": day}).content
        for day in ("2026-11-20", "2026-11-21", "2026-11-22")
    ]
    assert shown == [False, True, False]
    assert owner[0].get("/settings/audit", own | {"from": "9999-12-31x"}).status_code == 422
    assert owner[0].get("/settings/audit", own | {"until": "9999-12-31"}).status_code == 422


def test_the_audit_is_deleted_after_two_years(workspace: Workspace) -> None:
    now = timezone.now()
    for age in (AUDIT_STORED - timedelta(days=1), AUDIT_STORED + timedelta(days=1)):
        made = record(workspace, "ada", "key.create", str(age.days))
        assert made
        AuditEntry.objects.filter(pk=made.pk).update(at=now - age)
    delete_old_records(due_at=now.isoformat())
    assert [subject for _, _, subject in entries(workspace)] == [str(AUDIT_STORED.days - 1)]
