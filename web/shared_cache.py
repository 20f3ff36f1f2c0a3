"""Redis while it answers, else the process's memory: a Redis that is away or hung costs speed, never an answer.

After a failure Redis is left alone for some seconds, so that one that hangs costs a single timeout. Nothing that must
be true may rest on it: what is kept here can be lost, and each process may hold something else.
"""

import logging
import time
from threading import Lock
from typing import Any

from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django_redis.cache import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 0.5
LEFT_ALONE_SECONDS = 5.0
MEMORY_ENTRIES = 10_000


def settings_for(url: str) -> dict[str, Any]:
    return {
        "BACKEND": "web.shared_cache.SharedCache",
        "LOCATION": url,
        "OPTIONS": {
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": TIMEOUT_SECONDS,
            "SOCKET_TIMEOUT": TIMEOUT_SECONDS,
            # Once again after a lost connection, since Redis may have been restarted; never after a timeout.
            "CONNECTION_POOL_KWARGS": {"retry": Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,))},
        },
    }


class Breaker:
    """One per server and process; Django makes a cache object for each thread."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.retry_at = 0.0

    @property
    def is_open(self) -> bool:
        return self.retry_at > 0

    def lets_through(self) -> bool:
        if not self.is_open:
            return True
        with self.lock:
            if time.monotonic() < self.retry_at:
                return False
            self.retry_at = time.monotonic() + LEFT_ALONE_SECONDS  # this caller alone tries, the others go on without
            return True

    def failed(self, error: Exception) -> None:
        if not self.is_open:
            logger.warning("Redis does not answer, memory is used instead: %s", error)
        self.retry_at = time.monotonic() + LEFT_ALONE_SECONDS

    def succeeded(self) -> None:
        if self.is_open:
            logger.warning("Redis answers again")
            self.retry_at = 0.0


breakers: dict[str, Breaker] = {}


class SharedCache(BaseCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self.redis: RedisCache = RedisCache(server, params)
        self.memory = LocMemCache(f"instead of {server}", {"OPTIONS": {"MAX_ENTRIES": MEMORY_ENTRIES}})
        self.breaker = breakers.setdefault(server, Breaker())

    @property
    def is_degraded(self) -> bool:
        return self.breaker.is_open

    def tried(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        if self.breaker.lets_through():
            try:
                answer = getattr(self.redis, operation)(*args, **kwargs)
            except (RedisError, OSError) as error:  # OSError holds the sockets' timeouts
                self.breaker.failed(error)
            else:
                self.breaker.succeeded()
                return answer
        return getattr(self.memory, operation)(*args, **kwargs)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self.tried("get", key, default, version)

    def get_many(self, keys: Any, version: int | None = None) -> Any:
        return self.tried("get_many", keys, version)

    def set(self, key: str, value: Any, *args: Any, **kwargs: Any) -> Any:
        return self.tried("set", key, value, *args, **kwargs)

    def add(self, key: str, value: Any, *args: Any, **kwargs: Any) -> Any:
        return self.tried("add", key, value, *args, **kwargs)

    def touch(self, key: str, *args: Any, **kwargs: Any) -> Any:
        return self.tried("touch", key, *args, **kwargs)

    def delete(self, key: str, version: int | None = None) -> Any:
        return self.tried("delete", key, version)

    def has_key(self, key: str, version: int | None = None) -> Any:
        return self.tried("has_key", key, version)

    def clear(self) -> None:
        self.tried("clear")
        self.memory.clear()

    def close(self, **kwargs: Any) -> None:
        self.redis.close(**kwargs)
