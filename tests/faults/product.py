"""Runs the product as in production: gunicorn with two workers, PostgreSQL and Redis, and every way to break them."""

import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import psycopg

from observability.launcher import embedded
from tests.servers import environment_without_databases, free_port, until
from tests.tools import tool

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {"fsync": "off", "max_connections": "100", "jit": "off", "timezone": "'UTC'"}
WORKSPACES = 40
MAKE_WORKSPACES = f"""
import json
from workspaces.models import ApiKey, Workspace
made = []
for number in range({WORKSPACES}):
    workspace = Workspace.objects.create(name=f"faults {{number}}")
    made.append((str(workspace.pk), ApiKey.objects.issue(workspace, "faults", ["ingest", "read", "write"])[1]))
print(json.dumps(made))
"""
MAKE_ADMIN = """
from django.contrib.auth import get_user_model
get_user_model().objects.create_superuser("admin", password="a long and winding password")
"""


class FaultTenant(NamedTuple):
    workspace_id: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", "X-Workspace-ID": self.workspace_id}


class Postgres:
    def __init__(self, data: Path, stack: ExitStack) -> None:
        self.data = data
        self.server = stack.enter_context(embedded.running(data, SETTINGS))
        for name in embedded.DATABASES.values():
            embedded.create_database(name, data)

    def url(self, name: str) -> str:
        return embedded.url(name, self.data)

    def connect(self, name: str = "observability_analytics") -> psycopg.Connection[Any]:
        host = embedded.socket_directory(self.data)
        return psycopg.connect(host=host, user="postgres", dbname=name, autocommit=True)

    def signal(self, number: signal.Signals) -> None:
        for process in self.server.processes():
            with suppress(psutil.NoSuchProcess):  # the end of one of them ends others
                process.send_signal(number)

    def crash(self) -> None:
        self.signal(signal.SIGKILL)
        until(lambda: not self.server.processes(), "the server is gone")

    def stop(self) -> None:
        self.server.stop()

    def run(self) -> None:
        self.server.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal(signal.SIGCONT)

    @contextmanager
    def locked(self, table: str = "traces") -> Iterator[None]:
        with self.connect() as connection, connection.transaction():
            connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield

    @contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        """Makes each insert into `traces` this much slower."""
        with self.connect() as connection:
            connection.execute(
                f"""
                CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END';
                CREATE TRIGGER slow BEFORE INSERT ON traces FOR EACH STATEMENT EXECUTE FUNCTION slow()
                """
            )
            try:
                yield
            finally:
                connection.execute("DROP TRIGGER slow ON traces")

    @contextmanager
    def clock_ahead(self, seconds: int) -> Iterator[None]:
        """Sets the clock of the analytics database as its new connections read it; the server's stays behind."""
        with self.connect() as connection:
            connection.execute(
                f"""
                CREATE SCHEMA shifted;
                CREATE FUNCTION shifted.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
                'SELECT pg_catalog.clock_timestamp() + make_interval(secs => {seconds})';
                ALTER DATABASE observability_analytics SET search_path = shifted, pg_catalog, public;
                """
            )
            self.end_connections(connection)
            try:
                yield
            finally:
                connection.execute(
                    "ALTER DATABASE observability_analytics RESET search_path; DROP SCHEMA shifted CASCADE"
                )
                self.end_connections(connection)

    def forget_statistics(self) -> None:
        """Deletes what the planner knows of all tables, as after a restore or an upgrade of PostgreSQL."""
        with self.connect() as connection:
            connection.execute("DELETE FROM pg_statistic WHERE starelid >= 16384")
            connection.execute("UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE oid >= 16384 AND relkind = 'r'")

    def end_connections(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = 'observability_analytics' AND pid <> pg_backend_pid()"
        )

    @contextmanager
    def analytics_unreachable(self) -> Iterator[None]:
        """Closes the analytics database, as if its server were gone. The other one works."""
        with self.connect("postgres") as connection:
            connection.execute("ALTER DATABASE observability_analytics ALLOW_CONNECTIONS false")
            self.end_connections(connection)
            try:
                yield
            finally:
                connection.execute("ALTER DATABASE observability_analytics ALLOW_CONNECTIONS true")


class Redis:
    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.port = free_port()
        self.run()
        stack.callback(self.stop)

    def run(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        self.process = subprocess.Popen([tool("redis-server"), *options], stdout=subprocess.DEVNULL)
        until(lambda: "PONG" in self.run_command("PING"), "Redis answers")

    def run_command(self, *command: str) -> str:
        command_line = ["redis-cli", "-p", str(self.port), *command]
        return subprocess.run(command_line, capture_output=True, text=True, timeout=10, check=False).stdout

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    @contextmanager
    def hung(self) -> Iterator[None]:
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        self.run_command("REPLICAOF", "127.0.0.1", "1")
        try:
            yield
        finally:
            self.run_command("REPLICAOF", "NO", "ONE")

    @contextmanager
    def out_of_memory(self) -> Iterator[None]:
        self.run_command("CONFIG", "SET", "maxmemory", "1")
        try:
            yield
        finally:
            self.run_command("CONFIG", "SET", "maxmemory", "0")


class Product:
    def __init__(self, stack: ExitStack, **changes: str) -> None:
        folder = Path(tempfile.mkdtemp(prefix="faults-"))
        folder.chmod(0o755)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        self.postgres = Postgres(folder / "postgres", stack)
        self.redis = Redis(folder, stack)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = environment_without_databases(
            # No collected static files, and passwords that are hashed fast; all else is as in production.
            DJANGO_SETTINGS_MODULE="tests.settings",
            DATABASE_URL=self.postgres.url("observability"),
            ANALYTICS_DATABASE_URL=self.postgres.url("observability_analytics"),
            REDIS_URL=f"redis://127.0.0.1:{self.redis.port}/0",
            SECRET_KEY="faults-only-" * 5,
            BIND=f"127.0.0.1:{self.port}",
            **({"WEB_WORKERS": "2"} | changes),
        )
        for alias in ("default", "analytics"):
            self.manage("migrate", "--skip-checks", "--database", alias, "--verbosity", "0")
        made = json.loads(self.manage("shell", "--verbosity", "0", "--command", MAKE_ADMIN + MAKE_WORKSPACES))
        self.tenants = [FaultTenant(*values) for values in made]
        self.log = stack.enter_context((folder / "log").open("w"))
        self.run()
        stack.callback(self.stop)

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    def run(self) -> None:
        self.gunicorn = subprocess.Popen(
            [sys.executable, "-m", "gunicorn"], cwd=ROOT, env=self.environment, stdout=self.log, stderr=self.log
        )
        until(self.is_alive, "the server answers")

    def is_alive(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/livez", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        self.gunicorn.terminate()
        assert self.gunicorn.wait(40) == 0

    def reload(self) -> None:
        before = {worker.pid for worker in self.workers()}
        self.gunicorn.send_signal(signal.SIGHUP)
        until(lambda: not before & {worker.pid for worker in self.workers()}, "new workers", 60)

    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.gunicorn.pid).children()

    def kill_a_worker(self) -> None:
        until(lambda: len(self.workers()) == 2, "both workers are there")
        random.choice(self.workers()).kill()

    def memory_bytes(self) -> int:
        return sum(worker.memory_info().rss for worker in self.workers())

    def log_text(self) -> str:
        return Path(self.log.name).read_text()


@contextmanager
def running(**changes: str) -> Iterator[Product]:
    with ExitStack() as stack:
        yield Product(stack, **changes)
