import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory, an_api_key
from workspaces.models import ApiKey, Workspace

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def admin() -> Client:
    client = Client()
    user = UserFactory(is_staff=True, is_superuser=True)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize("page", ["workspace", "membership", "apikey"])
def test_lists_take_at_most_10_queries(admin: Client, django_assert_max_num_queries: Any, page: str) -> None:
    for _ in range(5):
        MembershipFactory()
        an_api_key("read")
    with django_assert_max_num_queries(10):
        assert admin.get(f"/admin/workspaces/{page}/?q=a").status_code == 200


def test_a_new_keys_secret_is_shown_once(admin: Client) -> None:
    form = {"workspace": WorkspaceFactory().id, "name": "agent", "can_ingest": "on", "expires_at_0": ""}
    response = admin.post("/admin/workspaces/apikey/add/", form)
    [secret] = re.findall(r"aop_[\w-]{43}", response.content.decode())
    assert "no-store" in response["Cache-Control"]
    assert secret not in str(response.cookies)
    key = ApiKey.objects.find_valid(secret)
    assert key is not None
    assert key.scopes == {"ingest"}
    for path in ("/admin/workspaces/apikey/", f"/admin/workspaces/apikey/{key.pk}/change/"):
        assert secret not in admin.get(path).content.decode()


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, "Choose at least one"),
        ({"can_ingest": "on", "can_read_content": "on"}, "also needs read"),
        ({"can_read": "on", "expires_at_0": "2020-01-01", "expires_at_1": "00:00"}, "This is past"),
    ],
)
def test_a_useless_key_is_refused_in_words(admin: Client, form: dict[str, str], words: str) -> None:
    form |= {"workspace": WorkspaceFactory().id, "name": "agent"}
    assert words in admin.post("/admin/workspaces/apikey/add/", form).content.decode()
    assert not ApiKey.objects.exists()


def test_a_workspace_shows_its_members_and_keys_in_at_most_10_queries(
    admin: Client, django_assert_max_num_queries: Any
) -> None:
    workspace = WorkspaceFactory()
    members = [MembershipFactory(workspace=workspace) for _ in range(5)]
    key, secret = an_api_key("read", workspace=workspace)
    [an_api_key("read", workspace=workspace) for _ in range(4)]
    with django_assert_max_num_queries(10):
        page = admin.get(f"/admin/workspaces/workspace/{workspace.pk}/change/").content.decode()
    assert all(member.user.username in page for member in members)
    assert key.prefix in page
    assert secret not in page


def test_a_member_is_added_and_another_made_editor_on_the_workspaces_page(admin: Client) -> None:
    old, new = MembershipFactory(role="viewer"), UserFactory()
    form = {
        "name": "Acme",
        "time_zone": "UTC",
        "content_visible_to": "members",
        "memberships-TOTAL_FORMS": 1,
        "memberships-INITIAL_FORMS": 1,
        "memberships-0-id": old.pk,
        "memberships-0-workspace": old.workspace_id,
        "memberships-0-role": "editor",
        "memberships-2-TOTAL_FORMS": 1,
        "memberships-2-INITIAL_FORMS": 0,
        "memberships-2-0-workspace": old.workspace_id,
        "memberships-2-0-user": new.pk,
        "memberships-2-0-role": "viewer",
        "api_keys-TOTAL_FORMS": 0,
        "api_keys-INITIAL_FORMS": 0,
    }
    assert admin.post(f"/admin/workspaces/workspace/{old.workspace_id}/change/", form).status_code == 302
    roles = old.workspace.memberships.values_list("user_id", "role")
    assert set(roles) == {(old.user_id, "editor"), (new.pk, "viewer")}


@pytest.mark.parametrize("page", ["membership", "apikey"])
def test_the_page_of_an_object_takes_at_most_10_queries(
    admin: Client, django_assert_max_num_queries: Any, page: str
) -> None:
    instance = MembershipFactory() if page == "membership" else an_api_key("read")[0]
    for path in ("add", f"{instance.pk}/change", f"{instance.pk}/delete", f"{instance.pk}/history"):
        with django_assert_max_num_queries(10):
            assert admin.get(f"/admin/workspaces/{page}/{path}/").status_code == 200


def test_keys_are_revoked_from_the_list(admin: Client) -> None:
    key, secret = an_api_key("read")
    page = admin.get("/admin/workspaces/apikey/").content.decode()
    assert "Revoke the selected keys" in page
    assert "delete_selected" not in page
    form = {"action": "revoke", "_selected_action": [str(key.pk)]}
    admin.post("/admin/workspaces/apikey/", form)
    assert ApiKey.objects.find_valid(secret) is None


def test_keys_are_filtered_by_state(admin: Client) -> None:
    an_api_key("read", name="good")
    an_api_key("read", name="gone", revoked_at=timezone.now())
    an_api_key("read", name="over", expires_at=timezone.now() - timedelta(days=1))
    for state, name in (("valid", "good"), ("revoked", "gone"), ("expired", "over")):
        page = admin.get(f"/admin/workspaces/apikey/?state={state}").content.decode()
        assert [word for word in ("good", "gone", "over") if f">{word}</a>" in page] == [name]


@pytest.mark.parametrize(
    "zone",
    [
        *(
            "Mars/Olympus",
            "localtime",
            "Factory",
            "posixrules",
            "posix/Europe/Berlin",
            "right/UTC",
            "europe/berlin",
            "CEST",
        ),
        *("/etc/localtime", "../localtime", "Europe", "Europe/", "", "UTC+1", "Europe/Berlin\0", "+01:00"),
    ],
)
def test_a_wrong_time_zone_is_refused_in_words(admin: Client, zone: str) -> None:
    form = {
        "name": "x",
        "time_zone": zone,
        "content_visible_to": "members",
        "memberships-TOTAL_FORMS": 0,
        "memberships-INITIAL_FORMS": 0,
        "memberships-2-TOTAL_FORMS": 0,
        "memberships-2-INITIAL_FORMS": 0,
        "api_keys-TOTAL_FORMS": 0,
        "api_keys-INITIAL_FORMS": 0,
    }
    page = admin.post("/admin/workspaces/workspace/add/", form).content.decode()
    assert any(words in page for words in ("is no time zone", "This field is required", "Null characters"))
    assert not Workspace.objects.exists()
    with pytest.raises(CommandError):
        call_command("create_workspace", "x", "--time-zone", zone)


def test_a_time_zone_that_the_database_does_not_know_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python and PostgreSQL have lists of their own, and one may be years older."""
    monkeypatch.setattr("workspaces.models.time_zones", lambda: {"Antarctica/New", "Europe/Berlin"})
    call_command("create_workspace", "x", "--time-zone", "Europe/Berlin")
    with pytest.raises(CommandError, match="is no time zone"):
        call_command("create_workspace", "x", "--time-zone", "Antarctica/New")
