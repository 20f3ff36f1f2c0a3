"""Other users of the machine do not reach the embedded PostgreSQL, and nothing of theirs or of the system changes."""

import os
import shutil
import socket
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import psycopg
import pytest

from observability.launcher import embedded
from observability.launcher.lock import locked
from observability.launcher.refused import Refused
from observability.launcher.server import Server
from tests.embedded_postgres import FAST
from tests.other_users import does_as, needs_root
from tests.public_folder import public_folder

STRANGER = "daemon"
# Longer than the path of a socket may be on any system.
LONG = "deep" * 30


@pytest.fixture
def public() -> Iterator[Path]:
    with public_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with public_folder() as folder:
        (folder / LONG).mkdir()
        with embedded.running(folder / LONG / "postgres", FAST) as server:
            yield server
        assert not server.socket.exists()
        # Nothing names the folder any more, in which another user could now run a server.
        assert embedded.socket_directory(server.data) == str(server.data)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def connect(server: Server) -> None:
    psycopg.connect(host=str(server.socket), user="postgres", dbname="postgres").close()


def test_the_socket_of_a_long_path_is_in_a_private_folder(server: Server) -> None:
    assert server.socket != server.data
    assert mode(server.socket) == 0o700
    assert mode(server.socket / ".s.PGSQL.5432") == 0o700
    assert embedded.socket_directory(server.data) == str(server.socket)
    connect(server)


@needs_root
def test_a_stranger_reaches_neither_socket_nor_data_nor_log(server: Server) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        tried = does_as(STRANGER, partial(client.connect, str(server.socket / ".s.PGSQL.5432")))
    assert "PermissionError" in tried
    assert "PermissionError" in does_as(STRANGER, (server.data / "PG_VERSION").read_text)
    assert "PermissionError" in does_as(STRANGER, server.log.read_text)


@needs_root
def test_a_stranger_who_reaches_the_socket_is_not_let_in(server: Server) -> None:
    """As if somebody had opened the folder."""
    server.socket.chmod(0o755)
    (server.socket / ".s.PGSQL.5432").chmod(0o777)
    try:
        assert "Peer authentication failed" in does_as(STRANGER, partial(connect, server))
        # The account that root's server runs as is no user of the database either.
        if server.account.is_other:
            assert "Peer authentication failed" in does_as(server.account.name, partial(connect, server))
    finally:
        (server.socket / ".s.PGSQL.5432").chmod(0o700)
        server.socket.chmod(0o700)


def test_the_server_listens_on_no_port(server: Server) -> None:
    with psycopg.connect(host=str(server.socket), user="postgres", dbname="postgres") as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


@needs_root
def test_a_server_that_root_starts_has_no_right_of_root(server: Server) -> None:
    for process in server.processes():
        status = Path(f"/proc/{process.pid}/status").read_text()
        assert 0 not in {*process.uids(), *process.gids()}
        assert "Groups:\t \n" in status or "Groups:\t\n" in status


@needs_root
def test_root_in_a_private_folder_is_told_what_to_do_and_nothing_changes(public: Path) -> None:
    private = public / "private"
    (private / "product" / "var").mkdir(parents=True)
    private.chmod(0o700)
    users = Path("/etc/passwd").read_text()
    with (
        pytest.raises(
            Refused, match=r"never runs as root, and the account .* cannot enter .*/private. Start the product"
        ),
        embedded.running(private / "product" / "var" / "postgres", FAST),
    ):
        pass
    assert [mode(folder) for folder in (public, private, private / "product")] == [0o755, 0o700, 0o755]
    assert list((private / "product" / "var").iterdir()) == []
    assert Path("/etc/passwd").read_text() == users


@needs_root
def test_root_in_a_folder_of_somebody_runs_the_server_as_its_owner(public: Path) -> None:
    """Their home is private, and they can enter it."""
    home = public / "home"
    (home / "var").mkdir(parents=True)
    home.chmod(0o700)
    shutil.chown(home, "nobody")
    assert Server(home / "var" / "postgres", FAST).account.name == "nobody"
    Server(home / "var" / "postgres", FAST).check_access()
    assert mode(home) == 0o700


@needs_root
def test_two_users_run_it_at_the_same_time(public: Path, server: Server) -> None:
    theirs = public / "theirs"
    theirs.mkdir()
    shutil.chown(theirs, STRANGER)

    def run() -> None:
        with embedded.running(theirs / "postgres", FAST) as second:
            connect(second)
            assert {process.username() for process in second.processes()} == {STRANGER}

    assert does_as(STRANGER, run) == ""
    connect(server)


def test_a_second_server_on_the_same_data_is_refused(server: Server) -> None:
    with pytest.raises(Refused, match="another process runs the PostgreSQL of"), embedded.running(server.data, FAST):
        pass
    connect(server)


def test_an_interrupted_start_leaves_no_folder(public: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("observability.launcher.server.INITDB", ["--encoding=nonsense"])
    with (
        pytest.raises(Refused, match=r"PostgreSQL cannot run on .*nonsense"),
        embedded.running(public / "postgres", FAST),
    ):
        pass
    assert [path.name for path in public.iterdir()] == ["postgres.run"]


def test_a_killed_server_starts_again_beside_its_children(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file names a process id that belongs to another program by now, and a hung child of it is still there."""
    monkeypatch.setattr("observability.launcher.server.END_SECONDS", 0.2)
    with psycopg.connect(host=str(server.socket), user="postgres", dbname="postgres") as connection:
        child = psutil.Process(connection.info.backend_pid)
        child.suspend()
        [postmaster] = server.postmaster()
        postmaster.kill()
        lock = server.data / "postmaster.pid"
        lock.write_text(lock.read_text().replace(str(postmaster.pid), str(os.getpid()), 1))
        server.start()
        assert child not in server.processes()
    connect(server)


def test_the_server_does_not_know_the_products_secrets(public: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "known to the product only")
    with embedded.running(public / "postgres", FAST) as server:
        assert server.process
        assert "SECRET_KEY" not in psutil.Process(server.process.pid).environ()


def test_only_its_user_can_lock_the_product(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    path.touch(mode=0o644)
    with locked(path, "http://127.0.0.1:8000"):
        assert mode(path) == 0o600
        assert path.read_text() == "http://127.0.0.1:8000"
