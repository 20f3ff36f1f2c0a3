"""The time in which a span must have begun to be stored, with or without its contents."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

MAX_TIME_AHEAD = timedelta(hours=1)
"""Clocks of clients may be fast."""

_seconds_ahead: ContextVar[list[float]] = ContextVar("seconds_ahead")


def accepted_time() -> tuple[datetime, datetime]:
    """Returns the earliest and the latest start that is accepted now."""
    now = datetime.now(UTC)
    return now - timedelta(days=settings.RETENTION_DAYS), now + MAX_TIME_AHEAD


def oldest_content(zone: ZoneInfo, now: datetime) -> datetime:
    """Returns the moment before which contents are not stored: the beginning of a day in the workspace's zone."""
    day = now.astimezone(zone).date() - timedelta(days=settings.CONTENT_RETENTION_DAYS)
    return datetime.combine(day, time(), zone)


def accepted_time_text() -> str:
    """Returns the condition as words, for a client that has broken it."""
    return f"must lie within the last {settings.RETENTION_DAYS} days and at most 1 hour ahead"


@contextmanager
def spans_ahead() -> Iterator[list[float]]:
    """Collects by how many seconds the spans are ahead that are refused inside the block."""
    token = _seconds_ahead.set([])
    try:
        yield _seconds_ahead.get()
    finally:
        _seconds_ahead.reset(token)


def note_refused(start_seconds: float) -> None:
    """Notes that a start (in seconds since 1970) was refused. It matters where it is ahead: a client's clock is."""
    ahead = start_seconds - datetime.now(UTC).timestamp()
    noted = _seconds_ahead.get(None)
    if noted is not None and ahead > MAX_TIME_AHEAD.total_seconds():
        noted.append(ahead)
