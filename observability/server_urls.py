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

# Others change how the cache reads what it has written, like decode_responses, or its own times.
REDIS_OPTION = re.compile(r"db|client_name|protocol|health_check_interval|max_connections|socket_keepalive|ssl_\w+")
MAX_REDIS_DATABASE = 2**31 - 1


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
    check_redis_options(env.REDIS_URL, parts["query"] or "")
    if not password:
        return env.REDIS_URL
    return f"{parts['scheme']}://{parts['user'] or ''}:{quote(password, safe='')}@{parts['address']}"


def check_redis_options(url: str, query: str) -> None:
    """Raises for a database or an option that no Redis has. What only the server knows is found out by the cache."""
    # Imported here: only a product with Redis needs the memory that the driver takes.
    from redis import ConnectionPool
    from redis.exceptions import RedisError

    options = dict(parse_qsl(query, keep_blank_values=True))
    try:
        if not all(REDIS_OPTION.fullmatch(name) for name in options):
            raise ValueError
        pool = ConnectionPool.from_url(url)
        pool.connection_class(**pool.connection_kwargs)  # does not connect yet
        if not 0 <= int(pool.connection_kwargs.get("db") or 0) <= MAX_REDIS_DATABASE:
            raise ValueError
    except (ValueError, TypeError, RedisError):
        raise ImproperlyConfigured(
            "REDIS_URL names a database or an option that cannot be. It may have db, client_name, protocol,"
            " health_check_interval, max_connections, socket_keepalive and those that begin with ssl_."
        ) from None


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
