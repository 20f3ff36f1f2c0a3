"""Runs the launcher and makes its exit code: it prints errors in one line, and stops in order after Ctrl-C."""

import logging
import signal
import sys
from collections.abc import Callable
from types import FrameType

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError
from django.db import Error as DatabaseError

from observability.launcher.refused import Refused

# Ctrl-C, a service manager, a closed terminal.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody pressed Ctrl-C or sent a stop signal."""


def exit_code(work: Callable[[], None]) -> int:
    """Does the work and returns the program's exit code. Prints the reason of a failure in one line."""
    for number in STOP_SIGNALS:
        signal.signal(number, stop)
    # The pool warns at each attempt; the one line below is enough.
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    try:
        work()
    except Stopped:
        return 0
    except (Refused, ImproperlyConfigured, CommandError) as error:
        print(f"Cannot start: {error}", file=sys.stderr)
        return 1
    except (DatabaseError, psycopg.Error) as error:
        print(f"Cannot start: the database refused: {first_line(str(error))}", file=sys.stderr)
        return 1
    return 0


def stop(signum: int, frame: FrameType | None) -> None:
    # A second Ctrl-C must not interrupt the stopping of the database.
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


def first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "no reason given")
