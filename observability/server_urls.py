"""Reads the URLs of PostgreSQL and Redis. No error shows any part of a URL, because it may be part of a password."""

import re
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from django.core.exceptions import ImproperlyConfigured

from observability.variables import Variables

# Stricter than urllib: an unencoded `/`, `?`, `#` or `@` of a password matches nowhere, instead of ending the password.
URL = re.compile(
    r"(?P<scheme>[a-z]+)://(?:(?P<user>[^:@/?#]*)(?::(?P<password>[^@/?#]*))?@)?"
    r"(?P<address>(?P<host>\[[0-9A-Fa-f:.]+\]|[^:@/?#\[\]]*)(?::(?P<port>\d{1,5}))?"
    r"(?P<path>/[^@?#]*)?(?:\?(?P<query>[^@#]*))?)"
)


def postgresql_database(env: Variables, variable: str) -> dict[str, Any]:
    """Returns Django's settings for the database of a URL. Its query holds options of libpq, like sslmode."""
    parts = URL.fullmatch(getattr(env, variable))
    if (
        not parts
        or parts["scheme"] not in ("postgres", "postgresql")
        or not re.fullmatch("/[^/]+", parts["path"] or "")
    ):
        raise malformed(variable, "postgres://user@host:5432/name")
    return {
        "NAME": unquote(parts["path"][1:]),
        "USER": unquote(parts["user"] or ""),
        "PASSWORD": password_apart(env, variable, parts) or unquote(parts["password"] or ""),
        "HOST": unquote(parts["host"]).strip("[]"),  # a socket directory is written %2Fvar%2Frun%2Fpostgresql
        "PORT": parts["port"] or "",
        "OPTIONS": dict(parse_qsl(parts["query"] or "")),
    }


def redis_url(env: Variables) -> str:
    """Returns REDIS_URL with the password in it, encoded."""
    parts = URL.fullmatch(env.REDIS_URL)
    path = "/.+" if parts and parts["scheme"] == "unix" else r"/?\d*"
    if not parts or parts["scheme"] not in ("redis", "rediss", "unix") or not re.fullmatch(path, parts["path"] or ""):
        raise malformed("REDIS_URL", "redis://host:6379/0")
    password = password_apart(env, "REDIS_URL", parts)
    if not password:
        return env.REDIS_URL
    return f"{parts['scheme']}://{parts['user'] or ''}:{quote(password, safe='')}@{parts['address']}"


def password_apart(env: Variables, variable: str, parts: re.Match[str]) -> str:
    """Returns the password that the environment gives beside the URL, as in DATABASE_PASSWORD for DATABASE_URL."""
    password: str = getattr(env, password_variable(variable))
    if password and parts["password"]:
        raise ImproperlyConfigured(
            f"{variable} has a password already, so {password_variable(variable)} must be empty."
        )
    return password


def password_variable(variable: str) -> str:
    return variable.removesuffix("URL") + "PASSWORD"


def malformed(variable: str, example: str) -> ImproperlyConfigured:
    apart = password_variable(variable)
    hint = f"Set the password as it is in {apart}, or percent-encode its special characters in the URL."
    return ImproperlyConfigured(f"{variable} must look like {example}. {hint}")
