"""Bounds how many requests of one workspace a process answers at once.

A busy workspace must leave threads and database connections for the others.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from uuid import UUID

from django.conf import settings

from web import prometheus
from web.problems import Problem

BUSY_RETRY_SECONDS = 1

_running: Counter[UUID] = Counter()
_lock = Lock()


@contextmanager
def request_slot(workspace_id: UUID) -> Iterator[None]:
    """Holds one of the workspace's slots. Raises a 429 Problem when all are taken.

    It does not wait: waiting would hold a thread that the others need.
    """
    with _lock:
        if _running[workspace_id] >= settings.WORKSPACE_CONCURRENCY:
            raise Problem(
                429,
                f"This workspace has {settings.WORKSPACE_CONCURRENCY} requests running. Try again shortly.",
                headers={"Retry-After": str(BUSY_RETRY_SECONDS)},
                counter=prometheus.BUSY,
            )
        _running[workspace_id] += 1
    try:
        yield
    finally:
        with _lock:
            _running[workspace_id] -= 1
            if not _running[workspace_id]:
                del _running[workspace_id]
