"""Runs the program behind `make run` in a folder of its own, on free ports."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from observability.launcher.lock import served_at
from tests.public_folder import public_folder
from tests.servers import LONG_SECONDS, environment_without_databases, free_port, until, wait_until_listening
from workspaces.demo import DEMO_WORKSPACE_ID

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "var", "node_modules", "__pycache__", ".*_cache", ".hypothesis", ".env"
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with public_folder() as parent:
        copy = parent / 'Zoë\'s "product", 50 % done'
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
        yield copy


class Running:
    def __init__(self, folder: Path, **changes: str) -> None:
        self.port = int(changes.pop("PORT", free_port()))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "observability.launcher"],
            cwd=folder,
            env=environment_without_databases(PORT=str(self.port), **changes),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output = ""

    def until_it_serves(self) -> "Running":
        assert self.process.stdout
        for line in self.process.stdout:
            self.output += line
            if "make demo" in line:
                return self
        raise AssertionError(self.output)

    def fetch(self, path: str, body: bytes | None = None, method: str | None = None, **headers: str) -> Any:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, headers, method=method)
        with urllib.request.urlopen(request, timeout=LONG_SECONDS) as response:
            return response.read().decode()

    def stop(self, with_signal: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(with_signal)
        rest, _ = self.process.communicate(timeout=30)
        self.output += rest
        return self.process.returncode


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Running]:
    product = Running(folder).until_it_serves()
    yield product
    if product.process.poll() is None:
        product.stop()


def failing(folder: Path, **changes: str) -> str:
    result = subprocess.run(
        [sys.executable, "-m", "observability.launcher"],
        cwd=folder,
        env=environment_without_databases(**changes),
        capture_output=True,
        text=True,
        timeout=LONG_SECONDS,
        check=False,
    )
    assert result.returncode == 1
    [line] = result.stderr.strip().splitlines()
    assert line.startswith("Cannot start: ")
    return line


def test_the_printed_curl_shows_up_in_the_overview(running: Running) -> None:
    body = re.search(r"-d '(\{.*\})'", running.output)
    assert body
    answer = running.fetch(
        "/api/v1/traces", body[1].encode(), X_Workspace_ID=DEMO_WORKSPACE_ID, Content_Type="application/json"
    )
    assert json.loads(answer)["accepted"] == 1
    overview = running.fetch("/api/v1/usage/overview?range=1h", X_Workspace_ID=DEMO_WORKSPACE_ID)
    assert json.loads(overview)["total_calls"] == 1


@pytest.mark.parametrize(
    "call",
    [
        "cost/overview?range=30d",
        "cost/trend?range=30d&granularity=daily",
        "cost/by-model?range=30d",
        "cost/budget",
        "performance/overview?range=24h",
        "performance/latency?range=7d&granularity=hourly",
        "performance/throughput?range=24h&granularity=hourly",
        "performance/errors?range=24h&limit=20",
        "performance/latency?range=24h&agent_id=test-agent-123",
    ],
)
def test_the_calls_of_the_original_design_work(running: Running, call: str) -> None:
    assert json.loads(running.fetch(f"/api/v1/{call}", X_Workspace_ID=DEMO_WORKSPACE_ID))


def test_other_processes_see_its_address_while_it_serves(running: Running, folder: Path, tmp_path: Path) -> None:
    assert served_at(folder / "var" / "run.lock") == f"http://127.0.0.1:{running.port}"
    left_behind = tmp_path / "run.lock"
    left_behind.write_text("http://127.0.0.1:1")
    assert served_at(left_behind) is None
    assert served_at(tmp_path / "never") is None


def test_the_demo_workspace_has_a_budget_of_1000_and_the_original_put_sets_it(running: Running) -> None:
    before = json.loads(running.fetch("/api/v1/cost/budget", X_Workspace_ID=DEMO_WORKSPACE_ID))
    assert (before["monthly_limit_usd"], before["alert_threshold_percentage"]) == (1000.0, 80.0)
    body = b'{"monthly_limit_usd": 2000.00, "alert_threshold_percentage": 85.0}'
    headers = {"X_Workspace_ID": DEMO_WORKSPACE_ID, "Content_Type": "application/json"}
    answer = json.loads(running.fetch("/api/v1/cost/budget", body, "PUT", **headers))
    assert (answer["monthly_limit_usd"], answer["alert_threshold_percentage"]) == (2000.0, 85.0)
    overview = json.loads(running.fetch("/api/v1/cost/overview?range=30d", X_Workspace_ID=DEMO_WORKSPACE_ID))
    assert overview["budget_limit_usd"] == 2000.0


def test_the_printed_key_and_password_work(running: Running) -> None:
    [key] = re.findall(r"aop_[\w-]+", running.output)
    [password] = re.findall(r"user admin, password (\S+)", running.output)
    overview = running.fetch("/api/v1/usage/overview", X_Workspace_ID=DEMO_WORKSPACE_ID, Authorization=f"Bearer {key}")
    assert "total_calls" in overview
    assert len(password) >= 12


def test_pages_are_served_and_their_files_may_be_cached_for_ten_years(running: Running) -> None:
    page = running.fetch("/")
    [script] = re.findall(r'src="(/static/plotly\.min\.[0-9a-f]{12}\.js)"', page)
    with urllib.request.urlopen(f"http://127.0.0.1:{running.port}{script}", timeout=LONG_SECONDS) as response:
        assert "max-age=315360000" in response.headers["Cache-Control"]


def test_a_second_run_from_the_same_folder_is_refused(running: Running, folder: Path) -> None:
    assert "runs already" in failing(folder, PORT=str(free_port()))


def test_a_taken_port_is_named(running: Running, folder: Path) -> None:
    assert f"port {running.port} cannot be used" in failing(folder, PORT=str(running.port))


def postmaster(folder: Path) -> int:
    """Returns the process id of the database server; 0 while none runs."""
    try:
        return int((folder / "var/postgres/postmaster.pid").read_text().split()[0])
    except (OSError, IndexError):
        return 0


def child(process: subprocess.Popen[str], word: str) -> psutil.Process:
    found: list[psutil.Process] = []

    def is_found() -> bool:
        children = psutil.Process(process.pid).children()
        found[:] = [child for child in children if word in " ".join(child.cmdline())]
        return len(found) == 1

    until(is_found, f"{word} runs")
    return found[0]


def is_answered(product: Running, path: str, part: str = "") -> bool:
    try:
        return part in product.fetch(path, X_Workspace_ID=DEMO_WORKSPACE_ID)
    except OSError:
        return False


def test_a_killed_database_is_started_again(running: Running, folder: Path) -> None:
    killed = postmaster(folder)
    os.kill(killed, signal.SIGKILL)
    until(lambda: postmaster(folder) not in (0, killed), "another server runs")
    until(lambda: is_answered(running, "/api/v1/usage/overview?range=7d"), "the database answers")


def test_a_killed_web_server_is_started_again(running: Running) -> None:
    killed = child(running.process, "gunicorn")
    killed.kill()
    until(lambda: not killed.is_running(), "the web server is gone")
    until(lambda: is_answered(running, "/readyz"), "the web server is back")


def test_a_killed_worker_is_started_again_and_shows_in_readyz(running: Running) -> None:
    until(lambda: is_answered(running, "/readyz", '"state": "ok"'), "the worker runs")
    killed = child(running.process, "manage.py worker")
    killed.kill()
    until(lambda: not killed.is_running(), "the worker is gone")
    until(lambda: child(running.process, "manage.py worker").pid != killed.pid, "another worker runs")


def test_a_killed_fork_server_is_started_again(running: Running) -> None:
    killed = child(running.process, "fork_server")
    killed.kill()
    until(lambda: not killed.is_running(), "the fork server is gone")
    until(lambda: child(running.process, "fork_server").pid != killed.pid, "another fork server runs")


def test_the_launcher_holds_neither_django_nor_a_driver() -> None:
    loaded = "import sys, observability.launcher.__main__; print({name.partition('.')[0] for name in sys.modules})"
    found = subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for package in ("django", "psycopg", "pydantic", "procrastinate"):
        assert f"'{package}'" not in found


def test_ctrl_c_stops_everything_and_the_next_run_shows_no_secret_again(running: Running, folder: Path) -> None:
    assert running.stop() == 0
    assert "Traceback" not in running.output
    assert not (folder / "var/postgres/postmaster.pid").exists()
    again = Running(folder).until_it_serves()
    assert (
        json.loads(again.fetch("/api/v1/usage/overview?range=24h", X_Workspace_ID=DEMO_WORKSPACE_ID))["total_calls"]
        == 1
    )
    assert "shown once" not in again.output
    assert again.stop(signal.SIGTERM) == 0


@pytest.mark.parametrize("port", ["0", "70000", "http"])
def test_a_malformed_port_is_named(folder: Path, port: str) -> None:
    assert "PORT must be a number" in failing(folder, PORT=port)


def test_an_unreachable_database_is_one_line(folder: Path) -> None:
    url = f"postgres://nobody@127.0.0.1:{free_port()}/nothing"
    assert "the database refused" in failing(
        folder, PORT=str(free_port()), DATABASE_URL=url, ANALYTICS_DATABASE_URL=url
    )


@contextmanager
def database_of_before_0_1_0() -> Iterator[str]:
    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE before_0_1_0")
        try:
            with psycopg.connect(f"{server}/before_0_1_0") as unreleased:
                unreleased.execute(
                    "CREATE TABLE django_migrations (id bigint, app text, name text, applied timestamptz)"
                )
                unreleased.execute(
                    "INSERT INTO django_migrations VALUES (1, 'workspaces', '0002_store_content', now())"
                )
            yield f"{server}/before_0_1_0"
        finally:
            connection.execute("DROP DATABASE before_0_1_0 WITH (FORCE)")


def test_a_database_of_before_0_1_0_is_one_line(folder: Path) -> None:
    with database_of_before_0_1_0() as url:
        line = failing(folder, PORT=str(free_port()), DATABASE_URL=url, ANALYTICS_DATABASE_URL=url)
    assert line.startswith("Cannot start: This database was made by a version before 0.1.0, which cannot be upgraded")


def test_a_malformed_database_url_is_one_line(folder: Path) -> None:
    assert "DATABASE_URL must look like" in failing(folder, PORT=str(free_port()), DATABASE_URL="nonsense")


def test_after_being_killed_it_starts_again_and_then_stops_everything(folder: Path) -> None:
    killed = Running(folder).until_it_serves()
    killed.stop(signal.SIGKILL)
    again = Running(folder, PORT=str(killed.port)).until_it_serves()
    assert again.stop(signal.SIGHUP) == 0
    assert not (folder / "var/postgres/postmaster.pid").exists()


@pytest.mark.parametrize("version", ["12", "18"])
def test_a_broken_database_folder_is_one_line(folder: Path, version: str) -> None:
    broken = folder.parent / f"broken {version}"
    shutil.copytree(folder, broken, ignore=LEFT_OUT)
    data = broken / "var/postgres"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text(f"{version}\n")
    assert "PostgreSQL cannot run on" in failing(broken, PORT=str(free_port()))


def test_an_unwritable_folder_is_one_line(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "full", ignore=LEFT_OUT)
    (tmp_path / "full/var").write_text("a file where the folder should be")
    assert "is not writable" in failing(tmp_path / "full", PORT=str(free_port()))


def test_the_container_command_serves_in_production_and_passes_its_health_check() -> None:
    port = free_port()
    assert "exec gunicorn" in (ROOT / "docker-compose.yml").read_text()
    [check] = re.findall(r"urlopen\('http://127.0.0.1:8000(/\w+)'", (ROOT / "Dockerfile").read_text())
    production = {
        "ENVIRONMENT": "production",
        "SECRET_KEY": "s" * 64,
        "ALLOWED_HOSTS": "traces.example.com",
        "BIND": f"127.0.0.1:{port}",
    }
    server = subprocess.Popen([sys.executable, "-m", "gunicorn"], cwd=ROOT, env=dict(os.environ) | production)
    try:
        wait_until_listening(port)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{check}", timeout=LONG_SECONDS) as response:
            assert response.status == 200
    finally:
        server.terminate()
        assert server.wait(30) == 0
