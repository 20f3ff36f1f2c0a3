"""A full /dev/shm kills each process that writes to it with SIGBUS, so the product keeps away from a small one."""

import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import pytest

from tests.servers import LONG_SECONDS, environment_of_a_server, free_port, wait_until_listening
from web import shared_memory

ROOT = Path(__file__).resolve().parents[2]
# Its own namespace of mounts: only this program sees the small folder.
SMALL = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=1m tmpfs /dev/shm && exec "$@"', "sh"]


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_the_web_server_serves_with_a_small_shared_memory_and_says_so_in_one_line() -> None:
    if subprocess.run([*SMALL, "true"], capture_output=True, check=False).returncode:
        pytest.skip("only root with the right to mount can make a small /dev/shm")
    port = free_port()
    command = [*SMALL, sys.executable, "-m", "gunicorn"]
    environment = environment_of_a_server(port)
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        wait_until_listening(port)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=LONG_SECONDS) as response:
            assert response.status == 200
    finally:
        server.terminate()
        _, lines = server.communicate(timeout=LONG_SECONDS)
    assert lines.count(shared_memory.warning(tempfile.gettempdir())) == lines.count("\n") == 1


def test_room_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shared_memory.has_room(tmp_path)
    assert not shared_memory.has_room(tmp_path / "missing")
    monkeypatch.setattr(shared_memory, "NEEDED_BYTES", 1 << 60)
    assert not shared_memory.has_room(tmp_path)


def test_a_web_server_that_cannot_start_leaves_no_folder() -> None:
    command = [sys.executable, "-m", "gunicorn"]
    server = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"BIND": "127.0.0.1:nonsense"}, stderr=subprocess.PIPE
    )
    _, lines = server.communicate(timeout=LONG_SECONDS)
    assert b"nonsense" in lines
    for folder in (shared_memory.FOLDER, Path(tempfile.gettempdir())):
        assert not (folder / f"observability-metrics-{server.pid}").exists()
