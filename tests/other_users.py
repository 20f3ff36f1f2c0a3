"""Does something as another user of this machine. Only root can."""

import os
import pwd
import warnings
from collections.abc import Callable

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


def does_as(name: str, action: Callable[[], object]) -> str:
    """Returns the error that the action ends with as this user; an empty text if it succeeds."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # From Python 3.12 on, where other threads run. The child uses nothing of theirs.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        os.write(writing, error_of(name, action).encode())
        os._exit(0)
    os.close(writing)
    with open(reading) as answer:  # noqa: PTH123
        error = answer.read()
    os.waitpid(pid, 0)
    return error


def error_of(name: str, action: Callable[[], object]) -> str:
    try:
        user = pwd.getpwnam(name)
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        action()
    except BaseException as error:  # (the child must end here, whatever happens)
        return f"{type(error).__name__}: {error}"
    return ""
