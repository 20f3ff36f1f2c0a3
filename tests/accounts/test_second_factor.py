"""Who has a second factor is signed in only with it; it is set up and removed only after a new proof of who it is."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from threading import Barrier, BrokenBarrierError
from typing import Any
from unittest.mock import patch

import pytest
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.models import SignedInSession
from accounts.tasks import encrypt_secrets
from tests.accounts.codes import SECRET, code, give_app, give_recovery_codes, wrong_code
from tests.factories import PASSWORD, MembershipFactory, UserFactory, an_api_key
from tests.jobs_helper import waiting_jobs
from workspaces.models import AuditEntry, Workspace

pytestmark = pytest.mark.django_db(databases="__all__")

CODE_PAGE = "/sign-in/code"


def attempt(client: Client, user: Any, path: str = "/sign-in", **form: str) -> Any:
    return client.post(path, {"username": user.username, "password": PASSWORD, **form})


def is_signed_in(client: Client) -> bool:
    return client.get("/settings/profile").status_code == 200


@pytest.fixture
def member() -> Any:
    return MembershipFactory(user=UserFactory(email="ada@example.com")).user


@pytest.mark.parametrize("path", ["/sign-in", "/admin/login/"])
def test_the_password_alone_signs_nobody_in_who_has_an_app(client: Client, member: Any, path: str) -> None:
    assert client.get(path).status_code == 200
    give_app(member)
    assert attempt(client, member, path)["Location"] == CODE_PAGE
    assert not is_signed_in(client)
    assert "Use a passkey" not in client.get(CODE_PAGE).content.decode()
    assert client.post(CODE_PAGE, {"code": wrong_code()}).status_code == 200
    assert not is_signed_in(client)
    assert client.post(CODE_PAGE, {"code": code()}).status_code == 302
    assert is_signed_in(client)


def test_the_page_that_was_asked_for_comes_after_the_code_and_never_another_host(client: Client, member: Any) -> None:
    give_app(member)
    attempt(client, member, next="/settings/sessions")
    assert client.post(CODE_PAGE, {"code": code()})["Location"] == "/settings/sessions"
    client.post("/sign-out")
    attempt(client, member, next="https://evil.example/")
    assert client.post(CODE_PAGE, {"code": give_recovery_codes(member)[0]})["Location"] == "/"


def test_a_code_works_once(client: Client, member: Any) -> None:
    give_app(member)
    used = code()
    for expected in (302, 200):
        attempt(client, member)
        assert client.post(CODE_PAGE, {"code": used}).status_code == expected
        client.post("/sign-out")


def test_a_recovery_code_works_once(client: Client, member: Any) -> None:
    give_app(member)
    first, second, *_ = give_recovery_codes(member)
    for used, expected in ((first, True), (first, False), (second, True)):
        attempt(client, member)
        client.post(CODE_PAGE, {"code": used})
        assert is_signed_in(client) is expected
        client.post("/sign-out")


@pytest.mark.parametrize("wrong", [{"code": ""}, {"code": "1" * 5000}, {"credential": "{}"}, {"credential": "[1"}, {}])
def test_what_is_no_code_is_refused_and_not_a_fault(client: Client, member: Any, wrong: dict[str, str]) -> None:
    give_app(member)
    attempt(client, member)
    assert client.post(CODE_PAGE, wrong).status_code == 200
    assert not is_signed_in(client)


def test_five_wrong_codes_lock_the_name_for_the_right_one_and_the_password_too(client: Client, member: Any) -> None:
    give_app(member)
    attempt(client, member)
    assert [client.post(CODE_PAGE, {"code": wrong_code()}).status_code for _ in range(5)] == [200] * 4 + [429]
    assert client.post(CODE_PAGE, {"code": code()}).status_code == 429
    assert attempt(Client(), member).status_code == 429
    assert not is_signed_in(client)


def test_passwords_between_wrong_codes_do_not_start_the_count_again(client: Client, member: Any) -> None:
    give_app(member)
    answers = []
    for _ in range(5):
        attempt(client, member)
        answers.append(client.post(CODE_PAGE, {"code": wrong_code()}).status_code)
    assert answers[-1] == 429
    assert AccessAttempt.objects.get().failures_since_start == 5


def test_the_code_page_leads_back_without_a_password(client: Client, member: Any) -> None:
    assert client.get(CODE_PAGE)["Location"] == "/sign-in"
    assert client.post(CODE_PAGE, {"code": "000000"})["Location"] == "/sign-in"


def test_an_app_is_added_with_its_code_and_gives_recovery_codes(client: Client, member: Any) -> None:
    attempt(client, member)
    page = client.get("/settings/security/app").content.decode()
    assert "data:image/svg+xml" in page
    [secret] = re.findall(r"<code>([A-Z2-7]{16,})</code>", page)
    assert client.post("/settings/security/app", {"code": wrong_code(secret)}).status_code == 200
    assert not Authenticator.objects.exists()
    answer = client.post("/settings/security/app", {"code": code(secret)})
    assert answer["Location"] == "/settings/security/codes"
    assert len(re.findall(r"<code>\d{10}</code>", client.get(answer["Location"]).content.decode())) == 10
    assert "10 recovery codes left" in client.get("/settings/security").content.decode()
    stored = Authenticator.objects.get(type="totp").data["secret"]
    assert secret not in stored


def test_adding_a_factor_ends_the_sessions_that_began_without_it(
    client: Client, member: Any, django_capture_on_commit_callbacks: Any
) -> None:
    other = Client()
    attempt(other, member)
    attempt(client, member)
    page = client.get("/settings/security/app").content.decode()
    [secret] = re.findall(r"<code>([A-Z2-7]{16,})</code>", page)
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/settings/security/app", {"code": code(secret)})
    assert is_signed_in(client)
    assert not is_signed_in(other)


@pytest.mark.parametrize(
    "path",
    [
        *("/settings/security/app", "/settings/security/passkey", "/settings/security/codes/new"),
        *("/settings/security/codes", "/settings/security/app/remove"),
    ],
)
def test_factors_are_changed_and_seen_only_after_a_new_proof(client: Client, member: Any, path: str) -> None:
    give_recovery_codes(member)
    if path != "/settings/security/app":
        give_app(member)
    client.force_login(member)  # a session whose proof is old
    for answer in (client.get(path), client.post(path)):
        if answer.status_code != 405:
            assert answer["Location"].startswith("/sign-in/again?next=%2Fsettings%2Fsecurity")
    assert client.get(client.get(path)["Location"]).status_code == 200


def test_the_proof_is_the_password_and_leads_on(client: Client, member: Any) -> None:
    give_app(member)
    client.force_login(member)
    again = client.get("/settings/security/app/remove")["Location"]
    assert client.post(again, {"password": "wrong"}).status_code == 200
    assert client.post(again, {"password": PASSWORD})["Location"] == "/settings/security/app/remove"
    assert client.post("/settings/security/app/remove")["Location"] == "/settings/security"
    assert not Authenticator.objects.exists()
    [job] = waiting_jobs("web.send_mail")
    assert job.args["arguments"]["change"] == "totp_deactivated"


def test_wrong_passwords_in_a_session_lock_the_name_too(client: Client, member: Any) -> None:
    client.force_login(member)
    answers = [client.post("/sign-in/again", {"password": f"wrong {number}"}).status_code for number in range(5)]
    assert answers == [200] * 4 + [429]


def test_a_code_of_the_app_is_a_proof_too_and_wrong_ones_are_counted(client: Client, member: Any) -> None:
    give_app(member)
    client.force_login(member)
    again = "/sign-in/again/code?next=/settings/security/codes/new"
    assert client.post(again, {"code": code()})["Location"] == "/settings/security/codes/new"
    client.force_login(member)
    answers = [client.post(again, {"code": wrong_code()}).status_code for _ in range(5)]
    assert answers == [200] * 4 + [429]


def test_one_never_removes_the_passkey_of_somebody_else(client: Client, member: Any) -> None:
    other = Authenticator.objects.create(user=UserFactory(), type="webauthn", data={"name": "theirs"})
    attempt(client, member)
    assert client.post(f"/settings/security/passkey/{other.pk}/remove").status_code == 404
    assert Authenticator.objects.exists()


def test_a_workspace_that_demands_a_second_factor_opens_with_one_only(client: Client, member: Any) -> None:
    workspace = Workspace.objects.get()
    Workspace.objects.update(requires_second_factor=True)
    attempt(client, member)
    headers = {"X-Workspace-ID": str(workspace.pk)}
    for path in ("/dashboard/usage", "/settings/general", "/dashboard/traces"):
        assert client.get(path)["Location"] == "/settings/security"
    answer = client.get("/api/v1/usage/overview", headers=headers)
    assert answer.status_code == 403
    assert "second factor" in answer.json()["detail"]
    assert f"{workspace.name} opens with a second factor only" in client.get("/settings/security").content.decode()
    give_app(member)
    assert client.get("/dashboard/usage").status_code == 200
    assert client.get("/api/v1/usage/overview", headers=headers).status_code == 200


def demand(client: Client, workspace: Workspace, value: str = "1") -> Any:
    path = f"/settings/general/second-factor?workspace={workspace.pk}"
    return client.post(path, {"requires_second_factor": value})


def test_an_owner_without_one_reads_the_refusal_as_an_error(client: Client) -> None:
    membership = MembershipFactory(role="owner")
    client.force_login(membership.user)
    page = client.get(demand(client, membership.workspace)["Location"]).content.decode()
    assert '<p class="notice" role="alert">Set up a second factor for yourself first, under Security.</p>' in page


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("editor", 403), ("owner", 302)])
def test_owners_demand_it_when_they_have_one_themselves(client: Client, role: str, status: int) -> None:
    membership = MembershipFactory(role=role)
    workspace = membership.workspace
    client.force_login(membership.user)
    assert demand(client, workspace).status_code == status
    workspace.refresh_from_db()
    assert not workspace.requires_second_factor
    give_app(membership.user)
    assert demand(client, workspace).status_code == status
    workspace.refresh_from_db()
    assert workspace.requires_second_factor is (role == "owner")
    demand(client, workspace, "0")
    workspace.refresh_from_db()
    assert not workspace.requires_second_factor
    entries = AuditEntry.objects.filter(action="workspace.change").order_by("at")
    assert [entry.after for entry in entries] == (
        [{"requires_second_factor": True}, {"requires_second_factor": False}] if role == "owner" else []
    )


def test_nobody_demands_it_of_the_workspace_of_others(client: Client, member: Any) -> None:
    client.force_login(MembershipFactory(role="owner").user)
    workspace = member.memberships.get().workspace
    assert demand(client, workspace).status_code == 404


def test_other_workspaces_and_keys_need_no_second_factor(client: Client, member: Any) -> None:
    demanding = Workspace.objects.get()
    Workspace.objects.update(requires_second_factor=True)
    other = MembershipFactory(user=member).workspace
    attempt(client, member)
    assert client.get(f"/dashboard/usage?workspace={other.pk}").status_code == 200
    _, secret = an_api_key("read", workspace=demanding)
    headers = {"Authorization": f"Bearer {secret}", "X-Workspace-ID": str(demanding.pk)}
    assert Client().get("/api/v1/usage/overview", headers=headers).status_code == 200


def test_a_superuser_needs_it_too(client: Client, member: Any) -> None:
    Workspace.objects.update(requires_second_factor=True)
    root = UserFactory(is_superuser=True, is_staff=True)
    attempt(client, root)
    assert client.get("/dashboard/usage")["Location"] == "/settings/security"


def test_secrets_of_factors_are_encrypted_anew_after_a_change_of_the_key(
    client: Client, member: Any, settings: Any
) -> None:
    give_app(member)
    codes = give_recovery_codes(member)
    before = {factor.pk: factor.data for factor in Authenticator.objects.all()}
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another" * 10
    encrypt_secrets(due_at=timezone.now().isoformat())
    settings.SECRET_KEY_FALLBACKS = []
    assert all(factor.data != before[factor.pk] for factor in Authenticator.objects.all())
    attempt(client, member)
    assert client.post(CODE_PAGE, {"code": codes[0]}).status_code == 302


def test_a_code_comes_too_late_after_a_quarter_of_an_hour(client: Client, member: Any) -> None:
    give_app(member)
    attempt(client, member)
    session = client.session
    session["account_login"]["initiated_at"] -= timedelta(minutes=16).total_seconds()
    session.save()
    assert client.post(CODE_PAGE, {"code": code()})["Location"] == "/sign-in"
    assert not SignedInSession.objects.exists()


def test_the_secret_of_the_app_is_not_stored_as_it_is(member: Any) -> None:
    assert SECRET not in str(give_app(member).data)


# --- Requests at once ---


def at_once(clients: list[Client], given: str) -> list[int]:
    """Sends the code with all clients at once. Returns the statuses of the answers."""

    def send(client: Client) -> int:
        try:
            return client.post(CODE_PAGE, {"code": given}).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(clients)) as pool:
        return list(pool.map(send, clients))


def meeting(function: Any, count: int) -> Any:
    """Makes a function wait until so many threads call it, or until it is clear that they do not do so at once."""
    barrier = Barrier(count)

    def waiting(*args: Any, **kwargs: Any) -> Any:
        with suppress(BrokenBarrierError):
            barrier.wait(timeout=0.3)
        return function(*args, **kwargs)

    return waiting


@pytest.fixture
def after_the_password(transactional_db: None, member: Any) -> list[Client]:
    """Returns seven browsers in which the password was right and the code is missing."""
    give_app(member)
    clients = [Client() for _ in range(7)]
    for client in clients:
        attempt(client, member)
    return clients


def test_wrong_codes_at_once_are_no_more_than_five(after_the_password: list[Client]) -> None:
    compared = meeting(AuthenticateForm.clean_code, 7)
    with patch.object(AuthenticateForm, "clean_code", lambda self: compared(self)):
        answers = at_once(after_the_password, wrong_code())
    assert sorted(answers) == [200] * 4 + [429] * 3
    assert AccessAttempt.objects.get().failures_since_start == 5
