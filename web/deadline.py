"""Bounds how long a request waits for a database, and how long it renders.

PostgreSQL ends a slow statement itself; this also ends the wait for a server that hangs.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Time for a rollback after the deadline. On a connection that works, a rollback takes no longer.
GRACE_SECONDS = 0.5

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Ends every wait inside the block after this many seconds; an earlier outer deadline stays in force."""
    outer = _deadline.get()
    inner = time.monotonic() + seconds
    token = _deadline.set(inner if outer is None else min(inner, outer))
    try:
        yield
    finally:
        _deadline.reset(token)


@contextmanager
def suspended() -> Iterator[None]:
    """Lifts the deadline inside the block, which must be short: the message that the time is over has to be made."""
    token = _deadline.set(None)
    try:
        yield
    finally:
        _deadline.reset(token)


def remaining_seconds() -> float | None:
    """Returns the time until the deadline; None without a deadline, as in management commands."""
    deadline = _deadline.get()
    return None if deadline is None else max(deadline - time.monotonic(), GRACE_SECONDS)


def has_passed() -> bool:
    deadline = _deadline.get()
    return deadline is not None and time.monotonic() > deadline
