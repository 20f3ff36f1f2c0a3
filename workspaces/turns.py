"""How many requests of one workspace a process answers at once: a busy one must leave threads and connections
for the others."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from uuid import UUID

from django.conf import settings

from observability import metrics
from observability.problems import Problem

RETRY_AFTER_SECONDS = 1

_running: Counter[UUID] = Counter()
_lock = Lock()


@contextmanager
def turn(workspace_id: UUID) -> Iterator[None]:
    """Raises 429: waiting for a turn would hold the thread that the others need."""
    with _lock:
        if _running[workspace_id] >= settings.WORKSPACE_CONCURRENCY:
            metrics.BUSY.inc()
            raise Problem(
                429,
                f"This workspace has {settings.WORKSPACE_CONCURRENCY} requests running. Try again shortly.",
                headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
            )
        _running[workspace_id] += 1
    try:
        yield
    finally:
        with _lock:
            _running[workspace_id] -= 1
            if not _running[workspace_id]:
                del _running[workspace_id]
