"""The counts of the workers lie in a folder that only the server's user can open, and that nobody can make before."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from django.conf import settings

from tests.servers import environment_of_a_server, free_port, wait_until_listening

pytestmark = pytest.mark.django_db(databases="__all__")

PARENTS = [Path("/dev/shm"), Path(tempfile.gettempdir())]  # noqa: S108


def test_the_folder_is_private_and_has_no_name_that_others_know() -> None:
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn"], env=environment_of_a_server(port), cwd=settings.BASE_DIR
    )
    try:
        wait_until_listening(port)
        name = f"observability-metrics-{server.pid}"
        [folder] = [path for parent in PARENTS if parent.is_dir() for path in parent.glob(f"{name}*")]
        assert folder.stat().st_mode & 0o777 == 0o700
        assert len(folder.name) >= len(f"{name}-") + 8
    finally:
        server.terminate()
        server.wait(20)
    assert not folder.exists()
