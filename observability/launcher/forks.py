"""Starts the product's programs as forks of one process that has loaded its code: docs/decisions/one-loaded-copy.md."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from observability.launcher.children import start_child
from observability.launcher.environment import ROOT
from observability.launcher.refused import Refused

PR_SET_CHILD_SUBREAPER = 36  # from linux/prctl.h
# Loading the code takes seconds, on a busy machine many of them.
ANSWER_SECONDS = 120
END_SECONDS = 5
POLL_SECONDS = 0.02


class Unloaded(Refused):
    """The fork server has ended. It has printed the reason itself."""


class Fork:
    """A program that was forked, with the methods of `subprocess.Popen` that the launcher uses."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Returns the exit code. Raises subprocess.TimeoutExpired if the program still runs after these seconds."""
        ends = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if ends is not None and time.monotonic() > ends:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(POLL_SECONDS)
        return code

    def terminate(self) -> None:
        self.send(signal.SIGTERM)

    def kill(self) -> None:
        self.send(signal.SIGKILL)

    def send(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


class ForkServer:
    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.channel = socket.socket()

    @contextmanager
    def running(self) -> Iterator["ForkServer"]:
        try:
            self.start()
            yield self
        finally:
            self.stop()

    def start(self) -> None:
        """Starts the server, and waits until it has loaded the code. Refuses if it ends before."""
        self.channel.close()
        self.channel, theirs = socket.socketpair()
        self.channel.settimeout(ANSWER_SECONDS)
        with theirs:
            command = [sys.executable, "-m", "observability.launcher.fork_server", str(theirs.fileno())]
            self.process = start_child(command, signal.SIGTERM, pass_fds=[theirs.fileno()], cwd=ROOT)
        if not self.answer():
            raise Unloaded("the product's code could not be loaded; the lines above give the reason.")

    def answer(self) -> bytes:
        """Returns what the server sends next; nothing where it has ended, or hangs."""
        with suppress(OSError):
            return self.channel.recv(20)
        return b""

    def stop(self) -> None:
        self.channel.close()
        if self.process:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(END_SECONDS)
            self.process.kill()
            self.process.wait()

    def fork(self, command: Sequence[str], environment: dict[str, str]) -> Fork:
        """Runs a program. Starts the server again first where it has ended."""
        request = json.dumps({"command": command, "environment": environment}).encode() + b"\n"
        while True:
            with suppress(OSError), orphans_are_ours():
                self.channel.sendall(request)
                if answer := self.answer():
                    return Fork(int(answer))
            self.stop()
            self.start()


@contextmanager
def orphans_are_ours() -> Iterator[None]:
    """Lets this process become the parent of processes whose own parent ends, as init does elsewhere."""
    prctl = ctypes.CDLL(None).prctl
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0)
