"""Answers are kept for their tier, and recomputed earlier when the workspace changed or newer traces arrived.

Truth never depends on the cache: a key holds the workspace's epoch, which the database moves together with a budget or
a time zone, so that no reader after the commit finds an answer from before it, in whatever process.

One computation per key: while one request computes, others with the same key wait for its result, those of other
processes by a lease in the shared cache.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from threading import Lock
from typing import NamedTuple
from uuid import uuid4
from weakref import WeakValueDictionary

from django.core.cache import cache

from traces import arrivals
from web import deadline
from web.problems import unavailable
from workspaces.models import Workspace
from workspaces.request_slots import request_slot

# With traces arriving all the time an answer is renewed so seldom that computing it takes 1 % of the time.
RENEWAL_FACTOR = 100
FRESH_SECONDS = 1.0

# Whoever waits longer for another process computes too; a lease is forgotten a little later, should its process have
# been killed.
WAIT_SECONDS = 5.0
LEASE_SECONDS = 8.0
LOOK_SECONDS = 0.02


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


def cached(workspace: Workspace, question: str, tier_seconds: int, compute: Callable[[], bytes]) -> Answer:
    """The workspace as this request read it."""
    key = f"answer:{workspace.id}:{workspace.epoch}:{sha256(question.encode()).hexdigest()}"
    marker = arrivals.marker_key(workspace.id)
    kept = cache.get_many([key, marker])
    traces = kept.get(marker, "")
    if entry := fresh(kept.get(key), traces):
        return Answer(entry.body.encode(), hit=True)
    with alone(key, lambda: fresh(cache.get(key), traces)) as entry:
        if entry:
            return Answer(entry.body.encode(), hit=True)
        started = time.monotonic()
        with request_slot(workspace.id):
            body = compute()
        took = time.monotonic() - started
        cache.set(key, list(Entry(body.decode(), time.time(), took, traces)), tier_seconds)
    return Answer(body, hit=False)


@contextmanager
def alone(key: str, look: Callable[[], Entry | None]) -> Iterator[Entry | None]:
    """What another request computed meanwhile; else None, and the turn to compute."""
    left = deadline.left_seconds()
    computing = locks.setdefault(key, KeyLock())  # held by name, or it would be gone before the lock is
    if not computing.lock.acquire(timeout=-1 if left is None else left):
        raise unavailable("The answer is being computed and takes long. Try again shortly.")
    try:
        with lease(f"lease:{key}", look) as entry:
            yield entry
    finally:
        computing.lock.release()


@contextmanager
def lease(name: str, look: Callable[[], Entry | None]) -> Iterator[Entry | None]:
    """The same among processes."""
    holder = uuid4().hex
    ends = time.monotonic() + min(WAIT_SECONDS, deadline.left_seconds() or WAIT_SECONDS)
    while not (is_held := cache.add(name, holder, LEASE_SECONDS)) and time.monotonic() < ends:
        if entry := look():
            yield entry
            return
        time.sleep(LOOK_SECONDS)
    try:
        # It may have been computed just before the lease was to be had.
        yield look()
    finally:
        if is_held and cache.get(name) == holder:
            cache.delete(name)


def fresh(kept: list[object] | None, traces: str) -> Entry | None:
    if kept is None:
        return None
    entry = Entry(*kept)  # type: ignore[arg-type]
    age = time.time() - entry.made_at
    if entry.traces != traces and age > max(FRESH_SECONDS, RENEWAL_FACTOR * entry.took_seconds):
        return None
    return entry
