import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
SAFE = {"ENVIRONMENT": "production", "SECRET_KEY": "s" * 64, "ALLOWED_HOSTS": "example.com"}


def boot(**changes: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    return subprocess.run(
        [sys.executable, "-c", "import observability.settings"],
        env=environment | SAFE | changes,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_folder_of_a_socket_may_have_capitals_spaces_and_accents() -> None:
    print_host = "from observability.settings import DATABASES; print(DATABASES['default']['HOST'])"
    changes = {"DATABASE_URL": "postgres://postgres@%2FUsers%2FZo%C3%AB%20A:5433/observability", "PYTHONUTF8": "1"}
    result = subprocess.run(
        [sys.executable, "-c", print_host], env=os.environ | SAFE | changes, cwd=ROOT, capture_output=True, check=True
    )
    assert result.stdout.decode().strip() == "/Users/Zoë A"


def test_a_command_with_a_wrong_setting_ends_with_one_sentence() -> None:
    result = subprocess.run(
        [sys.executable, "manage.py", "worker"],
        env=os.environ | SAFE | {"JOB_THREADS": "many", "DJANGO_SETTINGS_MODULE": "observability.settings"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert line.startswith("JOB_THREADS: ")


def test_production_boots_with_safe_settings() -> None:
    assert boot().returncode == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"SECRET_KEY_FALLBACKS": f"{'s' * 64},short"}, "SECRET_KEY_FALLBACKS"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "example.com,*"}, "ALLOWED_HOSTS"),
        ({"METRICS_TOKEN": "schlüssel"}, "METRICS_TOKEN"),
        ({"METRICS_TOKEN": "two words"}, "METRICS_TOKEN"),
        ({"REDIS_URL": "redis://host:6379/zero"}, "REDIS_URL"),
        ({"REDIS_URL": "redis://host:6379/99999999999"}, "REDIS_URL"),
        ({"REDIS_URL": "redis://host:6379?db=zero"}, "REDIS_URL"),
        ({"REDIS_URL": "redis://host:6379?db=-1"}, "REDIS_URL"),
        ({"REDIS_URL": "redis://host:6379?colour=red"}, "REDIS_URL"),
        ({"REDIS_URL": "redis://host:6379?decode_responses=true"}, "REDIS_URL"),
        ({"REDIS_URL": "redis://host:6379?health_check_interval=often"}, "REDIS_URL"),
        ({"REDIS_URL": "redis://host:6379?protocol=9"}, "REDIS_URL"),
        ({"REDIS_URL": "rediss://host:6379?ssl_cert_reqs=maybe"}, "REDIS_URL"),
        ({"DEBUG": "true"}, "DEBUG"),
        ({"OPEN_WORKSPACE_IDS": "00000000-0000-0000-0000-000000000001"}, "OPEN_WORKSPACE_IDS"),
        ({"ENVIRONMENT": "prod"}, "ENVIRONMENT"),
        ({"INGEST_ALLOWED_ORIGINS": "*"}, "INGEST_ALLOWED_ORIGINS"),
        ({"INGEST_ALLOWED_ORIGINS": "https://app.example.com,example.com"}, "INGEST_ALLOWED_ORIGINS"),
        ({"INGEST_ALLOWED_ORIGINS": "https://app.example.com/"}, "INGEST_ALLOWED_ORIGINS"),
        ({"DATABASE_URL": "mysql://localhost/x"}, "DATABASE_URL"),
        ({"ANALYTICS_DATABASE_URL": "nonsense"}, "ANALYTICS_DATABASE_URL"),
    ],
)
def test_production_refuses_to_boot_with_unsafe_settings(changes: dict[str, str], words: str) -> None:
    result = boot(**changes)
    assert result.returncode != 0
    last = result.stderr.strip().splitlines()[-1]
    assert "ImproperlyConfigured" in last
    assert words in last


def test_a_refused_url_shows_no_part_of_its_password() -> None:
    result = boot(DATABASE_URL="postgres://user:hush/hush?hush#hush@host:5432/name")
    assert result.returncode != 0
    assert "DATABASE_PASSWORD" in result.stderr.strip().splitlines()[-1]
    assert "hush" not in result.stdout + result.stderr


def test_commands_have_no_timeout_whatever_the_server_has() -> None:
    """Compose passes the server's timeout to the container, which also migrates."""
    result = subprocess.run(
        [sys.executable, "manage.py", "diffsettings", "--all"],
        env=os.environ | SAFE | {"DJANGO_SETTINGS_MODULE": "observability.settings", "STATEMENT_TIMEOUT_MS": "10000"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "STATEMENT_TIMEOUT_MS = 0 " in result.stdout


def test_the_order_of_imports_is_checked_for_every_app() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    apps = {app for app in settings.INSTALLED_APPS if (ROOT / app).is_dir()}
    checked = project["importlinter"]
    assert set(checked["root_packages"]) == set(checked["contracts"][0]["layers"]) == apps
    assert set(project["coverage"]["run"]["source"]) == apps
