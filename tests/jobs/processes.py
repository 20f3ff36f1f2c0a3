"""Starts workers as processes of their own."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


# The clock looks more often, and jobs have another time after a signal.
PROGRAM = """
import django
django.setup()
from django.core.management import call_command
from jobs import worker
worker.TICK_SECONDS = 0.5
worker.GRACE_SECONDS = {grace_seconds}
call_command("worker")
"""


def start_worker(environment: Mapping[str, str], grace_seconds: float = 20) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(grace_seconds=grace_seconds)],
        cwd=ROOT,
        env={**environment, "DJANGO_SETTINGS_MODULE": "tests.jobs.settings"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running_worker(environment: Mapping[str, str], grace_seconds: float = 20) -> Iterator[subprocess.Popen[str]]:
    process = start_worker(environment, grace_seconds)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
