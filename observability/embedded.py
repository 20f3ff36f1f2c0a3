"""The PostgreSQL that comes as a Python package: for trying out, tests and small teams. No root, no port, no Docker."""

from pathlib import Path
from typing import Any

DATA_DIRECTORY = Path(__file__).resolve().parent.parent / "var" / "postgres"


def socket_directory(data: Path = DATA_DIRECTORY) -> str:
    """Where the server that runs on `data` listens; `data` itself while none runs, so that connecting fails clearly."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return str(data)
    # Fifth line of postmaster.pid: the socket directory (PostgreSQL, "Server Setup and Operation").
    return lines[4] if len(lines) > 4 and lines[4] else str(data)


def database(name: str, data: Path = DATA_DIRECTORY) -> dict[str, Any]:
    """Django's settings for a database of the embedded server."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": "postgres",
        "HOST": socket_directory(data),
    }
