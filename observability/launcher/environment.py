"""Prepares the environment that the settings read: the folder var/, the port and the databases' URLs."""

import os
import secrets
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from observability.launcher import embedded
from observability.launcher.refused import Refused
from workspaces.demo import DEMO_WORKSPACE_ID

if TYPE_CHECKING:
    from observability.launcher.server import Server

ROOT = Path(__file__).resolve().parents[2]
VAR = ROOT / "var"
HOST = "127.0.0.1"


def prepare_environment(stack: ExitStack, is_served: bool = False) -> list["Server"]:
    """Sets the environment of the settings. Returns the embedded server, if it starts one; it runs as long as `stack`
    is open."""
    make_var_folder()
    os.environ.setdefault("OPEN_WORKSPACE_IDS", DEMO_WORKSPACE_ID)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "observability.settings")
    if not embedded.missing_databases() or is_served:
        return []
    show_step("starting PostgreSQL")
    return [stack.enter_context(embedded.running())]


def make_var_folder() -> None:
    try:
        VAR.mkdir(exist_ok=True)
        make_secret_key(VAR / "secret_key")
    except OSError as error:
        raise Refused(f"{VAR} is not writable ({error.strerror}).") from error


def make_secret_key(path: Path) -> None:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(64))


def free_port() -> int:
    """Returns PORT of the environment. Refuses a port that a server cannot use."""
    port = os.environ.get("PORT", "8000")
    if not port.isdigit() or not 1 <= int(port) <= 65535:
        raise Refused(f"PORT must be a number from 1 to 65535, not {port!r}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(port)))
        except OSError as error:
            hint = f"PORT={int(port) % 65535 + 1} make run"
            raise Refused(f"port {port} cannot be used ({error.strerror}); choose another: {hint}") from error
    return int(port)


def show_step(text: str) -> None:
    print(f"  {text} …", flush=True)
