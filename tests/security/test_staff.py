"""Staff without the superuser flag may do what their permissions allow in all workspaces, and never get more rights."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import authenticate
from django.contrib.auth.models import Group, Permission
from django.test import Client, RequestFactory

from tests.factories import PASSWORD, MembershipFactory, UserFactory, WorkspaceFactory, an_api_key
from workspaces.models import ApiKey, Membership

pytestmark = pytest.mark.django_db(databases="__all__")

BACKEND = "django.contrib.auth.backends.ModelBackend"


def staff(*permissions: str) -> Any:
    user = UserFactory(is_staff=True)
    chosen = Permission.objects.filter(codename__in=permissions)
    assert len(chosen) == len(permissions)
    user.user_permissions.set(chosen)
    return user


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def user_form(user: Any, **changes: str) -> dict[str, str]:
    return {
        "username": user.username,
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00",
        "is_active": "on",
    } | changes


RIGHTS = {"is_staff": "on", "is_superuser": "on"}


def test_staff_who_may_change_users_grant_no_rights_even_to_themselves() -> None:
    user, other = staff("view_user", "change_user", "add_user"), UserFactory()
    client = signed_in(user)
    assert client.post(f"/admin/auth/user/{user.pk}/change/", user_form(user, **RIGHTS)).status_code == 403
    assert client.post(f"/admin/auth/user/{other.pk}/change/", user_form(other, **RIGHTS)).status_code == 302
    for account in (user, other):
        account.refresh_from_db()
        assert not account.is_superuser
    assert not other.is_staff
    form = {"username": "new", "password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"} | RIGHTS
    assert client.post("/admin/auth/user/add/", form).status_code == 302
    new = type(user).objects.get(username="new")
    assert (new.is_staff, new.is_superuser) == (False, False)


@pytest.mark.parametrize("rights", [{"is_superuser": True}, {"is_staff": True}])
def test_staff_who_may_change_users_cannot_take_over_an_account_with_rights(rights: dict[str, bool]) -> None:
    client = signed_in(staff("view_user", "change_user", "delete_user", "delete_membership", "delete_logentry"))
    root, plain = UserFactory(**rights), UserFactory()
    form = {"password1": "another long password", "password2": "another long password", "usable_password": "true"}
    for target, status in ((root, 403), (plain, 302)):
        assert client.post(f"/admin/auth/user/{target.pk}/password/", form).status_code == status
    assert client.post(f"/admin/auth/user/{root.pk}/change/", user_form(root, username="me")).status_code == 403
    assert client.post(f"/admin/auth/user/{root.pk}/delete/", {"post": "yes"}).status_code == 403
    form = {"action": "delete_selected", "_selected_action": [root.pk, plain.pk], "post": "yes"}
    client.post("/admin/auth/user/", form)
    assert type(root).objects.filter(pk=root.pk).exists()
    root.refresh_from_db()
    assert root.check_password(PASSWORD)


def test_groups_are_for_superusers() -> None:
    client = signed_in(staff("view_group", "add_group", "change_group", "delete_group"))
    group = Group.objects.create(name="operators")
    for path in ("", "add/", f"{group.pk}/change/", f"{group.pk}/delete/"):
        assert client.get(f"/admin/auth/group/{path}").status_code == 403
    root = signed_in(UserFactory(is_staff=True, is_superuser=True))
    assert root.get(f"/admin/auth/group/{group.pk}/change/").status_code == 200


def test_staff_without_permissions_see_nothing() -> None:
    membership = MembershipFactory()
    key, _ = an_api_key("read", workspace=membership.workspace)
    client = signed_in(staff())
    index = client.get("/admin/").content.decode()
    assert "permission to view or edit" in index
    assert membership.workspace.name not in index
    for path in ("workspaces/workspace", "workspaces/membership", "workspaces/apikey", "budgets/budget", "auth/user"):
        assert client.get(f"/admin/{path}/").status_code == 403, path
    assert client.get(f"/admin/workspaces/apikey/{key.pk}/change/").status_code == 403
    path = "/admin/autocomplete/?app_label=workspaces&model_name=membership&field_name=workspace&term="
    assert client.get(path).status_code == 403


def test_one_permission_opens_one_list() -> None:
    membership = MembershipFactory()
    an_api_key("read", workspace=membership.workspace, name="canary-key")
    client = signed_in(staff("view_workspace"))
    page = client.get(f"/admin/workspaces/workspace/{membership.workspace_id}/change/").content.decode()
    assert membership.workspace.name in page
    assert membership.user.username not in page
    assert "canary-key" not in page
    assert client.get("/admin/workspaces/apikey/").status_code == 403


def test_viewing_changes_nothing() -> None:
    key, _ = an_api_key("read")
    client = signed_in(staff("view_apikey", "view_workspace", "view_membership"))
    assert client.get(f"/admin/workspaces/apikey/{key.pk}/change/").status_code == 200
    assert client.post(f"/admin/workspaces/apikey/{key.pk}/change/", {"name": "x", "can_read": "on"}).status_code == 403
    form = {"workspace": key.workspace_id, "name": "mine", "can_read": "on"}
    assert client.post("/admin/workspaces/apikey/add/", form).status_code == 403
    assert ApiKey.objects.count() == 1


def test_staff_who_view_keys_cannot_revoke_them() -> None:
    key, secret = an_api_key("read")
    form = {"action": "revoke", "_selected_action": [str(key.pk)]}
    signed_in(staff("view_apikey")).post("/admin/workspaces/apikey/", form)
    assert ApiKey.objects.find_valid(secret)
    signed_in(staff("view_apikey", "change_apikey")).post("/admin/workspaces/apikey/", form)
    assert ApiKey.objects.find_valid(secret) is None


def test_no_page_or_search_shows_a_secret() -> None:
    key, secret = an_api_key("read")
    user = UserFactory()
    client = signed_in(staff("view_apikey", "view_user", "view_workspace", "view_membership", "view_budget"))
    digest = ApiKey.objects.values_list("digest", flat=True).get(pk=key.pk)
    for path in (
        "workspaces/apikey/",
        f"workspaces/apikey/{key.pk}/change/",
        f"workspaces/workspace/{key.workspace_id}/change/",
        f"auth/user/{user.pk}/change/",
    ):
        page = client.get(f"/admin/{path}").content.decode()
        assert page
        assert secret[12:] not in page
        assert digest not in page
        assert user.password not in page
    for query in (
        "apikey/?digest__startswith=a",
        "workspace/?api_keys__digest__startswith=a",
        "membership/?user__password__startswith=a",
    ):
        assert client.get(f"/admin/workspaces/{query}").status_code == 400, query
    assert client.get("/admin/auth/user/?password__startswith=a").status_code == 400


def test_being_staff_shows_no_dashboard() -> None:
    workspace = WorkspaceFactory()
    client = signed_in(staff("view_workspace", "change_workspace"))
    assert client.get(f"/dashboard/usage?workspace={workspace.id}").status_code == 404
    headers = {"X-Workspace-ID": str(workspace.id)}
    assert client.get("/api/v1/usage/overview", headers=headers).status_code == 403


def test_the_log_of_the_admin_names_what_was_done_and_no_secret() -> None:
    client = signed_in(staff("view_apikey", "add_apikey", "view_workspace"))
    form = {"workspace": WorkspaceFactory().pk, "name": "agent", "can_ingest": "on", "expires_at_0": ""}
    page = client.post("/admin/workspaces/apikey/add/", form).content.decode()
    [entry] = LogEntry.objects.values("object_repr", "change_message")
    assert "agent" in entry["object_repr"]
    secret = page.partition("<code>")[2].partition("</code>")[0]
    assert secret.startswith("aop_")
    assert secret not in str(entry)


def test_a_member_who_is_made_by_an_operator_sees_what_the_role_says() -> None:
    workspace, user = WorkspaceFactory(), UserFactory()
    client = signed_in(staff("view_membership", "add_membership", "view_user", "view_workspace"))
    form = {"workspace": workspace.pk, "user": user.pk, "role": "viewer"}
    assert client.post("/admin/workspaces/membership/add/", form).status_code == 302
    assert Membership.objects.get(user=user).role == "viewer"


def test_passwords_of_inactive_users_open_nothing() -> None:
    user = UserFactory(is_active=False)
    assert authenticate(RequestFactory().post("/sign-in"), username=user.username, password=PASSWORD) is None
