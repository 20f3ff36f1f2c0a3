import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from tests.given import Given
from tests.tools import tool

pytestmark = pytest.mark.django_db(databases="__all__")

OVERVIEW = "/api/v1/usage/overview"


@pytest.fixture
def redis(tmp_path: Path, settings: Any) -> Iterator[subprocess.Popen[bytes]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [tool("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    settings.CACHES = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": f"redis://127.0.0.1:{port}/0",
            "OPTIONS": {
                "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
                "IGNORE_EXCEPTIONS": True,
            },
        }
    }
    yield server
    server.terminate()
    server.wait()


def test_answers_are_shared_through_redis(given: Given, redis: subprocess.Popen[bytes]) -> None:
    given.calls(2)
    assert given.client.get(OVERVIEW)["X-Cache"] == "miss"
    assert given.client.get(OVERVIEW)["X-Cache"] == "hit"
    [key] = cache.keys("answer:*")
    assert 0 < cache.ttl(key) <= 300


def test_without_redis_answers_only_cost_more(given: Given, redis: subprocess.Popen[bytes]) -> None:
    redis.terminate()
    redis.wait()
    given.calls(2, user_id="ada")
    assert given.ask("usage/top-users")["data"][0]["calls"] == 2
    assert given.client.get(OVERVIEW)["X-Cache"] == "miss"
