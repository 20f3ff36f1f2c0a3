"""Caches answers for their time to live, and computes them again earlier when newer traces have arrived.

A cached answer is never wrong after a change of a budget or time zone: the database then changes the workspace's epoch
in the same transaction. The epoch is part of each key, so that no process finds an answer from before the commit.

Requests for the same key compute it once: one of them computes, the others wait for its result. Other processes wait
too, by a lease in the shared cache.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from threading import Lock
from typing import Any, NamedTuple
from uuid import uuid4
from weakref import WeakValueDictionary

from django.core.cache import cache

from traces import arrivals
from web import deadline
from web.problems import unavailable
from workspaces.models import Workspace
from workspaces.request_slots import request_slot

# An answer is computed at most 1 % of the time, however fast spans arrive; at most 10 % where an open page would
# otherwise show new traces later than after 8 seconds.
RENEWAL_FACTOR = 100
FRESH_SECONDS = 1.0
LATEST_SECONDS, LATEST_FACTOR = 8.0, 10

# A request waits this long for another process, and then computes too. A lease expires a little later, in case its
# process was killed.
WAIT_SECONDS = 5.0
LEASE_SECONDS = 8.0
RETRY_SECONDS = 0.02


class Answer(NamedTuple):
    body: bytes
    """The endpoint's JSON."""
    is_hit: bool
    age_seconds: int = 0


class Entry(NamedTuple):
    body: str
    made_at: float
    took_seconds: float
    marker: str
    """Changes whenever traces arrive in the workspace. It is read before the computation."""


class KeyLock:
    """A lock that a WeakValueDictionary can have as a value."""

    def __init__(self) -> None:
        self.lock = Lock()


locks: WeakValueDictionary[str, KeyLock] = WeakValueDictionary()


def cached(workspace: Workspace, question_key: str, ttl_seconds: int, compute: Callable[[], bytes]) -> Answer:
    """Returns a cached answer that is fresh, else computes it. `workspace` has the epoch that this request read."""
    key = f"answer:{workspace.id}:{workspace.epoch}:{sha256(question_key.encode()).hexdigest()}"
    marker_key = arrivals.marker_key(workspace.id)
    values = cache.get_many([key, marker_key])
    marker = values.get(marker_key, "")
    if entry := fresh_entry(values.get(key), marker):
        return found(entry)
    with only_one_computes(key, lambda: fresh_entry(cache.get(key), marker)) as entry:
        if entry:
            return found(entry)
        started = time.monotonic()
        with request_slot(workspace.id):
            body = compute()
        took = time.monotonic() - started
        cache.set(key, list(Entry(body.decode(), time.time(), took, marker)), ttl_seconds)
    return Answer(body, is_hit=False)


def found(entry: Entry) -> Answer:
    return Answer(entry.body.encode(), is_hit=True, age_seconds=max(0, int(time.time() - entry.made_at)))


@contextmanager
def only_one_computes(key: str, look_up: Callable[[], Entry | None]) -> Iterator[Entry | None]:
    """Waits while another request computes, and yields its entry; None if this request must compute."""
    seconds_left = deadline.remaining_seconds()
    computing = locks.setdefault(key, KeyLock())  # this name keeps it alive while the lock is in use
    if not computing.lock.acquire(timeout=-1 if seconds_left is None else seconds_left):
        raise unavailable("The answer is being computed and takes long. Try again shortly.")
    try:
        with lease(f"lease:{key}", look_up) as entry:
            yield entry
    finally:
        computing.lock.release()


@contextmanager
def lease(name: str, look_up: Callable[[], Entry | None]) -> Iterator[Entry | None]:
    """Does the same as only_one_computes, between processes."""
    holder = uuid4().hex
    ends = time.monotonic() + min(WAIT_SECONDS, deadline.remaining_seconds() or WAIT_SECONDS)
    while not (is_ours := cache.add(name, holder, LEASE_SECONDS)) and time.monotonic() < ends:
        if entry := look_up():
            yield entry
            return
        time.sleep(RETRY_SECONDS)
    try:
        # Another process may have computed it just before this one got the lease.
        yield look_up()
    finally:
        if is_ours and cache.get(name) == holder:
            cache.delete(name)


def fresh_entry(values: list[Any] | None, marker: str) -> Entry | None:
    """Returns the entry with these values; None without values, or if newer traces have made the entry too old."""
    if values is None:
        return None
    entry = Entry(*values)
    age = time.time() - entry.made_at
    if entry.marker != marker and age > stale_after(entry.took_seconds):
        return None
    return entry


def stale_after(took_seconds: float) -> float:
    """Returns the age from which an answer is computed again, if newer traces have arrived."""
    latest = max(LATEST_SECONDS, LATEST_FACTOR * took_seconds)
    return max(FRESH_SECONDS, min(RENEWAL_FACTOR * took_seconds, latest))
