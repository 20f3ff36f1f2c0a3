"""Chooses the account that runs PostgreSQL, and checks that this account can reach the server's files.

PostgreSQL refuses to run as root. Where root starts it, it runs as an account that exists already, without root's
groups. No account is made, and no mode is changed outside the folder of the data.
"""

import os
import pwd
import subprocess
from pathlib import Path
from typing import Any

from observability.launcher.refused import Refused

ROOT_ID = 0
UNPRIVILEGED = ("postgres", "nobody")


class Account:
    def __init__(self, entry: pwd.struct_passwd) -> None:
        self.name, self.user_id, self.group_id = entry.pw_name, entry.pw_uid, entry.pw_gid
        self.is_other = self.user_id != os.geteuid()
        """Another account than this process's own."""

    @property
    def popen_options(self) -> dict[str, Any]:
        """Returns the arguments that make `subprocess` run a program as this account."""
        if not self.is_other:
            return {}
        return {"user": self.user_id, "group": self.group_id, "extra_groups": []}

    def own(self, path: Path) -> None:
        if self.is_other:
            os.chown(path, self.user_id, self.group_id)

    def can_enter(self, path: Path) -> bool:
        """Says whether the account may search this folder, or run this program."""
        try:
            return subprocess.run(["test", "-x", path], cwd="/", check=False, **self.popen_options).returncode == 0  # noqa: S603, S607
        except (OSError, subprocess.SubprocessError) as error:
            raise Refused(f"root cannot run PostgreSQL as the account {self.name} here ({error}).") from error

    def check_access(self, *paths: Path) -> None:
        """Refuses if the account cannot enter one of the folders, or a folder that contains it."""
        for path in paths:
            for folder in [*reversed(path.parents), path]:
                if self.is_other and not self.can_enter(folder):
                    raise Refused(
                        f"PostgreSQL never runs as root, and the account {self.name} cannot enter {folder}. "
                        "Start the product as an ordinary user, or from a folder that every user may enter, "
                        "or name databases in DATABASE_URL and ANALYTICS_DATABASE_URL."
                    )


def own_account() -> Account:
    try:
        return Account(pwd.getpwuid(os.geteuid()))
    except KeyError as error:
        raise Refused(f"PostgreSQL needs a user with a name, and the user id {os.geteuid()} has none.") from error


def account_for(data: Path) -> Account:
    """Returns the account that runs PostgreSQL on this folder: this process's own, unless that is root.

    For root it is the nearest owner of the folder, or of one that contains it, who is not root: somebody's checkout
    stays theirs. Otherwise it is an account that exists for such purposes.
    """
    if os.geteuid() != ROOT_ID:
        return own_account()
    owners = [folder.stat().st_uid for folder in [data, *data.parents] if folder.exists()]
    for found in [*(entry_of(owner) for owner in owners), *(entry_named(name) for name in UNPRIVILEGED)]:
        if found and found.pw_uid != ROOT_ID:
            return Account(found)
    raise Refused("PostgreSQL never runs as root, and this machine has no account nobody: start it as another user.")


def entry_of(user_id: int) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(user_id)
    except KeyError:
        return None


def entry_named(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None
