"""Bounds how many exports run at once: each holds a thread for as long as its client reads."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from uuid import UUID

from web.problems import Problem

OF_A_PROCESS, OF_A_WORKSPACE = 4, 2
RETRY_SECONDS = 30

_running: Counter[UUID] = Counter()
_lock = Lock()


@contextmanager
def export_slot(workspace_id: UUID) -> Iterator[None]:
    """Holds a place for one export. Raises a 429 Problem where there is none."""
    with _lock:
        if _running[workspace_id] >= OF_A_WORKSPACE:
            raise busy(f"This workspace has {OF_A_WORKSPACE} exports running.")
        if _running.total() >= OF_A_PROCESS:
            raise busy(f"This server has {OF_A_PROCESS} exports running.")
        _running[workspace_id] += 1
    try:
        yield
    finally:
        with _lock:
            _running[workspace_id] -= 1
            if not _running[workspace_id]:
                del _running[workspace_id]


def busy(reason: str) -> Problem:
    return Problem(429, f"{reason} Try again when one has ended.", headers={"Retry-After": str(RETRY_SECONDS)})
