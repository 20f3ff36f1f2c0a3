"""Runs the launcher and makes its exit code: it prints errors in one line, and stops in order after Ctrl-C."""

import signal
import sys
from collections.abc import Callable
from types import FrameType

from observability.launcher.refused import Refused

# Ctrl-C, a service manager, a closed terminal.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody pressed Ctrl-C or sent a stop signal."""


def no_other_reason(error: Exception) -> str | None:
    return None


def exit_code(work: Callable[[], None], reason_of: Callable[[Exception], str | None] = no_other_reason) -> int:
    """Does the work and returns the program's exit code. Prints the reason of a failure in one line.

    `reason_of` returns the reason of an error other than Refused, and None for a fault of the program.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, stop)
    try:
        work()
    except Stopped:
        return 0
    except Exception as error:
        reason = str(error) if isinstance(error, Refused) else reason_of(error)
        if reason is None:
            raise
        print(f"Cannot start: {reason}", file=sys.stderr)
        return 1
    return 0


def stop(signum: int, frame: FrameType | None) -> None:
    # A second Ctrl-C must not interrupt the stopping of the database.
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise Stopped
