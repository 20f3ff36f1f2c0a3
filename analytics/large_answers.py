"""Lets a process make one large answer at a time.

An answer of 20,000 points takes up to 50 MB while it is made and shown. Python makes it with one processor, so many at
once would take as long as one after the other.
"""

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock
from uuid import UUID

from django.conf import settings

from web import deadline, prometheus
from web.problems import Problem, unavailable
from workspaces.request_slots import BUSY_RETRY_SECONDS

LARGE_POINTS = 2_000
TOO_MANY = "Too many large answers are asked for at once. Try again shortly, or ask for fewer points."

_making = Lock()
_requests: Counter[UUID] = Counter()
"""The requests that make a large answer or wait for it, by workspace. Each has a thread."""
_lock = Lock()


def large_slot(points: int, workspace_id: UUID) -> AbstractContextManager[None]:
    """Waits until no other large answer is made, if an answer of so many points is large.

    Raises a 503 Problem when too many wait: a waiting request holds a thread that small answers need.
    """
    return only_large_answer(workspace_id) if points > LARGE_POINTS else nullcontext()


@contextmanager
def only_large_answer(workspace_id: UUID) -> Iterator[None]:
    with place(workspace_id):
        seconds_left = deadline.remaining_seconds()
        if not _making.acquire(timeout=-1 if seconds_left is None else seconds_left):
            raise unavailable("Other large answers take long. Try again shortly.", "deadline")
        try:
            yield
        finally:
            gc.collect()  # the contexts of a template refer to themselves, and so hold the answer
            _making.release()


@contextmanager
def place(workspace_id: UUID) -> Iterator[None]:
    """Counts the request. Other workspaces have a quarter of the places left."""
    most = settings.WORKSPACE_CONCURRENCY
    with _lock:
        if _requests.total() >= most:
            raise unavailable(TOO_MANY, "large_answers")
        if _requests[workspace_id] >= max(1, most * 3 // 4):
            headers = {"Retry-After": str(BUSY_RETRY_SECONDS)}
            raise Problem(429, TOO_MANY, headers=headers, counter=prometheus.BUSY)
        _requests[workspace_id] += 1
    try:
        yield
    finally:
        with _lock:
            _requests[workspace_id] -= 1
            if not _requests[workspace_id]:
                del _requests[workspace_id]
