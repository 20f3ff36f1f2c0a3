"""The worker uses internals of gunicorn, so it runs with one version of gunicorn only."""

import subprocess
import sys
from pathlib import Path

from django.conf import settings
from gunicorn.config import Config

from web import pinned
from web.worker import GUNICORN_VERSION, MAX_FORM_BYTES, Worker

ROOT = Path(__file__).resolve().parents[2]
WITH_ANOTHER_GUNICORN = """
import web.pinned
web.pinned.version = lambda package: "27.0.2"
from gunicorn.app.wsgiapp import run
run()
"""


def test_requirements_pin_the_gunicorn_that_the_worker_was_written_for() -> None:
    assert f"gunicorn=={GUNICORN_VERSION}\n" in (ROOT / "requirements.in").read_text()
    assert pinned.version_fault("web/worker.py", "gunicorn", GUNICORN_VERSION) is None


def test_the_longest_form_is_that_of_django() -> None:
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE == MAX_FORM_BYTES


def test_gunicorn_loads_the_worker_as_configured() -> None:
    config = Config()
    config.set("worker_class", "web.worker.Worker")
    assert 'worker_class = "web.worker.Worker"' in (ROOT / "gunicorn.conf.py").read_text()
    assert config.worker_class is Worker


def test_the_server_does_not_start_with_another_version() -> None:
    server = subprocess.run(
        [sys.executable, "-c", WITH_ANOTHER_GUNICORN],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert server.returncode == 1
    reason = f"web/worker.py works with gunicorn {GUNICORN_VERSION} only, and gunicorn 27.0.2 is installed"
    assert reason in server.stderr
