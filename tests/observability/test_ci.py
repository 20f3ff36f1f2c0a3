"""The workflow on GitHub runs the same commands as developers, on the versions that the product ships with."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


def jobs() -> dict[str, Any]:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    assert workflow[True] == {"push": {"branches": ["main"]}, "pull_request": None}  # YAML reads `on` as true
    found: dict[str, Any] = workflow["jobs"]
    return found


def commands(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def test_the_workflow_runs_the_two_commands_that_anyone_runs() -> None:
    assert commands(jobs()["check-and-test"]) == ["bash .ci/install", "make check", "make test"]
    script = (ROOT / ".ci/run").read_text()
    assert re.findall(r"^(?:bash|make) .*", script, re.MULTILINE) == ["bash .ci/install", "make check", "make test"]


@pytest.mark.parametrize("job", ["check-and-test", "timescaledb"])
def test_the_python_of_the_workflow_is_that_of_the_image_and_the_oldest_allowed(job: str) -> None:
    [version, minor] = re.findall(r"^FROM python:((\d+\.\d+)\.\d+)-", (ROOT / "Dockerfile").read_text())[0]
    assert jobs()[job]["container"]["image"].startswith(f"python:{version}-")
    assert f'requires-python = ">={minor}"' in (ROOT / "pyproject.toml").read_text()


def test_timescaledb_is_the_one_that_compose_starts() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    job = jobs()["timescaledb"]
    service = job["services"]["timescaledb"]
    assert service["image"] == compose["services"]["analytics"]["image"]
    assert commands(job)[-1].endswith("pytest -q tests/timescaledb")
    url = urlsplit(job["env"]["TEST_TIMESCALEDB_URL"])
    assert (url.hostname, url.port or 5432, url.password) == ("timescaledb", 5432, service["env"]["POSTGRES_PASSWORD"])


def test_actions_are_pinned_to_a_commit() -> None:
    used = [step["uses"] for job in jobs().values() for step in job["steps"] if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in used)


def test_every_make_target_of_the_workflow_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for command in (command for job in jobs().values() for command in commands(job) if command.startswith("make ")):
        assert re.search(rf"^{re.escape(command.removeprefix('make '))}:", makefile, re.MULTILINE), command
