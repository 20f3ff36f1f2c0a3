"""Addresses for servers that tests start, and of the databases they share with them."""

import os
import random
import socket
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connections

# Below the ports that systems give to outgoing connections, so that none of these takes one meanwhile.
LOWEST_PORT, HIGHEST_PORT = 10_000, 32_767

LONG_SECONDS = 120
"""How long a test waits for a first answer: a busy machine starts servers slowly. Stops have limits of their own."""

_used: set[int] = set()


def free_port() -> int:
    """Returns a port of 127.0.0.1 that no server uses, and that no other worker of this test run will return."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    while True:
        port = random.randrange(LOWEST_PORT + worker, HIGHEST_PORT, workers)
        if port not in _used and not is_listening(port):
            _used.add(port)
            return port


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(happened: Callable[[], bool], event: str, seconds: float = LONG_SECONDS) -> None:
    ends = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < ends, f"not within {seconds} s: {event}"
        time.sleep(0.02)


def wait_until_listening(port: int, seconds: float = LONG_SECONDS) -> None:
    until(lambda: is_listening(port), f"something listens on port {port}", seconds)


def database_url(alias: str) -> str:
    """Returns the URL of this worker's test database, for a server that the test starts."""
    database = connections[alias].settings_dict
    user = f"{database['USER']}:{database['PASSWORD']}" if database.get("PASSWORD") else database["USER"]
    port = f":{database['PORT']}" if database.get("PORT") else ""
    return f"postgres://{user}@{str(database['HOST']).replace('/', '%2F')}{port}/{database['NAME']}"


def environment_of_a_server(port: int, **changes: str) -> dict[str, str]:
    """Returns the environment of a gunicorn that serves this worker's test databases."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": database_url("default"),
        "ANALYTICS_DATABASE_URL": database_url("analytics"),
        "SECRET_KEY": settings.SECRET_KEY,
        "BIND": f"127.0.0.1:{port}",
        **changes,
    }


def environment_without_databases(**changes: str) -> dict[str, str]:
    """Returns the environment of a product that starts its own databases."""
    dropped = ("DATABASE_URL", "ANALYTICS_DATABASE_URL", "DJANGO_SETTINGS_MODULE")
    return {name: value for name, value in os.environ.items() if name not in dropped} | changes
