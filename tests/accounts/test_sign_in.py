import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore
from typing import Any
from unittest.mock import patch

import pytest
from axes.models import AccessAttempt
from django.conf import settings as project
from django.contrib.auth.hashers import check_password, make_password
from django.test import Client

from observability import settings as product
from tests.factories import PASSWORD, UserFactory, WorkspaceFactory
from workspaces import passwords

pytestmark = pytest.mark.django_db(databases="__all__")


def attempt(client: Client, username: str, password: str, path: str = "/sign-in", **form: str) -> Any:
    return client.post(path, {"username": username, "password": password} | form)


def test_a_wrong_password_is_refused_without_saying_whether_the_name_exists(client: Client) -> None:
    user = UserFactory()
    known = attempt(client, user.username, "wrong").content.decode()
    unknown = attempt(client, "nobody", "wrong").content.decode()
    assert "correct username and password" in known
    assert "correct username and password" in unknown


@pytest.mark.parametrize("path", ["/sign-in", "/admin/login/"])
def test_five_wrong_passwords_lock_the_name_here_and_in_the_admin(client: Client, path: str) -> None:
    user = UserFactory(is_staff=True)
    assert [attempt(client, user.username, "wrong", path).status_code for _ in range(5)] == [200] * 4 + [429]
    for either_path in ("/sign-in", "/admin/login/"):
        response = attempt(client, user.username, PASSWORD, either_path)
        assert response.status_code == 429
        assert b"locked from your address for 15 minutes" in response.content


def test_the_page_has_the_products_name_and_leads_to_an_open_workspace(client: Client, settings: Any) -> None:
    page = client.get("/sign-in").content.decode()
    assert "Agent observability" in page
    assert 'href="/docs/"' in page
    assert "open to everybody" not in page
    settings.OPEN_WORKSPACE_IDS = frozenset({WorkspaceFactory().pk})
    assert "look at it without signing in" in client.get("/sign-in").content.decode()


def test_a_lock_is_for_one_name_from_one_address(client: Client) -> None:
    user, other = UserFactory(), UserFactory()
    for _ in range(5):
        attempt(client, user.username, "wrong")
    assert attempt(client, other.username, PASSWORD).status_code == 302
    assert attempt(Client(REMOTE_ADDR="192.0.2.7"), user.username, PASSWORD).status_code == 302


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "http:///x"]
)
def test_the_sign_in_never_leads_to_another_site(client: Client, elsewhere: str) -> None:
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


def test_passwords_are_hashed_with_argon2(settings: Any) -> None:
    settings.PASSWORD_HASHERS = product.PASSWORD_HASHERS
    hashed = make_password(PASSWORD)
    assert hashed.startswith("argon2$argon2id$")
    assert check_password(PASSWORD, hashed)
    assert not check_password("another", hashed)
    assert project.AXES_FAILURE_LIMIT == 5


def test_a_flood_of_sign_ins_takes_memory_for_one_password_and_threads_for_eight(settings: Any) -> None:
    settings.PASSWORD_HASHERS = product.PASSWORD_HASHERS
    at_work, go_on = Semaphore(0), Event()

    def slowly(*args: Any) -> bool:
        at_work.release()
        return go_on.wait(10)

    def attempt_one(number: int) -> bool:
        return check_password(f"guess {number}", "argon2$argon2id$")

    with (
        patch("django.contrib.auth.hashers.Argon2PasswordHasher.verify", side_effect=slowly),
        patch("django.contrib.auth.hashers.Argon2PasswordHasher.must_update", return_value=False),
        ThreadPoolExecutor(8) as pool,
    ):
        eight = [pool.submit(attempt_one, number) for number in range(8)]
        try:
            assert at_work.acquire(timeout=10)
            ends = time.monotonic() + 10
            while passwords._slots._value:
                assert time.monotonic() < ends, "not every slot is taken"
                time.sleep(0.01)
            answer = attempt(Client(), "nobody", "guess")
            assert (answer.status_code, answer["Retry-After"]) == (503, "2")
            assert not at_work.acquire(blocking=False), "a second password is hashed at the same time as the first"
        finally:
            go_on.set()
        assert [future.result() for future in eight] == [True] * 8
    assert attempt(Client(), "nobody", "guess").status_code == 200


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
