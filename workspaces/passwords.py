"""Passwords, hashed one after the other: each takes 100 MB and a twentieth of a second, and anybody may ask for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher

from web.problems import unavailable

# Those that wait for their turn hold a thread: a flood of sign-ins must leave most of them to the others.
PLACES = 8

_places = BoundedSemaphore(PLACES)
_one_at_a_time = Lock()


@contextmanager
def hashing_slot() -> Iterator[None]:
    if not _places.acquire(blocking=False):
        raise unavailable("Too many people are signing in at once. Try again shortly.", "sign_in")
    try:
        with _one_at_a_time:
            yield
    finally:
        _places.release()


class OneAtATime(Argon2PasswordHasher):
    def encode(self, *args: Any, **kwargs: Any) -> Any:
        with hashing_slot():
            return super().encode(*args, **kwargs)

    def verify(self, *args: Any, **kwargs: Any) -> Any:
        with hashing_slot():
            return super().verify(*args, **kwargs)
