"""Makes the folder in which the workers count, and removes those that killed servers have left.

It does not import Django, because gunicorn's configuration uses it.
"""

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

PREFIX = "observability-metrics-"
# A younger folder may belong to a server that is just starting, and has not locked it yet.
YOUNG_SECONDS = 60


def make(parent: Path) -> Path:
    """Makes a folder that only this user may open. Its lock lasts as long as this process, or a worker of it."""
    remove_abandoned(parent)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))
    fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_SH)  # never closed
    return folder


def is_of_this_process(folder: Path) -> bool:
    return folder.name.startswith(f"{PREFIX}{os.getpid()}-")


def remove_abandoned(parent: Path) -> None:
    """Removes this user's folders that no process has locked: the system ends the locks of killed servers."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            state = folder.lstat()
            if state.st_uid == os.geteuid() and time.time() - state.st_mtime > YOUNG_SECONDS:
                remove_if_unlocked(folder)


def remove_if_unlocked(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    finally:
        os.close(descriptor)
