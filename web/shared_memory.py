"""Says whether the machine's shared memory has room: in containers it is often small, and a full one kills processes
that write to it with SIGBUS."""

import shutil
from pathlib import Path

FOLDER = Path("/dev/shm")  # noqa: S108
# Containers get 64 MB by default.
NEEDED_BYTES = 32 << 20


def has_room(folder: Path = FOLDER) -> bool:
    return folder.is_dir() and shutil.disk_usage(folder).free >= NEEDED_BYTES


def warning(instead: str, folder: Path = FOLDER) -> str:
    return (
        f"{folder} has less than {NEEDED_BYTES >> 20} MB free, so {instead} is used instead, which is slower. "
        "Give a container more with --shm-size=64m."
    )
