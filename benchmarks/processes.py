"""Starts servers as programs of their own, and measures what a server and all of its children take."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from observability.launcher.children import start_child

START_SECONDS = 600
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", "node_modules", "__pycache__", ".*_cache", ".env", "tests")


class Server:
    """A running server, and the seconds that it took until it answered."""

    def __init__(self, process: subprocess.Popen[bytes], started_in: float) -> None:
        self.process = process
        self.started_in = started_in

    def members(self) -> list[psutil.Process]:
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def memory(self) -> list[tuple[str, float]]:
        """Returns the command line of each process with its PSS in MB (1,000,000 bytes).

        Shared memory counts in parts, so that the sum counts each page once.
        """
        return [(" ".join(member.cmdline()).strip(), member.memory_full_info().pss / 1e6) for member in self.members()]

    def memory_mb(self) -> float:
        return sum(megabytes for _, megabytes in self.memory())


@contextmanager
def running(
    command: Sequence[str], url: str, folder: Path, environment: Mapping[str, str], core: int | None = None
) -> Iterator[Server]:
    """Runs a server until the context ends. On `core` alone, with its children, if one is named.

    Raises RuntimeError if it ends before the URL is answered with 200.
    """
    began = time.monotonic()
    with (folder / "output.log").open("wb") as log:
        process = start_child(command, signal.SIGTERM, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            if core is not None:
                psutil.Process(process.pid).cpu_affinity([core])  # before it has children
            while not is_answered(url):
                if process.poll() is not None or time.monotonic() - began > START_SECONDS:
                    raise RuntimeError(f"{command[0]} does not serve; {log.name} has its output")
                time.sleep(0.02)
            yield Server(process, time.monotonic() - began)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def is_answered(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 (of this machine)
            return bool(response.status == 200)
    except OSError:
        return False


def copy_checkout(checkout: Path, folder: Path) -> None:
    """Copies the code into the folder, so that it starts with a `var` of its own."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(checkout, folder, ignore=LEFT_OUT)


def launcher_command(port: int) -> tuple[list[str], str, dict[str, str]]:
    """Returns what `make run` starts, the URL at which it is ready, and its environment."""
    own = {name: value for name, value in os.environ.items() if "DATABASE" not in name}
    command = [sys.executable, "-m", "observability.launcher"]
    return command, f"http://127.0.0.1:{port}/readyz", own | {"PORT": str(port)}
