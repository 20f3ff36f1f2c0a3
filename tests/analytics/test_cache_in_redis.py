"""Redis stopped, hung, flushed or read-only costs speed, never an answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core.cache import cache
from django_redis.cache import RedisCache

from observability.health import cache_state
from tests.redis_server import RedisServer
from tests.tenant import Tenant
from web import shared_cache

pytestmark = pytest.mark.django_db(databases="__all__")

OVERVIEW = "/api/v1/usage/overview"


@pytest.fixture
def redis(tmp_path: Path, settings: Any) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    settings.CACHES = {"default": shared_cache.settings_for(server.url)}
    yield server
    server.stop()


def total_calls(tenant: Tenant) -> int:
    response = tenant.client.get(OVERVIEW)
    assert response.status_code == 200
    return response.json()["total_calls"]


def test_answers_are_shared_through_redis(tenant: Tenant, redis: RedisServer) -> None:
    tenant.calls(2)
    assert tenant.client.get(OVERVIEW)["X-Cache"] == "miss"
    assert tenant.client.get(OVERVIEW)["X-Cache"] == "hit"
    client = cache.redis  # type: ignore[attr-defined]
    [key] = client.keys("answer:*")
    assert 0 < client.ttl(key) <= 300
    assert client.keys("lease:*") == []
    assert cache_state() == "ok"


def test_with_redis_stopped_the_processs_memory_stores_the_answers(tenant: Tenant, redis: RedisServer) -> None:
    redis.stop()
    tenant.calls(2, user_id="ada")
    assert tenant.ask("usage/top-users")["data"][0]["calls"] == 2
    assert tenant.client.get(OVERVIEW)["X-Cache"] == "miss"
    assert tenant.client.get(OVERVIEW)["X-Cache"] == "hit"
    assert cache_state() == "degraded"


def test_a_hung_redis_costs_one_timeout(tenant: Tenant, redis: RedisServer) -> None:
    assert total_calls(tenant) == 0
    redis.hang()
    with (
        patch.object(shared_cache, "PAUSE_SECONDS", 600),
        patch.object(RedisCache, "get_many", autospec=True, side_effect=RedisCache.get_many) as reads,
        patch.object(RedisCache, "set", autospec=True, side_effect=RedisCache.set) as writes,
    ):
        for _ in range(3):
            assert total_calls(tenant) == 0
    assert (reads.call_count, writes.call_count) == (1, 0)


def test_redis_is_used_again_when_it_is_back(tenant: Tenant, redis: RedisServer) -> None:
    redis.hang()
    total_calls(tenant)
    assert cache_state() == "degraded"
    redis.go_on()
    with patch.object(cache.breaker, "retry_at", 0.001):  # type: ignore[attr-defined]
        assert cache_state() == "ok"


def test_only_one_caller_at_a_time_tries_a_broken_redis() -> None:
    breaker = shared_cache.Breaker()
    breaker.record_failure(OSError("gone"))
    assert not breaker.allows_a_call()
    breaker.retry_at = 0.001
    assert [breaker.allows_a_call(), breaker.allows_a_call()] == [True, False]


def test_a_restarted_redis_is_noticed_without_a_failure(tenant: Tenant, redis: RedisServer) -> None:
    total_calls(tenant)
    redis.stop()
    redis.start()
    assert tenant.client.get(OVERVIEW)["X-Cache"] == "miss"
    assert cache_state() == "ok"


def test_a_flushed_redis_loses_only_cached_answers(tenant: Tenant, redis: RedisServer) -> None:
    tenant.client.get(OVERVIEW)
    redis.command("FLUSHALL")
    assert tenant.client.get(OVERVIEW)["X-Cache"] == "miss"
    assert tenant.client.get(OVERVIEW)["X-Cache"] == "hit"


def test_a_read_only_redis_is_replaced_by_memory(tenant: Tenant, redis: RedisServer) -> None:
    redis.command("REPLICAOF", "127.0.0.1", "1")
    assert tenant.client.get(OVERVIEW)["X-Cache"] == "miss"
    assert tenant.client.get(OVERVIEW)["X-Cache"] == "hit"
    assert cache_state() == "degraded"


def test_a_budget_set_while_redis_is_unreachable_is_effective_when_it_is_back(
    tenant: Tenant, redis: RedisServer
) -> None:
    assert tenant.client.get("/api/v1/cost/overview").json()["budget_limit_usd"] is None
    redis.hang()
    tenant.client.put("/api/v1/cost/budget", {"monthly_limit_usd": 7}, content_type="application/json")
    redis.go_on()
    with patch.object(cache.breaker, "retry_at", 0.001):  # type: ignore[attr-defined]
        assert tenant.client.get("/api/v1/cost/overview").json()["budget_limit_usd"] == 7.0
    assert cache_state() == "ok"


def test_the_lease_of_a_killed_process_ends(tenant: Tenant, redis: RedisServer) -> None:
    with patch("analytics.cache.uuid4") as name, patch("analytics.cache.WAIT_SECONDS", 0.05):
        name.return_value.hex = "mine"
        with patch.object(RedisCache, "add", return_value=False):
            assert total_calls(tenant) == 0


def test_a_request_waits_for_the_computation_of_another_process(tenant: Tenant, redis: RedisServer) -> None:
    total_calls(tenant)
    [key] = cache.redis.keys("answer:*")  # type: ignore[attr-defined]
    entry = cache.get(key)
    cache.delete(key)
    looks: list[Any] = [None, None, entry]
    with (
        patch.object(RedisCache, "add", return_value=False),
        patch.object(RedisCache, "get", side_effect=lambda *args: looks.pop(0)),
    ):
        assert tenant.client.get(OVERVIEW)["X-Cache"] == "hit"
    assert looks == []
