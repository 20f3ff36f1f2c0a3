from typing import Any

import pytest
from axes.models import AccessAttempt
from django.conf import settings as project
from django.test import Client

from observability import settings as product
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db(databases="__all__")


def attempt(client: Client, username: str, password: str, path: str = "/sign-in", **form: str) -> Any:
    return client.post(path, {"username": username, "password": password} | form)


def test_a_wrong_password_is_told_without_saying_whether_the_name_exists(client: Client) -> None:
    user = UserFactory()
    known = attempt(client, user.username, "wrong").content.decode()
    unknown = attempt(client, "nobody", "wrong").content.decode()
    assert "correct username and password" in known
    assert "correct username and password" in unknown


@pytest.mark.parametrize("path", ["/sign-in", "/admin/login/"])
def test_five_wrong_passwords_lock_the_name_here_and_in_the_admin(client: Client, path: str) -> None:
    user = UserFactory(is_staff=True)
    assert [attempt(client, user.username, "wrong", path).status_code for _ in range(5)] == [200] * 4 + [429]
    for door in ("/sign-in", "/admin/login/"):
        response = attempt(client, user.username, PASSWORD, door)
        assert response.status_code == 429
        assert b"locked from your address for 15 minutes" in response.content


def test_a_lock_is_for_one_name_from_one_address(client: Client) -> None:
    user, other = UserFactory(), UserFactory()
    for _ in range(5):
        attempt(client, user.username, "wrong")
    assert attempt(client, other.username, PASSWORD).status_code == 302
    assert attempt(Client(REMOTE_ADDR="192.0.2.7"), user.username, PASSWORD).status_code == 302


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "http:///x"]
)
def test_it_never_leads_to_another_site(client: Client, elsewhere: str) -> None:
    assert attempt(client, UserFactory().username, PASSWORD, next=elsewhere)["Location"] == "/"


def test_a_deactivated_user_is_out_at_once(client: Client) -> None:
    user = UserFactory(is_superuser=True)
    attempt(client, user.username, PASSWORD)
    assert client.get("/dashboard/usage").status_code == 404  # signed in, but there is no workspace yet
    user.is_active = False
    user.save()
    assert client.get("/dashboard/usage").status_code == 302
    assert attempt(Client(), user.username, PASSWORD).status_code == 200


def test_signing_in_and_out_takes_the_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    assert attempt(client, UserFactory().username, PASSWORD).status_code == 403
    assert client.post("/sign-out").status_code == 403


def test_signing_in_changes_the_session(client: Client) -> None:
    user = UserFactory()
    attempt(client, user.username, PASSWORD)
    first = client.cookies["sessionid"]
    assert first["httponly"]
    assert first["samesite"] == "Lax"
    client.post("/sign-out")
    attempt(client, user.username, PASSWORD)
    assert client.cookies["sessionid"].value != first.value


def test_passwords_are_hashed_with_argon2() -> None:
    assert product.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    assert project.AXES_FAILURE_LIMIT == 5


@pytest.mark.parametrize(
    ("behind_proxy", "forwarded", "address"),
    [
        (False, "192.0.2.1", "127.0.0.1"),
        (True, "192.0.2.1", "192.0.2.1"),
        (True, "10.0.0.1, 192.0.2.1", "192.0.2.1"),
        (True, "2001:db8::1", "2001:db8::1"),
        (True, "unknown", "127.0.0.1"),
        (True, "", "127.0.0.1"),
    ],
)
def test_a_lock_is_for_the_address_that_the_proxy_saw(
    settings: Any, behind_proxy: bool, forwarded: str, address: str
) -> None:
    settings.BEHIND_PROXY = behind_proxy
    client, user = Client(headers={"X-Forwarded-For": forwarded}), UserFactory()
    attempt(client, user.username, "wrong")
    assert AccessAttempt.objects.get().ip_address == address
