"""The counts of the workers lie in a folder that only the server's user can open, and that nobody can make before."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from django.conf import settings

from tests.servers import LONG_SECONDS, environment_of_a_server, free_port, wait_until_listening
from web import metrics_folder

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
        server.wait(LONG_SECONDS)
    assert not folder.exists()


LOCK_AND_WAIT = """
import os, sys, time
from pathlib import Path
from web import metrics_folder
folder = metrics_folder.make(Path(sys.argv[1]))
os.utime(folder, (1, 1))
print(folder, flush=True)
time.sleep(60)
"""


def test_a_killed_servers_folder_is_removed_at_the_next_start(tmp_path: Path) -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", LOCK_AND_WAIT, str(tmp_path)], cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True
    )
    with server:
        assert server.stdout
        folder = Path(server.stdout.readline().strip())
        metrics_folder.remove_abandoned(tmp_path)
        assert folder.exists()  # its server runs
        server.kill()
        server.wait()
        metrics_folder.remove_abandoned(tmp_path)
        assert not folder.exists()


def test_a_folder_that_has_just_been_made_is_left_alone(tmp_path: Path) -> None:
    young = tmp_path / f"{metrics_folder.PREFIX}1-x"
    young.mkdir()
    metrics_folder.remove_abandoned(tmp_path)
    assert young.exists()
