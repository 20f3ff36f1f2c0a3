"""Caches in Redis while it works, else in the process's memory: without Redis pages are slower, but complete.

After a failure Redis is not used for some seconds, so that a Redis that hangs costs a single timeout. Do not use this
cache for anything that must be correct: an entry can be lost, and each process may have a different one.
"""

import logging
import time
from threading import Lock
from typing import Any

from django.core.cache.backends.base import BaseCache
from django_redis.cache import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

from web.memory_cache import MemoryCache

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 0.5
PAUSE_SECONDS = 5.0


def settings_for(url: str) -> dict[str, Any]:
    return {
        "BACKEND": "web.shared_cache.SharedCache",
        "LOCATION": url,
        "OPTIONS": {
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": TIMEOUT_SECONDS,
            "SOCKET_TIMEOUT": TIMEOUT_SECONDS,
            # One more attempt after a lost connection, because Redis may have been restarted; none after a timeout.
            "CONNECTION_POOL_KWARGS": {"retry": Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,))},
        },
    }


class Breaker:
    """Remembers that Redis failed. One exists for each server and process; Django makes a cache for each thread."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.retry_at = 0.0

    @property
    def is_open(self) -> bool:
        return self.retry_at > 0

    def allows_a_call(self) -> bool:
        if not self.is_open:
            return True
        with self.lock:
            if time.monotonic() < self.retry_at:
                return False
            self.retry_at = time.monotonic() + PAUSE_SECONDS  # only this caller tries again
            return True

    def record_failure(self, error: Exception) -> None:
        if not self.is_open:
            logger.warning("Redis does not answer, memory is used instead: %s", error)
        self.retry_at = time.monotonic() + PAUSE_SECONDS

    def record_success(self) -> None:
        if self.is_open:
            logger.warning("Redis answers again")
            self.retry_at = 0.0


breakers: dict[str, Breaker] = {}


class SharedCache(BaseCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self.redis: RedisCache = RedisCache(server, params)
        self.memory = MemoryCache(f"instead of {server}", {})
        self.breaker = breakers.setdefault(server, Breaker())

    @property
    def is_degraded(self) -> bool:
        return self.breaker.is_open

    def call(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        """Calls Redis. Calls the memory instead while Redis is not used, or if it fails."""
        if self.breaker.allows_a_call():
            try:
                result = getattr(self.redis, operation)(*args, **kwargs)
            except (RedisError, OSError) as error:  # timeouts of sockets are OSErrors
                self.breaker.record_failure(error)
            else:
                self.breaker.record_success()
                return result
        return getattr(self.memory, operation)(*args, **kwargs)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self.call("get", key, default, version)

    def get_many(self, keys: Any, version: int | None = None) -> Any:
        return self.call("get_many", keys, version)

    def set(self, key: str, value: Any, *args: Any, **kwargs: Any) -> Any:
        return self.call("set", key, value, *args, **kwargs)

    def add(self, key: str, value: Any, *args: Any, **kwargs: Any) -> Any:
        return self.call("add", key, value, *args, **kwargs)

    def touch(self, key: str, *args: Any, **kwargs: Any) -> Any:
        return self.call("touch", key, *args, **kwargs)

    def delete(self, key: str, version: int | None = None) -> Any:
        return self.call("delete", key, version)

    def has_key(self, key: str, version: int | None = None) -> Any:
        return self.call("has_key", key, version)

    def clear(self) -> None:
        self.call("clear")
        self.memory.clear()

    def close(self, **kwargs: Any) -> None:
        self.redis.close(**kwargs)
