"""Starts workers as processes of their own."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


# The clock looks more often, and jobs have another time after a signal.
PROGRAM = """
import django
django.setup()
from django.core.management import call_command
from jobs import worker
worker.TICK_SECONDS = 0.5
worker.HEARTBEAT_SECONDS = 0.1
worker.GRACE_SECONDS = {grace_seconds}
worker.JOB_SECONDS = {job_seconds}
worker.START_EVERY_SECONDS = {start_every_seconds}
call_command("worker", *{arguments})
"""


def start_worker(
    environment: Mapping[str, str],
    grace_seconds: float = 20,
    job_seconds: float = 3600,
    start_every_seconds: float = 0.05,
    heartbeat: Path | None = None,
) -> subprocess.Popen[str]:
    arguments = [f"--heartbeat={heartbeat}"] if heartbeat else []
    program = PROGRAM.format(
        grace_seconds=grace_seconds,
        job_seconds=job_seconds,
        start_every_seconds=start_every_seconds,
        arguments=arguments,
    )
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**environment, "DJANGO_SETTINGS_MODULE": "tests.jobs.settings"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running_worker(environment: Mapping[str, str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    process = start_worker(environment, **options)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
