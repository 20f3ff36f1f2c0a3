import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def public_folder() -> Iterator[Path]:
    """Makes a folder that every user may enter: when root runs the tests, the database server is another user.

    Pytest's own folders are private, and each run of pytest closes them again.
    """
    folder = Path(tempfile.mkdtemp(prefix="observability-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
