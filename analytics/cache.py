"""Answers are kept for their tier, and recomputed earlier when the budget changed or newer traces arrived.

One computation per key: while one request computes, others with the same key wait for its result.
"""

import time
from collections.abc import Callable
from hashlib import sha256
from threading import Lock
from typing import NamedTuple
from uuid import UUID, uuid4
from weakref import WeakValueDictionary

from django.core.cache import cache

# With traces arriving all the time an answer is renewed so seldom that computing it takes 1 % of the time.
RENEWAL_FACTOR = 100
FRESH_SECONDS = 1.0

EPOCH_SECONDS = 7 * 24 * 3600


class Answer(NamedTuple):
    body: bytes
    """The endpoint's JSON."""
    hit: bool


class Entry(NamedTuple):
    body: str
    made_at: float
    took_seconds: float
    traces: str
    """The traces marker before computing."""


class KeyLock:
    """A lock that a WeakValueDictionary can hold."""

    def __init__(self) -> None:
        self.lock = Lock()


locks: WeakValueDictionary[str, KeyLock] = WeakValueDictionary()


def budget_changed(workspace_id: UUID) -> None:
    """Every answer of the workspace is computed anew, on every worker."""
    cache.set(f"epoch:{workspace_id}", uuid4().hex, EPOCH_SECONDS)


def traces_arrived(workspace_id: UUID) -> None:
    cache.set(f"traces:{workspace_id}", uuid4().hex, EPOCH_SECONDS)


def cached(workspace_id: UUID, question: str, tier_seconds: int, compute: Callable[[], bytes]) -> Answer:
    markers = cache.get_many([f"epoch:{workspace_id}", f"traces:{workspace_id}"])
    epoch = markers.get(f"epoch:{workspace_id}", "")
    traces = markers.get(f"traces:{workspace_id}", "")
    key = f"answer:{workspace_id}:{epoch}:{sha256(question.encode()).hexdigest()}"
    entry = fresh(key, traces)
    if entry:
        return Answer(entry.body.encode(), hit=True)
    computing = locks.setdefault(key, KeyLock())  # held by name, or it would be gone before the lock is
    with computing.lock:
        # Another thread may have computed it while this one waited.
        entry = fresh(key, traces)
        if entry:
            return Answer(entry.body.encode(), hit=True)
        started = time.monotonic()
        body = compute()
        took = time.monotonic() - started
        cache.set(key, list(Entry(body.decode(), time.time(), took, traces)), tier_seconds)
    return Answer(body, hit=False)


def fresh(key: str, traces: str) -> Entry | None:
    kept = cache.get(key)
    if kept is None:
        return None
    entry = Entry(*kept)
    age = time.time() - entry.made_at
    if entry.traces != traces and age > max(FRESH_SECONDS, RENEWAL_FACTOR * entry.took_seconds):
        return None
    return entry
