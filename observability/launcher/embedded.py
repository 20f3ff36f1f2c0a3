"""The embedded PostgreSQL: for trials, tests and small teams, without root or a port.

Settings import this module too, so it imports nothing that production lacks; and the launcher, which holds no driver.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from observability.launcher.refused import Refused

if TYPE_CHECKING:
    from observability.launcher.server import Server

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
    # The processes that read for others, and the one that starts replication, would take 7 MB.
    "io_method": "sync",
    "max_logical_replication_workers": "0",
    # No transaction is serializable. The places for their locks would take 2 MB.
    "max_pred_locks_per_transaction": "10",
}
SOCKET_FILE = "socket_directory"
"""The file that names the folder of the running server's socket."""


@contextmanager
def running(data: Path = DATA_DIRECTORY, settings: Mapping[str, str] = SETTINGS) -> Iterator["Server"]:
    """Runs a server on the folder `data`, which it creates if missing. The server listens on a socket only."""
    from observability.launcher.server import Server

    with ExitStack() as stack:
        try:
            server = Server(data, settings)
            stack.enter_context(server.running())
        except OSError as error:
            raise Refused(f"PostgreSQL cannot run on {data}: {error}.") from error
        yield server


def create_database(name: str, data: Path = DATA_DIRECTORY) -> None:
    """Creates the database unless it exists."""
    import psycopg
    from psycopg import sql

    host = socket_directory(data)
    with psycopg.connect(host=host, user="postgres", dbname="postgres", autocommit=True) as connection:
        exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not exists:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def missing_databases() -> list[str]:
    """Returns the names of the databases that no variable replaces."""
    return [name for variable, name in DATABASES.items() if not os.environ.get(variable)]


def run_folder(data: Path) -> Path:
    """Returns the folder of what each start of the server makes anew."""
    return data.with_name(f"{data.name}.run")


def socket_directory(data: Path = DATA_DIRECTORY) -> str:
    """Returns the folder of the server's socket; `data` where no server runs, so that connecting fails clearly.

    It is the same while the server is started again.
    """
    try:
        return os.fsdecode((run_folder(data) / SOCKET_FILE).read_bytes())
    except OSError:
        return str(data)


def url(name: str, data: Path = DATA_DIRECTORY) -> str:
    return f"postgres://postgres@{quote(socket_directory(data), safe='')}/{name}"


def database(name: str, data: Path = DATA_DIRECTORY) -> dict[str, Any]:
    """Returns Django's settings for a database of the embedded server."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": "postgres",
        "HOST": socket_directory(data),
    }
