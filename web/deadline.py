"""How long a request may still wait for a database.

`statement_timeout` is kept by the server, and a server that hangs keeps nothing: this is kept by the client.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Time for what must still be tried when none is left: a rollback on a connection that works takes no longer.
GRACE_SECONDS = 0.5

_ends: ContextVar[float | None] = ContextVar("ends", default=None)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Within it every wait ends after so many seconds, or earlier where an outer one says so."""
    outer = _ends.get()
    ends = time.monotonic() + seconds
    token = _ends.set(ends if outer is None else min(ends, outer))
    try:
        yield
    finally:
        _ends.reset(token)


def left_seconds() -> float | None:
    """None: as long as it takes, as commands may."""
    ends = _ends.get()
    return None if ends is None else max(ends - time.monotonic(), GRACE_SECONDS)


def has_passed() -> bool:
    ends = _ends.get()
    return ends is not None and time.monotonic() > ends
