"""Runs a Python program of the product as a child."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from observability.launcher.children import ending, start_child
from observability.launcher.environment import ROOT, VAR
from observability.launcher.refused import Refused

# Longer than the servers give to what runs.
END_SECONDS = 30
# Twelve heartbeats: neither a slow start nor a busy machine may look like a fault.
SILENT_SECONDS = 60


class Process(Protocol):
    """Methods of `subprocess.Popen`."""

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


class Starter(Protocol):
    def __call__(self, command: Sequence[str], environment: dict[str, str]) -> Process:
        """Runs in a new process what `python` runs with these words, with these variables in its environment."""


def start_alone(command: Sequence[str], environment: dict[str, str]) -> Process:
    return start_child([sys.executable, *command], signal.SIGTERM, env=os.environ | environment, cwd=ROOT)


class Program:
    def __init__(self, start_process: Starter, name: str, command: Sequence[str], **environment: str) -> None:
        self.start_process = start_process
        self.name = name
        self.command = command
        self.environment = environment
        self.process: Process | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        try:
            self.start()
            yield
        finally:
            self.stop()

    def start(self) -> None:
        self.process = self.start_process(self.command, self.environment)
        while not self.is_ready():
            try:
                self.process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            raise Refused(f"{self.name[0].lower()}{self.name[1:]} did not start; the lines above give the reason.")

    def is_ready(self) -> bool:
        return True

    def ended(self) -> str | None:
        code = self.process.poll() if self.process else None
        return None if code is None else ending(code)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()


class JobWorker(Program):
    """A worker that touches a file as long as it does anything. One that hangs is killed."""

    def __init__(self, heartbeat: Path = VAR / "worker.heartbeat", start_process: Starter = start_alone) -> None:
        command = ["manage.py", "worker", f"--heartbeat={heartbeat}"]
        super().__init__(start_process, "The worker of background jobs", command)
        self.heartbeat = heartbeat
        self.last_beat = 0
        self.heard_at = time.monotonic()

    def start(self) -> None:
        self.heard_at = time.monotonic()
        super().start()

    def ended(self) -> str | None:
        end = super().ended()
        if end is None and self.is_silent():
            self.kill()
            return f"gave no sign of life for {SILENT_SECONDS} s and was killed"
        return end

    def is_silent(self) -> bool:
        """Says whether the file has not changed for long, by the clock of this process: that of files may jump."""
        beat = self.heartbeat.stat().st_mtime_ns if self.heartbeat.exists() else 0
        if beat != self.last_beat:
            self.last_beat, self.heard_at = beat, time.monotonic()
        return time.monotonic() - self.heard_at > SILENT_SECONDS


def run_to_its_end(start_process: Starter, command: Sequence[str]) -> int:
    """Runs a program that prints itself what it does. Returns its exit code."""
    program = Program(start_process, "The program", command)
    with program.running():
        assert program.process is not None  # noqa: S101 (it was started)
        return program.process.wait()
