"""Compares the clock of this machine with that of the database of traces.

A clock that is hours behind would refuse every span as too far in the future, for good. Which of the two is right
nobody knows, so while they differ nothing is judged by its time.
"""

import time

from django.db import connections

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
