"""The programs of `make run` are forks of one process, and children of the process that asks for them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from observability.launcher.forks import ForkServer
from tests.servers import LONG_SECONDS, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere programs are started alone")

LOADED = """
import os
from observability.launcher.fork_server import preload
preload()
from django.db import connections
print(len(os.listdir("/proc/self/task")), [each.connection for each in connections.all()])
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_SETTINGS_MODULE", "observability.settings")
        with ForkServer().running() as running:
            yield running


def program(folder: Path, text: str) -> list[str]:
    path = folder / "program.py"
    path.write_text(f"import os, sys, time\n{text}")
    return [str(path), "word"]


def test_loading_starts_no_thread_and_opens_no_connection() -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "observability.settings"}
    found = subprocess.run([sys.executable, "-c", LOADED], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "1 [None, None]"


def test_a_program_gets_its_words_and_its_environment_and_its_code_is_known(server: ForkServer, tmp_path: Path) -> None:
    code = "sys.exit(40 + int(os.environ['ADDED']) if sys.argv[1:] == ['word'] and __name__ == '__main__' else 1)"
    assert server.fork(program(tmp_path, code), {"ADDED": "2"}).wait(LONG_SECONDS) == 42


def test_it_is_our_child_and_shows_its_command_and_ends_by_a_signal(server: ForkServer, tmp_path: Path) -> None:
    command = program(tmp_path, "time.sleep(60)")
    fork = server.fork(command, {})
    process = psutil.Process(fork.pid)
    assert process.ppid() == os.getpid()
    # There is room for as many bytes as the server's own command has.
    until(lambda: process.cmdline()[1] in command[0], "it shows its command")
    assert fork.poll() is None
    fork.terminate()
    assert fork.wait(LONG_SECONDS) == -signal.SIGTERM


def test_it_shares_the_code_with_the_server(server: ForkServer, tmp_path: Path) -> None:
    fork = server.fork(program(tmp_path, "time.sleep(60)"), {})
    time.sleep(1)
    memory = psutil.Process(fork.pid).memory_full_info()
    fork.kill()
    assert fork.wait(LONG_SECONDS) == -signal.SIGKILL
    assert memory.rss > 60e6
    assert memory.uss < 15e6


def test_a_killed_server_is_started_again(server: ForkServer, tmp_path: Path) -> None:
    assert server.process
    killed = server.process.pid
    server.process.kill()
    assert server.fork(program(tmp_path, "sys.exit(7)"), {}).wait(LONG_SECONDS) == 7
    assert server.process.pid != killed
