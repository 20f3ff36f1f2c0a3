"""One table of variables: the example describes it, compose and Kubernetes pass it, and values mean what they say."""

import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.exceptions import ImproperlyConfigured
from redis.connection import parse_url

from observability import variables
from observability.env_file import load_env_file
from observability.server_urls import postgresql_database, redis_url
from observability.variables import Variables

ROOT = Path(__file__).resolve().parents[2]
NAMES = set(Variables.model_fields)
# The image decides these, and `make run` the last.
NOT_PASSED = {"ENVIRONMENT", "BIND", "STATIC_ROOT", "PORT"}

PASSWORDS = [
    "a/b",
    "a?b",
    "a%41",
    "a@b",
    "a#b",
    "a b",
    "a:b",
    "a'b",
    'a"b',
    "$HOME",
    "a\\b",
    "ä",
    "&=+,;",
    "[x]",
    "12/3",
]


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return found


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment without any of the product's variables."""
    empty = {name: value for name, value in os.environ.items() if name not in NAMES}
    monkeypatch.setattr(os, "environ", empty)
    return empty


def test_the_example_describes_every_variable_and_no_other() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    described = [line.partition("=")[0] for line in lines if re.match("[A-Z_]+=", line)]
    assert set(described) == NAMES
    assert len(described) == len(NAMES)
    for before, line in itertools.pairwise(lines):
        assert before.startswith("#") or not re.match("[A-Z_]+=", line), f"{line} has no description"


@pytest.mark.usefixtures("environment")
def test_the_example_shows_the_defaults() -> None:
    defaults = variables.from_environment()
    load_env_file(ROOT / ".env.example")
    assert variables.from_environment() == defaults


def test_compose_passes_every_variable_to_the_web_server() -> None:
    assert set(services()["web"]["environment"]) == NAMES - NOT_PASSED


def test_compose_changes_no_value_on_the_way() -> None:
    """It passes a variable as it is, needs it, or sets it for this network: then the example says so."""
    example = (ROOT / ".env.example").read_text()
    for name, value in services()["web"]["environment"].items():
        if value is None or value.startswith(f"${{{name}:?"):
            continue
        description = re.findall(rf"((?:^#.*\n)+){name}=", example, re.MULTILINE)[0]
        assert "Docker compose" in description, name
        assert "sets it" in description.replace("\n# ", " "), name


def test_the_image_sets_what_compose_leaves_to_it() -> None:
    assert set(re.findall(r"\b([A-Z_]+)=", (ROOT / "Dockerfile").read_text())) >= NOT_PASSED - {"PORT"}


def test_compose_asks_only_for_variables_of_the_table() -> None:
    assert set(re.findall(r"(?<!\$)\$\{(\w+)", (ROOT / "docker-compose.yml").read_text())) <= NAMES


def test_other_code_reads_no_variable_of_its_own() -> None:
    """manage.py and the launcher set some, and prometheus-client has one."""
    folders = ["analytics", "budgets", "ingest", "prices", "traces", "web", "workspaces", "observability"]
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")] + [ROOT / "gunicorn.conf.py"]
    text = "\n".join(path.read_text() for path in files)
    read = set(re.findall(r"(?:environ\.get\(|environ\[|getenv\()\"([A-Z_]+)\"", text))
    assert read <= {"EMAIL_URL", "PORT", "PROMETHEUS_MULTIPROC_DIR", "XDG_RUNTIME_DIR", "TMPDIR", "HOME"}


def test_an_empty_variable_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STORE_CONTENT", "WEB_WORKERS", "LOG_JSON", "ALLOWED_HOSTS"):
        monkeypatch.setenv(name, "")
    read = variables.from_environment()
    assert (read.STORE_CONTENT, read.WEB_WORKERS, read.LOG_JSON) == (True, 1, None)
    assert read.ALLOWED_HOSTS == ["localhost", "[::1]"]


def test_lists_may_have_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "a.example.com, b.example.com,")
    assert variables.from_environment().ALLOWED_HOSTS == ["a.example.com", "b.example.com"]


def test_an_error_names_the_variable_and_not_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_WORKERS", "hush")
    monkeypatch.setenv("DEBUG", "hush")
    with pytest.raises(ImproperlyConfigured, match=r"DEBUG: .*WEB_WORKERS: ") as raised:
        variables.read()
    assert "hush" not in str(raised.value)
    assert raised.value.__context__ is None


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_apart_reaches_its_server_as_it_is(password: str) -> None:
    env = Variables(
        DATABASE_URL="postgres://user@host:5432/name",
        DATABASE_PASSWORD=password,
        REDIS_URL="redis://host:6379/0",
        REDIS_PASSWORD=password,
    )
    database = postgresql_database(env, "DATABASE_URL")
    assert (database["PASSWORD"], database["HOST"], database["PORT"]) == (password, "host", "5432")
    redis = parse_url(redis_url(env))
    assert (redis["password"], redis["host"], redis["port"], redis["db"]) == (password, "host", 6379, 0)


@pytest.mark.parametrize("password", [password for password in PASSWORDS if set(password) & set("/?@#")])
def test_such_a_password_in_a_url_is_refused_in_words_that_do_not_show_it(password: str) -> None:
    env = Variables(ANALYTICS_DATABASE_URL=f"postgres://user:{password}@host:5432/name")
    with pytest.raises(ImproperlyConfigured, match="ANALYTICS_DATABASE_PASSWORD") as raised:
        postgresql_database(env, "ANALYTICS_DATABASE_URL")
    assert password not in str(raised.value)
    with pytest.raises(ImproperlyConfigured, match="REDIS_PASSWORD"):
        redis_url(Variables(REDIS_URL=f"redis://:{password}@host:6379/0"))


def test_an_encoded_password_in_a_url_is_read() -> None:
    env = Variables(DATABASE_URL="postgresql://us%40er:a%2Fb%3F@[::1]/na%2Fme?sslmode=verify-full&sslrootcert=/ca.pem")
    assert postgresql_database(env, "DATABASE_URL") == {
        "NAME": "na/me",
        "USER": "us@er",
        "PASSWORD": "a/b?",
        "HOST": "::1",
        "PORT": "",
        "OPTIONS": {"sslmode": "verify-full", "sslrootcert": "/ca.pem"},
    }


def test_a_folder_of_a_socket_keeps_its_capitals() -> None:
    env = Variables(DATABASE_URL="postgres://postgres@%2Ftmp%2FOurs/name")
    assert postgresql_database(env, "DATABASE_URL")["HOST"] == "/tmp/Ours"  # noqa: S108


def test_two_passwords_for_one_server_are_refused() -> None:
    env = Variables(DATABASE_URL="postgres://user:one@host/name", DATABASE_PASSWORD="two")
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL has a password already"):
        postgresql_database(env, "DATABASE_URL")


@pytest.mark.parametrize("url", ["redis://host", "rediss://user@host:1/2", "unix:///run/redis.sock?db=1"])
def test_urls_of_redis_without_a_password_stay_as_they_are(url: str) -> None:
    assert redis_url(Variables(REDIS_URL=url)) == url


def test_the_file_is_read_literally_and_the_environment_wins(environment: dict[str, str], tmp_path: Path) -> None:
    lines = [
        "DATABASE_PASSWORD='a $b #c${d}'",
        "REDIS_PASSWORD=$x",
        "METRICS_TOKEN = t # why",
        "LOG_LEVEL=INFO",
        "PORT=",
    ]
    (tmp_path / ".env").write_text("\n".join(lines))
    environment["LOG_LEVEL"] = "ERROR"
    load_env_file(tmp_path / ".env")
    names = ("DATABASE_PASSWORD", "REDIS_PASSWORD", "METRICS_TOKEN", "LOG_LEVEL", "PORT")
    assert [environment.get(name) for name in names] == ["a $b #c${d}", "$x", "t", "ERROR", None]


@pytest.mark.parametrize(
    ("name", "value"),
    [("STORE_CONTENT", "flase"), ("RETENTION_DAYS", "many"), ("DATABASE_POOL_SIZE", "0"), ("LOG_LEVEL", "loud")],
)
def test_a_value_that_does_not_fit_is_refused(environment: dict[str, str], name: str, value: str) -> None:
    environment[name] = value
    with pytest.raises(ImproperlyConfigured, match=f"^{name}: "):
        variables.read()


def test_the_web_server_reads_the_file(tmp_path: Path) -> None:
    for folder in ("observability", "web"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "gunicorn.conf.py", tmp_path)
    (tmp_path / ".env").write_text("WEB_WORKERS=3\nWEB_THREADS=\nBIND=127.0.0.1:18399\n")
    environment = {name: value for name, value in os.environ.items() if name not in NAMES}
    script = (
        "import runpy; read = runpy.run_path('gunicorn.conf.py'); print(read['workers'], read['threads'], read['bind'])"
    )
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert result.stdout == "3 24 127.0.0.1:18399\n"
