"""The time in which a span must have begun to be stored."""

from datetime import UTC, datetime, timedelta

from django.conf import settings

MAX_TIME_AHEAD = timedelta(hours=1)
"""Clocks of clients may be fast."""


def accepted_time() -> tuple[datetime, datetime]:
    """Returns the earliest and the latest start that is accepted now."""
    now = datetime.now(UTC)
    return now - timedelta(days=settings.RETENTION_DAYS), now + MAX_TIME_AHEAD
