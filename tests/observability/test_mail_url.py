"""EMAIL_URL says how messages leave; one that does not fit stops the start, in words without a password."""

from functools import partial
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from observability.launcher.lock import locked, served_at
from observability.mail_url import CONSOLE, FOLDER, OFF, SMTP, MailSettings, mail_settings, public_url, sender
from observability.variables import Variables
from tests.observability.test_settings import boot

BASE = Path("/product")
FROM = "Agents <agents@example.com>"


def settings_of(url: str, password: str = "", **others: str) -> MailSettings:
    return mail_settings(Variables(EMAIL_URL=url, EMAIL_PASSWORD=password, EMAIL_FROM=FROM, **others), BASE)


@pytest.mark.parametrize(
    ("url", "port", "tls"),
    [
        ("smtp://mail.example.com", 587, "starttls"),
        ("smtp://mail.example.com:25", 25, "starttls"),
        ("smtp://mail.example.com:587?tls=starttls", 587, "starttls"),
        ("smtp://mail.example.com/?tls=none", 587, "none"),
        ("smtp://mail.example.com:25?tls=none", 25, "none"),
        ("smtps://mail.example.com", 465, "from the start"),
        ("smtps://mail.example.com:2465/", 2465, "from the start"),
    ],
)
def test_a_mail_server_has_a_port_and_tls_unless_its_url_says_otherwise(url: str, port: int, tls: str) -> None:
    assert settings_of(url) == MailSettings(SMTP, host="mail.example.com", port=port, tls=tls)  # type: ignore[arg-type]


@pytest.mark.parametrize("password", ["a/b", "a%41", "a@b", "a b", "$HOME", "ä", "[x]"])
def test_a_password_apart_is_used_as_it_is(password: str) -> None:
    found = settings_of("smtp://ada%40example.com@mail.example.com", password)
    assert (found.user, found.password) == ("ada@example.com", password)


def test_an_encoded_password_in_the_url_is_read() -> None:
    found = settings_of("smtps://ada:a%2Fb@[::1]:465")
    assert (found.host, found.user, found.password) == ("::1", "ada", "a/b")


def test_a_folder_is_that_of_the_product_or_any_other() -> None:
    assert settings_of("file:") == MailSettings(FOLDER, folder="/product/var/mail")
    assert settings_of("file:out/mail") == MailSettings(FOLDER, folder="/product/out/mail")
    assert settings_of("file:/srv/mail").folder == settings_of("file:///srv/mail").folder == "/srv/mail"


def test_the_console_is_another_way() -> None:
    assert settings_of("console:") == MailSettings(CONSOLE)


def test_without_a_url_there_are_files_and_in_production_nothing() -> None:
    assert settings_of("") == MailSettings(FOLDER, folder="/product/var/mail")
    in_production = settings_of("", ENVIRONMENT="production")
    assert in_production == MailSettings(OFF)
    assert not in_production.is_on


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("mail.example.com", ""),
        ("http://mail.example.com", ""),
        ("smtp://", ""),
        ("smtp://:587", ""),
        ("smtp://mail.example.com/folder", ""),
        ("smtp://mail.example.com:0", ""),
        ("smtp://mail.example.com:70000", ""),
        ("smtp://ada@example.com@mail.example.com", "hush"),
        ("smtp://ada:hu/sh@mail.example.com", ""),
        ("smtp://ada:hush@mail.example.com", "hush"),
        ("smtp://ada@mail.example.com", ""),
        ("smtp://mail.example.com", "hush"),
        ("smtp://ada@mail.example.com?tls=none", "hush"),
        ("smtp://mail.example.com?tls=hush", ""),
        ("smtp://mail.example.com?tls=", ""),
        ("smtp://mail.example.com?ssl=none", ""),
        ("smtp://mail.example.com?tls=none&tls=starttls", ""),
        ("smtps://mail.example.com?tls=none", ""),
        ("console:hush", ""),
        ("console", ""),
    ],
)
def test_a_url_that_does_not_fit_is_refused_without_showing_it(url: str, password: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^EMAIL_URL ") as raised:
        settings_of(url, password)
    assert "hush" not in str(raised.value)
    assert "hu/sh" not in str(raised.value)


def test_a_password_goes_without_tls_only_to_this_machine() -> None:
    assert settings_of("smtp://ada@127.0.0.1:1025?tls=none", "secret").tls == "none"


def test_a_mail_server_needs_a_sender() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^EMAIL_FROM "):
        mail_settings(Variables(EMAIL_URL="smtp://mail.example.com"), BASE)


@pytest.mark.parametrize(
    "address",
    ["agents@example.com", "Agents <agents@example.com>", '"Agents, Inc." <a@b.example>', "Zoë <zoe@b.example>"],
)
def test_a_sender_is_an_address_with_or_without_a_name(address: str) -> None:
    assert sender(Variables(EMAIL_FROM=address)) == address


@pytest.mark.parametrize(
    "address",
    [
        "agents",
        "<>",
        "a@b.example, c@d.example",
        "A <a@b.example> x",
        "a@b.example\nBcc: eve@b.example",
        "A <a b@c.example>",
    ],
)
def test_any_other_sender_is_refused(address: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^EMAIL_FROM must look like"):
        sender(Variables(EMAIL_FROM=address))


@pytest.fixture(autouse=True)
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Returns the lock of another folder: somebody may run the product from this one."""
    monkeypatch.setattr("observability.mail_url.served_at", partial(served_at, tmp_path / "run.lock"))
    return tmp_path / "run.lock"


def test_links_lead_to_the_port_at_which_the_product_runs_whoever_sends_the_message(served: Path) -> None:
    with locked(served, "http://127.0.0.1:8611"):
        assert public_url(Variables()) == "http://127.0.0.1:8611"
        assert public_url(Variables(PUBLIC_URL="http://localhost:8443")) == "http://localhost:8443"
    assert public_url(Variables()) == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({"PORT": "9000"}, "http://127.0.0.1:9000"),
        ({"PUBLIC_URL": "https://traces.example.com/"}, "https://traces.example.com"),
        ({"PUBLIC_URL": "http://localhost:8443"}, "http://localhost:8443"),
        ({"ENVIRONMENT": "production", "ALLOWED_HOSTS": "a.example,b.example"}, "https://a.example"),
        ({"ENVIRONMENT": "production", "ALLOWED_HOSTS": "*,.b.example"}, "https://b.example"),
        ({"ENVIRONMENT": "production", "ALLOWED_HOSTS": "*"}, "https://localhost"),
    ],
)
def test_links_of_messages_lead_to_the_product(variables: dict[str, str], url: str) -> None:
    assert public_url(Variables(**variables)) == url  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url", ["traces.example.com", "https://", "https://a b", "https://a.example/x", "ftp://a.example"]
)
def test_an_address_of_the_product_that_does_not_fit_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^PUBLIC_URL "):
        public_url(Variables(PUBLIC_URL=url))


def test_production_stops_with_a_sentence_that_shows_no_password() -> None:
    result = boot(EMAIL_URL="smtp://ada:hush/hush@mail.example.com")
    assert result.returncode != 0
    assert "EMAIL_URL must look like smtp://user@host:587" in result.stderr.strip().splitlines()[-1]
    assert "EMAIL_PASSWORD" in result.stderr.strip().splitlines()[-1]
    assert "hush" not in result.stdout + result.stderr
