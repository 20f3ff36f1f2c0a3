"""The time in which a span must have begun to be stored."""

from datetime import UTC, datetime, timedelta

from django.conf import settings

MAX_TIME_AHEAD = timedelta(hours=1)
"""Clocks of clients may be fast."""


def accepted_time() -> tuple[datetime, datetime]:
    """Returns the earliest and the latest start that is accepted now."""
    now = datetime.now(UTC)
    return now - timedelta(days=settings.RETENTION_DAYS), now + MAX_TIME_AHEAD


def accepted_time_text() -> str:
    """Returns the condition as words, for a client that has broken it."""
    return f"must lie within the last {settings.RETENTION_DAYS} days and at most 1 hour ahead"
