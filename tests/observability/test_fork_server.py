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

from observability.launcher import forks
from observability.launcher.fork_server import remove_counts_of_ended
from observability.launcher.forks import ForkServer
from observability.launcher.refused import Refused
from observability.launcher.supervisor import Keeper
from tests.servers import LONG_SECONDS, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere programs are started alone")

LOADED = """
import os
from observability.launcher.fork_server import preload
preload()
from django.db import connections
print(len(os.listdir("/proc/self/task")), [each.connection for each in connections.all()])
"""

NO_ROOM = """
import os, socket
from pathlib import Path
from observability.launcher.fork_server import ForkServer
fork, server = os.fork, os.getpid()
def fork_of_a_full_machine():
    if {condition}:
        raise BlockingIOError("no room")
    return fork()
os.fork = fork_of_a_full_machine
print(ForkServer(socket.socket(), Path()).fork())
"""

STOPPED_AT_ONCE = """
import os, signal, socket
from pathlib import Path
from observability.launcher.exit_code import STOP_SIGNALS, stop
from observability.launcher.fork_server import ForkServer
fork, server = os.fork, os.getpid()
def fork_and_stop():
    if (pid := fork()) == 0 and os.getppid() != server:
        os.kill(os.getpid(), signal.SIGTERM)
    return pid
for number in STOP_SIGNALS:
    signal.signal(number, stop)
os.fork = fork_and_stop
forks = ForkServer(socket.socket(), Path())
if forks.fork() is None:
    print(signal.sigpending(), flush=True)
    forks.run_program(["never.py"], {})
assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_SETTINGS_MODULE", "observability.settings")
        patch.setattr(forks, "WAIT_SECONDS", LONG_SECONDS)
        with ForkServer().running() as running:
            yield running


@pytest.fixture
def loading_server() -> Iterator[ForkServer]:
    server = ForkServer()
    server.start()
    yield server
    server.stop()


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


def test_a_hanging_server_is_killed_and_started_again(
    server: ForkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.wait_until_loaded(LONG_SECONDS)
    assert server.process
    monkeypatch.setattr(forks, "ANSWER_SECONDS", 1)
    server.process.send_signal(signal.SIGSTOP)
    assert server.ask(b"") == 0
    monkeypatch.undo()
    assert server.fork(program(tmp_path, "sys.exit(7)"), {}).wait(LONG_SECONDS) == 7
    assert "The fork server did not answer within 1 s and is killed." in capsys.readouterr().err


def test_a_killed_server_loads_the_code_again_before_a_program_needs_it(
    server: ForkServer, capsys: pytest.CaptureFixture[str]
) -> None:
    keeper = Keeper(server)
    assert server.process
    killed = server.process.pid
    os.kill(killed, signal.SIGKILL)

    def is_replaced() -> bool:
        keeper.check()
        return server.process is not None and server.process.pid != killed

    until(is_replaced, "it is started again", 5)
    assert not server.is_loaded
    lines = capsys.readouterr().err
    assert "The fork server was killed by SIGKILL. It is started again now." in lines
    assert "The fork server runs again." in lines
    server.wait_until_loaded(LONG_SECONDS)


def test_a_program_that_cannot_be_forked_is_refused_after_two_attempts(
    server: ForkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[bytes] = []

    def ask(request: bytes) -> int:
        requests.append(request)
        return 0

    monkeypatch.setattr(server, "ask", ask)
    with pytest.raises(Refused, match="no process could be made"):
        server.fork(program(tmp_path, ""), {})
    assert len(requests) == 2


def test_a_program_does_not_wait_long_while_the_code_is_loaded(loading_server: ForkServer) -> None:
    with pytest.raises(Refused, match="is not loaded after"):
        loading_server.wait_until_loaded(0.01)


def test_a_server_that_loads_for_too_long_is_killed(
    loading_server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert loading_server.ended() is None
    monkeypatch.setattr(forks, "LOAD_SECONDS", 0)
    assert loading_server.ended() == "did not load the code within 0 s and was killed"


def test_a_server_that_is_killed_while_it_loads_is_named(loading_server: ForkServer) -> None:
    assert loading_server.process
    loading_server.process.kill()
    with pytest.raises(Refused, match=r"^the product's code could not be loaded: the process was killed by SIGKILL\.$"):
        loading_server.wait_until_loaded(LONG_SECONDS)


@pytest.mark.parametrize("condition", ["os.getpid() == server", "os.getpid() != server"])
def test_the_server_goes_on_where_there_is_no_room_for_a_process(condition: str) -> None:
    assert printed(NO_ROOM.format(condition=condition)) == "0"


def test_a_stop_signal_waits_until_a_fork_can_end_by_it() -> None:
    assert printed(STOPPED_AT_ONCE) == "{<Signals.SIGTERM: 15>}"


def printed(code: str) -> str:
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LONG_SECONDS)
    assert not found.stderr
    return found.stdout.strip()


def test_counts_of_programs_that_have_ended_are_removed(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    running, gone = tmp_path / f"counter_{os.getpid()}.db", tmp_path / f"gauge_all_{ended.pid}.db"
    for file in (running, gone):
        file.touch()
    remove_counts_of_ended(tmp_path)
    assert list(tmp_path.iterdir()) == [running]
