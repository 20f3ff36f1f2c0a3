"""Lets only one product run from a folder: it locks a file, which contains the URL of the running product."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from observability.launcher.environment import VAR
from observability.launcher.refused import Refused

LOCK = VAR / "run.lock"


@contextmanager
def locked(path: Path, address: str) -> Iterator[None]:
    """Locks the file and writes the URL into it. Refuses if another process has the lock."""
    # Another user of the machine who could open the file could lock it too.
    path.touch(mode=0o600)
    path.chmod(0o600)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused("the product runs already from this folder; stop it first.") from error
        lock.truncate(0)
        print(address, end="", file=lock, flush=True)
        yield


def served_at(path: Path = LOCK) -> str | None:
    """Returns the URL at which `make run` of this folder serves; None if it does not run."""
    try:
        with path.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return path.read_text()
    except OSError:
        return None
    return None
