"""The profile, the password and the sessions of a person, and the links that are sent by email."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import mail, signing
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.email_change import confirm, pending
from accounts.models import EmailChange, Profile, SignedInSession
from accounts.sessions import device
from accounts.tasks import delete_old_records
from accounts.tokens import reset_token, sign_in_token
from tests.accounts.codes import give_app
from tests.factories import PASSWORD, MembershipFactory, UserFactory
from tests.jobs_helper import run_waiting_jobs, waiting_jobs

pytestmark = pytest.mark.django_db(databases="__all__")

NEW = "another long and winding password"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"


@pytest.fixture(autouse=True)
def mail_is_on(settings: Any) -> None:
    settings.MAIL_IS_ON = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def ada() -> Any:
    return MembershipFactory(user=UserFactory(username="ada", email="ada@example.com")).user


def sign_in(user: Any, password: str = PASSWORD, **headers: str) -> Client:
    client = Client(headers=headers)
    client.post("/sign-in", {"username": user.username, "password": password})
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/settings/profile").status_code == 200


def sent_links() -> dict[str, str]:
    """Sends what waits, and returns the path of the link in each message, by its recipient."""
    while run_waiting_jobs():
        pass
    found = {}
    for message in mail.outbox:
        [url] = [word for word in message.body.split() if "token=" in word] or [""]
        parts = urlsplit(url)
        found[message.to[0]] = f"{parts.path}?{parts.query}"
    mail.outbox.clear()
    return found


def test_account_pages_are_for_those_who_are_signed_in(client: Client) -> None:
    for page in (
        "profile",
        "security/password",
        "security",
        "sessions",
        "security/app",
        "security/passkey",
        "security/codes",
    ):
        assert client.get(f"/settings/{page}")["Location"].startswith("/sign-in?next=/settings/"), page
    assert client.post("/settings/sessions/end", {"session": "others"}).status_code == 302


def test_a_person_without_a_workspace_has_the_pages_too(client: Client) -> None:
    client.force_login(UserFactory())
    for page in ("profile", "security/password", "security", "sessions"):
        assert client.get(f"/settings/{page}").status_code == 200


def test_the_profile_stores_name_zone_and_theme(ada: Any) -> None:
    client = sign_in(ada)
    form = {"name": "Ada Lovelace", "time_zone": "Europe/London", "theme": "dark"}
    assert client.post("/settings/profile", form).status_code == 302
    ada.refresh_from_db()
    assert (ada.get_full_name(), ada.profile.time_zone) == ("Ada Lovelace", "Europe/London")
    assert 'data-theme="dark"' in client.get("/settings/sessions").content.decode()
    assert "Times are in Europe/London" in client.get("/settings/sessions").content.decode()
    assert 'data-theme="dark"' in sign_in(ada).get("/dashboard/usage").content.decode()


def test_the_first_page_shows_times_in_the_zone_of_the_profile(ada: Any) -> None:
    client = sign_in(ada)
    assert client.get("/")["Location"] == "/dashboard/usage"
    client.post("/settings/profile", {"name": "", "time_zone": "Asia/Tokyo", "theme": ""})
    assert client.get("/")["Location"] == sign_in(ada).get("/")["Location"] == "/dashboard/usage?zone=Asia%2FTokyo"


@pytest.mark.parametrize("wrong", [{"time_zone": "Mars/Olympus"}, {"theme": "pink"}, {"name": "a" * 151}])
def test_the_profile_refuses_what_does_not_exist(ada: Any, wrong: dict[str, str]) -> None:
    assert (
        sign_in(ada).post("/settings/profile", {"name": "", "time_zone": "", "theme": "", **wrong}).status_code == 422
    )
    assert Profile.objects.get().time_zone == Profile.objects.get().theme == ""


def test_a_new_password_takes_the_old_one_and_ends_the_other_sessions(ada: Any) -> None:
    client, other = sign_in(ada), sign_in(ada)
    form = {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW}
    assert client.post("/settings/security/password", form).status_code == 422
    assert client.post("/settings/security/password", form | {"old_password": PASSWORD}).status_code == 302
    assert is_signed_in(client)
    assert not is_signed_in(other)
    assert is_signed_in(sign_in(ada, NEW))
    assert not is_signed_in(sign_in(ada))
    assert run_waiting_jobs() == 1
    assert mail.outbox[0].subject == "Your password was changed"


def test_five_wrong_old_passwords_lock_the_name(ada: Any) -> None:
    client = sign_in(ada)
    form = {"new_password1": NEW, "new_password2": NEW}
    answers = [client.post("/settings/security/password", form | {"old_password": "x"}).status_code for _ in range(5)]
    assert answers == [422] * 4 + [429]
    assert client.post("/settings/security/password", form | {"old_password": PASSWORD}).status_code == 429


@pytest.mark.parametrize("weak", ["short", "password123", "adalovelace@example.com"])
def test_a_weak_password_is_refused(ada: Any, weak: str) -> None:
    ada.email = "adalovelace@example.com"
    ada.save()
    form = {"old_password": PASSWORD, "new_password1": weak, "new_password2": weak}
    assert sign_in(ada).post("/settings/security/password", form).status_code == 422


def test_the_answer_is_the_same_whether_an_account_has_the_address(client: Client, ada: Any) -> None:
    answers = [
        client.post("/sign-in/forgotten", {"address": address}) for address in ("Ada@example.com", "nobody@example.com")
    ]
    first, second = (answer.content.decode() for answer in answers)
    assert first == second
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(waiting_jobs("accounts.send_resets")) == 2
    assert list(sent_links()) == ["ada@example.com"]


def test_a_link_resets_the_password_once_and_ends_all_sessions(client: Client, ada: Any) -> None:
    before = sign_in(ada)
    client.post("/sign-in/forgotten", {"address": ada.email})
    link = sent_links()[ada.email]
    assert "New password" in client.get(link).content.decode()
    assert client.post(link, {"new_password1": NEW, "new_password2": "x"}).status_code == 422
    assert client.post(link, {"new_password1": NEW, "new_password2": NEW}).status_code == 200
    assert not is_signed_in(before)
    assert is_signed_in(sign_in(ada, NEW))
    assert client.get(link).status_code == 404
    assert client.post(link, {"new_password1": PASSWORD, "new_password2": PASSWORD}).status_code == 404


def test_a_reset_signs_nobody_in_past_the_second_factor(client: Client, ada: Any) -> None:
    give_app(ada)
    link = f"/sign-in/reset?token={reset_token(ada)}"
    client.post(link, {"new_password1": NEW, "new_password2": NEW})
    assert not is_signed_in(client)
    assert not is_signed_in(sign_in(ada, NEW))


@pytest.mark.parametrize("change", ["email", "password", "last_login", "is_active"])
def test_a_link_is_of_no_use_after_what_it_was_made_for_has_changed(client: Client, ada: Any, change: str) -> None:
    link = f"/sign-in/reset?token={reset_token(ada)}"
    assert client.get(link).status_code == 200
    values = {"email": "b@example.com", "password": "!", "last_login": timezone.now(), "is_active": False}
    type(ada).objects.filter(pk=ada.pk).update(**{change: values[change]})
    assert client.get(link).status_code == 404


def test_a_link_expires_after_an_hour(client: Client, ada: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    old = signing.time.time() - timedelta(minutes=61).total_seconds()
    with monkeypatch.context() as patched:
        patched.setattr(signing.time, "time", lambda: old)
        link = f"/sign-in/reset?token={reset_token(ada)}"
    assert client.get(link).status_code == 404


@pytest.mark.parametrize("token", ["", "x", "a:b:c", "\0", "é" * 300])
def test_a_wrong_token_is_refused(client: Client, token: str) -> None:
    for path in ("/sign-in/reset", "/sign-in/email", "/sign-in/link"):
        assert client.get(path, {"token": token}).status_code == 404


def test_a_token_for_one_purpose_is_of_no_use_for_another(client: Client) -> None:
    root = UserFactory(is_superuser=True, email="root@example.com")
    assert client.get("/sign-in/link", {"token": reset_token(root)}).status_code == 404
    assert client.get("/sign-in/reset", {"token": sign_in_token(root)}).status_code == 404


def test_a_flood_of_requests_sends_one_message(client: Client, ada: Any) -> None:
    for _ in range(8):
        assert client.post("/sign-in/forgotten", {"address": ada.email}).status_code == 200
    assert len(waiting_jobs("accounts.send_resets")) == 5
    run_waiting_jobs("accounts.send_resets")
    assert len(waiting_jobs("web.send_mail")) == 1


def test_somebody_without_a_password_gets_no_link(client: Client, ada: Any) -> None:
    ada.set_unusable_password()
    ada.save()
    client.post("/sign-in/forgotten", {"address": ada.email})
    assert sent_links() == {}
    assert client.get(f"/sign-in/reset?token={reset_token(ada)}").status_code == 404


def test_sessions_are_listed_with_their_device_and_end_at_once(ada: Any) -> None:
    client, other, third = sign_in(ada, **{"User-Agent": FIREFOX}), sign_in(ada), sign_in(ada)
    stranger = sign_in(UserFactory())
    page = client.get("/settings/sessions").content.decode()
    assert page.count("this one") == 1
    assert "Firefox on Linux" in page
    keys = {session.session_key: session for session in SignedInSession.objects.all()}
    theirs = keys[stranger.session.session_key]
    client.post("/settings/sessions/end", {"session": str(theirs.pk)})
    assert is_signed_in(stranger)
    client.post("/settings/sessions/end", {"session": str(keys[other.session.session_key].pk)})
    assert not is_signed_in(other)
    assert is_signed_in(third)
    client.post("/settings/sessions/end", {"session": "others"})
    assert not is_signed_in(third)
    assert is_signed_in(client)
    assert is_signed_in(stranger)


def test_a_session_that_was_signed_out_is_listed_no_more(ada: Any) -> None:
    client, other = sign_in(ada), sign_in(ada)
    other.post("/sign-out")
    assert client.get("/settings/sessions").content.decode().count("<tr>") == 2
    SignedInSession.objects.create(user=ada, session_key="gone", last_used_at=timezone.now())
    delete_old_records(due_at=timezone.now().isoformat())
    assert SignedInSession.objects.count() == 1


def test_use_is_recorded_every_five_minutes(ada: Any, django_assert_num_queries: Any) -> None:
    client = sign_in(ada)
    SignedInSession.objects.update(last_used_at=timezone.now() - timedelta(days=1))
    client.get("/settings/security")
    assert SignedInSession.objects.get().last_used_at < timezone.now() - timedelta(hours=1)
    session = client.session
    session["seen_at"] -= 301
    session.save()
    client.get("/settings/security")
    assert SignedInSession.objects.get().last_used_at > timezone.now() - timedelta(hours=1)


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/130 Safari/537 Edg/130", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18 like Mac OS X) Version/18 Safari/604", "Safari on iPhone"),
        ("curl/8.5.0", "curl"),
        ("", "An unknown program"),
    ],
)
def test_a_user_agent_in_words(user_agent: str, words: str) -> None:
    assert device(user_agent) == words


def test_a_new_address_is_confirmed_at_both_addresses(ada: Any) -> None:
    client, visitor = sign_in(ada), Client()
    client.post("/settings/profile/email", {"address": "new@example.com"})
    assert "new@example.com" in client.get("/settings/profile").content.decode()
    links = sent_links()
    assert set(links) == {"ada@example.com", "new@example.com"}
    for address in ("new@example.com", "ada@example.com"):
        ada.refresh_from_db()
        assert ada.email == "ada@example.com"
        assert visitor.get(links[address]).status_code == 200
        ada.refresh_from_db()
        assert ada.email == "ada@example.com", "to open a link changes nothing"
        assert visitor.post(links[address]).status_code == 200
    ada.refresh_from_db()
    assert ada.email == "new@example.com"
    assert visitor.post(links["new@example.com"]).status_code == 404
    assert list(sent_links()) == ["ada@example.com"]


def test_one_address_twice_is_not_both(ada: Any) -> None:
    sign_in(ada).post("/settings/profile/email", {"address": "new@example.com"})
    link = sent_links()["new@example.com"]
    for _ in range(2):
        Client().post(link)
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_a_first_address_is_confirmed_at_itself(ada: Any) -> None:
    type(ada).objects.update(email="")
    sign_in(ada).post("/settings/profile/email", {"address": "new@example.com"})
    links = sent_links()
    assert list(links) == ["new@example.com"]
    Client().post(links["new@example.com"])
    ada.refresh_from_db()
    assert ada.email == "new@example.com"


def test_a_change_ends_when_an_administrator_changes_the_address(ada: Any) -> None:
    """Otherwise whoever reads the mail of the address before could still take the account."""
    sign_in(ada).post("/settings/profile/email", {"address": "new@example.com"})
    links = sent_links()
    type(ada).objects.update(email="mended@example.com")
    for address in ("ada@example.com", "new@example.com"):
        assert Client().get(links[address]).status_code == 404
        assert Client().post(links[address]).status_code == 404
    ada.refresh_from_db()
    assert ada.email == "mended@example.com"


def test_a_change_that_another_request_has_ended_is_no_fault(ada: Any) -> None:
    sign_in(ada).post("/settings/profile/email", {"address": "new@example.com"})
    change = EmailChange.objects.get()
    EmailChange.objects.all().delete()
    assert confirm(change, "new") == "gone"


def test_another_request_makes_the_first_links_void(ada: Any) -> None:
    client = sign_in(ada)
    client.post("/settings/profile/email", {"address": "first@example.com"})
    first = sent_links()
    client.post("/settings/profile/email", {"address": "second@example.com"})
    assert pending(ada).new_address == "first@example.com"  # type: ignore[union-attr]
    EmailChange.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    client.post("/settings/profile/email", {"address": "second@example.com"})
    for link in first.values():
        assert Client().post(link).status_code == 404


@pytest.mark.parametrize("wrong", ["", "nobody", "ada@example.com", "a@b\r\nBcc: c@d.example"])
def test_a_wrong_address_is_refused_with_the_reason(ada: Any, wrong: str) -> None:
    client = sign_in(ada)
    page = client.post("/settings/profile/email", {"address": wrong}, follow=True).content.decode()
    assert "This is" in page
    assert not EmailChange.objects.exists()


def test_a_change_of_the_address_needs_a_recent_proof_and_then_goes_on_by_itself(client: Client, ada: Any) -> None:
    client.force_login(ada)
    answer = client.post("/settings/profile/email", {"address": "new@example.com"})
    assert answer["Location"].startswith("/sign-in/again?")
    assert not EmailChange.objects.exists()
    client.post(answer["Location"], {"password": PASSWORD})
    assert EmailChange.objects.get().new_address == "new@example.com"


def test_the_link_of_the_command_signs_a_superuser_in_once(client: Client, capsys: Any) -> None:
    root = UserFactory(username="root", is_superuser=True)
    call_command("sign_in_link", "root")
    parts = urlsplit(capsys.readouterr().out.split()[0])
    link = f"{parts.path}?{parts.query}"
    assert client.get(link).status_code == 200
    assert not is_signed_in(client)
    assert client.post(link).status_code == 302
    assert is_signed_in(client)
    assert Client().post(link).status_code == 404
    assert root.username in client.get("/settings/profile").content.decode()


def test_the_command_makes_links_for_superusers_only(ada: Any) -> None:
    for name in ("ada", "nobody"):
        with pytest.raises(CommandError, match="no active superuser"):
            call_command("sign_in_link", name)
    assert Client().post(f"/sign-in/link?token={sign_in_token(ada)}").status_code == 404


def test_the_link_of_the_command_does_not_pass_the_second_factor(client: Client) -> None:
    root = UserFactory(is_superuser=True)
    give_app(root)
    assert client.post(f"/sign-in/link?token={sign_in_token(root)}")["Location"] == "/sign-in/code"
    assert not is_signed_in(client)
