"""`make run`: the whole product from one command, on an embedded PostgreSQL unless databases are given."""

import ctypes
import fcntl
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import django
import psycopg
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import Error as DatabaseError
from django.db import connections

from observability.launcher import embedded

VAR = Path(__file__).resolve().parents[2] / "var"
HOST = "127.0.0.1"
# Ctrl-C, a service manager, a closed terminal.
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DEMO_WORKSPACE_ID = "00000000-0000-0000-0000-000000000001"
PR_SET_PDEATHSIG = 1  # from linux/prctl.h
EMBEDDED = {"DATABASE_URL": "observability", "ANALYTICS_DATABASE_URL": "observability_analytics"}


class Refused(Exception):
    """What keeps the product from starting, in one line that says what to do."""


class Stopped(BaseException):
    """Ctrl-C or a termination signal."""


def main() -> None:
    with ExitStack() as stack:
        port = free_port()
        writable_folder()
        stack.enter_context(only_one(VAR / "run.lock", f"http://{HOST}:{port}"))
        prepare_environment(stack)
        serve(port, prepare_data())


def guarded(work: Callable[[], None]) -> int:
    """The exit code: what hinders the work is told in one line, Ctrl-C ends it in order."""
    for ending in ENDINGS:
        signal.signal(ending, stop)
    # The pool warns of each attempt; here the one line below tells it all.
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    try:
        work()
    except Stopped:
        return 0
    except (Refused, embedded.Broken, ImproperlyConfigured) as error:
        print(f"Cannot start: {error}", file=sys.stderr)
        return 1
    except (DatabaseError, psycopg.Error) as error:
        print(f"Cannot start: the database refused: {embedded.first_line(str(error))}", file=sys.stderr)
        return 1
    return 0


def stop(signum: int, frame: FrameType | None) -> None:
    # A second Ctrl-C must not interrupt the stopping of the database.
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    raise Stopped


def step(text: str) -> None:
    print(f"  {text} …", flush=True)


def free_port() -> int:
    given = os.environ.get("PORT", "8000")
    if not given.isdigit() or not 1 <= int(given) <= 65535:
        raise Refused(f"PORT must be a number from 1 to 65535, not {given!r}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(given)))
        except OSError as error:
            hint = f"PORT={int(given) % 65535 + 1} make run"
            raise Refused(f"port {given} cannot be used ({error.strerror}); choose another: {hint}") from error
    return int(given)


def writable_folder() -> None:
    try:
        VAR.mkdir(exist_ok=True)
        make_secret_key(VAR / "secret_key")
    except OSError as error:
        raise Refused(f"{VAR} is not writable ({error.strerror}).") from error


def prepare_environment(stack: ExitStack, is_served: bool = False) -> None:
    """The settings' environment, and the databases it names, which last as long as `stack`."""
    writable_folder()
    os.environ.setdefault("OPEN_WORKSPACE_IDS", DEMO_WORKSPACE_ID)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "observability.settings")
    missing = [name for variable, name in EMBEDDED.items() if not os.environ.get(variable)]
    if missing:
        if not is_served:
            step("starting PostgreSQL")
        stack.enter_context(embedded.running())
    for name in missing:
        embedded.create_database(name)


@contextmanager
def only_one(path: Path, address: str) -> Iterator[None]:
    """The lock holds the address for those who look for it."""
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused("it runs already from this folder; stop that one first.") from error
        lock.truncate(0)
        print(address, end="", file=lock, flush=True)
        yield


def served_at(path: Path = VAR / "run.lock") -> str | None:
    """Where `make run` of this folder serves now."""
    try:
        with path.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return path.read_text()
    except OSError:
        return None
    return None


def make_secret_key(path: Path) -> None:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(64))


def prepare_data() -> list[str]:
    """What was made for the first time and is shown only now, as lines."""
    django.setup()
    step("preparing the databases")
    for alias in connections:
        call_command("migrate", database=alias, verbosity=0)
    collect_static()
    lines = create_demo_workspace()
    connections.close_all()
    for connection in connections.all():
        connection.close_pool()  # type: ignore[attr-defined]
    return lines


def collect_static() -> None:
    """Only when a file is newer than the last collection: compressing takes seconds."""
    from django.contrib.staticfiles.finders import get_finders

    stamp = Path(settings.STATIC_ROOT) / "staticfiles.json"
    newest = max(
        Path(storage.path(name)).stat().st_mtime for finder in get_finders() for name, storage in finder.list([])
    )
    if not stamp.exists() or stamp.stat().st_mtime < newest:
        step("collecting static files")
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)


def create_demo_workspace() -> list[str]:
    from django.contrib.auth import get_user_model

    from budgets.models import Budget
    from workspaces.models import ApiKey, Workspace

    lines = []
    workspace, is_new = Workspace.objects.get_or_create(id=DEMO_WORKSPACE_ID, defaults={"name": "Demo"})
    if is_new:
        Budget.objects.create(workspace=workspace, monthly_limit_usd=1000)
        _, secret = ApiKey.objects.issue(workspace, "made by make run", ["ingest", "read", "write"])
        lines.append(f"API key of the demo workspace, shown once:  {secret}")
    users = get_user_model().objects
    if not users.filter(is_superuser=True).exists():
        password = secrets.token_urlsafe(12)
        users.create_superuser("admin", password=password)
        lines.append(f"Admin, shown once:  user admin, password {password}")
    return lines


def serve(port: int, lines: list[str]) -> None:
    url = f"http://{HOST}:{port}"
    environment = os.environ | {"BIND": f"{HOST}:{port}"}
    # A session of its own: Ctrl-C reaches only this process, which then stops server and database in order.
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn"],
        env=environment,
        start_new_session=True,
        cwd=VAR.parent,
        preexec_fn=end_with_parent,
    )
    try:
        wait_until_it_answers(server, port)
        print("\n".join(["", *lines, *welcome(url)]), flush=True)
        code = server.wait()
        raise Refused(f"the web server ended with code {code}.")
    finally:
        server.terminate()
        server.wait()


def end_with_parent() -> None:
    """So that a killed `make run` leaves no server behind that holds the port."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def wait_until_it_answers(server: subprocess.Popen[bytes], port: int) -> None:
    while True:
        with socket.socket() as probe:
            probe.settimeout(0.1)
            if probe.connect_ex((HOST, port)) == 0:
                return
        try:
            server.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        raise Refused("the web server did not start; its reason stands above.")


def welcome(url: str) -> list[str]:
    return [
        f"Open {url}  (Ctrl-C stops it)",
        "",
        "Send a first trace:",
        f"  curl {url}/api/v1/traces -H 'X-Workspace-ID: {DEMO_WORKSPACE_ID}' \\",
        "    -H 'Content-Type: application/json' \\",
        '    -d \'{"agent_id": "hello", "model": "gpt-4o", "provider": "openai", "user_id": "ada",'
        ' "latency_ms": 840, "input_tokens": 1200, "output_tokens": 80}\'',
        "",
        "Or fill the demo workspace with two months of data, in a second terminal:  make demo",
    ]


if __name__ == "__main__":
    sys.exit(guarded(main))
