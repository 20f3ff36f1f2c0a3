"""Reads EMAIL_URL and EMAIL_FROM: how messages leave the product. No error shows any part of the URL."""

import re
from email.utils import parseaddr
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import parse_qs, unquote

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.mail.message import sanitize_address
from django.core.validators import validate_email

from observability.launcher.lock import served_at
from observability.server_urls import URL, malformed, password_apart
from observability.variables import Variables

EXAMPLES = "smtp://user@host:587, smtps://user@host:465, file:var/mail or console:"
THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
DEFAULT_FROM = "Agent observability <observability@localhost>"

OFF = "django.core.mail.backends.dummy.EmailBackend"
CONSOLE = "django.core.mail.backends.console.EmailBackend"
SMTP = "django.core.mail.backends.smtp.EmailBackend"
FOLDER = "web.mail.folder.EmailBackend"


class MailSettings(NamedTuple):
    backend: str
    folder: str | None = None
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    tls: Literal["starttls", "from the start", "none"] = "none"

    @property
    def is_on(self) -> bool:
        return self.backend != OFF


def mail_settings(env: Variables, base_dir: Path) -> MailSettings:
    url = env.EMAIL_URL
    if not url and env.ENVIRONMENT == "production":
        return MailSettings(OFF)
    if url == "console:":
        return MailSettings(CONSOLE)
    if not url or url.startswith("file:"):
        return MailSettings(FOLDER, folder=str(base_dir / (url.removeprefix("file:") or "var/mail")))
    return smtp_settings(env)


def smtp_settings(env: Variables) -> MailSettings:
    parts = URL.fullmatch(env.EMAIL_URL)
    if not parts or parts["scheme"] not in ("smtp", "smtps") or not parts["host"] or parts["path"] not in (None, "/"):
        raise malformed("EMAIL_URL", EXAMPLES)
    is_smtps = parts["scheme"] == "smtps"
    found = MailSettings(
        SMTP,
        host=unquote(parts["host"]).strip("[]"),
        port=int(parts["port"] or (465 if is_smtps else 587)),
        user=unquote(parts["user"] or ""),
        password=password_apart(env, "EMAIL_URL", parts) or unquote(parts["password"] or ""),
        tls="from the start" if is_smtps else starttls_or_none(parts["query"] or ""),
    )
    check_credentials(found)
    if not 1 <= found.port <= 65_535 or (is_smtps and parts["query"]):
        raise malformed("EMAIL_URL", EXAMPLES)
    if not env.EMAIL_FROM:
        raise ImproperlyConfigured("EMAIL_FROM must be set with EMAIL_URL, like Agents <agents@example.com>.")
    return found


def starttls_or_none(query: str) -> Literal["starttls", "none"]:
    match parse_qs(query, keep_blank_values=True):
        case {"tls": ["none"], **others} if not others:
            return "none"
        case {"tls": ["starttls"], **others} if not others:
            return "starttls"
    if not query:
        return "starttls"
    raise ImproperlyConfigured("EMAIL_URL may end with ?tls=starttls, which is the default, or with ?tls=none.")


def check_credentials(found: MailSettings) -> None:
    if bool(found.user) != bool(found.password):
        raise ImproperlyConfigured("EMAIL_URL needs both a user and EMAIL_PASSWORD, or none of them.")
    if found.password and found.tls == "none" and found.host not in THIS_MACHINE:
        raise ImproperlyConfigured("EMAIL_URL with ?tls=none would send the password in plain text to another machine.")


def sender(env: Variables) -> str:
    """Returns EMAIL_FROM: an address, or a name with an address in <…>."""
    address = env.EMAIL_FROM or DEFAULT_FROM
    try:
        validate_email(parseaddr(address)[1])
        sanitize_address(address, "utf-8")  # as it will be sent
    except (ValueError, ValidationError):
        pass
    else:
        return address
    raise ImproperlyConfigured("EMAIL_FROM must look like agents@example.com or Agents <agents@example.com>.")


def public_url(env: Variables) -> str:
    """Returns the address of the product for links in messages, without a slash at its end."""
    if env.PUBLIC_URL:
        if not re.fullmatch(
            r"https?://[A-Za-z0-9.-]+(:\d{1,5})?/?|https?://\[[0-9a-f:]+\](:\d{1,5})?/?", env.PUBLIC_URL
        ):
            raise ImproperlyConfigured("PUBLIC_URL must look like https://traces.example.com.")
        return env.PUBLIC_URL.rstrip("/")
    if env.ENVIRONMENT != "production":
        # A command in another terminal may not know the port of `make run`.
        return served_at() or f"http://127.0.0.1:{env.PORT}"
    hosts = [host.lstrip(".") for host in env.ALLOWED_HOSTS if host != "*"]
    return f"https://{hosts[0] if hosts else 'localhost'}"
