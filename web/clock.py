"""Compares the clock of this machine with that of the database of traces.

A clock that is hours behind would refuse every span as too far in the future, for good. Which of the two is right
nobody knows, so while they differ nothing is judged by its time.
"""

import time
from datetime import datetime, timedelta

from django.db import connections
from django.utils import timezone

MAX_DIFFERENCE_SECONDS = 60
CHECKED_EVERY_SECONDS = 5
JUMP_SECONDS = 1
"""A clock that was set differs from one that only runs by more."""


class Clock:
    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.checked_at = -float("inf")
        self.offset = 0.0
        self.seconds_ahead = 0.0

    def difference(self) -> float:
        """Returns by how many seconds this machine's clock is ahead of the database's, measured at most 5 s ago.

        Asks the database, and so raises its errors.
        """
        now = time.monotonic()
        offset = time.time() - now
        if now - self.checked_at > CHECKED_EVERY_SECONDS or abs(offset - self.offset) > JUMP_SECONDS:
            before = time.time()
            with connections["analytics"].cursor() as cursor:
                cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
                [(database_time,)] = cursor.fetchall()
            self.seconds_ahead = (before + time.time()) / 2 - database_time
            self.checked_at, self.offset = now, offset
        return self.seconds_ahead

    def fault(self) -> str | None:
        """Returns what is wrong, in words; None if the clocks agree."""
        seconds = self.difference()
        if abs(seconds) <= MAX_DIFFERENCE_SECONDS:
            return None
        direction = "behind" if seconds < 0 else "ahead of"
        return f"The server's clock is {abs(seconds):.0f} s {direction} the clock of the database."


clock = Clock()


class ClocksDiffer(Exception):
    """Nobody knows how late it is, so nothing is deleted."""


def check_clocks(due_at: str) -> None:
    """Raises ClocksDiffer unless this machine and both databases agree about the time, and the moment has come.

    A clock that is a year ahead would delete a year too much, for good. `due_at` is a moment by the clock of the
    database of settings.
    """
    limit = timedelta(seconds=MAX_DIFFERENCE_SECONDS)
    fault = clock.fault()
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        [(database_time,)] = cursor.fetchall()
    if fault is None and abs(database_time - timezone.now()) > limit:
        fault = "The clocks of the server and of the database of settings differ by more than a minute."
    if fault is None and datetime.fromisoformat(due_at) > timezone.now() + limit:
        fault = "The job is due in the future: it was made while a clock was ahead."
    if fault:
        raise ClocksDiffer(fault)
