"""The version is in pyproject.toml, and every place that shows a version shows this one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from analytics.catalogue import PAGES
from tests.tenant import Tenant

ROOT = Path(__file__).resolve().parents[2]
[VERSION] = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)


@pytest.mark.parametrize("command", [["manage.py"], ["-m", "observability.launcher"]])
def test_the_command_line_prints_it(command: list[str]) -> None:
    printed = subprocess.run(
        [sys.executable, *command, "--version"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert printed == f"{VERSION}\n"


@pytest.mark.django_db(databases="__all__")
def test_readyz_names_the_version(client: Client) -> None:
    answer = client.get("/readyz")
    stopped = {"state": "stopped", "lag_seconds": None}
    assert (answer.status_code, answer.json()) == (
        200,
        {"default": "ok", "analytics": "ok", "clock": "ok", "cache": "ok", "jobs": stopped, "version": VERSION},
    )


@pytest.mark.django_db(databases="__all__")
@pytest.mark.parametrize("name", [page.domain for page in PAGES])
def test_the_foot_of_every_dashboard_shows_the_version(tenant: Tenant, name: str) -> None:
    page = tenant.client.get(f"/dashboard/{name}").content.decode()
    assert f"Version {VERSION}." in page.partition('<footer id="foot">')[2]


@pytest.mark.django_db(databases="__all__")
def test_the_api_document_has_the_version_of_the_api(client: Client) -> None:
    assert client.get("/api/v1/openapi.json").json()["info"]["version"] == "1"
