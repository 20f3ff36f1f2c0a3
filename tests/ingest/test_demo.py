import os
import subprocess
import sys


def test_make_demo_starts_without_settings_in_its_environment() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    started = subprocess.run(
        [sys.executable, "-c", "import ingest.demo"], env=environment, capture_output=True, text=True
    )
    assert started.returncode == 0, started.stderr
