"""Invitations: they work once, expire, are bound to their role, and raise nobody above the inviter."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.core import mail
from django.db import connections
from django.test import Client
from django.utils import timezone

from tests.factories import PASSWORD, MembershipFactory, UserFactory, WorkspaceFactory
from tests.jobs_helper import run_waiting_jobs
from tests.security.world import browser, signed_in
from tests.settings_pages.people import ask, somebody
from web.masking import without_secrets
from workspaces import invitations, members
from workspaces.invitation_tokens import token_of
from workspaces.models import AuditEntry, Invitation, Membership, Workspace

pytestmark = pytest.mark.django_db(databases="__all__")

INVITATIONS = "/api/v1/settings/invitations"
NEW_ACCOUNT = {"username": "grace", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory(name="Acme")


@pytest.fixture
def owner(workspace: Workspace) -> tuple[Client, dict[str, str]]:
    return somebody("owner", workspace)


def invite(owner: tuple[Client, dict[str, str]], expect: int = 201, **body: Any) -> Any:
    answer = ask(*owner, "POST", INVITATIONS, {"role": "viewer"} | body)
    assert answer.status_code == expect, answer.content
    return answer.json()


def path(made: Any) -> str:
    """Returns the path of the link that an answer shows."""
    return "/" + made["link"].split("/", 3)[3]


def roles(workspace: Workspace) -> dict[str, str]:
    return dict(Membership.objects.filter(workspace=workspace).values_list("user__username", "role"))


def join(link: str, user: Any = None) -> Any:
    client, headers = signed_in(user or UserFactory())
    return client.post(link, headers=headers)


# --- The link ---


def test_a_link_makes_a_member_with_its_role_and_works_once(workspace: Workspace, owner: Any) -> None:
    link = path(invite(owner, role="editor"))
    assert join(link, UserFactory(username="bob")).status_code == 302
    assert roles(workspace) == {"an-owner": "owner", "bob": "editor"}
    again = join(link, UserFactory(username="mallory"))
    assert again.status_code == 410
    assert b"works once" in again.content
    assert "mallory" not in roles(workspace)


def test_only_a_hash_of_the_token_is_stored_and_logs_mask_it(workspace: Workspace, owner: Any) -> None:
    token = path(invite(owner)).rpartition("/")[2]
    stored = str(list(Invitation.objects.values())) + str(list(AuditEntry.objects.values()))
    assert token not in stored
    assert sha256(token.encode()).hexdigest() in stored
    assert token not in without_secrets(f"GET /invitations/{token}")
    assert token not in ask(*owner, "GET", INVITATIONS).content.decode()


def test_another_secret_key_makes_another_token(workspace: Workspace, owner: Any, settings: Any) -> None:
    token = path(invite(owner)).rpartition("/")[2]
    invitation = Invitation.objects.get()
    assert token_of(invitation) == token
    old, settings.SECRET_KEY = settings.SECRET_KEY, "k" * 60
    assert token_of(invitation) is None
    settings.SECRET_KEY_FALLBACKS = [old]
    assert token_of(invitation) == token
    assert join(f"/invitations/{token}").status_code == 302


@pytest.mark.parametrize("end", ["expired", "revoked", "sent again", "unknown"])
def test_a_link_that_has_ended_opens_nothing(workspace: Workspace, owner: Any, end: str) -> None:
    made = invite(owner, role="owner")
    link = path(made)
    if end == "expired":
        Invitation.objects.update(expires_at=timezone.now())
    elif end == "revoked":
        assert ask(*owner, "DELETE", f"{INVITATIONS}/{made['id']}").status_code == 204
    elif end == "sent again":
        assert ask(*owner, "POST", f"{INVITATIONS}/{made['id']}/send").status_code == 200
    else:
        link = link[:-1] + ("0" if link[-1] != "0" else "1")
    for client in (browser(), owner[0]):
        assert client.get(link).status_code == 410
    assert join(link).status_code == 410
    assert roles(workspace) == {"an-owner": "owner"}
    assert browser().post(link, NEW_ACCOUNT).status_code == 403  # no CSRF token
    client = Client()
    assert client.post(link, NEW_ACCOUNT).status_code == 410
    assert not User.objects.filter(username="grace").exists()


def test_looking_at_a_link_uses_nothing(workspace: Workspace, owner: Any) -> None:
    link = path(invite(owner))
    for client in (browser(), owner[0]):
        for method in ("get", "head"):
            assert getattr(client, method)(link).status_code == 200
    assert Invitation.objects.get().state == "open"


@pytest.mark.parametrize("role", ["viewer", "editor", "owner"])
def test_a_member_is_neither_raised_nor_lowered(workspace: Workspace, owner: Any, role: str) -> None:
    member = MembershipFactory(workspace=workspace, role="editor", user__username="bob")
    link = path(invite(owner, role=role))
    answer = join(link, member.user)
    assert answer.status_code == 410
    assert b"was not used" in answer.content
    assert roles(workspace)["bob"] == "editor"
    assert Invitation.objects.get().state == "open"


@pytest.mark.parametrize("fate", ["demoted", "removed", "closed", "deleted"])
def test_an_invitation_of_somebody_who_is_no_owner_any_more_is_void(
    workspace: Workspace, owner: Any, fate: str
) -> None:
    link = path(invite(owner, role="owner"))
    inviter = Membership.objects.get()
    second = MembershipFactory(workspace=workspace, role="owner", user__username="second")
    if fate == "demoted":
        members.change_role(workspace, inviter.pk, "editor", second.user)
    elif fate == "removed":
        members.remove(workspace, inviter.pk, second.user)
    elif fate == "closed":
        User.objects.filter(pk=inviter.user_id).update(is_active=False)
    else:
        inviter.user.delete()
    answer = join(link, UserFactory(username="mallory"))
    assert answer.status_code == 410
    assert "mallory" not in roles(workspace)
    [shown] = ask(*somebody_of(second), "GET", INVITATIONS).json()["data"]
    assert shown["state"] == "void"


def somebody_of(member: Membership) -> tuple[Client, dict[str, str]]:
    client, headers = signed_in(member.user)
    return client, headers | {"X-Workspace-ID": str(member.workspace_id)}


def test_nobody_invites_above_their_own_role(workspace: Workspace) -> None:
    editor = MembershipFactory(workspace=workspace, role="editor")
    for role in ("viewer", "editor", "owner"):
        invite(somebody_of(editor), expect=403, role=role)
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    "body", [{}, {"role": "admin"}, {"role": "Owner"}, {"role": None}, {"role": "viewer", "expires_in_days": 31}]
)
def test_an_invitation_needs_a_known_role_and_ends_within_a_month(owner: Any, body: dict[str, Any]) -> None:
    answer = ask(*owner, "POST", INVITATIONS, body)
    assert answer.status_code == 422
    assert not Invitation.objects.exists()


# --- New accounts ---


def test_a_new_account_joins_and_is_signed_in(workspace: Workspace, owner: Any) -> None:
    link, client = path(invite(owner, role="viewer")), Client()
    answer = client.post(link, NEW_ACCOUNT)
    assert answer["Location"] == f"/?workspace={workspace.pk}"
    user = User.objects.get(username="grace")
    assert roles(workspace)["grace"] == "viewer"
    assert (user.is_staff, user.is_superuser, user.email) == (False, False, "")
    assert client.get("/settings/general").status_code == 200
    assert ("grace", "invitation.accept") in AuditEntry.objects.values_list("actor", "action")


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"password1": "short", "password2": "short"}, "too short"),
        ({"password1": "password123", "password2": "password123"}, "too common"),
        ({"username": "wanderer42", "password1": "wanderer421", "password2": "wanderer421"}, "too similar"),
        ({"password2": "another long password"}, "match"),
        ({"username": "taken"}, "already exists"),
        ({"username": "TAKEN"}, "already exists"),
        ({"username": "a<b>"}, "valid username"),
        ({"username": "n" * 151}, "at most 150"),
        ({"username": "nul\0"}, "Null characters"),
    ],
)
def test_a_wrong_account_is_not_made_and_uses_nothing(
    workspace: Workspace, owner: Any, form: dict[str, str], words: str
) -> None:
    UserFactory(username="taken")
    link = path(invite(owner))
    count = User.objects.count()
    answer = Client().post(link, NEW_ACCOUNT | form)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert User.objects.count() == count
    assert Invitation.objects.get().state == "open"


def test_the_sign_in_of_an_invitation_locks_too_and_stores_no_token(workspace: Workspace, owner: Any) -> None:
    link, user = path(invite(owner)), UserFactory()
    for _ in range(5):
        client = Client()
        answer = client.post(f"/sign-in?next={link}", {"username": user.username, "password": "x", "next": link})
    assert answer.status_code == 429
    assert link.rpartition("/")[2] not in str(list(AccessAttempt.objects.values()))


def test_signing_in_leads_back_to_the_invitation(workspace: Workspace, owner: Any) -> None:
    link, user, client = path(invite(owner)), UserFactory(), Client()
    assert f'href="/sign-in?next={link}"' in client.get(link).content.decode()
    answer = client.post(f"/sign-in?next={link}", {"username": user.username, "password": PASSWORD, "next": link})
    assert answer["Location"] == link
    assert f"Join as {user.username}" in client.get(link).content.decode()


def test_where_passwords_are_off_no_account_gets_one(workspace: Workspace, owner: Any, settings: Any) -> None:
    link, (client, headers) = path(invite(owner)), signed_in(UserFactory())
    settings.LOCAL_PASSWORDS = False
    assert b"Or make an account" not in Client().get(link).content
    assert Client().post(link, NEW_ACCOUNT).status_code == 403
    assert not User.objects.filter(username="grace").exists()
    assert client.post(link, headers=headers).status_code == 302


# --- Email ---


@pytest.fixture
def mails(settings: Any) -> None:
    settings.MAIL_IS_ON = True
    settings.PUBLIC_URL = "https://traces.example.com"


def test_a_message_holds_the_link_that_no_answer_shows(workspace: Workspace, owner: Any, mails: None) -> None:
    made = invite(owner, email="Grace@example.com", role="editor", expires_in_days=1)
    assert made["link"] is None
    assert run_waiting_jobs()
    [message] = mail.outbox
    assert message.to == ["Grace@example.com"]
    assert message.subject == "an-owner invites you to Acme"
    token = token_of(Invitation.objects.get())
    assert f"https://traces.example.com/invitations/{token}" in message.body
    Client().post(f"/invitations/{token}", NEW_ACCOUNT)
    assert User.objects.get(username="grace").email == "Grace@example.com"


def test_a_revoked_invitation_is_not_sent(workspace: Workspace, owner: Any, mails: None) -> None:
    made = invite(owner, email="grace@example.com")
    ask(*owner, "DELETE", f"{INVITATIONS}/{made['id']}")
    run_waiting_jobs()
    assert mail.outbox == []


def test_the_address_of_another_user_is_not_taken_over(workspace: Workspace, owner: Any, mails: None) -> None:
    UserFactory(email="grace@example.com")
    invite(owner, email="GRACE@example.com")
    Client().post(f"/invitations/{token_of(Invitation.objects.get())}", NEW_ACCOUNT)
    assert User.objects.get(username="grace").email == ""


@pytest.mark.parametrize("email", ["nobody", "a@b", "a@example.com\nBcc: x@example.com", "a\0@example.com", "a" * 255])
def test_a_wrong_address_is_refused(owner: Any, mails: None, email: str) -> None:
    answer = invite(owner, expect=422, email=email)
    assert answer["errors"][0]["loc"] == ["body", "email"]


def test_an_address_is_invited_once_and_members_not_at_all(workspace: Workspace, owner: Any, mails: None) -> None:
    MembershipFactory(workspace=workspace, user__email="bob@example.com")
    assert "a member has" in str(invite(owner, expect=422, email="BOB@example.com"))
    invite(owner, email="grace@example.com")
    assert "open invitation" in str(invite(owner, expect=422, email="Grace@Example.com"))


def test_without_mail_an_address_is_refused_with_the_way_out(owner: Any, settings: Any) -> None:
    settings.MAIL_IS_ON = False
    assert "pass the link on yourself" in invite(owner, expect=409, email="grace@example.com")["detail"]
    assert invite(owner)["link"]
    assert Invitation.objects.count() == 1


def test_nobody_floods_an_address(workspace: Workspace, owner: Any, mails: None) -> None:
    made = invite(owner, email="grace@example.com")
    sent = [ask(*owner, "POST", f"{INVITATIONS}/{made['id']}/send").status_code for _ in range(5)]
    assert sent == [200] * 4 + [429]
    Invitation.objects.update(times_sent=invitations.MOST_A_DAY)
    assert invite(owner, expect=429, email="other@example.com")
    Invitation.objects.update(sent_at=timezone.now() - timedelta(days=2))
    invite(owner, email="other@example.com")


# --- At once ---


def at_once(*works: Any) -> list[Any]:
    """Runs each in a thread with connections of its own."""

    def run(work: Any) -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(run, work) for work in works]]


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_of_two_who_accept_at_once_one_joins() -> None:
    workspace = WorkspaceFactory()
    link = path(invite(somebody("owner", workspace), role="editor"))
    people = [signed_in(UserFactory()) for _ in range(4)]
    answers = at_once(*(lambda one=one: one[0].post(link, headers=one[1]).status_code for one in people))
    assert sorted(answers) == [302, 410, 410, 410]
    assert Membership.objects.filter(workspace=workspace, role="editor").count() == 1


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_of_two_owners_who_leave_at_once_one_stays() -> None:
    workspace = WorkspaceFactory()
    owners = [MembershipFactory(workspace=workspace, role="owner") for _ in range(2)]
    people = [somebody_of(owner) for owner in owners]
    leave = [
        lambda one=one, person=person: ask(*person, "DELETE", f"/api/v1/settings/members/{one.pk}").status_code
        for one, person in zip(owners, people, strict=True)
    ]
    assert sorted(at_once(*leave)) == [204, 409]
    assert Membership.objects.filter(workspace=workspace, role="owner").count() == 1
