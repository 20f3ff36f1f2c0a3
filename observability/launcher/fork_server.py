"""Loads the product's code once, and runs its programs as forks of itself: all of them share this memory.

`forks.py` starts it and asks for programs over a socket: docs/decisions/one-loaded-copy.md. It has no thread and no
connection, which a fork could not take over.
"""

import ctypes
import gc
import json
import os
import runpy
import shutil
import signal
import socket
import sys
import tempfile
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from observability.launcher.children import PR_SET_PDEATHSIG
from observability.launcher.exit_code import STOP_SIGNALS, exit_code
from web import malloc, metrics_folder, shared_memory

# What the programs need while nothing happens. What they import later each of them has for itself.
MODULES = (
    *("gunicorn.app.wsgiapp", "web.worker"),
    *("jobs.worker", "jobs.timetable", "jobs.management.commands.worker"),
)
ARG_START, ARG_END = 45, 46
"""Where /proc/self/stat has the addresses of the command line, after the name in parentheses (proc(5))."""


class ForkServer:
    def __init__(self, channel: socket.socket, metrics: Path) -> None:
        self.channel = channel
        self.metrics = metrics
        self.launcher = os.getppid()
        self.first_parent = 0
        self.program: dict[str, Any] | None = None
        """What this process runs, if it is a fork."""

    def serve(self) -> None:
        """Answers requests with the process id of a new fork, or 0. Returns in forks, and when the launcher ends."""
        preload()
        self.channel.sendall(b"loaded\n")
        with self.channel, self.channel.makefile("r", encoding="utf-8") as requests:
            for line in requests:
                remove_counts_of_ended(self.metrics)
                pid = self.fork()
                if pid is None:
                    self.program = json.loads(line)
                    return
                self.channel.sendall(b"%d\n" % pid)

    def fork(self) -> int | None:
        """Forks a process that becomes the launcher's, since its parent ends. Returns its id; None in the fork itself.

        Returns 0 where the machine has no room for another process.
        """
        reading, writing = os.pipe()
        # A stop signal waits until `run_program`: in a fork the server's own way to stop would be the wrong one.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        parent = fork_if_room()
        if parent == 0:
            self.first_parent = os.getpid()
            pid = fork_if_room()
            if pid != 0:
                end_parent(pid, writing)
            os.close(reading)
            os.close(writing)
            return None
        # Without it the reading would not end where nobody else writes.
        os.close(writing)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        if parent:
            os.waitpid(parent, 0)
        answer = os.read(reading, 20)
        os.close(reading)
        return int(answer or 0)

    def run_program(self, command: list[str], environment: dict[str, str]) -> None:
        """Runs in this process what `python` would run with these words."""
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        os.setsid()
        self.end_with_launcher()
        show_command([sys.executable, *command])
        os.environ.update(environment)
        gc.enable()
        if command[0] == "-m":
            sys.argv = command[1:]
            runpy.run_module(command[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = command
            runpy.run_path(command[0], run_name="__main__")

    def end_with_launcher(self) -> None:
        """Waits until this process is the launcher's, and lets it get SIGTERM when the launcher ends."""
        while os.getppid() == self.first_parent:
            time.sleep(0.001)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != self.launcher:
            sys.exit("The launcher has ended.")


def fork_if_room() -> int | None:
    """Returns what `os.fork` returns; None where the machine has no room for another process."""
    try:
        return os.fork()
    except OSError:
        return None


def end_parent(pid: int | None, writing: int) -> NoReturn:
    """Ends the process between the server and the program, which tells the server the program's id."""
    if pid is None:
        os._exit(1)
    with suppress(OSError):  # the server has been killed
        os.write(writing, b"%d" % pid)
    os._exit(0)


def remove_counts_of_ended(metrics: Path) -> None:
    """Removes what programs have counted that have ended: nobody reads it. The web server has a folder of its own."""
    for file in metrics.glob("*.db"):
        if not Path("/proc", file.stem.rpartition("_")[2]).exists():
            file.unlink(missing_ok=True)


def preload() -> None:
    """Imports the code, and hides it from the garbage collector: it would write into pages, and so copy them."""
    # Imported here: it needs the settings, whose faults `exit_code` shows.
    import django
    from django.conf import settings
    from django.urls import reverse

    gc.disable()
    django.setup()
    for name in [*MODULES, *(path.rpartition(".")[0] for path in settings.MIDDLEWARE)]:
        import_module(name)
    reverse("livez")  # it imports all views
    gc.collect()
    gc.freeze()


def show_command(words: list[str]) -> None:
    """Changes what `ps` shows: it would show the command of the fork server, which this process has taken over."""
    places = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, size = int(places[ARG_START]), int(places[ARG_END]) - int(places[ARG_START])
    shown = b"".join(os.fsencode(word) + b"\0" for word in words)[: size - 1]
    ctypes.memmove(start, shown.ljust(size, b"\0"), size)


def main() -> int:
    # Imported here: it needs Django.
    from observability.launcher.reasons import reason_of

    malloc.give_memory_back()
    # prometheus-client counts into files only if it finds a folder when it is imported. gunicorn makes its own.
    parent = shared_memory.FOLDER if shared_memory.has_room() else Path(tempfile.gettempdir())
    metrics = metrics_folder.make(parent)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)
    server = ForkServer(socket.socket(fileno=int(sys.argv[1])), metrics)
    code = exit_code(server.serve, reason_of)
    if server.program:
        server.run_program(**server.program)
    else:
        shutil.rmtree(metrics, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
