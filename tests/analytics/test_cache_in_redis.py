"""Redis stopped, hung, flushed or read-only costs speed, never an answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core.cache import cache
from django_redis.cache import RedisCache

from observability.health import cache_state
from tests.given import Given
from tests.redis_server import RedisServer
from web import shared_cache

pytestmark = pytest.mark.django_db(databases="__all__")

OVERVIEW = "/api/v1/usage/overview"


@pytest.fixture
def redis(tmp_path: Path, settings: Any) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    settings.CACHES = {"default": shared_cache.settings_for(server.url)}
    yield server
    server.stop()


def total_calls(given: Given) -> int:
    response = given.client.get(OVERVIEW)
    assert response.status_code == 200
    return response.json()["total_calls"]


def test_answers_are_shared_through_redis(given: Given, redis: RedisServer) -> None:
    given.calls(2)
    assert given.client.get(OVERVIEW)["X-Cache"] == "miss"
    assert given.client.get(OVERVIEW)["X-Cache"] == "hit"
    client = cache.redis  # type: ignore[attr-defined]
    [key] = client.keys("answer:*")
    assert 0 < client.ttl(key) <= 300
    assert client.keys("lease:*") == []
    assert cache_state() == "ok"


def test_with_redis_stopped_the_processs_memory_keeps_the_answers(given: Given, redis: RedisServer) -> None:
    redis.stop()
    given.calls(2, user_id="ada")
    assert given.ask("usage/top-users")["data"][0]["calls"] == 2
    assert given.client.get(OVERVIEW)["X-Cache"] == "miss"
    assert given.client.get(OVERVIEW)["X-Cache"] == "hit"
    assert cache_state() == "degraded"


def test_a_hung_redis_costs_one_timeout(given: Given, redis: RedisServer) -> None:
    assert total_calls(given) == 0
    redis.hang()
    with (
        patch.object(shared_cache, "PAUSE_SECONDS", 600),
        patch.object(RedisCache, "get_many", autospec=True, side_effect=RedisCache.get_many) as reads,
        patch.object(RedisCache, "set", autospec=True, side_effect=RedisCache.set) as writes,
    ):
        for _ in range(3):
            assert total_calls(given) == 0
    assert (reads.call_count, writes.call_count) == (1, 0)


def test_redis_is_used_again_when_it_is_back(given: Given, redis: RedisServer) -> None:
    redis.hang()
    total_calls(given)
    assert cache_state() == "degraded"
    redis.go_on()
    with patch.object(cache.breaker, "retry_at", 0.001):  # type: ignore[attr-defined]
        assert cache_state() == "ok"


def test_only_one_caller_at_a_time_tries_a_broken_redis() -> None:
    breaker = shared_cache.Breaker()
    breaker.failed(OSError("gone"))
    assert not breaker.allows_a_call()
    breaker.retry_at = 0.001
    assert [breaker.allows_a_call(), breaker.allows_a_call()] == [True, False]


def test_a_restarted_redis_is_noticed_without_a_failure(given: Given, redis: RedisServer) -> None:
    total_calls(given)
    redis.stop()
    redis.start()
    assert given.client.get(OVERVIEW)["X-Cache"] == "miss"
    assert cache_state() == "ok"


def test_a_flushed_redis_only_forgets(given: Given, redis: RedisServer) -> None:
    given.client.get(OVERVIEW)
    redis.command("FLUSHALL")
    assert given.client.get(OVERVIEW)["X-Cache"] == "miss"
    assert given.client.get(OVERVIEW)["X-Cache"] == "hit"


def test_a_read_only_redis_is_replaced_by_memory(given: Given, redis: RedisServer) -> None:
    redis.command("REPLICAOF", "127.0.0.1", "1")
    assert given.client.get(OVERVIEW)["X-Cache"] == "miss"
    assert given.client.get(OVERVIEW)["X-Cache"] == "hit"
    assert cache_state() == "degraded"


def test_a_budget_set_while_redis_is_away_is_true_when_it_is_back(given: Given, redis: RedisServer) -> None:
    assert given.client.get("/api/v1/cost/overview").json()["budget_limit_usd"] is None
    redis.hang()
    given.client.put("/api/v1/cost/budget", {"monthly_limit_usd": 7}, content_type="application/json")
    redis.go_on()
    with patch.object(cache.breaker, "retry_at", 0.001):  # type: ignore[attr-defined]
        assert given.client.get("/api/v1/cost/overview").json()["budget_limit_usd"] == 7.0
    assert cache_state() == "ok"


def test_a_killed_processs_lease_holds_nobody_for_ever(given: Given, redis: RedisServer) -> None:
    with patch("analytics.cache.uuid4") as name, patch("analytics.cache.WAIT_SECONDS", 0.05):
        name.return_value.hex = "mine"
        with patch.object(RedisCache, "add", return_value=False):
            assert total_calls(given) == 0


def test_what_another_process_computes_is_waited_for(given: Given, redis: RedisServer) -> None:
    total_calls(given)
    [key] = cache.redis.keys("answer:*")  # type: ignore[attr-defined]
    entry = cache.get(key)
    cache.delete(key)
    looks: list[Any] = [None, None, entry]
    with (
        patch.object(RedisCache, "add", return_value=False),
        patch.object(RedisCache, "get", side_effect=lambda *args: looks.pop(0)),
    ):
        assert given.client.get(OVERVIEW)["X-Cache"] == "hit"
    assert looks == []
