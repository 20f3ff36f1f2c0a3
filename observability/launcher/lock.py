"""One product runs from a folder. A locked file says so, and holds the address where it serves."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from observability.launcher.ending import Refused
from observability.launcher.environment import VAR

LOCK = VAR / "run.lock"


@contextmanager
def locked(path: Path, address: str) -> Iterator[None]:
    """Holds the lock and writes the address into it. Refuses when another process holds it."""
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused("it runs already from this folder; stop that one first.") from error
        lock.truncate(0)
        print(address, end="", file=lock, flush=True)
        yield


def served_at(path: Path = LOCK) -> str | None:
    """Returns the address where `make run` of this folder serves now; None when it does not run."""
    try:
        with path.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return path.read_text()
    except OSError:
        return None
    return None
