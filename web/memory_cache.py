"""A cache in the process's memory, bounded in bytes. The entries that were not read for the longest time go first.

Django's own is bounded by its number of entries, and answers differ in size by a factor of ten thousand.
"""

import pickle
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from threading import RLock
from typing import Any, NamedTuple

from cachetools import TLRUCache
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

MAX_BYTES = 64 * 1024 * 1024
MAX_ENTRY_BYTES = 1024 * 1024
"""A larger value is not stored: it is computed again each time."""
ENTRY_OVERHEAD_BYTES = 500
"""What Python needs for an entry, in addition to the texts of its key and value."""


class Entry(NamedTuple):
    pickled: bytes
    size: int
    expires_at: float


class Memory(NamedTuple):
    """The entries of one cache, which all threads share."""

    entries: TLRUCache[str, Entry]
    lock: RLock


def new_memory() -> Memory:
    entries: TLRUCache[str, Entry] = TLRUCache(
        MAX_BYTES, ttu=lambda _, entry, now: entry.expires_at, timer=time.monotonic, getsizeof=lambda entry: entry.size
    )
    return Memory(entries, RLock())


memories: dict[str, Memory] = {}
"""By name of the cache: Django makes a cache for each thread."""


class MemoryCache(BaseCache):
    def __init__(self, name: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self.memory = memories.setdefault(name, new_memory())

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        with self.entries() as entries:
            entry = entries.get(self.make_and_validate_key(key, version=version))
        return default if entry is None else pickle.loads(entry.pickled)  # noqa: S301 (this process pickled it)

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        full_key = self.make_and_validate_key(key, version=version)
        pickled = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        with self.entries() as entries:
            entries.pop(full_key, None)
            if len(pickled) <= MAX_ENTRY_BYTES:
                entries[full_key] = self.entry(full_key, pickled, timeout)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        with self.entries():
            if is_new := not self.has_key(key, version):
                self.set(key, value, timeout, version)
            return is_new

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        full_key = self.make_and_validate_key(key, version=version)
        with self.entries() as entries:
            entry = entries.pop(full_key, None)
            if entry:
                entries[full_key] = self.entry(full_key, entry.pickled, timeout)
            return entry is not None

    def delete(self, key: str, version: int | None = None) -> bool:
        with self.entries() as entries:
            return entries.pop(self.make_and_validate_key(key, version=version), None) is not None

    def has_key(self, key: str, version: int | None = None) -> bool:
        with self.entries() as entries:
            return self.make_and_validate_key(key, version=version) in entries

    def clear(self) -> None:
        with self.entries() as entries:
            entries.clear()

    @contextmanager
    def entries(self) -> Iterator[TLRUCache[str, Entry]]:
        """Locks the cache: even reading changes the order of its entries."""
        with self.memory.lock:
            yield self.memory.entries

    def entry(self, full_key: str, pickled: bytes, timeout: Any) -> Entry:
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        expires_at = inf if seconds is None else time.monotonic() + seconds
        return Entry(pickled, len(full_key) + len(pickled) + ENTRY_OVERHEAD_BYTES, expires_at)
