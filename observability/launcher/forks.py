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

from observability.launcher.children import ending, start_child
from observability.launcher.environment import ROOT
from observability.launcher.refused import Refused
from observability.launcher.supervisor import report

PR_SET_CHILD_SUBREAPER = 36  # from linux/prctl.h
# Loading the code takes seconds, on a busy machine many of them.
LOAD_SECONDS = 120
# Meanwhile no other server is looked after. A program that needs the code is tried again later.
WAIT_SECONDS = 10
# A fork takes milliseconds.
ANSWER_SECONDS = 10
ATTEMPTS = 2
END_SECONDS = 5
POLL_SECONDS = 0.02
REASON_IS_PRINTED = 1
"""The exit code of a server that has printed a line, or a traceback."""


class Unloaded(Refused):
    """The fork server has ended before it had loaded the code. It has printed the reason itself."""


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
    """The process that has loaded the code. It is kept running like the programs, so that it is there when one ends."""

    name = "The fork server"

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.channel = socket.socket()
        self.is_loaded = False
        self.started_at = time.monotonic()

    @contextmanager
    def running(self) -> Iterator["ForkServer"]:
        """Runs the server as long as the context is open. It has loaded the code when the context opens."""
        try:
            self.start()
            self.wait_until_loaded(LOAD_SECONDS)
            yield self
        finally:
            self.stop()

    def start(self) -> None:
        """Starts the server. It loads the code meanwhile, so that nobody waits who does not need it."""
        self.channel.close()
        self.channel, theirs = socket.socketpair()
        self.is_loaded, self.started_at = False, time.monotonic()
        with theirs:
            command = [sys.executable, "-m", "observability.launcher.fork_server", str(theirs.fileno())]
            self.process = start_child(command, signal.SIGTERM, pass_fds=[theirs.fileno()], cwd=ROOT)

    def ended(self) -> str | None:
        """Returns in words how the server ended; None while it runs. Kills one that loads for too long."""
        if not self.process:
            return "does not run"
        if (code := self.process.poll()) is not None:
            return ending(code)
        try:
            if time.monotonic() - self.started_at > LOAD_SECONDS:
                self.has_loaded(POLL_SECONDS)
        except TimeoutError:
            self.kill()
            return f"did not load the code within {LOAD_SECONDS} s and was killed"
        return None

    def wait_until_loaded(self, seconds: float) -> None:
        """Refuses if the server ends before, or needs longer."""
        try:
            if self.has_loaded(seconds):
                return
        except TimeoutError:
            raise Refused(f"the product's code is not loaded after {seconds} s; the machine may be busy.") from None
        # The server has closed its side of the channel: it ends.
        code = self.end()
        if code == REASON_IS_PRINTED:
            raise Unloaded("the product's code could not be loaded; the lines above give the reason.")
        raise Refused(f"the product's code could not be loaded: the process {ending(code or 0)}.")

    def has_loaded(self, seconds: float) -> bool:
        """Says whether the server has loaded the code; not if it ends. Raises TimeoutError after these seconds."""
        if not self.is_loaded:
            self.channel.settimeout(seconds)
            # A killed server resets the connection.
            with suppress(ConnectionError):
                self.is_loaded = bool(self.channel.recv(20))
        return self.is_loaded

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
        self.channel.close()
        self.end()

    def end(self) -> int | None:
        """Waits until the server ends by itself, and kills it if it does not. Returns its exit code."""
        if self.process:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(END_SECONDS)
        self.kill()
        return self.process.returncode if self.process else None

    def kill(self) -> None:
        self.channel.close()
        if self.process:
            self.process.kill()
            self.process.wait()

    def fork(self, command: Sequence[str], environment: dict[str, str]) -> Fork:
        """Runs a program. Starts the server again where it has ended or hangs. Refuses if no process can be made."""
        request = json.dumps({"command": command, "environment": environment}).encode() + b"\n"
        for _ in range(ATTEMPTS):
            if end := self.ended():
                report(f"{self.name} {end}. It is started again now.")
                self.start()
            self.wait_until_loaded(WAIT_SECONDS)
            if pid := self.ask(request):
                return Fork(pid)
        raise Refused("no process could be made from the loaded code; the machine may have no room for another one.")

    def ask(self, request: bytes) -> int:
        """Returns the process id of a new program; 0 if there is none. Kills a server that does not answer."""
        answer = b""
        with orphans_are_ours():
            try:
                self.channel.settimeout(ANSWER_SECONDS)
                self.channel.sendall(request)
                answer = self.channel.recv(20)
            except TimeoutError:
                report(f"{self.name} did not answer within {ANSWER_SECONDS} s and is killed.")
            except OSError:
                pass  # it has ended
        if not answer:
            self.kill()
        return int(answer or 0)


@contextmanager
def orphans_are_ours() -> Iterator[None]:
    """Lets this process become the parent of processes whose own parent ends, as init does elsewhere."""
    prctl = ctypes.CDLL(None).prctl
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0)
