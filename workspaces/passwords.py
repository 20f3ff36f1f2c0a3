"""Hashes passwords one after the other.

A hash takes 100 MB of memory and a twentieth of a second, and anybody can cause one by signing in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher

from web.problems import unavailable

# Sign-ins at once, hashing or waiting. Each takes a thread, and most threads must stay free for other requests.
MAX_SIGN_INS = 8

_slots = BoundedSemaphore(MAX_SIGN_INS)
_hashing_lock = Lock()


@contextmanager
def hashing_slot() -> Iterator[None]:
    """Waits until no other password is hashed. Raises a 503 Problem when too many wait."""
    if not _slots.acquire(blocking=False):
        raise unavailable("Too many people are signing in at once. Try again shortly.", "sign_in")
    try:
        with _hashing_lock:
            yield
    finally:
        _slots.release()


class QueuedArgon2Hasher(Argon2PasswordHasher):
    def encode(self, *args: Any, **kwargs: Any) -> Any:
        with hashing_slot():
            return super().encode(*args, **kwargs)

    def verify(self, *args: Any, **kwargs: Any) -> Any:
        with hashing_slot():
            return super().verify(*args, **kwargs)
