"""Starts programs that end when the launcher ends."""

import ctypes
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

PR_SET_PDEATHSIG = 1  # from linux/prctl.h


def start_child(command: Sequence[str], ends_by: signal.Signals, **options: Any) -> subprocess.Popen[bytes]:
    """Starts a program. It has a session of its own: Ctrl-C reaches only the launcher, which stops all in order.

    On Linux the program gets the signal `ends_by` when its parent is killed, so nothing of a killed `make run` stays.
    """

    def end_with_parent() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, ends_by)

    return subprocess.Popen(command, start_new_session=True, preexec_fn=end_with_parent, **options)  # noqa: S603


def ending(code: int) -> str:
    """Returns in words how a program ended."""
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
