"""Says when the running period of an entry of the timetable began.

A period is named by the moment at which it is due. It is the same whoever computes it, so that its job is deferred
once. Days are those of a time zone: each date is due once, also when clocks change.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo


class Period(Protocol):
    def last_due(self, now: datetime, zone: ZoneInfo) -> datetime:
        """Returns the last moment until `now`, in UTC, at which the entry was due."""

    def __str__(self) -> str:
        """Returns in words how often the entry is due."""


@dataclass(frozen=True)
class Every:
    """Due at each multiple of `length` since the beginning of a day in UTC, plus `offset`."""

    length: timedelta
    offset: timedelta = timedelta()

    def last_due(self, now: datetime, zone: ZoneInfo) -> datetime:
        seconds = (now - self.offset).timestamp()
        return datetime.fromtimestamp(seconds - seconds % self.length.total_seconds(), UTC) + self.offset

    def __str__(self) -> str:
        minutes = int(self.length.total_seconds() // 60)
        if self.length == timedelta(days=7):
            return "every week"
        return "every hour" if minutes == 60 else "every minute" if minutes == 1 else f"every {minutes} minutes"


@dataclass(frozen=True)
class Daily:
    """Due once a date, at this time of the zone. Where clocks skip the time, due as much later."""

    at: time

    def last_due(self, now: datetime, zone: ZoneInfo) -> datetime:
        today = now.astimezone(zone).date()
        # The zone's date is a day ahead of the last due moment at most.
        return next(due for days in range(3) if (due := self.due_on(today - timedelta(days=days), zone)) <= now)

    def due_on(self, day: date, zone: ZoneInfo) -> datetime:
        return datetime.combine(day, self.at, zone).astimezone(UTC)

    def __str__(self) -> str:
        return f"daily at {self.at:%H:%M}"
