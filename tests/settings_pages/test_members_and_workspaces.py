"""Members, the name and zone of a workspace, new workspaces, and the switcher that searches."""

from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.utils import timezone

from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory, an_api_key
from tests.security.world import signed_in
from tests.settings_pages.people import ask, somebody
from tests.tenant import a_row
from traces import writer
from workspaces.models import ApiKey, AuditEntry, Membership, Workspace

pytestmark = pytest.mark.django_db(databases="__all__")

SETTINGS = "/api/v1/settings"
MEMBERS = f"{SETTINGS}/members"


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory(name="Acme")


@pytest.fixture
def owner(workspace: Workspace) -> tuple[Client, dict[str, str]]:
    return somebody("owner", workspace)


def member(workspace: Workspace, name: str) -> Membership:
    return Membership.objects.get(workspace=workspace, user__username=name)


# --- Members ---


def test_the_last_owner_stays(workspace: Workspace, owner: Any) -> None:
    own = f"{MEMBERS}/{member(workspace, 'an-owner').pk}"
    # An account that is closed cannot look after the workspace.
    MembershipFactory(workspace=workspace, role="owner", user__is_active=False)
    for method, body in (("PATCH", {"role": "editor"}), ("DELETE", None)):
        answer = ask(*owner, method, own, body)
        assert answer.status_code == 409
        assert "last owner" in answer.json()["detail"]
    assert ask(*somebody("superuser", workspace), "DELETE", own).status_code == 409
    page = owner[0].post(
        "/settings/members", {"do": "remove", "member": member(workspace, "an-owner").pk}, headers=owner[1]
    )
    assert page.status_code == 409
    assert b"The last owner stays" in page.content
    MembershipFactory(workspace=workspace, role="owner")
    assert ask(*owner, "PATCH", own, {"role": "editor"}).status_code == 200
    assert ask(*owner, "PATCH", own, {"role": "owner"}).status_code == 403


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_members_leave_and_remove_nobody_else(workspace: Workspace, owner: Any, role: str) -> None:
    client, headers = somebody(role, workspace)
    assert ask(client, headers, "DELETE", f"{MEMBERS}/{member(workspace, 'an-owner').pk}").status_code == 403
    assert ask(client, headers, "DELETE", f"{MEMBERS}/{member(workspace, f'an-{role}').pk}").status_code == 204
    assert ask(client, headers, "GET", MEMBERS).status_code == 403
    assert AuditEntry.objects.get().action == "member.leave"


def test_a_removed_member_is_refused_at_the_next_request(workspace: Workspace, owner: Any) -> None:
    client, headers = somebody("viewer", workspace)
    assert ask(client, headers, "GET", SETTINGS).status_code == 200
    assert ask(*owner, "DELETE", f"{MEMBERS}/{member(workspace, 'an-viewer').pk}").status_code == 204
    assert ask(client, headers, "GET", SETTINGS).status_code == 403


def test_only_owners_see_addresses(workspace: Workspace, owner: Any) -> None:
    User.objects.filter(username="an-owner").update(email="owner@example.com")
    readers = [somebody(name, workspace) for name in ("viewer", "editor", "key read")]
    for reader in readers:
        answer = ask(*reader, "GET", MEMBERS)
        assert {one["email"] for one in answer.json()["data"]} == {None}
    for client, _ in readers[:2]:
        assert b"owner@example.com" not in client.get("/settings/members").content
    assert "owner@example.com" in {one["email"] for one in ask(*owner, "GET", MEMBERS).json()["data"]}
    assert b"owner@example.com" in owner[0].get("/settings/members").content


def test_lists_are_paged_and_searched(workspace: Workspace, owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("settings.api.MEMBERS_AT_ONCE", 2)
    for name in ("bob", "carol", "dave"):
        MembershipFactory(workspace=workspace, user__username=name)
    first = ask(*owner, "GET", MEMBERS).json()
    second = ask(*owner, "GET", f"{MEMBERS}?cursor={first['next_cursor']}").json()
    assert [one["user"] for one in first["data"] + second["data"]] == ["an-owner", "bob", "carol", "dave"]
    assert second["next_cursor"] is None
    assert [one["user"] for one in ask(*owner, "GET", f"{MEMBERS}?search=CAR").json()["data"]] == ["carol"]
    assert [one["is_you"] for one in first["data"]] == [True, False]
    beyond = urlsafe_b64encode(b"9" * 25).decode()
    assert ask(*owner, "GET", f"{MEMBERS}?cursor={beyond}").json()["data"] == []
    for wrong in ("x", "\u0663", "9" * 60):
        assert ask(*owner, "GET", f"{MEMBERS}?cursor={wrong}").status_code == 422
    page = owner[0].get("/settings/members", {"search": "dav\0"}).content.decode()
    assert ("dave" in page, "carol" in page) == (True, False)


def test_names_of_users_are_text_on_the_page(workspace: Workspace, owner: Any) -> None:
    MembershipFactory(workspace=workspace, user__username="eve", user__first_name="<script>alert(1)</script>")
    page = owner[0].get("/settings/members").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


# --- General ---


def test_owners_change_the_name_and_the_zone(workspace: Workspace, owner: Any) -> None:
    answer = ask(*owner, "PATCH", SETTINGS, {"name": " Acme Europe ", "time_zone": "Europe/Berlin"})
    assert (answer.json()["name"], answer.json()["time_zone"]) == ("Acme Europe", "Europe/Berlin")
    entry = AuditEntry.objects.get()
    assert entry.before == {"name": "Acme", "time_zone": "UTC"}
    assert entry.after == {"name": "Acme Europe", "time_zone": "Europe/Berlin"}
    assert ask(*owner, "PATCH", SETTINGS, {}).status_code == 200
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("name", value) for value in ("", " ", "a" * 101, "a\0b", 5, None)),
        *(("time_zone", value) for value in ("Mars/Olympus", "localtime", "", "posix/UTC", "../UTC", 5, None)),
        *(("id", "x"), ("store_content", False), ("epoch", "x")),
    ],
)
def test_a_wrong_value_changes_nothing(workspace: Workspace, owner: Any, field: str, value: Any) -> None:
    answer = ask(*owner, "PATCH", SETTINGS, {"name": "Renamed", field: value})
    assert answer.status_code == 422
    assert field in {error["loc"][-1] for error in answer.json()["errors"]}
    assert Workspace.objects.get().name == "Acme"


def test_the_page_shows_what_is_wrong_beside_the_field(workspace: Workspace, owner: Any) -> None:
    form = {"name": "Renamed", "time_zone": "Mars/Olympus"}
    answer = owner[0].post("/settings/general", form, headers=owner[1])
    assert answer.status_code == 422
    assert "Mars/Olympus is no time zone" in answer.content.decode()
    assert 'value="Renamed"' in answer.content.decode()
    assert Workspace.objects.get().name == "Acme"


def test_it_shows_who_sends_and_whose_clock_runs_ahead(workspace: Workspace, owner: Any) -> None:
    an_api_key("ingest", workspace=workspace, ahead_at=timezone.now(), seconds_ahead=7200.0)
    now = datetime.now(UTC).replace(microsecond=0)
    attributes = {
        "service.name": "checkout",
        "otel.scope.name": "openinference",
        "otel.resource": {"telemetry.sdk.language": "python"},
    }
    spans = [a_row(now - timedelta(minutes=number), attributes=attributes) for number in range(2)]
    writer.store(workspace.pk, [*spans, a_row(now - timedelta(hours=1))])
    writer.store(WorkspaceFactory().pk, [a_row(now, attributes={"service.name": "theirs"})])
    found = ask(*owner, "GET", SETTINGS).json()
    shown = now.isoformat().replace("+00:00", "Z")
    assert found["last_span_at"] == shown
    assert found["sources"][0] == {
        **{"service": "checkout", "instrumentation": "openinference", "language": "python"},
        **{"spans": 2, "last_span_at": shown},
    }
    assert [(one["service"], one["spans"]) for one in found["sources"]] == [("checkout", 2), (None, 1)]
    assert [(one["key"], one["minutes_ahead"]) for one in found["clocks_ahead"]] == [("test", 120)]
    page = owner[0].get("/settings/general").content.decode()
    assert "checkout" in page
    assert "120 min ahead" in page
    assert str(workspace.pk) in page
    ApiKey.objects.update(ahead_at=timezone.now() - timedelta(days=2))
    assert ask(*owner, "GET", SETTINGS).json()["clocks_ahead"] == []


def test_a_workspace_without_traces_says_how_to_send_one(workspace: Workspace, owner: Any) -> None:
    assert "/api/v1/traces" in owner[0].get("/settings/general").content.decode()


def test_the_settings_work_while_the_database_of_traces_does_not(
    workspace: Workspace, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    def away(*args: Any, **kwargs: Any) -> Any:
        raise OperationalError("away")

    monkeypatch.setattr("settings.items.rows", away)
    assert ask(*owner, "GET", SETTINGS).json()["sources"] is None
    assert b"does not answer right now" in owner[0].get("/settings/general").content


@pytest.mark.parametrize(("role", "path"), [("viewer", "general"), ("editor", "members"), ("viewer", "audit")])
def test_who_may_not_change_something_sees_who_may(workspace: Workspace, owner: Any, role: str, path: str) -> None:
    client, _ = somebody(role, workspace)
    page = client.get(f"/settings/{path}").content.decode()
    assert "an-owner" in page
    assert 'method="post"\n                action="/settings' not in page


# --- New workspaces ---

NEW = {"name": "Skunkworks", "time_zone": "Europe/Berlin"}


def make(user: Any, **form: str) -> Any:
    client, headers = signed_in(user)
    return client.post("/settings/new-workspace", NEW | form, headers=headers)


def test_a_superuser_makes_workspaces_and_owns_them(settings: Any) -> None:
    user = UserFactory(is_superuser=True)
    answer = make(user)
    made = Workspace.objects.get()
    assert answer["Location"] == f"/?workspace={made.pk}"
    assert (made.name, made.time_zone, made.created_by) == ("Skunkworks", "Europe/Berlin", user)
    assert Membership.objects.get().role == "owner"
    assert AuditEntry.objects.get().action == "workspace.create"


def test_whoever_makes_another_workspace_comes_to_its_first_page() -> None:
    user = UserFactory(is_superuser=True)
    MembershipFactory(user=user, role="owner", workspace=WorkspaceFactory(name="An older one"))
    client = signed_in(user)[0]
    page = client.get(make(user)["Location"], follow=True)
    assert page.context["workspace"].name == "Skunkworks"


def test_a_workspace_without_members_says_so(workspace: Workspace) -> None:
    client, _ = signed_in(UserFactory(is_superuser=True))
    page = client.get("/settings/members").content.decode()
    assert "Nobody yet" in page
    assert "in their name" not in page
    assert "No member has this in their name" in client.get("/settings/members?search=x").content.decode()


def test_others_make_as_many_as_the_setting_allows(settings: Any) -> None:
    user = MembershipFactory(role="owner").user
    assert make(user).status_code == 403
    page = signed_in(user)[0].get("/settings/new-workspace").content.decode()
    assert "You may not make another workspace" in page
    settings.MEMBER_WORKSPACES = 2
    assert [make(user).status_code for _ in range(3)] == [302, 302, 403]
    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser) == (False, False)
    # Those of others do not count.
    assert make(UserFactory()).status_code == 302


def test_somebody_without_a_workspace_is_led_to_the_form_where_they_may(settings: Any) -> None:
    client, _ = signed_in(UserFactory())
    assert b"new-workspace" not in client.get("/dashboard/traces").content
    settings.MEMBER_WORKSPACES = 1
    assert b"new-workspace" in client.get("/dashboard/traces").content
    assert client.get("/settings/new-workspace").status_code == 200


def test_a_workspace_needs_a_name_and_a_known_zone() -> None:
    user = UserFactory(is_superuser=True)
    for form in ({"name": " "}, {"time_zone": "Mars/Olympus"}, {"name": "a" * 101}):
        assert make(user, **form).status_code == 422
    assert not Workspace.objects.exists()


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_two_requests_at_once_make_no_workspace_too_many(settings: Any) -> None:
    settings.MEMBER_WORKSPACES = 1
    user = UserFactory()

    def work(_: int) -> int:
        try:
            return int(make(user).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(work, range(3))) == [302, 403, 403]


# --- The switcher ---


def test_the_switcher_searches_where_there_are_many() -> None:
    user = UserFactory()
    for number in range(13):
        MembershipFactory(user=user, workspace=WorkspaceFactory(name=f"Team {number:02}"))
    WorkspaceFactory(name="Team of others")
    client, _ = signed_in(user)
    page = client.get("/settings/general").content.decode()
    assert "Find a workspace" in page
    assert "Team 07" not in page
    current = "http://testserver/dashboard/cost?workspace=x&range=7d&agent_id=a"
    headers = {"HX-Request": "true", "HX-Current-URL": current}
    found = client.get("/settings/workspaces", {"q": "tEAM 07"}, headers=headers).content.decode()
    team = Workspace.objects.get(name="Team 07")
    assert f'href="/dashboard/cost?workspace={team.pk}&amp;range=7d"' in found
    assert found.count("<a ") == 1
    assert client.get("/settings/workspaces", {"q": "others"}, headers=headers).content.decode().count("<a ") == 0
    whole = client.get("/settings/workspaces", {"q": str(team.pk)}).content.decode()
    assert f'href="/?workspace={team.pk}"' in whole


MADE_UP = ("//evil.example", "http://x//evil.example", "javascript:alert(1)", "http://[", "/\\evil")


@pytest.mark.parametrize("current", MADE_UP)
def test_a_made_up_address_leads_to_the_first_page(workspace: Workspace, owner: Any, current: str) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": current}
    found = owner[0].get("/settings/workspaces", headers=headers)
    assert found.status_code == 200
    assert f'href="/?workspace={workspace.pk}"' in found.content.decode()
